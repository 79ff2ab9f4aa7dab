"""Turns one table into canonical rows: every value cleaned, every change and doubt told. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from crm.contacts.rules import is_role_mailbox
from crm.imports import answers, countries, emails, lines, mapping, names, phones
from crm.imports.dates import DateColumn
from crm.imports.records import CanonicalRow, Cell, Column, ConsentStatement, EventDates, Issue, RowIssue, Table
from crm.imports.text import (
    FIELD_LIMIT,
    NOTE_LIMIT,
    cell_text,
    folded,
    has_invisible,
    is_empty_word,
    looks_like_formula,
    many_lines,
    name_line,
    one_line,
    shown,
    unwrapped,
)
from crm.imports.words import words

TEST_WORDS = frozenset(folded(word) for word in words("test"))
CONSENTS = {
    "consent_privacy": "privacy",
    "consent_third_party": "third_party",
    "consent_marketing": "marketing",
    "consent_transfer": "transfer",
    "opt_out": "opt_out",
}
_SINGLE = (
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
)
_KEPT = (
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
)
_MESSENGERS = ("wechat", "whatsapp", "line", "kakao")
_UNSTORED = ("sensitive",)


@dataclass
class TableCleaner:
    """Cleans the rows of one table. ``home`` is the file's home country, empty for none."""

    table: Table
    header: int
    headers: list[str]
    columns: list[Column]
    home: str = ""
    event: EventDates | None = None
    date_1904: bool = False
    is_workbook: bool = False
    notes: list[Issue] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.by_index = {column.index: column for column in self.columns}
        self.labels = _labels(self.headers)
        self.width = mapping.real_width(self.table.rows[self.header + 1 :], len(self.headers))
        self.fields = {column.field for column in self.columns}
        self.dates = {c.index: self._date_column(c) for c in self.columns if c.field in ("registered_at", "met_at")}
        self.crosses = {c.index for c in self.columns if c.field in CONSENTS and self._only_crosses(c)}

    def clean(self) -> tuple[list[CanonicalRow], list[RowIssue], list[RowIssue]]:
        """Return the accepted, the refused and the skipped lines; every line is in exactly one of them."""
        accepted: list[CanonicalRow] = []
        refused: list[RowIssue] = []
        skipped: list[RowIssue] = []
        for index in range(len(self.table.rows)):
            reason = self._skip_reason(index)
            if reason:
                skipped.append(RowIssue(index + 1, reason, self.table.sheet))
                continue
            outcome = self._row(index)
            if isinstance(outcome, CanonicalRow):
                accepted.append(outcome)
            else:
                refused.append(outcome)
        return accepted, refused, skipped

    def _skip_reason(self, index: int) -> str:
        if index < self.header:
            return lines.above_header(self.table, index, self.header)
        if index == self.header:
            return "header"
        return lines.not_data(self.table, index, self.headers, self.by_index)

    def _row(self, index: int) -> CanonicalRow | RowIssue:
        cells = self.table.rows[index]
        raw = {
            self.labels[i] if i < len(self.labels) else f"#{i + 1}": cell_text(cell)
            for i, cell in enumerate(cells)
            if cell_text(cell) and self._may_store(i)
        }
        if not self.is_workbook and len(cells) > self.width:
            return RowIssue(index + 1, "row_shape", self.table.sheet, raw=raw)
        row = RowCleaner(self, index, CanonicalRow(index + 1, self.table.sheet, raw=raw)).clean()
        code = _refusal(row)
        if code:  # what was refused for lack of consent may not be kept, not even as a raw row
            kept = {} if code == "consent_privacy_refused" else raw
            return RowIssue(index + 1, code, self.table.sheet, raw=kept)
        return row

    def _may_store(self, index: int) -> bool:
        column = self.by_index.get(index)
        return column is None or column.field not in _UNSTORED

    def cells_of(self, column: Column) -> list[Cell]:
        return [row[column.index] for row in self.table.rows[self.header + 1 :] if column.index < len(row)]

    def _date_column(self, column: Column) -> DateColumn:
        dates = DateColumn(self.cells_of(column), self.event, self.date_1904)
        if dates.guessed:
            order = "D/M" if dates.day_first else "M/D"
            self.notes.append(Issue("date_order_guessed", {"column": column.header, "order": order}))
        return dates

    def _only_crosses(self, column: Column) -> bool:
        """In a Western list a column of nothing but X and blanks means ticked or not: ask, do not guess."""
        words = {cell_text(cell).strip().casefold() for cell in self.cells_of(column)} - {""}
        return words == {"x"} and folded(column.header).isascii()


