"""What a quotation, a proposed meeting, a negotiation point and a minimum purchase must say. Plain values only.

``faults_of_…`` return every mistake, each with its field and, in a quotation, the line of the item (from 1). Nothing is
rounded: prices are decimals as they were written.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from babel import Locale

from crm.core.clock import KST
from crm.core.errors import Place, Problem
from crm.core.i18n import N_, _
from crm.exporters.rules import INCOTERMS

PAYMENTS = {
    "tt_advance": N_("T/T in advance"),
    "tt_30_70": N_("T/T, 30 % with the order and 70 % before shipment"),
    "lc_sight": N_("Letter of credit at sight"),
    "other": N_("other, agreed separately"),
}
DRAFT, SENT, EXPIRED = "draft", "sent", "expired"
STATES = {DRAFT: N_("draft"), SENT: N_("sent"), EXPIRED: N_("expired")}
AGREED, OPEN, PROPOSAL = "agreed", "open", "proposal"
POINTS = {AGREED: N_("agreed"), OPEN: N_("open"), PROPOSAL: N_("our proposal")}
MAX_LINES = 50
MAX_SLOTS = 5
MAX_DAYS = 366
_NUMBER = re.compile(r"[A-Za-z0-9가-힣][A-Za-z0-9가-힣./_-]{0,39}")
_HS = re.compile(r"\d{4}(\.?\d{2}(\.?\d{2,4})?)?")
_PRICE_DIGITS = 14


@dataclass(frozen=True)
class QuotedLine:
    """One item of a quotation. ``unit_price`` is for one ``unit`` in the quotation's currency, as exact as written."""

    item: str
    quantity: int
    unit: str
    unit_price: Decimal
    hs_code: str = ""

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.unit_price


@dataclass(frozen=True)
class Offer:
    """What a quotation says. ``payment`` is a code of ``PAYMENTS``; ``packing`` maps a language to a text."""

    number: str
    issued_on: date
    valid_until: date
    currency: str
    lines: tuple[QuotedLine, ...]
    incoterm: str = ""
    incoterm_place: str = ""
    lead_time_days: int | None = None
    payment: str = "other"
    packing: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """Return the sum of the items, to the last digit that a price has."""
        return sum((line.amount for line in self.lines), Decimal(0))


def faults_of_offer(offer: Offer, places: Sequence[int] = ()) -> list[Problem]:
    """Return what is wrong with a quotation, all of it. ``places``: the lines as they stand on the page, else 1, 2 …"""
    found = [
        _fault("number", _("Write the number of the quotation, for example Q-2026-031."))
        if not _NUMBER.fullmatch(offer.number)
        else None,
        _fault("valid_until", _("The quotation must hold for at least a day after it was issued."))
        if offer.valid_until <= offer.issued_on
        else None,
        _fault("valid_until", _("A quotation does not hold for more than a year. Look at the date again."))
        if offer.valid_until > offer.issued_on + timedelta(days=MAX_DAYS)
        else None,
        _fault_of_currency("currency", offer.currency),
        _fault("payment", _("Choose how it is to be paid.")) if offer.payment not in PAYMENTS else None,
        _fault("lead_time_days", _("Write how many days the goods take, from 1 to 730."))
        if offer.lead_time_days is not None and not 1 <= offer.lead_time_days <= 730
        else None,
        *_faults_of_delivery(offer),
        *_faults_of_packing(offer.packing),
        *_faults_of_lines(offer, places or range(1, len(offer.lines) + 1)),
    ]
    return [fault for fault in found if fault]


def _faults_of_delivery(offer: Offer) -> Iterable[Problem]:
    if offer.incoterm and offer.incoterm not in INCOTERMS:
        yield _fault("incoterm", _("There is no such delivery term in Incoterms 2020."))
    if offer.incoterm and not offer.incoterm_place:
        yield _fault("incoterm_place", _("A delivery term needs its place, for example Busan, Korea."))
    if offer.incoterm_place and not offer.incoterm:
        yield _fault("incoterm", _("Choose the delivery term that belongs to the place."))
    if len(offer.incoterm_place) > 64:
        yield _fault("incoterm_place", _("This is too long; {most} characters are the most.", most=64))


def _faults_of_packing(packing: Mapping[str, str]) -> Iterable[Problem]:
    if any(len(text) > 200 for text in packing.values()):
        yield _fault("packing", _("This is too long; {most} characters are the most.", most=200))


def _faults_of_lines(offer: Offer, places: Sequence[int]) -> Iterable[Problem]:
    if not offer.lines:
        yield _fault("item", _("A quotation needs at least one item."), 1)
    if len(offer.lines) > MAX_LINES:
        yield _fault("item", _("A quotation has {most} items at most.", most=MAX_LINES), MAX_LINES + 1)
    for number, line in zip(places, offer.lines, strict=True):
        yield from _faults_of_line(line, number)


