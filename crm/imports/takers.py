"""What is done with the cells of each column: a table's columns are compiled once into a plan for its rows.

Lists repeat their values (countries, titles, yes and no), so what was made of a text is remembered for a while. Most
columns are a name and such a memory; the others are functions that take one cell; and what needs several cells, or what
others found, is a step that comes after them.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crm.contacts.rules import is_role_mailbox
from crm.imports import answers, countries, dialling, emails, names, phones
from crm.imports.dates import DateColumn, plain_date
from crm.imports.records import Cell, Column, Facts, Issue
from crm.imports.survey import CONSENTS, DATED
from crm.imports.text import (
    FIELD_LIMIT,
    NOTE_LIMIT,
    Memo,
    has_invisible,
    is_empty_word,
    is_plain,
    looks_like_formula,
    many_lines,
    name_line,
    one_line,
    shown,
    unwrapped,
)

Issues = list[Issue]
Texts = Sequence[str]
Cleaned = tuple[Any, Sequence[Issue]]
"""What a cell says (empty: nothing) and what is to be said about it."""
Take = Callable[[str, Facts, Issues], None]

NOTHING: Cleaned = ("", ())


@dataclass(slots=True)
class Line:
    """One row on its way: its cells as texts and as they came, its facts and findings so far, links behind cells."""

    texts: Texts
    cells: Sequence[Cell]
    facts: Facts
    issues: Issues
    links: Mapping[int, str]

    def say(self, code: str, at: Column | None = None, **params: object) -> None:
        where = {"column": at.header, "field": at.field} if at else {}
        self.issues.append(Issue(code, {**where, **params}))


Step = Callable[[Line], None]

_PLAIN_FIELDS = frozenset(("company_alt", "department", "title", "city", "visit_purpose", "timeframe", "captured_by"))
_PLAIN_FIELDS |= {"external_id", "booth", "exporter", "follow_up"}
_KEPT = frozenset(("region", "company_type", "industry", "company_size", "quantity", "decision_role", "visitor_type"))
_KEPT |= {"event_name", "suffix", "company_reading", "linkedin"}
_MESSENGERS = frozenset(("wechat", "whatsapp", "line", "kakao"))
_LISTS = {"interests": r"[,;/|·・、，\n]+", "tags": r"[,;、，\n]|:::"}
_ANSWERS: dict[str, tuple[Callable[[str], str], str]] = {
    "rating": (answers.rating, "rating_unreadable"),
    "language": (answers.language, "language_unreadable"),
}
_NATIVE = ("full_name", "family_name", "given_name", "company")
_HOME_OF_SCRIPT = {"hangul": "KR", "kana": "JP"}
_NUMBERS = ("mobile", "phone", "fax")


@dataclass
class Plan:
    """The columns of one table, compiled. ``labels`` name the columns in messages and among the extra answers.

    ``singles`` (place, field, memory): the memory's text is the field. ``kept`` and ``extras`` are the same for what
    goes under ``more`` by field and under ``extra`` by label. ``takes`` take one cell, ``steps`` the row.
    """

    columns: Sequence[Column]
    labels: Sequence[str]
    home: str
    dates: Mapping[int, DateColumn]
    crosses: Iterable[int]
    home_by_script: bool = False
    """No header tells a home country: a national number beside a Korean or Japanese name is one of that country."""

    def __post_init__(self) -> None:
        self.of: dict[str, list[Column]] = defaultdict(list)
        self.singles: list[tuple[int, str, Memo[Cleaned]]] = []
        self.kept: list[tuple[int, str, Memo[Cleaned]]] = []
        self.extras: list[tuple[int, str, Memo[Cleaned]]] = []
        self.takes: list[tuple[int, Take]] = []
        for column in self.columns:
            self._compile(column)
        self.steps = list(self._steps())

    def has(self, *fields: str) -> bool:
        return any(name in self.of for name in fields)

    def _compile(self, column: Column) -> None:
        place, name, label = column.index, column.field, self.labels[column.index]
        if name is None:
            self.extras.append((place, label, _answers_kept(column)))
            return
        is_first = name not in self.of
        self.of[name].append(column)
        single = _single(column)
        if single is not None and is_first:
            self.singles.append((place, name, single))
        elif single is not None:
            self.takes.append((place, _further(name, single, label)))
        elif name in _KEPT:
            self.kept.append((place, name, _cleaner(column)))
        else:
            take = self._take(column, name)
            if take:
                self.takes.append((place, take))

    def _take(self, column: Column, name: str) -> Take | None:
        if name in CONSENTS:
            return _consent(column, CONSENTS[name], column.index in self.crosses)
        if name in _MESSENGERS:
            return _messenger(column)
        if name in _LISTS:
            return _listed(column, _LISTS[name])
        if name in _ANSWERS:
            return _answer(column, *_ANSWERS[name])
        return _secret(column) if name == "sensitive" else None

    def _steps(self) -> Iterator[Step]:
        if self.of.get("consent_privacy"):
            yield _privacy_missing(self.of["consent_privacy"])
        if self.of.get("company"):
            yield _title_from_company(self.of["company"][0])
        yield _country_from_elsewhere(self)
        if self.has(*_NUMBERS):
            yield _Phones(self).take
        yield _emails([*self.of.get("email", ()), *self.of.get("email_other", ())])
        yield _Names(self).take
        for name in DATED:
            if self.of.get(name):
                yield _dates(name, [(column, self.dates[column.index]) for column in self.of[name]])
        if self.of.get("postal_code"):
            yield _postal(self.of["postal_code"])


# ---- one cell


def _cleaner(column: Column, clean: Callable[[str], str] = one_line, limit: int = FIELD_LIMIT) -> Memo[Cleaned]:
    """Return a memory of cleaned texts of a column; placeholders count as empty."""

    def make(text: str) -> Cleaned:
        if is_plain(text):
            return text, ()
        text = clean(text)
        return NOTHING if not text or is_empty_word(text) else _checked(text, column, limit)

    return Memo(make)


def _checked(text: str, column: Column, limit: int) -> Cleaned:
    issues: Issues = []
    where = {"column": column.header, "field": column.field or "", "v": shown(text)}
    if text.endswith("\ufffd"):
        text = text.rstrip("\ufffd").rstrip()
        issues.append(Issue("undecodable_text", where))
    if looks_like_formula(text):
        issues.append(Issue("formula_like", where))
    if len(text) > limit:
        issues.append(Issue("cell_truncated", {**where, "limit": limit}))
        text = text[:limit]
    return text, issues


def _answers_kept(column: Column) -> Memo[Cleaned]:
    """Columns nobody knows often hold the answers to the booth's own questions; “none” is an answer, too."""

    def make(text: str) -> Cleaned:
        text = many_lines(text)
        return (text, ()) if not text or is_plain(text) else _checked(text, column, NOTE_LIMIT)

    return Memo(make)


