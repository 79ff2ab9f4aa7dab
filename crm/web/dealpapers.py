"""What the pages of a deal show of its papers, and what people type into their forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from crm.campaigns.language import choose_language
from crm.campaigns.rules import recipient_zone
from crm.contacts.models import Contact
from crm.core import i18n
from crm.core.clock import KST
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _
from crm.drafts import formats
from crm.pipeline import papering
from crm.pipeline.models import Deal, ExclusiveContract, MeetingProposal, NegotiationPoint, Quotation
from crm.pipeline.papering import Offer, Slots, day_of
from crm.pipeline.paperwork import offer_of, slots_of

LINE_FIELDS = ("item", "hs_code", "quantity", "unit", "unit_price")
SPARE_LINES = 3
FIRST_LINES = 5
SLOTS = papering.MAX_SLOTS


@dataclass(frozen=True)
class ShownQuotation:
    """A quotation as a page tells it."""

    row: Quotation
    offer: Offer
    state: str
    total: str


@dataclass(frozen=True)
class ShownMeeting:
    """Proposed times; ``zone`` is the buyer's."""

    row: MeetingProposal
    slots: tuple[datetime, ...]
    zone: str | None

    def at_night(self, slot: datetime) -> bool:
        """Tell whether the buyer would be asked to get up for it."""
        return self.zone is not None and not 8 <= slot.astimezone(ZoneInfo(self.zone)).hour < 19


@dataclass(frozen=True)
class Buyer:
    """Whom the papers are for: the language they are written in besides Korean, and the clock."""

    language: str
    zone: str | None


def buyer_of(session: Session, deal: Deal) -> Buyer:
    """Return the language and the zone of the deal's person."""
    contact = session.get_one(Contact, deal.contact_id)
    local = recipient_zone(contact.country or "", contact.city)
    return Buyer(
        choose_language(contact.language, contact.country), contact.timezone or (str(local.zone) if local else None)
    )


def shown(session: Session, deal: Deal, now: datetime) -> dict[str, Any]:
    """Return what the deal's page shows of its papers."""
    buyer = buyer_of(session, deal)
    return {
        "buyer": buyer,
        "quotations": quotations_of(session, deal, now),
        "meeting": meeting_of(session, deal, buyer),
        "points": _rows(session, NegotiationPoint, deal),
        "point_kinds": [(code, _(name)) for code, name in papering.POINTS.items()],
        "point_names": {code: _(name) for code, name in papering.POINTS.items()},
        "quotation_states": {code: _(name) for code, name in papering.STATES.items()},
        "minimum_text": minimum_text,
        "slot_numbers": range(1, SLOTS + 1),
    }


def empty() -> dict[str, str]:
    """Return what the forms of papers hold before anybody typed."""
    slots = {f"slot_{number}": "" for number in range(1, SLOTS + 1)}
    points = {"point_kind": papering.AGREED, "text_ko": "", "text_buyer": "", "point_until": ""}
    return {**slots, "minutes": "40", "place": "", "online": "", **points, **empty_minimum()}


def empty_minimum() -> dict[str, str]:
    """Return the empty fields of a minimum purchase."""
    return {"minimum_quantity": "", "minimum_unit": "", "minimum_amount": "", "minimum_currency": ""}


def quotations_of(session: Session, deal: Deal, now: datetime) -> list[ShownQuotation]:
    """Return the deal's quotations, the newest first."""
    return [quotation_shown(row, now) for row in reversed(_rows(session, Quotation, deal))]


def quotation_shown(row: Quotation, now: datetime) -> ShownQuotation:
    """Return one quotation as a page tells it."""
    offer = offer_of(row)
    return ShownQuotation(
        row, offer, papering.state_of(row.state, row.valid_until, day_of(now)), money(offer.total, offer)
    )


def money(amount: Decimal, offer: Offer) -> str:
    """Return an amount of a quotation as the viewer writes figures."""
    return formats.money(amount, offer.currency, i18n.language())


def meeting_of(session: Session, deal: Deal, buyer: Buyer) -> ShownMeeting | None:
    """Return the deal's proposed times, None where nothing is proposed."""
    rows = _rows(session, MeetingProposal, deal)
    slots = slots_of(rows[-1]) if rows else ()
    return ShownMeeting(rows[-1], slots, buyer.zone) if slots else None