def _faults_of_line(line: QuotedLine, number: int) -> Iterable[Problem]:
    if not 0 < len(line.item) <= 200:
        yield _fault("item", _("Line {n}: write what is offered, in at most 200 characters.", n=number), number)
    if not 1 <= line.quantity <= 10**9:
        yield _fault("quantity", _("Line {n}: the quantity is a whole number from 1.", n=number), number)
    if not 0 < len(line.unit) <= 32:
        yield _fault("unit", _("Line {n}: write the unit, for example pcs, set, kg.", n=number), number)
    price = line.unit_price
    if not price.is_finite() or price <= 0 or len(price.as_tuple().digits) > _PRICE_DIGITS:
        yield _fault("unit_price", _("Line {n}: the price is a number above 0.", n=number), number)
    elif _decimals(price) > 6:
        yield _fault("unit_price", _("Line {n}: the price has more than six decimals.", n=number), number)
    if line.hs_code and not _HS.fullmatch(line.hs_code):
        yield _fault("hs_code", _("Line {n}: write the HS code as 8481.80.", n=number), number)


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def state_of(state: str, valid_until: date, today: date) -> str:
    """Return the state a quotation is in today: one that was sent has expired after its last day."""
    return EXPIRED if state == SENT and today > valid_until else state


def still_holds(state: str, valid_until: date, today: date) -> bool:
    """Tell whether a letter may still name the quotation's prices; ``today`` is the day in Korea."""
    return state in (DRAFT, SENT) and today <= valid_until


@dataclass(frozen=True)
class Slots:
    """A proposed meeting: aware moments, the length in minutes, where it is or that it is held online."""

    moments: tuple[datetime, ...]
    minutes: int
    place: str = ""
    online: bool = False


def faults_of_slots(wanted: Slots, now: datetime) -> list[Problem]:
    """Return what is wrong with proposed times. They lie ahead, do not overlap and are five at most."""
    found = [] if wanted.moments else [_fault("slot", _("Propose at least one time."), 1)]
    if len(wanted.moments) > MAX_SLOTS:
        found.append(_fault("slot", _("Propose {most} times at most.", most=MAX_SLOTS), MAX_SLOTS + 1))
    for number, moment in enumerate(wanted.moments, 1):
        if moment.tzinfo is None:
            found.append(_fault("slot", _("Time {n}: the time zone is missing.", n=number), number))
        elif moment <= now:
            found.append(_fault("slot", _("Time {n}: this is over already.", n=number), number))
        elif moment > now + timedelta(days=MAX_DAYS):
            found.append(_fault("slot", _("Time {n}: this is more than a year ahead.", n=number), number))
    if not 5 <= wanted.minutes <= 480:
        found.append(_fault("minutes", _("A meeting takes from 5 to 480 minutes.")))
    elif not found:
        found += _overlaps(wanted)
    if not wanted.place and not wanted.online:
        found.append(_fault("place", _("Write where you meet, or say that it is online.")))
    if len(wanted.place) > 300:
        found.append(_fault("place", _("This is too long; {most} characters are the most.", most=300)))
    return found


def _overlaps(wanted: Slots) -> list[Problem]:
    order = sorted(enumerate(wanted.moments, 1), key=lambda pair: pair[1])
    return [
        _fault("slot", _("Time {n}: this overlaps another time.", n=number), number)
        for (_earlier, before), (number, moment) in pairwise(order)
        if moment < before + timedelta(minutes=wanted.minutes)
    ]


def slots_left(moments: Iterable[datetime], now: datetime) -> tuple[datetime, ...]:
    """Return the proposed times that have not passed yet, in order."""
    return tuple(sorted(moment for moment in moments if moment > now))


def faults_of_point(kind: str, texts: Mapping[str, str], until: date | None, today: date) -> list[Problem]:
    """Return what is wrong with a negotiation point. The Korean text is what the exporter said yes to."""
    found = []
    if kind not in POINTS:
        found.append(_fault("kind", _("Choose whether this is agreed, open or our proposal.")))
    if not texts.get("ko"):
        found.append(_fault("text_ko", _("Write the point in Korean.")))
    for language, text in texts.items():
        if len(text) > 500 or "\n" in text:
            found.append(_fault(f"text_{language}", _("Write one sentence of at most 500 characters.")))
    if until is not None and kind != PROPOSAL:
        found.append(_fault("until", _("Only a proposal holds until a day.")))
    elif until is not None and until < today:
        found.append(_fault("until", _("This day is over already.")))
    return found


@dataclass(frozen=True)
class Minimum:
    """The least that a partner buys in a year: a quantity with its unit, an amount with its currency, or both."""

    quantity: int | None = None
    unit: str = ""
    amount: Decimal | None = None
    currency: str = ""


def faults_of_minimum(minimum: Minimum) -> list[Problem]:
    """Return what is wrong with a minimum purchase; all of it may be empty."""
    found = []
    if minimum.quantity is not None and not 1 <= minimum.quantity <= 10**9:
        found.append(_fault("minimum_quantity", _("Write a whole number from 1.")))
    if minimum.quantity is not None and not minimum.unit:
        found.append(_fault("minimum_unit", _("Write the unit of the quantity, for example pcs.")))
    if minimum.unit and minimum.quantity is None:
        found.append(_fault("minimum_quantity", _("Write how much it is, or leave the unit empty.")))
    if minimum.amount is not None:
        exact = minimum.amount.is_finite() and 0 < minimum.amount < 10**12
        if not exact or _decimals(minimum.amount) > 2:
            found.append(_fault("minimum_amount", _("Write an amount above 0 with two decimals at most.")))
        fault = _fault_of_currency("minimum_currency", minimum.currency)
        found += [fault] if fault else []
    elif minimum.currency:
        found.append(_fault("minimum_amount", _("Write the amount, or leave the currency empty.")))
    return found