def _single(column: Column) -> Memo[Cleaned] | None:
    """Return the memory of a field that takes one text from one column; None when the field is not of that kind."""
    name = column.field
    if name in _PLAIN_FIELDS:
        return _cleaner(column)
    if name == "company":
        return _firm(column)
    if name == "country":
        return _refined(column, _cleaner(column), _as_country)
    if name == "website":
        return _refined(column, _cleaner(column), _as_link)
    if name == "notes":
        return _cleaner(column, many_lines, NOTE_LIMIT)
    return _cleaner(column) if name == "address" else None


def _refined(
    column: Column, cleaned: Memo[Cleaned], refine: Callable[[str, Cleaned, Column], Cleaned]
) -> Memo[Cleaned]:
    return Memo(lambda text: refine(text, cleaned.make(text), column))


def _firm(column: Column) -> Memo[Cleaned]:
    cleaned = _cleaner(column)

    def make(text: str) -> Cleaned:
        if is_plain(text):
            return text, ()
        found, said = cleaned.make(text)
        if has_invisible(text):
            said = [*said, Issue("control_chars_removed", {"column": column.header, "v": shown(text)})]
        return found, said

    return Memo(make)


def _as_country(_written: str, found: Cleaned, column: Column) -> Cleaned:
    text, issues = found
    code = countries.country_of(text) if text else ""
    if code or not text:
        return code, issues
    code = countries.country_of_city(text)
    what = "country_from_city" if code else "country_unknown"
    return code or UNKNOWN, [*issues, Issue(what, {"column": column.header, "field": "country", "v": shown(text)})]


