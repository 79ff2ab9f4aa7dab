"""What the values of a column say about it, where its header is missing, unknown or wrong. Pure.

Only what can be told from the form of a value counts: addresses, numbers, links, dates, countries. Whether
names and firms are swapped cannot be told.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from crm.imports import countries, emails, phones
from crm.imports.dates import DateColumn
from crm.imports.names import plain_hangul
from crm.imports.records import Cell, Column, EventDates
from crm.imports.text import cell_text, is_empty_word, one_line
from crm.imports.words import words

NEARLY_ALL = 0.9
SOME = 0.3
"""So many identity numbers make a column one that may not be kept."""
LEAST_VALUES = 2

_LINK = re.compile(r"(?:https?://|www\.)\S+\.\S+", re.IGNORECASE)
_NUMBER = re.compile(r"(?:\(?\+|\(?0)[\d ().\-]{6,}|\d{2,4}-\d{3,4}-\d{4}")
_KOREAN_ID = re.compile(r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(-?)[1-8](?:\d{6}|\*{6})", re.ASCII)
_CHINESE_ID = re.compile(r"[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]", re.ASCII)
_LEGAL_FORM = re.compile(
    r"주식회사|유한회사|\(주\)|株式会社|有限会社|合同会社|\(株\)|有限公司|集团|\b(?:co|corp|inc|ltd|llc|gmbh|s\.?a\.?|s\.?l\.?|b\.?v\.?)\b",
    re.IGNORECASE,
)
_SURNAMES = frozenset(words("korean_surnames"))
_MAY_HOLD_ADDRESSES = frozenset({"full_name", "phone", "mobile", "fax", "website", "notes"})


@dataclass
class Values:
    """The first values of one column: how many are filled, how many differ, and how many are of which kind."""

    filled: int = 0
    distinct: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    days: list[date] = field(default_factory=list)

    def are(self, kind: str, least: int = LEAST_VALUES) -> bool:
        """Tell whether nearly all values are of a kind."""
        return self.filled >= least and self.kinds[kind] >= self.filled * NEARLY_ALL

    @property
    def differ(self) -> bool:
        """Contacts have addresses of their own; a column of few that repeat names our people."""
        return self.distinct * 2 >= self.filled


def weigh(cells: Sequence[Cell]) -> Values:
    """Look at the values of one column."""
    found = Values()
    texts = {text: cell for cell in cells if (text := one_line(cell_text(cell))) and not is_empty_word(text)}
    found.filled = sum(1 for cell in cells if one_line(cell_text(cell)) in texts)
    found.distinct = len(texts)
    counts = Counter(one_line(cell_text(cell)) for cell in cells)
    for text, cell in texts.items():
        for kind in _kinds(text, cell):
            found.kinds[kind] += counts[text]
        found.days += _days(cell)
    return found


def _kinds(text: str, cell: Cell) -> list[str]:
    if isinstance(cell, datetime | date):
        return ["date"]
    if is_identity_number(text):
        return ["sensitive"]
    if text.casefold().startswith("/o="):
        return ["exchange"]
    if "@" in text:
        return ["address"] if emails.read(text).addresses else []
    if _LINK.fullmatch(text):
        return ["link"]
    if _days(cell):
        return ["date"]
    if _NUMBER.fullmatch(text):
        return ["number", "korean mobile"] if _is_korean_mobile(text) else ["number"]
    return _word_kinds(text)


def is_identity_number(text: str) -> bool:
    """Tell whether a text is a Korean or Chinese identity number: by its hyphen, else by its check digit.

    Badge numbers that begin with a day are of the same form but do not add up.
    """
    korean = _KOREAN_ID.fullmatch(text)
    if korean:
        return bool(korean[1]) or "*" in text or _adds_up(text, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), "10987654321")
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return bool(_CHINESE_ID.fullmatch(text)) and _adds_up(text.upper(), weights, "10X98765432")


def _adds_up(text: str, weights: Sequence[int], checks: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False))
    return text[-1] == checks[total % 11]


def _word_kinds(text: str) -> list[str]:
    found = ["country"] if countries.country_of(text) else []
    if plain_hangul(text)[1] and text[0] in _SURNAMES:
        found.append("korean name")
    if _LEGAL_FORM.search(text):
        found.append("firm")
    return found


def _days(cell: Cell) -> list[date]:
    """Return the day of a cell that is written as a date; a bare number may be anything."""
    if isinstance(cell, datetime):
        return [cell.date()]
    if isinstance(cell, date):
        return [cell]
    text = cell_text(cell)
    if text.strip().replace(".", "", 1).isdigit() or len(text) > 40:
        return []
    read = DateColumn((cell,)).read(cell).text
    return [date.fromisoformat(read[:10])] if read else []


def _is_korean_mobile(text: str) -> bool:
    return any(phones.is_korean_mobile(phone.number) for phone in phones.read(text, country="KR", home=""))


Fits = Callable[[Values], bool]


@dataclass
class _Guesser:
    """Goes over the columns of one table; ``found`` maps positions to what their values make of them."""

    columns: list[Column]
    values: Mapping[int, Values]
    event: EventDates | None
    least: int

    def __post_init__(self) -> None:
        self.fields = [column.field for column in self.columns]

    def guess(self) -> list[Column]:
        self._demote_our_people()
        self._drop_secrets()
        self._guess_addresses()
        for name, fits in (
            ("phone", self._is_phone),
            ("website", lambda v: v.are("link", self.least)),
            ("country", lambda v: v.are("country", self.least)),
            ("met_at", self._is_meeting),
            ("registered_at", self._is_registration),
        ):
            self._guess_one(name, fits)
        if not {"full_name", "family_name", "given_name"} & set(self.fields):
            self._guess_one("full_name", lambda v: v.are("korean name", self.least))
        self._guess_one("company", lambda v: v.filled >= self.least and v.kinds["firm"] * 2 >= v.filled)
        return [
            column
            if name == column.field
            else replace(column, field=name, certainty="guessed" if name else "unmapped", by_value=True)
            for column, name in zip(self.columns, self.fields, strict=True)
        ]

    def _open(self) -> list[int]:
        """Positions that no header speaks for."""
        return [
            place
            for place, column in enumerate(self.columns)
            if self.fields[place] is None and column.certainty != "chosen" and place in self.values
        ]

    def _guess_one(self, name: str, fits: Fits) -> None:
        if name in self.fields or (name == "phone" and "mobile" in self.fields):
            return
        place = next((place for place in self._open() if fits(self.values[place])), None)
        if place is not None:
            mobile = name == "phone" and self.values[place].are("korean mobile", self.least)
            self.fields[place] = "mobile" if mobile else name

    def _demote_our_people(self) -> None:
        """“Rep Email” ends like an e-mail column but repeats the addresses of our own people."""
        sure = any(column.field == "email" and column.certainty != "guessed" for column in self.columns)
        for place, column in enumerate(self.columns):
            values = self.values.get(place)
            if sure and values and column.field == "email" and column.certainty == "guessed" and not values.differ:
                self.fields[place] = None

    def _drop_secrets(self) -> None:
        for place, values in self.values.items():
            if values.filled and values.kinds["sensitive"] >= values.filled * SOME:
                self.fields[place] = "sensitive"

    def _guess_addresses(self) -> None:
        """Addresses under no header or under another's; a header that promises addresses and holds none gives way."""
        headed = [place for place, name in enumerate(self.fields) if name == "email"]
        holding = [place for place in headed if self.values.get(place, Values()).kinds["address"]]
        empty = [place for place in headed if self.values.get(place, Values()).filled < LEAST_VALUES]
        if holding or (headed and len(empty) == len(headed)):
            return
        candidates = [
            place
            for place, values in self.values.items()
            if values.are("address", self.least) and values.differ and self._may_become(place)
        ]
        if not candidates:
            return
        for place in headed:
            if self.columns[place].certainty != "chosen" and self._holds_something_else(place):
                self.fields[place] = None
        self.fields[candidates[0]] = "email"

    def _may_become(self, place: int) -> bool:
        open_field = self.fields[place] is None or self.fields[place] in _MAY_HOLD_ADDRESSES
        return open_field and self.columns[place].certainty != "chosen"

    def _holds_something_else(self, place: int) -> bool:
        values = self.values.get(place, Values())
        return values.filled >= LEAST_VALUES and not values.kinds["exchange"]

    def _is_phone(self, values: Values) -> bool:
        return values.are("number", self.least) and values.differ

    def _is_meeting(self, values: Values) -> bool:
        event = self.event
        if event is None or not values.are("date", self.least):
            return False
        return all(event.first_day <= day <= event.last_day for day in values.days)

    def _is_registration(self, values: Values) -> bool:
        event = self.event
        return event is not None and values.are("date", self.least) and all(d < event.first_day for d in values.days)


def by_values(
    columns: Sequence[Column], values: Mapping[int, Values], event: EventDates | None, *, least: int = LEAST_VALUES
) -> list[Column]:
    """Return the columns after a look at their first values; what that changed is marked ``by_value``."""
    return _Guesser(list(columns), values, event, least).guess()
