"""What a deal's stages mean, which moves are allowed, and who holds an exclusive territory. Plain values only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from crm.core.clock import KST


class Stage(StrEnum):
    LEAD = "lead"
    CONTACTED = "contacted"
    REPLIED = "replied"
    QUALIFIED = "qualified"
    SAMPLE_OR_QUOTATION = "sample_or_quotation"
    NEGOTIATION = "negotiation"
    SUPPLY_CONTRACT = "supply_contract"
    EXCLUSIVE_CONTRACT = "exclusive_contract"
    DORMANT = "dormant"
    LOST = "lost"


WAY = tuple(stage for stage in Stage if stage not in (Stage.DORMANT, Stage.LOST))
"""The stages in the order in which a deal walks them."""
BEFORE_REPLY = (Stage.LEAD, Stage.CONTACTED, Stage.DORMANT)
"""The stages from which an answer brings a deal to ``replied``."""

MOVED = "deal_moved"
HAPPENINGS = {
    "sample.sent": "sample_sent",
    "sample.delivered": "sample_delivered",
    "quotation.sent": "quotation_sent",
}
"""What may happen to a deal besides its stages, and the verb that says so in its log."""

CHANCE = {
    Stage.LEAD: Decimal("0.02"),
    Stage.CONTACTED: Decimal("0.03"),
    Stage.REPLIED: Decimal("0.10"),
    Stage.QUALIFIED: Decimal("0.20"),
    Stage.SAMPLE_OR_QUOTATION: Decimal("0.35"),
    Stage.NEGOTIATION: Decimal("0.60"),
    Stage.SUPPLY_CONTRACT: Decimal(1),
    Stage.EXCLUSIVE_CONTRACT: Decimal(1),
    Stage.DORMANT: Decimal(0),
    Stage.LOST: Decimal(0),
}
"""How likely a deal in this stage ends in a contract."""


class LostReason(StrEnum):
    NO_NEED = "no_need"
    PRICE = "price"
    MOQ = "moq"
    CERTIFICATE = "certificate"
    LEAD_TIME = "lead_time"
    COMPETITOR = "competitor"
    EXCLUSIVE_BLOCK = "exclusive_block"
    NO_AUTHORITY = "no_authority"
    UNREACHABLE = "unreachable"
    OPT_OUT = "opt_out"
    SANCTION = "sanction"
    OTHER = "other"


@dataclass(frozen=True)
class PlainStage:
    """One of the stages an SME sees. ``quiet_after_days`` None: never quiet."""

    code: str
    stages: tuple[Stage, ...]
    quiet_after_days: int | None = None


PLAIN_STAGES = (
    PlainStage("met", (Stage.LEAD, Stage.CONTACTED), 21),
    PlainStage("answered", (Stage.REPLIED, Stage.QUALIFIED), 10),
    PlainStage("quote_sample", (Stage.SAMPLE_OR_QUOTATION,), 14),
    PlainStage("terms", (Stage.NEGOTIATION,), 14),
    PlainStage("supply", (Stage.SUPPLY_CONTRACT,), 30),
    PlainStage("exclusive", (Stage.EXCLUSIVE_CONTRACT,)),
)
RESTING = PlainStage("resting", (Stage.DORMANT, Stage.LOST))


def plain_stage(stage: str) -> PlainStage:
    """Return the plain stage an SME sees for ``stage``."""
    return next((plain for plain in PLAIN_STAGES if stage in plain.stages), RESTING)


def is_quiet(stage: str, last_sign_at: datetime, now: datetime) -> bool:
    """Has nothing happened for longer than this stage usually rests? Times are aware UTC."""
    days = plain_stage(stage).quiet_after_days
    return days is not None and now - last_sign_at > timedelta(days=days)


def expected_value(value: Decimal, stage: str) -> Decimal:
    """Return the value of a deal times the chance of its stage, to the cent."""
    return (value * CHANCE[Stage(stage)]).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class Refusal:
    """Why a move or a contract is not taken; the sentence stands in ``texts``."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """A wish to change a deal's stage. ``evidence``: is there something that shows the new stage is reached?

    ``by_hand``: a person wishes it, not the engine. ``lost_reason`` is one of ``LostReason``.
    """

    current: str
    wanted: str
    evidence: bool = False
    reason: str = ""
    by_hand: bool = True
    lost_reason: str = ""


def refuse_move(move: Move) -> Refusal | None:
    """Return why the move is not allowed, or None when it is.

    Forward one step needs evidence; forward over a stage needs evidence and a reason; back, into rest and out of it
    need a reason; lost is entered and left only by hand.
    """
    if move.current not in set(Stage) or move.wanted not in set(Stage):
        return Refusal("MOVE_UNKNOWN_STAGE", {"stage": move.wanted if move.current in set(Stage) else move.current})
    params = {"current": move.current, "wanted": move.wanted}
    if move.current == move.wanted:
        return Refusal("MOVE_SAME_STAGE", params)
    if Stage.LOST in (move.current, move.wanted) and not move.by_hand:
        return Refusal("MOVE_LOST_BY_HAND", params)
    if move.wanted == Stage.LOST:
        known = move.lost_reason in set(LostReason)
        return None if known else Refusal("MOVE_LOST_REASON", params)
    code = _missing(move)
    return Refusal(code, params) if code else None


def _missing(move: Move) -> str | None:
    reason = move.reason.strip()
    if move.wanted == Stage.DORMANT:
        return None if reason else "MOVE_DORMANT_REASON"
    if move.current in (Stage.DORMANT, Stage.LOST):
        if (move.current, move.wanted) == (Stage.DORMANT, Stage.REPLIED):
            return None if move.evidence else "MOVE_EVIDENCE"
        return None if reason else "MOVE_BACK_REASON"
    steps = WAY.index(Stage(move.wanted)) - WAY.index(Stage(move.current))
    if steps < 0:
        return None if reason else "MOVE_BACK_REASON"
    if not move.evidence:
        return "MOVE_EVIDENCE"
    return "MOVE_SKIP_REASON" if steps > 1 and not reason else None


# Exclusive contracts


class ContractKind(StrEnum):
    EXCLUSIVE = "exclusive"  # nobody else, not even the exporter itself
    SOLE = "sole"  # no other distributor; the exporter may sell directly
    NON_EXCLUSIVE = "non_exclusive"


class ContractStatus(StrEnum):
    OFFERED = "offered"
    SIGNED = "signed"
    ENDED = "ended"


RELEASE_DAYS = 30
"""After the end of an exclusivity the block has fallen, but for this long the advisor is told before writing."""


@dataclass(frozen=True)
class ExclusiveContract:
    """A contract, or the offer of one, that runs from ``start`` to ``end``, both days included.

    ``territory`` holds ISO 3166-1 codes; ``lines`` product line ids, each of which includes its descendants.
    ``friends``: organisations that stay free besides the partner (its affiliates, accounts that were left out).
    ``name`` is how the product line is called to people.
    """

    id: int
    exporter_id: int
    partner_id: int
    partner: str
    kind: str
    status: str
    lines: frozenset[int]
    territory: frozenset[str]
    start: date
    end: date
    reserved_until: date | None = None
    friends: frozenset[int] = frozenset()
    name: str = ""


@dataclass(frozen=True)
class Line:
    """A product line in its tree: what stands above it, and what below."""

    id: int
    ancestors: frozenset[int] = frozenset()
    descendants: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Buyer:
    """The company a letter goes to. ``country`` is where it will sell, as far as known, None if not.

    ``sells_in``: the countries it is known to sell in, when they are not just ``country``.
    """

    organisation_id: int | None
    country: str | None
    sells_in: frozenset[str] = frozenset()
    end_user: bool = False


@dataclass(frozen=True)
class Claim:
    """An exclusivity that stands in the way. ``level`` is ``block`` or ``check``; ``code`` says why."""

    level: str
    code: str
    contract_id: int
    partner: str
    line: str
    countries: tuple[str, ...]
    start: date
    end: date
    reserved_until: date | None = None


def conflicts(line: Line, buyer: Buyer, moment: datetime, contracts: Iterable[ExclusiveContract]) -> list[Claim]:
    """Return what other partners' exclusivities say about offering ``line`` to ``buyer``; blocks first.

    ``contracts`` are those of the exporter who offers. ``moment`` is aware; contract days are days in Korea.
    """
    today = moment.astimezone(KST).date()
    found = [claim for contract in contracts if (claim := _claim(line, buyer, today, contract))]
    return sorted(found, key=lambda claim: claim.level != "block")


def _claim(line: Line, buyer: Buyer, today: date, contract: ExclusiveContract) -> Claim | None:
    if contract.kind == ContractKind.NON_EXCLUSIVE or buyer.organisation_id in {contract.partner_id, *contract.friends}:
        return None
    if not (contract.lines & {line.id, *line.ancestors, *line.descendants}):
        return None
    standing, where = _standing(contract, today), _where(buyer, contract)
    if standing is None or where is None:
        return None
    level, code = max(standing, where, _scope(line, buyer, contract), key=_weight)
    sells_in = _sells_in(buyer)
    return Claim(
        level=level,
        code=code,
        contract_id=contract.id,
        partner=contract.partner,
        line=contract.name,
        countries=tuple(sorted(sells_in & contract.territory or contract.territory)),
        start=contract.start,
        end=contract.end,
        reserved_until=contract.reserved_until,
    )


SIGNED = ("block", "EXCLUSIVITY_SIGNED")
_WEIGHT = ("EXCLUSIVITY_SIGNED", "EXCLUSIVITY_COUNTRY_UNKNOWN")


def _weight(finding: tuple[str, str]) -> int:
    """The mildest finding rules: an offer stays an offer, an end user an end user, however clear the territory is."""
    level, code = finding
    return 2 if level == "check" else _WEIGHT.index(code)


def _standing(contract: ExclusiveContract, today: date) -> tuple[str, str] | None:
    """How strong the contract is today. A signed one blocks from signing on, even before its start."""
    if contract.status == ContractStatus.OFFERED:
        return ("check", "EXCLUSIVITY_OFFERED") if _offer_stands(contract, today) else None
    if contract.status == ContractStatus.SIGNED and today <= contract.end:
        return SIGNED
    recent = contract.end < today <= contract.end + timedelta(days=RELEASE_DAYS)
    return ("check", "EXCLUSIVITY_ENDED") if recent else None


def _offer_stands(contract: ExclusiveContract, today: date) -> bool:
    return today <= min(contract.end, contract.reserved_until or contract.end)


def _where(buyer: Buyer, contract: ExclusiveContract) -> tuple[str, str] | None:
    """What the buyer's countries say: in the territory, outside it, partly inside, not where they sell, unknown."""
    sells_in = _sells_in(buyer)
    if not sells_in:
        return ("block", "EXCLUSIVITY_COUNTRY_UNKNOWN")
    if sells_in <= contract.territory:
        return SIGNED
    if sells_in & contract.territory:
        return ("check", "EXCLUSIVITY_PARTLY")
    return ("check", "EXCLUSIVITY_ASK_TERRITORY") if buyer.country in contract.territory else None