UNKNOWN = "?"
"""A country that is stated but not known: nothing else may tell it, and it is taken out again."""


def _as_link(_written: str, found: Cleaned, _column: Column) -> Cleaned:
    text, issues = found
    return (text if "://" in text or not text else f"https://{text}"), issues


def _further(name: str, memo: Memo[Cleaned], label: str) -> Take:
    """First filled column wins; texts are joined, further values of the rest are kept with the unknown columns."""
    joint, limit = {"notes": ("\n", NOTE_LIMIT), "address": (" ", FIELD_LIMIT)}.get(name, ("", 0))

    def take(text: str, facts: Facts, issues: Issues) -> None:
        value, said = memo[text]
        issues.extend(said)
        if not value:
            return
        if name not in facts:
            facts[name] = value
        elif joint:
            facts[name] = f"{facts[name]}{joint}{value}"[:limit]
        elif value != facts[name] and value != UNKNOWN:
            facts.setdefault("extra", {})[label] = value

    return take


def _messenger(column: Column) -> Take:
    name, cleaned = str(column.field), _cleaner(column)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        value, said = cleaned[text]
        issues.extend(said)
        if value:
            facts.setdefault("messengers", {}).setdefault(name, value)

    return take


def _consent(column: Column, kind: str, unclear: bool) -> Take:
    """The header is the wording the visitor saw and the cell the answer: both are kept as evidence, as written."""
    name, wording = str(column.field), column.header
    answer: Memo[tuple[str, bool | None, Issue | None]] = Memo(lambda text: _answered(text, column, unclear))

    def take(text: str, facts: Facts, issues: Issues) -> None:
        written, given, issue = answer[text]
        if not written:
            return
        if issue:
            issues.append(issue)
        statement = {"kind": kind, "given": given, "wording": wording, "cell": written}
        if "consents" in facts:
            facts["consents"].append(statement)
        else:
            facts["consents"] = [statement]
        if given is None or kind == "transfer":
            return
        # Two columns for one consent: a "no" wins; for an opt-out a "yes" does.
        before = facts.get(name)
        facts[name] = given if before is None else (before or given) if kind == "opt_out" else (before and given)

    return take


def _answered(text: str, column: Column, unclear: bool) -> tuple[str, bool | None, Issue | None]:
    written = one_line(text)
    given = None if unclear else answers.consent(written)
    if given is not None or says_nothing(written):
        return written, given, None
    params = {"column": column.header, "field": column.field, "v": shown(written)}
    return written, None, Issue("consent_unreadable", params)


def says_nothing(answer: str) -> bool:
    """Tell whether a consent cell is blank. X is no placeholder there: it is a no, or a tick."""
    return not answer or (is_empty_word(answer) and answer.casefold() != "x")


def _secret(column: Column) -> Take:
    def take(text: str, _facts: Facts, issues: Issues) -> None:
        if text.strip(" 0/-"):
            issues.append(Issue("sensitive_dropped", {"column": column.header}))

    return take


def _listed(column: Column, pattern: str) -> Take:
    name = str(column.field)
    cleaned = _cleaner(column, many_lines)
    split = re.compile(pattern)

    def parts(text: str) -> tuple[list[str], Sequence[Issue]]:
        whole, said = cleaned.make(text)
        pieces = (one_line(piece).lstrip("* " if name == "tags" else "") for piece in split.split(whole))
        return list(dict.fromkeys(piece for piece in pieces if piece and not is_empty_word(piece))), said

    memo: Memo[tuple[list[str], Sequence[Issue]]] = Memo(parts)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        pieces, said = memo[text]
        issues.extend(said)
        if name in facts:
            facts[name] = list(dict.fromkeys([*facts[name], *pieces]))
        elif pieces:
            facts[name] = pieces.copy()

    return take


def _answer(column: Column, read: Callable[[str], str], code: str) -> Take:
    name, cleaned = str(column.field), _cleaner(column)

    def answered(text: str) -> tuple[str, str, Sequence[Issue]]:
        written, said = cleaned.make(text)
        meant = read(written) if written else ""
        if written and not meant:
            said = [*said, Issue(code, {"column": column.header, "field": name, "v": shown(written)})]
        return written, meant, said

    memo: Memo[tuple[str, str, Sequence[Issue]]] = Memo(answered)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        written, meant, said = memo[text]
        if not written or name in facts:
            return
        if said:
            issues.extend(said)
        if meant:
            facts[name] = meant
        else:
            facts.setdefault("more", {}).setdefault(name, written)

    return take


