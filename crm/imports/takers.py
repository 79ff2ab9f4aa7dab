"""What is done with the cells of each column: a table's columns are compiled once into functions that take a row.

Lists repeat their values (countries, titles, yes and no), so what was made of a text is remembered for a while. Two
kinds of functions come out: those that look at one cell, and steps that need several cells or what others found.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from crm.contacts.rules import is_role_mailbox
from crm.imports import answers, countries, dialling, emails, names, phones
from crm.imports.dates import DateColumn
from crm.imports.records import Cell, Column, Facts, Issue
from crm.imports.survey import CONSENTS, DATED
from crm.imports.text import (
    FIELD_LIMIT,
    NOTE_LIMIT,
    Memo,
    has_invisible,
    is_empty_word,
    is_tidy,
    looks_like_formula,
    many_lines,
    name_line,
    one_line,
    shown,
    unwrapped,
)

Issues = list[Issue]
Texts = Sequence[str]
Take = Callable[[str, Facts, Issues], None]


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

_SINGLE = frozenset(
    {
        "company_alt",
        "department",
        "title",
        "city",
        "visit_purpose",
        "timeframe",
        "captured_by",
        "external_id",
        "booth",
        "exporter",
        "follow_up",
    }
)
_KEPT = frozenset(
    {
        "region",
        "company_type",
        "industry",
        "company_size",
        "quantity",
        "decision_role",
        "visitor_type",
        "event_name",
        "suffix",
        "company_reading",
        "linkedin",
    }
)
_MESSENGERS = frozenset({"wechat", "whatsapp", "line", "kakao"})
_LISTS = {"interests": r"[,;/|·・、，\n]+", "tags": r"[,;、，\n]|:::"}
_ANSWERS: dict[str, tuple[Callable[[str], str], str]] = {
    "rating": (answers.rating, "rating_unreadable"),
    "language": (answers.language, "language_unreadable"),
}
_NUMBERS = ("mobile", "phone", "fax")


@dataclass
class Plan:
    """The columns of one table, compiled. ``labels`` name the columns in messages and among the extra answers."""

    columns: Sequence[Column]
    labels: Sequence[str]
    home: str
    dates: Mapping[int, DateColumn]
    crosses: Iterable[int]

    def __post_init__(self) -> None:
        self.of: dict[str, list[Column]] = defaultdict(list)
        for column in self.columns:
            if column.field:
                self.of[column.field].append(column)
        takes = ((column.index, self._take(column)) for column in self.columns)
        self.takes = [(place, take) for place, take in takes if take]
        self.steps = [step for step in self._steps() if step]

    def has(self, *fields: str) -> bool:
        return any(name in self.of for name in fields)

    def _take(self, column: Column) -> Take | None:
        name = column.field
        if name is None:
            return _extra(column, self.labels[column.index])
        if name in _SINGLE:
            return _single(column, self.labels[column.index])
        if name in CONSENTS:
            return _consent(column, CONSENTS[name], column.index in self.crosses)
        if name in _KEPT:
            return _kept(column)
        if name in _MESSENGERS:
            return _messenger(column)
        if name in _LISTS:
            return _listed(column, _LISTS[name])
        if name in _ANSWERS:
            return _answer(column, *_ANSWERS[name])
        if name == "notes":
            return _notes(column)
        if name == "address":
            return _address(column)
        if name == "website":
            return _website(column)
        return _secret(column) if name == "sensitive" else None

    def _steps(self) -> Iterable[Step | None]:
        yield _privacy_missing(self.of["consent_privacy"]) if self.of.get("consent_privacy") else None
        yield _company(self.of["company"], self.labels) if self.of.get("company") else None
        yield _Country(self).take
        yield _Phones(self).take if self.has(*_NUMBERS) else None
        yield _emails([*self.of.get("email", ()), *self.of.get("email_other", ())])
        yield _Names(self).take
        for name in DATED:
            if self.of.get(name):
                yield _dates(name, [(column, self.dates[column.index]) for column in self.of[name]])
        if self.of.get("postal_code"):
            yield _postal(self.of["postal_code"])
        yield _nobody


# ---- one cell


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text, empty when the cell says nothing, and what is to be said about it."""

    text: str
    issues: tuple[Issue, ...] = ()


