"""What the pages of the letter desk show: blocks beside the Korean master, the letter as sample buyers would get it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from crm.campaigns.letters import NOTHING, SETTINGS_FILE, Files, base_of
from crm.core.errors import Problem, Refused
from crm.core.i18n import N_, _
from crm.drafts import blocks, desk, lint_files, rules
from crm.drafts import texts as sentences
from crm.drafts.language import KOREAN, VARIANTS
from crm.drafts.layout import block_html, to_html, to_text
from crm.drafts.library import Checked
from crm.drafts.placeholders import PLACEHOLDERS
from crm.drafts.readiness import State
from crm.drafts.sample_buyers import Sample
from crm.drafts.templates import Letter, RenderedLetter, render

STATES = {
    State.NONE: (N_("not written"), "", ""),
    State.WRITING: (N_("being written"), "warn", "file"),
    State.REVIEW: (N_("waits for approval"), "on", "clock"),
    State.APPROVED: (N_("approved"), "ok", "ok"),
    State.AGAIN: (N_("look again"), "bad", "warn"),
}
"""State → what it is called, the colour and the sign of its tag."""
BLOCK_NAMES = {
    "subject": N_("Subject"),
    "greeting": N_("Greeting"),
    "opening": N_("Opening"),
    "thanks": N_("Thanks"),
    "recall": N_("What was discussed"),
    "materials": N_("Material"),
    "terms": N_("Terms"),
    "needs": N_("What is asked for"),
    "question": N_("Question"),
    "closing": N_("Closing"),
    "signature": N_("Signature"),
    "release": N_("Way out"),
    "help": N_("Offer of help"),
    "steps": N_("Next steps"),
    "conditions": N_("Conditions"),
    "offer": N_("Offer"),
    "news": N_("News"),
    "invitation": N_("Invitation"),
    "support": N_("Support"),
    "testing": N_("Testing"),
    "changes": N_("Changes"),
    "choice": N_("Choice"),
    "questions": N_("Questions"),
}


def block_name(key: str) -> str:
    """Return what a block is called; one that is not known by name keeps the one of its file."""
    name, _space, number = key.partition(" ")
    shown = _(BLOCK_NAMES[name]) if name in BLOCK_NAMES else name
    return _("{block}, wording {n}", block=shown, n=number) if number else shown


def block_label(key: str) -> str:
    """Return what a block is called in a comparison; what stands before the first one has no name."""
    return block_name(key) if key else _("Whole file")


def field_of(key: str) -> str:
    """Return the name of the form's field for a block."""
    return "b-" + key.replace(" ", "-")


# --- what is edited --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One block in the editor: the Korean text, that of the language, what a variant falls back to, what is wrong."""

    key: str
    korean: str
    text: str
    base: str
    problems: Sequence[Problem]
    findings: Sequence[tuple[str, str]]

    @property
    def field(self) -> str:
        return field_of(self.key)


def names_in(settings: str, fallback: str) -> list[str]:
    """Return the blocks that a letter.yaml names, or those of a text where it cannot be read."""
    try:
        found = YAML(typ="safe").load(settings)
    except (YAMLError, ValueError):
        found = None
    names = found.get("blocks") if isinstance(found, dict) else None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return list(dict.fromkeys(names))
    return list(dict.fromkeys(block.name for block in blocks.split(fallback).blocks if block.name != blocks.SUBJECT))


def keys_for(files: Files, tongue: str) -> list[str]:
    """Return the blocks of a letter in order, each with as many wordings as Korean has."""
    korean = files.get(f"{KOREAN}.md", "")
    return blocks.keys_of(names_in(files.get(SETTINGS_FILE, ""), korean), blocks.split(korean))


def with_texts(files: Files, tongue: str, typed: Mapping[str, str], settings: str | None = None) -> dict[str, str]:
    """Return the files of a letter with other texts in one language; ``typed`` by block, ``settings``: letter.yaml.

    Korean says how many wordings a block has, so what was typed there counts.
    """
    made = dict(files)
    if settings is not None:
        made[SETTINGS_FILE] = _settings(settings, files.get(SETTINGS_FILE, ""))
    keys = keys_for(made, tongue)
    if tongue == KOREAN:
        keys = [one for key in keys if " " not in key for one in _wordings(key, typed)]
    file = f"{tongue}.md"
    text = blocks.rewritten(files.get(file, ""), keys, typed, optional=tongue in VARIANTS)
    if text:
        made[file] = text
    else:
        made.pop(file, None)
    return made


def _settings(text: str, present: str) -> str:
    tidy = text.replace("\r\n", "\n").replace("\r", "\n")
    return present if tidy.strip() == present.replace("\r\n", "\n").strip() else tidy.rstrip() + "\n"


def _wordings(name: str, typed: Mapping[str, str]) -> list[str]:
    """Return the keys of the wordings of a block that were typed; the first is always there."""
    return [name, *(key for key in (f"{name} {number}" for number in range(2, 10)) if key in typed)]


def rows(files: Files, tongue: str, checked: Checked, typed: Mapping[str, str], looks: "Look") -> list[Row]:
    """Return the blocks of the editor; ``typed`` wins over what the file says."""
    own = blocks.split(files.get(f"{tongue}.md", ""))
    texts = {**own.texts, **typed}
    korean = blocks.split(files.get(f"{KOREAN}.md", "")).texts
    base = blocks.split(files.get(f"{base_of(tongue)}.md", "")).texts if tongue in VARIANTS else {}
    keys = keys_for(files, tongue)
    if tongue == KOREAN:
        keys = [one for key in keys if " " not in key for one in _wordings(key, {**typed, **own.texts})]
    told = _by_block(own, checked.faulty.get(tongue, ()))
    linted = _by_block(own, _linted(files, tongue))
    return [
        Row(
            key, korean.get(key, ""), texts.get(key, ""), base.get(key, ""), told.get(key, ()),
            [
                *(looks.findings.get(key, ()) if " " not in key else ()),
                *(("check", f"{one.message} {one.hint}".strip()) for one in linted.get(key, ())),
            ],
        )
        for key in keys
    ]  # fmt: skip