def _fault_of_currency(name: str, code: str) -> Problem | None:
    known = len(code) == 3 and code.isascii() and code in Locale("en").currencies
    return None if known else _fault(name, _("Write the currency as a code of three letters, for example USD."))


def _fault(name: str, message: str, line: int | None = None) -> Problem:
    return Problem(message, Place(line=line, field=name))


# --- reading what a person typed -------------------------------------------------------------------------------------


def day_of(moment: datetime) -> date:
    """Return the day that a moment is in Korea, where the papers are issued."""
    return moment.astimezone(KST).date()


def read_offer(typed: Mapping[str, str], lines: Sequence[Mapping[str, str]], packing: Mapping[str, str]) -> Offer:
    """Read a quotation from texts. Raises ``Unreadable`` with every mistake, of reading and of sense.

    ``lines`` hold item, hs_code, quantity, unit, unit_price; a line in which nothing was written is passed over, but
    counted.
    """
    faults: list[Problem] = []
    issued = _day(typed.get("issued_on", ""), "issued_on", faults)
    until = _day(typed.get("valid_until", ""), "valid_until", faults)
    days = _whole(typed.get("lead_time_days", ""), "lead_time_days", faults)
    read = [_line(line, number, faults) for number, line in enumerate(lines, 1) if any(map(str.strip, line.values()))]
    offer = Offer(
        number=typed.get("number", "").strip(),
        issued_on=issued or date.min,
        valid_until=until or date.max,
        currency=typed.get("currency", "").strip().upper(),
        lines=tuple(line for _number, line in read),
        incoterm=typed.get("incoterm", "").strip().upper(),
        incoterm_place=typed.get("incoterm_place", "").strip(),
        lead_time_days=days,
        payment=typed.get("payment", ""),
        packing={language: text.strip() for language, text in packing.items() if text.strip()},
    )
    known = {(fault.place.field, fault.place.line) for fault in faults}
    known |= {("valid_until", None)} if issued is None or until is None else set()
    own = faults_of_offer(offer, [number for number, _line in read])
    faults += [fault for fault in own if (fault.place.field, fault.place.line) not in known]
    if faults:
        raise Unreadable(faults)
    return offer


class Unreadable(ValueError):
    """What was typed cannot be taken; ``problems`` says all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def _line(typed: Mapping[str, str], number: int, faults: list[Problem]) -> tuple[int, QuotedLine]:
    quantity = _whole(typed.get("quantity", ""), "quantity", faults, number)
    price = _decimal(typed.get("unit_price", ""), "unit_price", faults, number)
    return number, QuotedLine(
        item=typed.get("item", "").strip(),
        quantity=0 if quantity is None else quantity,
        unit=typed.get("unit", "").strip(),
        unit_price=Decimal(0) if price is None else price,
        hs_code=typed.get("hs_code", "").strip(),
    )


def read_minimum(quantity: str, unit: str, amount: str, currency: str) -> Minimum:
    """Read a minimum purchase from texts. Raises ``Unreadable``."""
    faults: list[Problem] = []
    read = Minimum(
        quantity=_whole(quantity, "minimum_quantity", faults),
        unit=unit.strip(),
        amount=_decimal(amount, "minimum_amount", faults),
        currency=currency.strip().upper(),
    )
    faults = faults or faults_of_minimum(read)
    if faults:
        raise Unreadable(faults)
    return read


def _day(text: str, name: str, faults: list[Problem]) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        faults.append(Problem(_("This is not a date."), Place(field=name), _("Write it as 2026-11-24.")))
        return None


def _whole(text: str, name: str, faults: list[Problem], line: int | None = None) -> int | None:
    plain = _ungrouped(text)
    if plain == "":
        return None
    if not re.fullmatch(r"[0-9]{1,12}", plain):
        faults.append(
            _fault(name, _("Line {n}: write a whole number.", n=line) if line else _("Write a whole number."), line)
        )
        return None
    return int(plain)


def _decimal(text: str, name: str, faults: list[Problem], line: int | None = None) -> Decimal | None:
    """Read ``12.50`` or ``12,500.5``; a comma that may be a decimal sign (``12,50``) is asked about, never guessed."""
    plain = _ungrouped(text)
    if plain == "":
        return None
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,8})?", plain):
        message = _("Line {n}: write the price as 12.50.", n=line) if line else _("Write the amount as 12500.00.")
        faults.append(_fault(name, message, line))
        return None
    return Decimal(plain)


def _ungrouped(text: str) -> str:
    """Return a number without the commas between groups of three digits; other commas stay, and are then refused."""
    plain = text.strip().replace("\u00a0", "").replace(" ", "")
    return plain.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", plain) else plain