_NOTHING = Cleaned("")


def _cleaner(column: Column, clean: Callable[[str], str] = one_line, limit: int = FIELD_LIMIT) -> "Memo[Cleaned]":
    """Return a memory of cleaned texts of a column; placeholders count as empty."""

    def make(text: str) -> Cleaned:
        text = clean(text)
        if not text or is_empty_word(text):
            return _NOTHING
        return _checked(text, column, limit)

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
    return Cleaned(text, tuple(issues))


def _single(column: Column, label: str) -> Take:
    """First filled column wins; the others of the same field are kept with the unknown ones."""
    name, cleaned = str(column.field), _cleaner(column)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        found = cleaned[text]
        issues.extend(found.issues)
        if found.text:
            if name in facts:
                facts.setdefault("extra", {})[label] = found.text
            else:
                facts[name] = found.text

    return take


def _extra(column: Column, label: str) -> Take:
    cleaned: Memo[Cleaned] = Memo(lambda text: _checked(t, column, NOTE_LIMIT) if (t := many_lines(text)) else _NOTHING)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        found = cleaned[text]
        issues.extend(found.issues)
        if found.text:
            facts.setdefault("extra", {})[label] = found.text

    return take


def _kept(column: Column) -> Take:
    name, cleaned = str(column.field), _cleaner(column)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        found = cleaned[text]
        issues.extend(found.issues)
        if found.text:
            more = facts.setdefault("more", {})
            more[name] = f"{more[name]} / {found.text}" if name in more else found.text

    return take


def _messenger(column: Column) -> Take:
    name, cleaned = str(column.field), _cleaner(column)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        found = cleaned[text]
        issues.extend(found.issues)
        if found.text:
            facts.setdefault("messengers", {}).setdefault(name, found.text)

    return take


def _consent(column: Column, kind: str, unclear: bool) -> Take:
    """The header is the wording the visitor saw and the cell the answer: both are kept as evidence, as written."""
    name = str(column.field)
    answer: Memo[tuple[str, bool | None, Issue | None]] = Memo(lambda text: _answered(text, column, unclear))

    def take(text: str, facts: Facts, issues: Issues) -> None:
        written, given, issue = answer[text]
        if not written:
            return
        if issue:
            issues.append(issue)
        facts.setdefault("consents", []).append(
            {"kind": kind, "given": given, "wording": column.header, "cell": written}
        )
        if given is None or kind == "transfer":
            return
        # Two columns for one consent: a "no" wins; for an opt-out a "yes" does.
        before = facts.get(name)
        facts[name] = given if before is None else (before or given) if kind == "opt_out" else (before and given)

    return take


def _answered(text: str, column: Column, unclear: bool) -> tuple[str, bool | None, Issue | None]:
    written = one_line(text)
    given = None if unclear else answers.consent(written)
    if given is not None or not written or (is_empty_word(written) and written.casefold() != "x"):
        return written, given, None
    return (
        written,
        None,
        Issue("consent_unreadable", {"column": column.header, "field": column.field, "v": shown(written)}),
    )


def _secret(column: Column) -> Take:
    def take(text: str, _facts: Facts, issues: Issues) -> None:
        if text.strip(" 0/-"):
            issues.append(Issue("sensitive_dropped", {"column": column.header}))

    return take


