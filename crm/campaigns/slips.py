"""Finds where a person slipped in a YAML file, and says it in the words of a person.

A parser tells where it could not go on, which is often lines below the mistake, and names things that only its authors
know. This reader looks at the file as it was meant: lines of ``name: value``, lists with dashes, brackets, quotes. It
is asked only after the parser refused a file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Slip(NamedTuple):
    """A slip of the hand: a code of ``texts`` with its values, and where it stands, counted from 1."""

    code: str
    line: int
    column: int
    params: Mapping[str, object] = {}


class _Found(Exception):
    """Ends the reading at the first slip; nobody outside sees it."""

    def __init__(self, slip: Slip) -> None:
        super().__init__(slip.code)
        self.slip = slip


def find_slip(text: str) -> Slip | None:
    """Return the first slip in a text that cannot be read, or None if it is none that is known here."""
    try:
        _Reader().read(text)
    except _Found as found:
        return found.slip
    return None


Kind = Literal["dash", "key"]
PAIRS = {"{": "}", "[": "]"}
_KEY = re.compile(r"(?:[A-Za-z_][\w-]*|\"[^\"]*\"|'[^']*')\s*:(?=\s|$)")
_KEY_TIGHT = re.compile(r"[A-Za-z_]\w*:(?=[^\s/,}\]])")
_WORD = re.compile(r"[A-Za-z_]\w*(?=\s|$)")
_WIDE_COLON = re.compile("[A-Za-z_]\\w*\\s*\N{FULLWIDTH COLON}")
_OTHER_DASH = re.compile("(?:[\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}\N{BULLET}\N{MIDDLE DOT}]\\s*|\\* )")
_BLOCK_TEXT = re.compile(r"[|>][-+\d]*\s*(?:#.*)?$")
WIDE_SIGNS = {
    "\N{FULLWIDTH COLON}": ":",
    "\N{FULLWIDTH COMMA}": ",",
    "\N{IDEOGRAPHIC COMMA}": ",",
    "\N{FULLWIDTH LEFT CURLY BRACKET}": "{",
    "\N{FULLWIDTH RIGHT CURLY BRACKET}": "}",
    "\N{FULLWIDTH LEFT SQUARE BRACKET}": "[",
    "\N{FULLWIDTH RIGHT SQUARE BRACKET}": "]",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
}
NOT_AT_START = "@%`|>!&*"


@dataclass
class _Bracket:
    """An open bracket; ``named`` once the present entry has its name."""

    sign: str
    line: int
    column: int
    named: bool = False


class _Level(NamedTuple):
    column: int
    kind: Kind


@dataclass
class _Reader:
    """Walks through a file once and stops at the first thing that cannot have been meant."""

    number: int = 0
    brackets: list[_Bracket] = field(default_factory=list)
    bracket_indent: int = 0
    levels: list[_Level] = field(default_factory=list)
    first: tuple[int, int] | None = None
    opened: bool = True
    block_text: int | None = None
    bare: tuple[int, int] | None = None
    """Where brackets stand without a dash or a name before them."""

    def read(self, text: str) -> None:
        for self.number, line in enumerate(text.splitlines(), start=1):
            body = line.lstrip(" ")
            if body and not body.startswith("#"):
                self._line(line, len(line) - len(body))
        if self.brackets:
            self._open_bracket()

    def say(self, code: str, column: int, line: int | None = None, **params: object) -> None:
        raise _Found(Slip(code, line or self.number, column + 1, params))

    def _line(self, line: str, indent: int) -> None:
        if self.block_text is not None and indent > self.block_text:
            return
        self.block_text = None
        if "\t" in line[: len(line) - len(line.lstrip())]:
            self.say("yaml_tab", line.index("\t"))
        if line.startswith("---") and self.first is not None:
            self.say("yaml_documents", 0)
        if line.startswith(("---", "...")):
            return
        if self.brackets and not self._starts_anew(line[indent:], indent):
            self._values(line, indent)
            return
        if self.brackets:
            self._open_bracket()
        self.first = self.first or (self.number, indent)
        self._entry(line, indent)

    def _starts_anew(self, body: str, indent: int) -> bool:
        """Tell whether a line inside brackets is clearly the next entry: then a bracket was left open above."""
        return body.startswith("- ") or (indent <= self.bracket_indent and _KEY.match(body) is not None)

    def _open_bracket(self) -> None:
        last = self.brackets[-1]
        self.say("yaml_bracket_open", last.column, last.line, sign=last.sign, closing=PAIRS[last.sign])

    def _entry(self, line: str, at: int) -> None:
        """Read a line outside brackets: dashes, a name, a value."""
        self.bracket_indent = at
        while line.startswith("- ", at) or line[at:] == "-":
            if self.bare is not None:
                self.say("yaml_dash_missing", self.bare[1], self.bare[0])
            self._stand(at, "dash")
            at += 1 + len(line[at + 1 :]) - len(line[at + 1 :].lstrip(" "))
            self.opened = True
        if at >= len(line) or line[at] == "#":
            return
        self._refuse_other_dash(line, at)
        key = _KEY.match(line, at)
        if key is None:
            self._no_key(line, at)
            return
        self._stand(at, "key")
        start = key.end() + len(line[key.end() :]) - len(line[key.end() :].lstrip(" "))
        self.opened = start >= len(line) or line[start] == "#"
        if _BLOCK_TEXT.match(line, start):
            self.block_text = at
        elif not self.opened:
            self._values(line, start)

    def _refuse_other_dash(self, line: str, at: int) -> None:
        if found := _OTHER_DASH.match(line, at):
            self.say("yaml_dash", at, sign=found[0].strip())
        if re.match(r"-[^\s-]", line[at:]):
            self.say("yaml_dash_space", at)

    def _no_key(self, line: str, at: int) -> None:
        """Read what stands where a name could: an entry of a list, the rest of a text, or a name with a slip."""
        if tight := _KEY_TIGHT.match(line, at):
            self.say("yaml_colon_space", tight.end() - 1, name=tight[0][:-1])
        if wide := _WIDE_COLON.match(line, at):
            self.say("yaml_wide_sign", wide.end() - 1, sign=wide[0][-1], meant=":")
        if line[at] in "{[" and not line[:at].strip():
            self.bare = (self.number, at)
            if self.levels and self.levels[-1].kind == "dash":
                self.say("yaml_dash_missing", at)
        name = _WORD.match(line, at)
        if name and not self.opened and self.levels and at <= self.levels[-1].column:
            self.say("yaml_colon", at, name=name[0])
        if name and not self.levels:
            self.say("yaml_colon", at, name=name[0])
        self._values(line, at)
        self.opened = False

    def _stand(self, column: int, kind: Kind) -> None:
        """Check that an entry stands below the ones it belongs to, or deeper where something was opened."""
        left: _Level | None = None
        while self.levels and (self.levels[-1].column > column or self._list_ends(column, kind)):
            left = self.levels.pop()
        top = self.levels[-1] if self.levels else None
        if top is None and left is not None and left.column != column and self.first is not None:
            self._indent(self.first[1], column, self.first[0])
        if top is not None and top.column < column and (left is not None or not self.opened):
            self._indent(column, (left or top).column)
        if top == (column, "key") and kind == "dash" and left is not None and left.kind == "dash":
            self._indent(column, left.column)  # an entry of a list that stands in the column of the list's name
        if top is None or top.column < column or top.kind != kind:
            self.levels.append(_Level(column, kind))
        self.opened = False

    def _list_ends(self, column: int, kind: Kind) -> bool:
        """A name in the column of a list's dashes ends the list."""
        return self.levels[-1] == (column, "dash") and kind == "key"

    def _indent(self, found: int, wanted: int, line: int | None = None) -> None:
        self.say("yaml_indent", found, line, found=found, wanted=wanted)

    def _values(self, line: str, start: int) -> None:
        """Read values, names in brackets and commas from ``start`` to the end of the line."""
        _Values(self, line).read(start)