# ---- several cells


def _privacy_missing(columns: Sequence[Column]) -> Step:
    places = [column.index for column in columns]

    def step(line: Line) -> None:
        if "consent_privacy" not in line.facts and all(says_nothing(one_line(line.texts[place])) for place in places):
            line.say("consent_privacy_missing", columns[0])

    return step


def _title_from_company(column: Column) -> Step:
    def step(line: Line) -> None:
        company = line.facts.get("company")
        if not company or "/" not in company:
            return
        base, _slash, last = (part.strip() for part in company.rpartition("/"))
        if base and last in names.TITLE_WORDS:
            line.facts["company"] = base
            line.facts.setdefault("title", last)
            line.say("title_from_company", column, v=shown(last))

    return step


def _country_from_elsewhere(plan: Plan) -> Step:
    """Where the country column says nothing, the city tells it, else the number, else the file."""
    numbers = [column.index for name in _NUMBERS for column in plan.of.get(name, ())]
    named = [column.index for name in _NATIVE for column in plan.of.get(name, ())]
    city_of: Memo[str] = Memo(countries.country_of_city)

    def step(line: Line) -> None:
        facts = line.facts
        if "country" in facts:
            if facts["country"] == UNKNOWN:
                del facts["country"]
            return
        city = facts.get("city")
        code = (city_of[city] if city else "") or _country_of_number(line.texts, numbers) or plan.home
        if (
            not code
            and plan.home_by_script
            and any(line.texts[place].lstrip(" (").startswith("0") for place in numbers)
        ):
            code = _HOME_OF_SCRIPT.get(names.script_of("".join(line.texts[place] for place in named)), "")
        if code:
            facts["country"] = code

    return step


def _country_of_number(texts: Texts, places: Iterable[int]) -> str:
    for place in places:
        text = texts[place]
        if text and not is_empty_word(text):
            for phone in phones.read(text, country="", home=""):
                if phone.region:
                    return phone.region
    return ""


@dataclass
class _Phones:
    plan: Plan

    def __post_init__(self) -> None:
        self.columns = [(name, self.plan.of[name]) for name in _NUMBERS if self.plan.of.get(name)]
        self.has_mobile = self.plan.has("mobile")

    def take(self, line: Line) -> None:
        facts = line.facts
        region = facts.get("country") or self.plan.home
        for name, columns in self.columns:
            numbers: list[str] = []
            for column in columns:
                text = line.texts[column.index]
                if text:
                    number, code = dialling.plainly(text, region)
                    if code:
                        line.say(code, column, v=shown(text))
                    elif not number:
                        self._read(text, column, line, numbers)
                    if number and number not in numbers:
                        numbers.append(number)
            if numbers:
                self._keep(name, numbers, facts)

    def _keep(self, name: str, numbers: list[str], facts: Facts) -> None:
        if name == "phone" and not self.has_mobile:
            mobile = next((number for number in numbers if phones.is_korean_mobile(number)), "")
            if mobile:
                numbers.remove(mobile)
                facts["mobile"] = mobile
        if numbers:
            facts[name] = numbers[0]
        if name != "fax" and len(numbers) > 1:
            facts.setdefault("other_phones", []).extend(numbers[1:])

    def _read(self, text: str, column: Column, line: Line, numbers: list[str]) -> None:
        plain = one_line(text)
        if not plain or is_empty_word(plain):
            return
        read = phones.read(text, country=line.facts.get("country", ""), home=self.plan.home)
        if len([phone for phone in read if phone.number]) > 1:
            line.say("phone_multiple", column, v=shown(plain))
        for phone in read:
            if phone.code:
                line.say(phone.code, column, v=shown(plain))
            if phone.number and phone.number not in numbers:
                numbers.append(phone.number)