def _listed(column: Column, pattern: str) -> Take:
    name = str(column.field)
    cleaned = _cleaner(column, many_lines)
    split = re.compile(pattern)

    def parts(text: str) -> tuple[Cleaned, list[str]]:
        found = cleaned.make(text)
        pieces = (one_line(piece).lstrip("* " if name == "tags" else "") for piece in split.split(found.text))
        return found, [piece for piece in pieces if piece and not is_empty_word(piece)]

    memo: Memo[tuple[Cleaned, list[str]]] = Memo(parts)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        found, pieces = memo[text]
        issues.extend(found.issues)
        if pieces:
            facts[name] = list(dict.fromkeys([*facts.get(name, ()), *pieces]))

    return take


def _answer(column: Column, read: Callable[[str], str], code: str) -> Take:
    name, cleaned = str(column.field), _cleaner(column)
    value: Memo[str] = Memo(read)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        found = cleaned[text]
        issues.extend(found.issues)
        if not found.text or name in facts:
            return
        meant = value[found.text]
        if meant:
            facts[name] = meant
        else:
            issues.append(Issue(code, {"column": column.header, "field": name, "v": shown(found.text)}))
            facts.setdefault("more", {}).setdefault(name, found.text)

    return take


def _notes(column: Column) -> Take:
    cleaned = _cleaner(column, many_lines, NOTE_LIMIT)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        found = cleaned[text]
        issues.extend(found.issues)
        if found.text:
            before = facts.get("notes")
            facts["notes"] = f"{before}\n{found.text}"[:NOTE_LIMIT] if before else found.text

    return take


def _address(column: Column) -> Take:
    cleaned = _cleaner(column)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        found = cleaned[text]
        issues.extend(found.issues)
        if found.text:
            before = facts.get("address")
            facts["address"] = f"{before} {found.text}"[:FIELD_LIMIT] if before else found.text

    return take


def _website(column: Column) -> Take:
    cleaned = _cleaner(column)

    def take(text: str, facts: Facts, issues: Issues) -> None:
        found = cleaned[text]
        issues.extend(found.issues)
        if found.text and "website" not in facts:
            facts["website"] = found.text if "://" in found.text else f"https://{found.text}"

    return take


# ---- several cells


def _nobody(line: Line) -> None:
    facts = line.facts
    if "full_name" not in facts and ("company" in facts or "emails" in facts):
        line.say("no_person_name")


def _privacy_missing(columns: Sequence[Column]) -> Step:
    places = [column.index for column in columns]

    def step(line: Line) -> None:
        if "consent_privacy" in line.facts:
            return
        written = (line.texts[place] for place in places)
        if all(
            not text.strip() or (is_empty_word(one_line(text)) and text.strip().casefold() != "x") for text in written
        ):
            line.say("consent_privacy_missing", columns[0])

    return step


def _company(columns: Sequence[Column], labels: Sequence[str]) -> Step:
    takes = [(column, _single(column, labels[column.index])) for column in columns]

    def step(line: Line) -> None:
        for column, take in takes:
            text = line.texts[column.index]
            if text:
                take(text, line.facts, line.issues)
                if not text.isprintable() and has_invisible(text):
                    line.say("control_chars_removed", column, v=shown(text))
        company = line.facts.get("company", "")
        if "/" in company:
            base, _slash, last = (part.strip() for part in company.rpartition("/"))
            if base and last in names.TITLE_WORDS:
                line.facts["company"] = base
                line.facts.setdefault("title", last)
                line.say("title_from_company", columns[0], v=shown(last))

    return step


@dataclass
class _Country:
    """The country as the column says, else the city's, else the number's, else the file's."""

    plan: Plan

    def __post_init__(self) -> None:
        self.columns = [(column, _cleaner(column)) for column in self.plan.of.get("country", ())]
        self.numbers = [column.index for name in _NUMBERS for column in self.plan.of.get(name, ())]
        self.named: Memo[tuple[str, str]] = Memo(_named_country)
        self.city: Memo[str] = Memo(countries.country_of_city)

    def take(self, line: Line) -> None:
        for column, cleaned in self.columns:
            text = line.texts[column.index]
            found = cleaned[text] if text else _NOTHING
            if found.text:
                code, issue = self.named[found.text]
                if issue:
                    line.say(issue, column, v=shown(found.text))
                if code:
                    line.facts["country"] = code
                return
        code = self._elsewhere(line)
        if code:
            line.facts["country"] = code

    def _elsewhere(self, line: Line) -> str:
        city = line.facts.get("city")
        return (self.city[city] if city else "") or self._of_number(line.texts) or self.plan.home

    def _of_number(self, texts: Texts) -> str:
        for place in self.numbers:
            text = texts[place]
            if text:
                for phone in phones.read(text, country="", home=""):
                    if phone.region:
                        return phone.region
        return ""