def _linted(files: Files, tongue: str) -> list[Problem]:
    """Return what the check of letter files finds in one language, as ``crm letters check`` tells it."""
    found = lint_files.check_files("", lint_files.parts_of(files))
    return [one for one in found if one.place.file == f"{tongue}.md"]


def _by_block(written: blocks.Written, problems: Iterable[Problem]) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(written.block_at(problem.place.line), []).append(problem)
    return found


def letter_problems(files: Files, tongue: str, checked: Checked) -> list[Problem]:
    """Return the mistakes that no block of this page has: of letter.yaml, of Korean, of the file as a whole."""
    own = _by_block(blocks.split(files.get(f"{tongue}.md", "")), checked.faulty.get(tongue, ())).get("", [])
    korean = checked.faulty.get(KOREAN, ()) if tongue != KOREAN else ()
    return [*checked.problems, *korean, *own]


# --- how it reads ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """A letter as a sample buyer would get it in one language. ``refused``: why it cannot be written."""

    tongue: str
    subject: str = ""
    blocks: Sequence[Markup] = ()
    text: str = ""
    refused: str = ""
    findings: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """Block (empty: the letter as a whole) → level and sentence of what the rules found."""

    @property
    def lang(self) -> str:
        return base_of(self.tongue)


def look(checked: Checked, tongue: str, chosen: Sample, turn: int = 0) -> Look:
    """Write the letter to a sample buyer."""
    letter = checked.letter
    if letter is None or tongue not in letter.compiled:
        there = tongue in checked.faulty or letter is None
        return Look(tongue, refused=_("There are mistakes in it.") if there else _("Nothing is written yet."))
    try:
        written = rendered(letter, tongue, chosen, turn)
    except Refused as error:
        return Look(tongue, refused=error.message)
    return Look(
        tongue,
        subject=written.subject,
        blocks=[Markup(block_html(block.marked)) for block in written.blocks],  # noqa: S704 - Markdown without raw HTML
        text=to_text(written.blocks),
        findings=_findings(written, base_of(tongue), chosen),
    )


def rendered(letter: Letter, tongue: str, chosen: Sample, turn: int = 0) -> RenderedLetter:
    """Return a letter to a sample buyer. Raises Refused where it cannot be written."""
    language, country = base_of(tongue), country_of(tongue)
    facts = chosen.facts_in(language, country, letter.needs)
    return render(letter, language, {language: facts}, country=country, turn=turn)


def country_of(tongue: str) -> str | None:
    """Return a country to whose readers a variant writes, None for a language."""
    return max(VARIANTS[tongue][1]) if tongue in VARIANTS else None


def html_part(letter: Letter, tongue: str, chosen: Sample, turn: int = 0) -> str:
    """Return the HTML part as a mail program gets it. Raises Refused where it cannot be written."""
    return to_html(rendered(letter, tongue, chosen, turn).blocks, base_of(tongue))


def _findings(written: RenderedLetter, language: str, chosen: Sample) -> dict[str, list[tuple[str, str]]]:
    who = chosen.people.get(language) or chosen.people.get("*")
    names = (who.full_name or "", who.company or "") if who else ()
    texts = [block.text for block in written.blocks]
    found: dict[str, list[tuple[str, str]]] = {}
    for one in rules.check_content(language, written.subject, texts, addressee=who, names=names):
        piece = str(one.params.get("text", ""))
        home = next(
            (block.id for sign in (piece, piece[:1]) for block in written.blocks if sign and sign in block.text), ""
        )
        if one.code.startswith("subject") or (piece and not home and piece in written.subject):
            home = blocks.SUBJECT
        found.setdefault(home, []).append((one.level.value, " ".join(sentences.say(one))))
    return found


def shown(tongue: str, beside: str, files: Files) -> list[str]:
    """Return which languages the preview shows: that of the page, and those chosen to stand beside it."""
    every = [one for one in desk.tongues_shown(files) if f"{one}.md" in files]
    if beside == "all":
        return [tongue, *(one for one in every if one != tongue)]
    other = beside if beside in every else (KOREAN if tongue != KOREAN else "en")
    return [tongue, other] if other != tongue and f"{other}.md" in files else [tongue]


def words_for(letter: Letter | None, tongue: str) -> list[dict[str, Any]]:
    """Return the values that a letter may name, each with what it shows."""
    names = sorted(letter.placeholders) if letter else []
    return [
        {
            "name": name,
            "about": _(PLACEHOLDERS[name].about),
            "kind": PLACEHOLDERS[name].kind,
            "sample": _sample_text(PLACEHOLDERS[name].sample(base_of(tongue))),
        }
        for name in names
    ]


def _sample_text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None or isinstance(value, bool) else str(value)


def changed_files(before: Files | None, after: Files) -> list[tuple[str, str, str]]:
    """Return the files that differ between two versions: name, text before, text after."""
    old = before if before is not None else NOTHING
    names = [SETTINGS_FILE, *(f"{tongue}.md" for tongue in desk.tongues_shown({**old, **after}))]
    return [
        (name, old.get(name, ""), after.get(name, "")) for name in names if old.get(name, "") != after.get(name, "")
    ]