def _rows(session: Session, kind: type[Any], deal: Deal) -> Sequence[Any]:
    return session.exec(select(kind).where(kind.deal_id == deal.id).order_by(col(kind.id))).all()


def minimum_text(contract: ExclusiveContract) -> str:
    """Return the minimum purchase of a contract in figures, as the viewer writes them; empty where none is known."""
    parts = []
    if contract.minimum_quantity:
        parts.append(formats.quantity(contract.minimum_quantity, contract.minimum_unit, i18n.language()))
    if contract.minimum_amount:
        parts.append(formats.money(contract.minimum_amount, contract.minimum_currency, i18n.language()))
    return _("{what} a year", what=", ".join(parts)) if parts else ""


# --- forms -----------------------------------------------------------------------------------------------------------


def lines_typed(form: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the lines of a quotation's form, empty ones too, so that a line keeps its place."""
    numbers = [int(key.removeprefix("item_")) for key in form if key.startswith("item_") and key[5:].isdecimal()]
    last = min(max(numbers, default=0), papering.MAX_LINES + 1)
    return [{name: str(form.get(f"{name}_{n}") or "") for name in LINE_FIELDS} for n in range(1, last + 1)]


def lines_shown(offer: Offer | None) -> list[dict[str, str]]:
    """Return the lines of a form: those there are, and a few empty ones."""
    blank = dict.fromkeys(LINE_FIELDS, "")
    there = [
        {
            "item": line.item,
            "hs_code": line.hs_code,
            "quantity": str(line.quantity),
            "unit": line.unit,
            "unit_price": f"{line.unit_price:f}",
        }
        for line in (offer.lines if offer else ())
    ]
    count = max(FIRST_LINES, len(there) + SPARE_LINES)
    return [*there, *(dict(blank) for _n in range(count - len(there)))]


def offer_typed(offer: Offer | None, deal_language: str, today: datetime) -> dict[str, str]:
    """Return what the form of a quotation holds at first."""
    if offer is None:
        day = day_of(today)
        return {
            "number": "",
            "issued_on": day.isoformat(),
            "valid_until": (day + timedelta(days=30)).isoformat(),
            "currency": "USD",
            "incoterm": "FOB",
            "incoterm_place": "Busan, Korea",
            "lead_time_days": "",
            "payment": "tt_30_70",
            "packing_ko": "",
            "packing_buyer": "",
        }
    return {
        "number": offer.number,
        "issued_on": offer.issued_on.isoformat(),
        "valid_until": offer.valid_until.isoformat(),
        "currency": offer.currency,
        "incoterm": offer.incoterm,
        "incoterm_place": offer.incoterm_place,
        "lead_time_days": str(offer.lead_time_days or ""),
        "payment": offer.payment,
        "packing_ko": offer.packing.get("ko", ""),
        "packing_buyer": offer.packing.get(deal_language, "") if deal_language != "ko" else "",
    }


def texts_typed(korean: str, buyers: str, language: str) -> dict[str, str]:
    """Return a text in Korean and in the buyer's language by language; a Korean buyer reads the Korean one."""
    return {"ko": korean} if language == "ko" else {"ko": korean, language: buyers}


def slots_typed(form: Mapping[str, str]) -> Slots:
    """Read proposed times, typed on Korea's clock. Raises BadInput naming the field."""
    problems: list[Problem] = []
    moments = []
    for number in range(1, SLOTS + 1):
        text = str(form.get(f"slot_{number}") or "").strip()
        if text:
            try:
                moments.append(datetime.fromisoformat(text).replace(tzinfo=KST))
            except ValueError:
                message = _("Time {n}: write the day and the time as 2026-12-01T10:30.", n=number)
                problems.append(Problem(message, Place(field=f"slot_{number}")))
    minutes = str(form.get("minutes") or "").strip()
    if not minutes.isdecimal() or len(minutes) > 4:
        problems.append(Problem(_("A meeting takes from 5 to 480 minutes."), Place(field="minutes")))
    if problems:
        raise BadInput(problems)
    return Slots(tuple(moments), int(minutes), str(form.get("place") or "").strip(), bool(form.get("online")))


def at_fields(problems: Sequence[Problem]) -> BadInput:
    """Return mistakes under the names of the page's fields: ``unit_price`` of line 2 is ``unit_price_2``."""
    return BadInput(
        [
            Problem(one.message, Place(field=f"{one.place.field}_{one.place.line}"), one.hint)
            if one.place.line
            else one
            for one in problems
        ]
    )