def _named_country(text: str) -> tuple[str, str]:
    code = countries.country_of(text)
    if code:
        return code, ""
    code = countries.country_of_city(text)
    return code, "country_from_city" if code else "country_unknown"


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
                    if not number:
                        self._read(text, column, line, numbers)
                    elif number not in numbers:
                        numbers.append(number)
                        if code:
                            line.say(code, column, v=shown(text))
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
                line.say("role_mailbox", v=address)

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
        self.only_whole = len(self.whole) == 1 and not self.plan.has("family_name", "given_name", "middle_name")
        self.first = next(iter([*self.whole, *self.family, *self.given]), None)

    def take(self, line: Line) -> None:
        if self.only_whole:
            text = line.texts[self.whole[0].index]
            family, given = names.plain_hangul(text)
            if given:
                line.facts["full_name"], line.facts["family_name"], line.facts["given_name"] = text, family, given
                self._beside(names.PersonName(), line)
                return
        self._keep(self._name(line), line)

    def _name(self, line: Line) -> names.PersonName:
        country = line.facts.get("country") or self.plan.home
        whole = next(self._cells(self.whole, line), "")
        family, given = " ".join(self._cells(self.family, line)), next(self._cells(self.given, line), "")
        middle = next(self._cells(self.middle, line), "")
        given = f"{given} {middle}" if given and middle else given or middle
        if not family and not given:
            return _from_one(whole, country) if whole else names.PersonName()
        halves = _from_two(family, given, country)
        return _with_halves(_from_one(whole, country), halves) if whole else halves

    def _cells(self, columns: Sequence[Column], line: Line) -> Iterator[str]:
        """Yield what a field's columns hold; there are people with two surname columns. Placeholders count as empty."""
        for column in columns:
            text = line.texts[column.index]
            if text and (kept := self._cell(text, column, line)):
                yield kept

    def _cell(self, text: str, column: Column, line: Line) -> str:
        text = text if is_tidy(text) else unwrapped(text).strip()
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
        gender = name.gender or (self._gender(line) if self.genders else "")
        if gender:
            facts["gender"] = gender

    def _keep_other_name(self, alt: str, line: Line) -> None:
        others = [name_line(alt)] if alt else []
        for column, cleaned in self.others:
            found = cleaned[line.texts[column.index]]
            line.issues.extend(found.issues)
            others.append(name_line(found.text))
        full = line.facts.get("full_name", "")
        other = next((other for other in others if other and other != full), "")
        if other and not full:
            line.facts["full_name"] = other
        elif other:
            line.facts["name_alt"] = other

    def _reading(self, texts: Texts) -> str:
        """Phonetic columns are joined family name first, whatever their order in the file."""
        return " ".join(text for column in self.readings if (text := names.hiragana(texts[column.index])))

    def _gender(self, line: Line) -> str:
        told = (read(cleaned[line.texts[column.index]].text) for column, read, cleaned in self.genders)
        return next((gender for gender in told if gender), "")


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
            if not text or name in line.facts or not text.strip(" 0/-") or is_empty_word(one_line(text)):
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
            found = cleaned[line.texts[column.index]]
            line.issues.extend(found.issues)
            if found.text:
                code = _postal_code(found.text.lstrip("〒 "), line.facts.get("country", ""))
                line.facts.setdefault("postal_code", code)

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
