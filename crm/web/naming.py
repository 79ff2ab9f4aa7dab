"""Codes of the other rooms in the viewer's words."""

from collections.abc import Callable, Mapping

from crm.campaigns.queries import StepRow
from crm.clearance import texts as clearance_texts
from crm.core.i18n import N_, _, language
from crm.drafts.templates import Library
from crm.exporters.rules import in_language
from crm.pipeline import texts as pipeline_texts
from crm.pipeline.queries import DealCard
from crm.pipeline.rules import WAY, Stage

REQUESTS = {
    "catalogue": N_("catalogue"),
    "price_list": N_("price list"),
    "sample": N_("sample"),
    "quotation": N_("quotation"),
    "meeting": N_("meeting"),
    "certificate": N_("certificate"),
}
MOVE_REASONS = {"reply": N_("The buyer answered."), **pipeline_texts.LOST_REASONS}


def request_name(code: str) -> str:
    """Return what a buyer asked for."""
    return _(REQUESTS.get(code, code))


def move_reason(text: str) -> str:
    """Return why a deal moved: a code in words, what a person wrote as it stands."""
    return _(MOVE_REASONS[text]) if text in MOVE_REASONS else text


def basis_name(code: str) -> str:
    """Return the name of a basis for writing."""
    return _(clearance_texts.BASES[code]) if code in clearance_texts.BASES else code


HAPPENING = {
    Stage.LEAD: N_("The thank-you letter is being prepared."),
    Stage.CONTACTED: N_("The thank-you letter was sent. No answer yet."),
    Stage.REPLIED: N_("The buyer answered. The answer is being written."),
    Stage.QUALIFIED: N_("What the buyer wants is known."),
    Stage.SAMPLE_OR_QUOTATION: N_("Quotation and sample are being prepared."),
    Stage.NEGOTIATION: N_("Terms are being negotiated."),
    Stage.SUPPLY_CONTRACT: N_("Goods are supplied under a contract."),
    Stage.EXCLUSIVE_CONTRACT: N_("The country was given to this company."),
    Stage.DORMANT: N_("It has paused for now."),
    Stage.LOST: N_("It did not continue."),
}
USUAL_TURNS = {Stage.LEAD: "advisor", Stage.CONTACTED: "buyer", Stage.REPLIED: "advisor"}
"""Whose turn it is at a stage where the letters decide it and nobody has said otherwise."""
TURNLESS = (Stage.EXCLUSIVE_CONTRACT, Stage.DORMANT, Stage.LOST)


def happening(card: DealCard) -> str:
    """Return what goes on in a deal: the next step a person wrote down, else what its stage means."""
    return card.next_step or _(HAPPENING[Stage(card.stage)])


def turn_of(card: DealCard) -> str:
    """Return whose turn it is (a code of ``pipeline.texts.TURNS``), or an empty text where nobody is waited for."""
    stage = Stage(card.stage)
    if stage in TURNLESS:
        return ""
    return card.turn if card.turn != "us" else USUAL_TURNS.get(stage, "us")


def turn_name(code: str) -> str:
    """Return whose turn it is."""
    return _(pipeline_texts.TURNS.get(code, code))


def next_stage(stage: str) -> str:
    """Return the stage after this one, which the form to move a deal proposes."""
    codes = [one.value for one in WAY]
    return codes[min(codes.index(stage) + 1, len(codes) - 1)] if stage in codes else "replied"


Titles = Mapping[str, Mapping[str, str]]
"""Letter → its title in each language."""


def titles_of(library: Library) -> dict[str, Mapping[str, str]]:
    """Return the titles of letters."""
    return {letter.name: letter.title for letter in library.letters()}


def letter_namer(titles: Titles) -> Callable[[str], str]:
    """Return what names letters by their titles, as they are when it is asked; one that is gone keeps its file name."""
    return lambda name: in_language(dict(titles[name]), language()) if name in titles else name


def step_namer(letter_name: Callable[[str], str]) -> Callable[[StepRow], str]:
    """Return what names steps: a letter by its title, a task by its kind."""

    def step_name(step: StepRow) -> str:
        if step.kind == "mail":
            return letter_name(step.what)
        return _(pipeline_texts.TASK_KINDS.get(step.what, step.what))

    return step_name