def _emails(columns: Sequence[Column]) -> Step:
    def step(line: Line) -> None:
        found: list[str] = []
        for column in columns:
            text = line.texts[column.index]
            if not text and not line.links:
                continue
            address = emails.plainly(text)
            if not address:
                _read_emails(text, column, line, found)
            elif address not in found:
                found.append(address)
        if not found:
            line.say("not_mailable")
            return
        line.facts["emails"] = found
        for address in found:
            if is_role_mailbox(address):
                line.say("role_mailbox", columns[0], v=address)

    return step


def _read_emails(text: str, column: Column, line: Line, found: list[str]) -> None:
    plain = one_line(text)
    link = line.links.get(column.index, "")
    if link and "@" not in plain:
        text = link
        line.say("email_from_hyperlink", column, v=shown(link))
    elif not plain or is_empty_word(plain):
        return
    read = emails.read(text)
    if read.exchange:
        line.say("email_legacy_exchange", column, v=shown(plain))
    for bad in read.invalid:
        line.say("email_invalid", column, v=shown(bad))
    if len(read.addresses) > 1:
        line.say("email_multiple", column, v=shown(plain))
    found += [address for address in read.addresses if address not in found]


_NO_NAME = names.PersonName()


@dataclass
class _Names:
    """A person's name from one column, from two or from both, and all that hangs on it."""

    plan: Plan

    def __post_init__(self) -> None:
        of = self.plan.of
        self.whole = of.get("full_name", [])
        self.family, self.given = of.get("family_name", []), of.get("given_name", [])
        self.middle = of.get("middle_name", [])
        self.others = [(column, _cleaner(column)) for column in of.get("name_alt", ())]
        self.genders = [(column, answers.gender, _cleaner(column)) for column in of.get("gender", ())]
        self.genders += [(column, answers.gender_of_courtesy, _cleaner(column)) for column in of.get("prefix", ())]
        self.readings = sorted(of.get("name_reading", ()), key=_is_given_reading)
        self.lonely = not (self.others or self.genders or self.readings)
        self.only_whole = len(self.whole) == 1 and not self.plan.has("family_name", "given_name", "middle_name")
        self.first = next(iter([*self.whole, *self.family, *self.given]), None)

    def take(self, line: Line) -> None:
        if not self.only_whole:
            self._keep(self._name(line), line)
            return
        text, facts = line.texts[self.whole[0].index], line.facts
        family, given = names.plain_hangul(text)
        if given:
            facts["full_name"], facts["family_name"], facts["given_name"] = text, family, given
            if not self.lonely:
                self._beside(_NO_NAME, line)
            return
        if text and not is_plain(text):
            text = self._cell(text, self.whole[0], line)
        self._keep(_from_one(text, facts.get("country") or self.plan.home) if text else _NO_NAME, line)

    def _name(self, line: Line) -> names.PersonName:
        country = line.facts.get("country") or self.plan.home
        whole = self._first(self.whole, line)
        family, given = " ".join(self._cells(self.family, line)), self._first(self.given, line)
        middle = self._first(self.middle, line)
        given = f"{given} {middle}" if given and middle else given or middle
        if not family and not given:
            return _from_one(whole, country) if whole else _NO_NAME
        halves = _from_two(family, given, country)
        return _with_halves(_from_one(whole, country), halves) if whole else halves

    def _first(self, columns: Sequence[Column], line: Line) -> str:
        return next(self._cells(columns, line), "") if columns else ""

    def _cells(self, columns: Sequence[Column], line: Line) -> Iterator[str]:
        """Yield what a field's columns hold; there are people with two surname columns. Placeholders count as empty."""
        for column in columns:
            text = line.texts[column.index]
            if text and (is_plain(text) or (text := self._cell(text, column, line))):
                yield text

    def _cell(self, text: str, column: Column, line: Line) -> str:
        text = unwrapped(text).strip()
        if not text or is_empty_word(text):
            return ""
        if text.endswith("\ufffd"):
            line.say("undecodable_text", column, v=shown(text))
            text = text.rstrip("\ufffd")
        if looks_like_formula(text):
            line.say("formula_like", column, v=shown(text))
        if len(text) > FIELD_LIMIT:
            line.say("cell_truncated", column, limit=FIELD_LIMIT, v=shown(text))
        return text[:FIELD_LIMIT]

    def _keep(self, name: names.PersonName, line: Line) -> None:
        facts = line.facts
        if name.full:
            facts["full_name"] = name.full
        if name.family:
            facts["family_name"] = name.family
        if name.given:
            facts["given_name"] = name.given
        if name.alt or name.reading or name.gender or not self.lonely:
            self._beside(name, line)
        if name.title and "title" not in facts:
            facts["title"] = name.title
            line.say("title_from_name", self.first, v=shown(name.title))
        for code in name.codes:
            line.say(code, self.first, v=shown(line.texts[self.first.index]) if self.first else "")

    def _beside(self, name: names.PersonName, line: Line) -> None:
        """Other names, readings and the gender, from the name or from columns of their own."""
        facts = line.facts
        if name.alt or self.others:
            self._keep_other_name(name.alt, line)
        reading = name.reading or self._reading(line.texts)
        if reading:
            facts["name_reading"] = reading
        gender = name.gender or self._gender(line.texts)
        if gender:
            facts["gender"] = gender

    def _keep_other_name(self, alt: str, line: Line) -> None:
        others = [name_line(alt)] if alt else []
        for column, cleaned in self.others:
            text, said = cleaned[line.texts[column.index]] if line.texts[column.index] else NOTHING
            line.issues.extend(said)
            others.append(name_line(text))
        full = line.facts.get("full_name", "")
        other = next((other for other in others if other and other != full), "")
        if other and not full:
            line.facts["full_name"] = other
        elif other:
            line.facts["name_alt"] = other

    def _reading(self, texts: Texts) -> str:
        """Phonetic columns are joined family name first, whatever their order in the file."""
        cells = (texts[column.index] for column in self.readings)
        return " ".join(text for cell in cells if cell and (text := names.hiragana(cell)) and not is_empty_word(text))

    def _gender(self, texts: Texts) -> str:
        for column, read, cleaned in self.genders:
            text = texts[column.index]
            gender = read(cleaned[text][0]) if text else ""
            if gender:
                return gender
        return ""


