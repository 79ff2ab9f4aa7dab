"""The second pass over a table: every line becomes one row, accepted, refused or skipped, in the order of the file.

Every value is cleaned, every change and doubt told. No more than one row is held at a time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from crm.imports import lines, mapping
from crm.imports.records import Cell, Facts, Issue, ReadRow
from crm.imports.survey import CONSENTS, Survey
from crm.imports.takers import Cleaned, Line, Plan
from crm.imports.text import NOTE_LIMIT, Memo, cell_text, folded, one_line, shown
from crm.imports.words import words

TEST_WORDS = frozenset(folded(word) for word in words("test"))
_TEST_STARTS = frozenset(first for word in TEST_WORDS for first in (word[0], word[0].upper()))
_NO_LINKS: Mapping[int, str] = {}
_NO_PERSON = Issue("no_person_name")
_CARD_STATES = {"malformed_card": "refused", "group_card": "skipped"}


@dataclass
class TableCleaner:
    """Cleans the rows of one table. ``home`` is the file's home country, empty for none.

    ``corrections`` and ``left_out`` are those of this table, by row number. ``has_shape``: too many cells
    mean shifted values (text files). ``all_texts``: every cell is a text. ``first_number`` is that of record index 0.
    """

    of: Survey
    home: str = ""
    corrections: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    left_out: Collection[int] = frozenset()
    has_shape: bool = False
    all_texts: bool = False
    first_number: int = 1

    def __post_init__(self) -> None:
        survey = self.of
        self.sheet = survey.table.sheet
        self.labels = _labels(survey.headers)
        self.plan = Plan(survey.columns, self.labels, self.home, survey.dates, survey.crosses, self.first_number == 0)
        self.tested: list[str] = [
            name for name in ("full_name", "company") if name in self.plan.of or name == "full_name"
        ]
        if self.plan.has("family_name", "given_name"):
            self.tested += ["family_name", "given_name"]
        self.line = Line((), (), {}, [], _NO_LINKS)
        self.fixed = {column.index for column in survey.columns if column.field in CONSENTS}
        self.secret = [column.index for column in survey.columns if column.field == "sensitive"]
        states = (column.index for column in survey.columns if column.field == mapping.CARD_STATE)
        self.card_state = next(states, None)
        self.kinds = lines.Kinds(survey.head, {column.index: column for column in survey.columns})
        self.links: dict[int, dict[int, str]] = defaultdict(dict)
        for (row, place), address in survey.table.links.items():
            self.links[row][place] = address
        self.filled: dict[int, set[int]] = defaultdict(set)
        for row, place in survey.table.filled:
            self.filled[row].add(place)
        self.marked = survey.table.hidden_rows | self.filled.keys()

    def lines(self) -> Iterator[ReadRow]:
        """Yield every line but that of the header."""
        head = self.of.head
        for index, cells in enumerate(self.of.table.records()):
            if index >= head.first:
                yield self._row(index, cells)
            elif index != head.index and self.first_number:
                yield ReadRow(index + self.first_number, self.sheet, "skipped", self.kinds.above(index, cells))

    def _row(self, index: int, cells: list[Cell]) -> ReadRow:
        number = index + self.first_number
        if number in self.corrections:
            cells = list(cells)  # what is corrected is this row's, not the table's
        texts = cast(list[str], cells) if self.all_texts else [*map(cell_text, cells)]
        raw = self._raw(texts)
        corrected = self._corrected(number, texts, cells) if number in self.corrections else []
        kind = self.kinds.of(texts, self.filled.get(index, ()) if self.filled else ())
        if kind:
            return ReadRow(number, self.sheet, "skipped", kind)
        if self.has_shape and len(texts) > self.of.width:
            return ReadRow(number, self.sheet, "refused", "row_shape", {}, corrected, raw)
        missing = len(self.labels) - len(texts)
        if missing:
            self._square(texts, cells, missing)
        row = ReadRow(number, self.sheet, "accepted", "", {}, corrected, raw)
        line = self.line
        line.texts, line.cells, line.facts, line.issues = texts, cells, row.facts, corrected
        line.links = self.links.get(index, _NO_LINKS) if self.links else _NO_LINKS
        if index in self.marked:
            self._tell_origin(index, line)
        self._clean(line)
        self._judge(row, texts)
        return row

    def _square(self, texts: list[str], cells: list[Cell], missing: int) -> None:
        """Fill up a short row; what stands right of the last header is kept apart."""
        if missing > 0:
            texts += [""] * missing
            if cells is not texts:
                cells += [""] * missing

    def raw(self, cells: Sequence[Cell]) -> list[str]:
        """Return a record as it stood in the file, without what must never be stored."""
        return self._raw([*map(cell_text, cells)])

    def _raw(self, texts: Sequence[str]) -> list[str]:
        raw = list(texts)
        for place in self.secret:
            if place < len(raw):
                raw[place] = ""
        while raw and not raw[-1]:
            raw.pop()
        return raw

    def _corrected(self, number: int, texts: list[str], cells: list[Cell]) -> list[Issue]:
        """Put corrections in place. What a visitor consented to is proven by the file and cannot be corrected here."""
        issues = []
        for place, text in sorted(self.corrections[number].items()):
            if not 0 <= place < len(self.labels) or place in self.secret:
                continue
            if place in self.fixed:
                issues.append(Issue("consent_not_corrected", {"column": self.labels[place]}))
                continue
            missing = [""] * (place + 1 - len(texts))
            texts += missing
            if cells is not texts:
                cells += missing
            was, texts[place], cells[place] = texts[place], text, text
            if text != was:
                params = {"column": self.labels[place], "v": shown(was), "now": shown(text)}
                issues.append(Issue("corrected", params))
        return issues

    def _tell_origin(self, index: int, line: Line) -> None:
        if index in self.of.table.hidden_rows:
            line.say("hidden_row")
        merged = sorted(place for place in self.filled.get(index, ()) if place < len(self.labels))
        for place in merged[:1]:
            line.say("merged_cell_filled", column=self.labels[place], v=shown(line.texts[place]))

    def _clean(self, line: Line) -> None:
        plan, texts, facts, issues = self.plan, line.texts, line.facts, line.issues
        for place, name, memo in plan.singles:
            text = texts[place]
            if text:
                value, said = memo[text]
                if value:
                    facts[name] = value
                if said:
                    issues.extend(said)
        for place, take in plan.takes:
            text = texts[place]
            if text:
                take(text, facts, issues)
        for step in plan.steps:
            step(line)
        if plan.kept:
            self._keep(plan.kept, "more", line)
        if plan.extras:
            self._keep(plan.extras, "extra", line)
        if len(texts) > len(self.labels):
            self._keep_surplus(line)

    def _keep(self, columns: Sequence[tuple[int, str, Memo[Cleaned]]], where: str, line: Line) -> None:
        found: dict[str, str] = line.facts.get(where, {})
        for place, name, memo in columns:
            text = line.texts[place]
            if text:
                value, said = memo[text]
                if value:
                    found[name] = f"{found[name]} / {value}" if name in found else value
                if said:
                    line.issues.extend(said)
        if found:
            line.facts[where] = found

    def _keep_surplus(self, line: Line) -> None:
        for place in range(len(self.labels), len(line.texts)):
            text = one_line(line.texts[place])
            if text:
                line.facts.setdefault("extra", {})[f"#{place + 1}"] = text[:NOTE_LIMIT]

    def _judge(self, row: ReadRow, texts: Sequence[str]) -> None:
        facts = row.facts
        if "full_name" not in facts and ("company" in facts or "emails" in facts):
            row.issues.append(_NO_PERSON)
        code = self._card_refusal(row, texts) if self.card_state is not None else ""
        code = code or _refusal(facts, self.tested)
        if not code and not self.left_out:
            return
        if code == "consent_privacy_refused":  # what was refused for lack of consent may not be kept, not even raw
            row.raw, row.issues = [], []
        if row.outcome != "skipped" and row.number in self.left_out:
            code = "left_out"
        if code:
            row.code, row.facts = code, {}
            if row.outcome == "accepted":
                row.outcome = "refused"

    def _card_refusal(self, row: ReadRow, texts: Sequence[str]) -> str:
        if self.card_state is None or texts[self.card_state] not in _CARD_STATES:
            return ""
        row.outcome = _CARD_STATES[texts[self.card_state]]
        return texts[self.card_state]


def _refusal(facts: Facts, tested: Sequence[str]) -> str:
    if facts.get("consent_privacy") is False:
        return "consent_privacy_refused"
    for name in tested:
        text = facts.get(name)
        if text and (text[0] in _TEST_STARTS or not text[0].isalnum()) and folded(text) in TEST_WORDS:
            return "test_row"
    if "emails" in facts or "mobile" in facts or "phone" in facts or "other_phones" in facts:
        return ""
    return "" if "full_name" in facts and "company" in facts else "no_identity"


def _labels(headers: Sequence[str]) -> list[str]:
    """Return a label for every column, as written; blank and repeated headers get their column's number."""
    labels: list[str] = []
    for number, header in enumerate(headers, 1):
        text = one_line(header)
        labels.append(text if text and text not in labels else f"{text} #{number}".strip())
    return labels