@dataclass
class RowCleaner:
    """Cleans one row into ``row``."""

    of: TableCleaner
    index: int
    row: CanonicalRow

    def __post_init__(self) -> None:
        self.cells: dict[str, list[tuple[Column, Cell]]] = defaultdict(list)
        for position, cell in enumerate(self.of.table.rows[self.index]):
            column = self.of.by_index.get(position)
            if column and column.field and (cell_text(cell).strip() or column.field in CONSENTS):
                self.cells[column.field].append((column, cell))

    def clean(self) -> CanonicalRow:
        self._origin()
        self._consents()
        for name in _SINGLE:
            setattr(self.row, name, self._single(name))
        self._company()
        self._country()
        self._phones()
        self._emails()
        self._name()
        self._lists()
        self._answers()
        self._dates()
        self._address()
        self._rest()
        self._findings()
        return self.row

    def say(self, code: str, **params: object) -> None:
        self.row.issues.append(Issue(code, params))

    def _origin(self) -> None:
        table = self.of.table
        if self.index in table.hidden_rows:
            self.say("hidden_row")
        if any((self.index, position) in table.filled for position in self.of.by_index):
            self.say("merged_cell_filled")
        if any(cell_text(cell).strip(" 0/-") for _c, cell in self.cells.pop("sensitive", [])):
            self.say("sensitive_dropped")

    def _texts(self, name: str, clean: Callable[[str], str] = one_line, limit: int = FIELD_LIMIT) -> list[str]:
        """Return the cleaned texts of a field's columns, placeholders left out."""
        found = []
        for column, cell in self.cells.get(name, ()):
            text = clean(cell_text(cell))
            if not text or is_empty_word(text):
                continue
            found.append(self._checked(text, column, limit))
        return [text for text in found if text]

    def _checked(self, text: str, column: Column, limit: int) -> str:
        if text.endswith("\ufffd"):
            text = text.rstrip("\ufffd").rstrip()
            self.say("undecodable_text", field=column.field)
        if looks_like_formula(text):
            self.say("formula_like", field=column.field)
        if len(text) > limit:
            self.say("cell_truncated", field=column.field, limit=limit)
            text = text[:limit]
        return text

    def _single(self, name: str) -> str:
        """First filled column wins; the others of the same field are kept with the unknown ones."""
        found = self._texts(name)
        for number, more in enumerate(found[1:], 2):
            self.row.extra[f"{name} {number}"] = more
        return found[0] if found else ""

    def _consents(self) -> None:
        for name, kind in CONSENTS.items():
            given = [self._consent(column, cell, kind) for column, cell in self.cells.get(name, ())]
            clear = [answer for answer in given if answer is not None]
            if clear and hasattr(self.row, name):
                # Two columns for one consent: a "no" wins; for an opt-out a "yes" does.
                setattr(self.row, name, any(clear) if kind == "opt_out" else all(clear))
            if kind == "privacy" and name in self.of.fields and not any(_shown_in(c) for _c, c in self.cells[name]):
                self.say("consent_privacy_missing")

    def _consent(self, column: Column, cell: Cell, kind: str) -> bool | None:
        text = one_line(cell_text(cell))
        unclear = column.index in self.of.crosses
        given = None if unclear else answers.consent(text)
        if text and given is None:
            self.say("consent_unreadable", v=shown(text), column=column.header)
        if text:
            self.row.consents.append(ConsentStatement(kind, given, column.header, text))
        return given

    def _company(self) -> None:
        company = self._single("company")
        base, sep, last = (part.strip() for part in company.rpartition("/"))
        if sep and base and last in names.TITLES:
            company = base
            self.row.title = self.row.title or last
            self.say("title_from_company", v=shown(last))
        self.row.company = company

    def _country(self) -> None:
        text = self._single("country")
        code = countries.country_of(text)
        if text and not code:
            code = countries.country_of_city(text)
            self.say("country_from_city" if code else "country_unknown", v=shown(text))
        if not text:
            code = countries.country_of_city(self.row.city) or self._country_of_phone() or self.of.home
        self.row.country = code

    def _country_of_phone(self) -> str:
        for name in ("mobile", "phone", "fax"):
            for _column, cell in self.cells.get(name, ()):
                for phone in phones.read(cell, country="", home=""):
                    if phone.region:
                        return phone.region
        return ""

    def _phones(self) -> None:
        found = {name: self._numbers(name) for name in ("mobile", "phone", "fax")}
        has_mobile_column = "mobile" in self.of.fields
        if not has_mobile_column:
            mobile = next((number for number in found["phone"] if phones.is_korean_mobile(number)), "")
            if mobile:
                found["phone"].remove(mobile)
                found["mobile"] = [mobile]
        for name, numbers in found.items():
            if numbers:
                setattr(self.row, name, numbers[0])
            if name != "fax":
                self.row.other_phones += numbers[1:]

    def _numbers(self, name: str) -> list[str]:
        numbers: list[str] = []
        for _column, cell in self.cells.get(name, ()):
            text = one_line(cell_text(cell))
            if is_empty_word(text):
                continue
            read = phones.read(cell, country=self.row.country, home=self.of.home)
            if len([phone for phone in read if phone.number]) > 1:
                self.say("phone_multiple")
            for phone in read:
                if phone.code:
                    self.say(phone.code, v=shown(text))
                if phone.number and phone.number not in numbers:
                    numbers.append(phone.number)
        return numbers

    def _emails(self) -> None:
        for name in ("email", "email_other"):
            for column, cell in self.cells.get(name, ()):
                self._email_cell(cell_text(cell), self.of.table.links.get((self.index, column.index), ""))

    def _email_cell(self, text: str, link: str) -> None:
        if is_empty_word(one_line(text)) and not link:
            return
        if "@" not in one_line(text) and link:
            text = link
            self.say("email_from_hyperlink")
        found = emails.read(text)
        if found.exchange:
            self.say("email_legacy_exchange")
        for bad in found.invalid:
            self.say("email_invalid", v=shown(bad))
        if len(found.addresses) > 1:
            self.say("email_multiple")
        self.row.emails += [address for address in found.addresses if address not in self.row.emails]

    def _name(self) -> None:
        country = self.row.country or self.of.home
        family = self._name_cell("family_name")
        given = " ".join(part for part in (self._name_cell("given_name"), self._name_cell("middle_name")) if part)
        whole = self._name_cell("full_name")
        name = names.from_one_cell(whole, country=country) if whole else names.PersonName()
        if family or given:
            halves = names.from_two_cells(family, given, country=country)
            name = halves if not whole else _with_halves(name, halves)
        self._take_name(name)

    def _name_cell(self, name: str) -> str:
        """Join a field's name columns with a space (two surname columns); placeholders count as empty."""
        texts = [unwrapped(cell_text(cell)).strip() for _c, cell in self.cells.get(name, ())]
        kept = [text for text in texts if text and not is_empty_word(text)]
        if any(text.endswith("\ufffd") for text in kept):
            self.say("undecodable_text", field=name)
        if any(looks_like_formula(text) for text in kept):
            self.say("formula_like", field=name)
        return " ".join(text.rstrip("\ufffd")[:FIELD_LIMIT] for text in kept)

    def _take_name(self, name: names.PersonName) -> None:
        row = self.row
        row.full_name, row.family_name, row.given_name = name.full, name.family, name.given
        others = [name_line(text) for text in (name.alt, *self._texts("name_alt")) if text]
        row.name_alt = next((other for other in others if other != row.full_name), "")
        if not row.full_name:
            row.full_name, row.name_alt = row.name_alt, ""
        row.name_reading = name.reading or self._reading()
        row.gender = name.gender or self._gender()
        if name.title and not row.title:
            row.title = name.title
            self.say("title_from_name", v=shown(name.title))
        for code in name.codes:
            self.say(code)

    def _reading(self) -> str:
        """Phonetic columns are joined family name first, whatever their order in the file."""
        found = [
            (column.header, names.hiragana(cell_text(cell))) for column, cell in self.cells.get("name_reading", ())
        ]
        given = ("名", "メイ", "first", "given")
        found.sort(key=lambda item: any(word in item[0].casefold() for word in given) and "姓" not in item[0])
        return " ".join(text for _header, text in found if text)

    def _gender(self) -> str:
        told = [answers.gender(text) for text in self._texts("gender")]
        told += [answers.gender_of_courtesy(text) for text in self._texts("prefix")]
        return next((gender for gender in told if gender), "")

    def _lists(self) -> None:
        self.row.interests = _split(self._texts("interests", many_lines), r"[,;/|·・、，\n]+")
        self.row.tags = [tag.lstrip("* ") for tag in _split(self._texts("tags", many_lines), r"[,;、，\n]|:::")]
        self.row.notes = "\n".join(self._texts("notes", many_lines, NOTE_LIMIT))[:NOTE_LIMIT]

    def _answers(self) -> None:
        for name, read, code in (
            ("rating", answers.rating, "rating_unreadable"),
            ("language", answers.language, "language_unreadable"),
        ):
            text = self._single(name)
            value = read(text)
            setattr(self.row, name, value)
            if text and not value:
                self.say(code, v=shown(text))
                self.row.more[name] = text

    def _dates(self) -> None:
        for name in ("registered_at", "met_at"):
            for column, cell in self.cells.get(name, ()):
                text = cell_text(cell)
                if is_empty_word(one_line(text)) or not text.strip(" 0/-") or getattr(self.row, name):
                    continue
                read = self.of.dates[column.index].read(cell)
                if read.code:
                    self.say(read.code, v=shown(text))
                setattr(self.row, name, read.text)

    def _address(self) -> None:
        self.row.address = " ".join(self._texts("address"))[:FIELD_LIMIT]
        website = self._single("website")
        self.row.website = f"https://{website}" if website and "://" not in website else website
        self.row.postal_code = _postal_code(self._single("postal_code").lstrip("〒 "), self.row.country)

    def _rest(self) -> None:
        for name in _MESSENGERS:
            text = self._single(name)
            if text:
                self.row.messengers[name] = text
        for name in _KEPT:
            texts = self._texts(name)
            if texts:
                self.row.more[name] = " / ".join(texts)
        for position, cell in enumerate(self.of.table.rows[self.index]):
            column = self.of.by_index.get(position)
            text = many_lines(cell_text(cell))
            if text and (column is None or column.field is None):
                label = self.of.labels[position] if position < len(self.of.labels) else f"#{position + 1}"
                self.row.extra[label] = self._checked(text, column or Column(position, label, None, ""), NOTE_LIMIT)

    def _findings(self) -> None:
        row = self.row
        if not row.emails:
            self.say("not_mailable")
        for address in row.emails:
            if is_role_mailbox(address):
                self.say("role_mailbox", v=address)
        if not row.full_name and (row.company or row.emails):
            self.say("no_person_name")
        if has_invisible("".join(cell_text(c) for _col, c in self.cells.get("company", ()))):
            self.say("control_chars_removed")