def _is_given_reading(column: Column) -> bool:
    header = column.header.casefold()
    return any(word in header for word in ("名", "メイ", "first", "given", "이름")) and "姓" not in header


@lru_cache(maxsize=4096)
def _from_one(text: str, country: str) -> names.PersonName:
    return names.from_one_cell(text, country=country)


@lru_cache(maxsize=4096)
def _from_two(family: str, given: str, country: str) -> names.PersonName:
    return names.from_two_cells(family, given, country=country)


def _with_halves(whole: names.PersonName, halves: names.PersonName) -> names.PersonName:
    gender = whole.gender or halves.gender
    return names.PersonName(
        whole.full, halves.family, halves.given, whole.alt, whole.reading, gender, whole.title, whole.codes
    )


def _dates(name: str, columns: Sequence[tuple[Column, DateColumn]]) -> Step:
    def step(line: Line) -> None:
        for column, dates in columns:
            text = line.texts[column.index]
            if not text or name in line.facts:
                continue
            plain = plain_date(text)
            if plain:
                line.facts[name] = plain
                continue
            if not text.strip(" 0/-") or is_empty_word(one_line(text)):
                continue
            read = dates.read(line.cells[column.index])
            if read.code:
                line.say(read.code, column, v=shown(text))
            if read.text:
                line.facts[name] = read.text

    return step


def _postal(columns: Sequence[Column]) -> Step:
    cleaners = [(column, _cleaner(column)) for column in columns]

    def step(line: Line) -> None:
        for column, cleaned in cleaners:
            text, said = cleaned[line.texts[column.index]] if line.texts[column.index] else NOTHING
            line.issues.extend(said)
            if text:
                line.facts.setdefault("postal_code", _postal_code(text.lstrip("〒 "), line.facts.get("country", "")))

    return step


def _postal_code(text: str, country: str) -> str:
    """Write Japanese codes ``NNN-NNNN``; put back the one leading zero a spreadsheet takes (their length is fixed)."""
    digits = text.replace("-", "")
    if not digits.isascii() or not digits.isdigit():
        return text
    if country == "JP" and len(digits) in (6, 7):
        digits = digits.zfill(7)
        return f"{digits[:3]}-{digits[3:]}"
    return digits.zfill(5) if country == "KR" and len(digits) == 4 else text
