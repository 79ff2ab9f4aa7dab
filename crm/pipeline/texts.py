"""Stages in the words an SME reads, and why a move or a contract was not taken."""

from babel import Locale

from crm.core.i18n import N_, _, language
from crm.pipeline.rules import Refusal

STAGES: dict[str, str] = {
    "lead": N_("New lead"),
    "contacted": N_("Letter sent"),
    "replied": N_("Answered"),
    "qualified": N_("Qualified"),
    "sample_or_quotation": N_("Quotation and sample"),
    "negotiation": N_("Negotiating terms"),
    "supply_contract": N_("Supply contract"),
    "exclusive_contract": N_("Exclusive contract"),
    "dormant": N_("Resting"),
    "lost": N_("Ended"),
}

PLAIN_STAGES: dict[str, tuple[str, str]] = {
    "met": (N_("Met"), N_("You met at the exhibition. The thank-you letter is being sent.")),
    "answered": (N_("Reply received"), N_("The buyer answered. We find out what they want to know.")),
    "quote_sample": (N_("Quotation and sample"), N_("The price is being named and the sample sent.")),
    "terms": (N_("Negotiating terms"), N_("Quantity, price, period and territory are being agreed.")),
    "supply": (N_("Supply contract"), N_("Orders and supply contract are signed, and goods are shipped.")),
    "exclusive": (N_("Exclusive contract"), N_("One company was given one country by contract.")),
    "resting": (N_("Resting or ended"), N_("It has paused for now, or it did not continue.")),
}

TURNS: dict[str, str] = {
    "us": N_("Our turn"),
    "buyer": N_("The buyer's turn"),
    "advisor": N_("The advisor is on it"),
}

LOST_REASONS: dict[str, str] = {
    "no_need": N_("no need"),
    "price": N_("price"),
    "moq": N_("minimum order too large"),
    "certificate": N_("certificate missing"),
    "lead_time": N_("lead time too long"),
    "competitor": N_("went to a competitor"),
    "exclusive_block": N_("territory is exclusive to another"),
    "no_authority": N_("no authority to decide"),
    "unreachable": N_("unreachable"),
    "opt_out": N_("does not want mail"),
    "sanction": N_("trade is restricted"),
    "other": N_("another reason"),
}

CONTRACT_KINDS: dict[str, str] = {
    "exclusive": N_("exclusive distributor"),
    "sole": N_("sole distributor"),
    "non_exclusive": N_("distributor without exclusivity"),
}

CONTRACT_STATUSES: dict[str, str] = {
    "offered": N_("under negotiation"),
    "signed": N_("under exclusive contract"),
    "ended": N_("contract ended"),
}

TASK_KINDS: dict[str, str] = {
    "call": N_("call"),
    "answer": N_("write an answer"),
    "sample": N_("send a sample"),
    "tracking": N_("tell the tracking number"),
    "quotation": N_("prepare a quotation"),
    "check": N_("check something"),
    "other": N_("something else"),
}

HAPPENINGS: dict[str, str] = {
    "sample.sent": N_("sample sent"),
    "sample.delivered": N_("sample arrived"),
    "quotation.sent": N_("quotation sent"),
}

REFUSALS: dict[str, str] = {
    "MOVE_UNKNOWN_STAGE": N_("There is no stage {stage}."),
    "MOVE_SAME_STAGE": N_("The deal is at this stage already."),
    "MOVE_LOST_BY_HAND": N_("Only a person can end a deal or take it up again."),
    "MOVE_LOST_REASON": N_("Choose why the deal ended."),
    "MOVE_DORMANT_REASON": N_("Write down why the deal is to rest."),
    "MOVE_BACK_REASON": N_("Write down why the deal goes from {current} back to {wanted}."),
    "MOVE_EVIDENCE": N_("Write down what shows that the deal has reached {wanted}."),
    "MOVE_SKIP_REASON": N_("The deal would skip stages between {current} and {wanted}. Write down why."),
    "CONTRACT_ENDS_BEFORE_START": N_("The contract ends before it starts. Correct the two dates."),
    "CONTRACT_WITHOUT_TERRITORY": N_("Choose at least one country."),
    "CONTRACT_WITHOUT_LINES": N_("Choose a product line."),
    "CONTRACT_OVERLAPS": N_(
        "{partner} already holds {countries} for this product line in that period. Choose other countries or dates."
    ),
}


def stage_name(stage: str) -> str:
    """Return the name of one of the ten stages in the viewer's language."""
    return _(STAGES[stage])


def plain_stage_name(code: str) -> str:
    """Return the name of one of the plain stages in the viewer's language."""
    return _(PLAIN_STAGES[code][0])


def plain_stage_meaning(code: str) -> str:
    """Return the sentence that explains a plain stage."""
    return _(PLAIN_STAGES[code][1])


def say(refusal: Refusal) -> str:
    """Return the sentence of a refusal in the viewer's language."""
    words = {name: _word(name, value) for name, value in refusal.params.items()}
    return _(REFUSALS[refusal.code], **words)


def country_names(codes: tuple[str, ...]) -> str:
    """Return countries by name, in the order given."""
    territories = Locale(language()).territories
    return ", ".join(territories.get(code, code) for code in codes)


def _word(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return country_names(value)
    return stage_name(str(value)) if name in ("current", "wanted") else str(value)