State = Literal["start", "plain", "quoted", "closed"]


@dataclass
class _Values:
    """The part of a line after the name, and everything inside brackets."""

    reader: _Reader
    line: str
    state: State = "start"
    begun: int = 0

    def read(self, at: int) -> None:
        # Inside brackets a line may go on with what the last one began; commas are looked for from the next sign on.
        while at < len(self.line):
            sign = self.line[at]
            if sign == "#" and (at == 0 or self.line[at - 1] == " "):
                return
            at = at + 1 if sign == " " else self._sign(sign, at)

    @property
    def bracket(self) -> _Bracket | None:
        return self.reader.brackets[-1] if self.reader.brackets else None

    def _sign(self, sign: str, at: int) -> int:
        """Take one sign in; return where to go on."""
        if self.bracket is None and self.state == "plain":
            return self._plain_outside(at)
        if sign in "\"'" and self.state == "start":
            return self._quoted(sign, at)
        if sign in "{[":
            return self._opens(sign, at)
        if sign in "}]":
            return self._closes(sign, at)
        if sign == "," and self.bracket is not None:
            self.state, self.bracket.named = "start", False
            return at + 1
        if sign == ":" and self._ends_name(at):
            return self._name_ends(at)
        return self._other(sign, at)

    def _plain_outside(self, at: int) -> int:
        """A text without quotes outside brackets goes to the end of the line; a second colon would make it a name."""
        second = re.search(r":(?=\s|$)", self.line[at:].partition(" #")[0])
        if second:
            self.reader.say("yaml_colon_twice", at + second.start(), quoted=_in_quotes(self._rest(self.begun)))
        return len(self.line)

    def _quoted(self, quote: str, at: int) -> int:
        end = _quote_end(self.line, at, quote)
        if end is None:
            self.reader.say("yaml_quote_open", at, sign=quote)
        self.state, self.begun = "quoted", at
        return (end or at) + 1

    def _opens(self, sign: str, at: int) -> int:
        if self.state != "start":
            self._needs_quotes(at)
        self.reader.brackets.append(_Bracket(sign, self.reader.number, at))
        self.begun = at
        return at + 1

    def _closes(self, sign: str, at: int) -> int:
        last = self.bracket
        if last is None:
            self.reader.say("yaml_bracket_extra", at, sign=sign)
        elif PAIRS[last.sign] != sign:
            closing = PAIRS[last.sign]
            self.reader.say("yaml_bracket_wrong", at, sign=sign, closing=closing, opened=last.line)
        else:
            self.reader.brackets.pop()
            self.begun = last.column if last.line == self.reader.number else 0
        self.state = "closed"
        return at + 1

    def _ends_name(self, at: int) -> bool:
        return at + 1 >= len(self.line) or self.line[at + 1] in " ,}]"

    def _name_ends(self, at: int) -> int:
        """A colon inside brackets; a second one before the next comma means that the comma is missing."""
        bracket = self.bracket
        if bracket is None:
            self.reader.say("yaml_colon_twice", at, quoted=_in_quotes(self._rest(self.begun)))
        elif bracket.named:
            self._comma(at)
        elif bracket.sign == "[":
            self.reader.say("yaml_comma", at, after="[", before=":")
        else:
            bracket.named = True
        self.state = "start"
        return at + 1

    def _comma(self, at: int) -> None:
        name = re.search(r"[\w-]+\s*$", self.line[:at])
        start = name.start() if name else at
        before = self.line[:start].rstrip()
        shown = re.search(r"[^\s,{}\[\]]+$", before)
        self.reader.say("yaml_comma", start, after=shown[0] if shown else before[-1:], before=self.line[start:at])

    def _other(self, sign: str, at: int) -> int:
        if self.state == "quoted":
            self._needs_quotes(at)
        if self.state == "closed":
            self._after_bracket(at)
        if self.state == "start":
            self._plain_starts(sign, at)
        return at + 1

    def _after_bracket(self, at: int) -> None:
        if self.bracket is None or not re.match(r"[\w-]+\s*:", self.line[at:]):
            self._needs_quotes(at)
        word = re.match(r"[\w-]+", self.line[at:])
        self.reader.say("yaml_comma", at, after=self.line[:at].rstrip()[-1:], before=word[0] if word else "")

    def _plain_starts(self, sign: str, at: int) -> None:
        if sign in WIDE_SIGNS:
            self.reader.say("yaml_wide_sign", at, sign=sign, meant=WIDE_SIGNS[sign])
        if sign in NOT_AT_START:
            self.reader.say("yaml_sign_start", at, sign=sign, quoted=_in_quotes(self._rest(at)))
        tight = _KEY_TIGHT.match(self.line, at)
        if tight and self.bracket is not None and self.bracket.sign == "{" and not self.bracket.named:
            self.reader.say("yaml_colon_space", tight.end() - 1, name=tight[0][:-1])
        self.state, self.begun = "plain", at

    def _needs_quotes(self, at: int) -> None:
        self.reader.say("yaml_needs_quotes", self.begun, quoted=_in_quotes(self._rest(self.begun)), sign=self.line[at])

    def _rest(self, start: int) -> str:
        """Return the value that starts there as it was probably meant: to the next comma outside its own brackets."""
        value, depth = "", 0
        for sign in self.line[start:]:
            depth += (sign in "{[") - (sign in "}]")
            if self.bracket is not None and (depth < 0 or (depth == 0 and sign == ",")):
                break
            value += sign
        return value.partition(" #")[0].strip()


def _quote_end(line: str, at: int, quote: str) -> int | None:
    """Return where the quote that opens at ``at`` closes on its line."""
    pattern = r"'(?:[^']|'')*'" if quote == "'" else r'"(?:[^"\\]|\\.)*"'
    found = re.match(pattern, line[at:])
    return at + found.end() - 1 if found else None


def _in_quotes(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