def _sells_in(buyer: Buyer) -> frozenset[str]:
    return buyer.sells_in or frozenset({buyer.country} if buyer.country else ())


def _scope(line: Line, buyer: Buyer, contract: ExclusiveContract) -> tuple[str, str]:
    if contract.kind == ContractKind.SOLE and buyer.end_user:
        return ("check", "EXCLUSIVITY_SOLE_END_USER")
    covered = contract.lines & {line.id, *line.ancestors}
    return SIGNED if covered else ("check", "EXCLUSIVITY_PART_OF_LINE")


def refuse_contract(
    wanted: ExclusiveContract,
    others: Iterable[ExclusiveContract],
    families: Mapping[int, frozenset[int]],
    today: date,
) -> Refusal | None:
    """Return why ``wanted`` cannot stand beside ``others``, or None.

    Two exclusivities of one exporter may not overlap in product, territory and time; an offer may not overlap
    an offer that still binds. ``families`` gives for each line the line itself and all its ancestors.
    """
    if wanted.end < wanted.start:
        return Refusal("CONTRACT_ENDS_BEFORE_START")
    if not wanted.territory or not wanted.lines:
        return Refusal("CONTRACT_WITHOUT_TERRITORY" if not wanted.territory else "CONTRACT_WITHOUT_LINES")
    clash = next((other for other in others if _clash(wanted, other, families, today)), None)
    if clash is None:
        return None
    countries = tuple(sorted(wanted.territory & clash.territory))
    return Refusal("CONTRACT_OVERLAPS", {"partner": clash.partner, "countries": countries, "contract_id": clash.id})


def _clash(
    wanted: ExclusiveContract, other: ExclusiveContract, families: Mapping[int, frozenset[int]], today: date
) -> bool:
    return (
        wanted.id != other.id
        and wanted.exporter_id == other.exporter_id
        and ContractKind.NON_EXCLUSIVE not in (wanted.kind, other.kind)
        and _binds(wanted, other, today)
        and bool(wanted.territory & other.territory)
        and _same_lines(wanted.lines, other.lines, families)
        and wanted.start <= other.end
        and other.start <= wanted.end
    )


def _binds(wanted: ExclusiveContract, other: ExclusiveContract, today: date) -> bool:
    """Does the other contract stand in the way of one with this status?"""
    if other.status == ContractStatus.SIGNED:
        return wanted.status != ContractStatus.ENDED
    return wanted.status == other.status == ContractStatus.OFFERED and _offer_stands(other, today)


def _same_lines(left: Collection[int], right: Collection[int], families: Mapping[int, frozenset[int]]) -> bool:
    above_left = {one for line in left for one in families.get(line, frozenset({line}))} | set(left)
    above_right = {one for line in right for one in families.get(line, frozenset({line}))} | set(right)
    return bool(above_left & set(right) or above_right & set(left))