def _with_halves(whole: names.PersonName, halves: names.PersonName) -> names.PersonName:
    whole.family, whole.given = halves.family, halves.given
    whole.gender = whole.gender or halves.gender
    return whole


def _refusal(row: CanonicalRow) -> str:
    if row.consent_privacy is False:
        return "consent_privacy_refused"
    if any(
        folded(text) in TEST_WORDS for text in (row.full_name, row.family_name, row.given_name, row.company) if text
    ):
        return "test_row"
    has_phone = row.mobile or row.phone or row.other_phones
    if row.emails or has_phone or (row.full_name and row.company):
        return ""
    return "no_identity"


def _labels(headers: Sequence[str]) -> list[str]:
    """Return a label for every column, as written; blank and repeated headers get their column's number."""
    labels: list[str] = []
    for number, header in enumerate(headers, 1):
        text = one_line(header)
        labels.append(text if text and text not in labels else f"{text} #{number}".strip())
    return labels


def _postal_code(text: str, country: str) -> str:
    """Write Japanese codes ``NNN-NNNN``; put back the one leading zero a spreadsheet takes (their length is fixed)."""
    digits = text.replace("-", "")
    if not digits.isascii() or not digits.isdigit():
        return text
    if country == "JP" and len(digits) in (6, 7):
        digits = digits.zfill(7)
        return f"{digits[:3]}-{digits[3:]}"
    return digits.zfill(5) if country == "KR" and len(digits) == 4 else text


def _shown_in(cell: Cell) -> bool:
    return bool(cell_text(cell).strip())


def _split(texts: Iterable[str], pattern: str) -> list[str]:
    parts = (one_line(part) for text in texts for part in re.split(pattern, text))
    return list(dict.fromkeys(part for part in parts if part and not is_empty_word(part)))
