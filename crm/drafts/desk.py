"""The desk where letters are written: what is in use and how ready it is, saving, asking for approval, approving.

The desk and the folder are the same thing: whatever stands on one can be taken to the other without loss. What was
saved here stands instead of the folder's files of the same name. A letter is written from a text only while somebody
who reads its language, and did not write it, has approved it beside the present Korean text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, func, select

from crm.accounts.rules import Viewer
from crm.campaigns import letters as kept
from crm.campaigns.letters import NOTHING, SETTINGS_FILE, Files, Source, digest, tongues_of
from crm.campaigns.models import Campaign, LetterDecision, LetterSave
from crm.campaigns.states import RUNNING
from crm.campaigns.workflows import definition_of
from crm.core import events
from crm.core.config import Settings
from crm.core.errors import BadInput, NotAllowed, NotFound, Place, Problem, Refused, Stale
from crm.core.i18n import _
from crm.drafts import approvals, archive
from crm.drafts.language import LANGUAGES
from crm.drafts.library import Checked, Shelf, checked
from crm.drafts.readiness import (
    APPROVED,
    ASKED,
    MASTER,
    RETURNED,
    Authors,
    Decision,
    Readiness,
    State,
    may_edit,
    readiness,
    reads,
    writer_of_what_is_new,
)

HOME_VARIANT = "ko-KR"
"""The Korean of a letter inside Korea, which every letter has beside the six languages."""
MOST_WORDS = 500


@dataclass(frozen=True)
class Page:
    """A letter as the desk shows it: where it comes from, what was found in it, and how ready each language is."""

    source: Source
    checked: Checked
    states: Mapping[str, Readiness]

    @property
    def title(self) -> Mapping[str, str]:
        return self.checked.letter.title if self.checked.letter else {}


def page(session: Session, settings: Settings, name: str) -> Page:
    """Return one letter in use. Raises NotFound."""
    return _page(session, kept.source_of(session, settings, name))


def pages(session: Session, settings: Settings) -> list[Page]:
    """Return every letter in use, whether it is in order or not."""
    return [_page(session, source) for source in kept.sources(session, settings).values()]


def _page(session: Session, source: Source) -> Page:
    found = checked(source.name, source.files)
    return Page(source, found, states_of(source.files, found, decisions_of(session, source)))


def tongues_shown(files: Files) -> list[str]:
    """Return what the desk has a column for: the six languages, the Korean of Korea, and the variants there are."""
    return [*LANGUAGES, *sorted({HOME_VARIANT, *tongues_of(files)} - set(LANGUAGES))]


def states_of(files: Files, found: Checked, decisions: Sequence[Decision]) -> dict[str, Readiness]:
    """Return how ready each language of a letter is."""
    texts = {tongue: digest(files[f"{tongue}.md"]) for tongue in tongues_of(files)}
    return readiness(tongues_shown(files), texts, found.faulty, decisions)


def decisions_of(session: Session, source: Source) -> list[Decision]:
    """Return what was decided about a letter: in its folder first, then on the desk, in order."""
    rows = select(LetterDecision).where(LetterDecision.letter == source.name).order_by(col(LetterDecision.id))
    return [*_listed(source.approvals), *map(_decision, session.exec(rows))]


def _listed(text: str) -> list[Decision]:
    """Return the decisions of a folder's list; from one that cannot be read, nothing is approved."""
    try:
        return approvals.read(text)
    except BadInput:
        return []


def _decision(row: LetterDecision) -> Decision:
    return Decision(
        row.language, row.text_sha256, row.korean_sha256, row.kind, row.decided_by, row.decided_at, row.note
    )


# --- the letters in use ----------------------------------------------------------------------------------------------

_last: tuple[object, Shelf] | None = None


def letters_in_use(session: Session, settings: Settings) -> Shelf:
    """Return the letters as they are in use now, and the versions that campaigns keep; each text is compiled once.

    A letter with mistakes is there, and says so when it is asked for; the others are not touched by it. Raises BadInput
    where there is no folder of letters.
    """
    global _last
    if not Path(settings.templates_dir).is_dir():
        raise BadInput([Problem(_("There is no such folder."), Place(settings.templates_dir))])
    present, of_campaigns = kept.sources(session, settings), kept.kept_by(session)
    newest = session.exec(select(func.max(LetterDecision.id))).one()
    key = (
        tuple((name, source.sha256, source.approvals) for name, source in present.items()),
        tuple(sorted((number, *sorted(names.items())) for number, names in of_campaigns.items())),
        (newest, session.get_bind().engine.url),
    )
    if _last is None or _last[0] != key:
        _last = (key, _shelf(session, present, of_campaigns))
    return _last[1]


def _shelf(session: Session, present: Mapping[str, Source], of_campaigns: Mapping[int, Mapping[str, str]]) -> Shelf:
    older = kept.files_of(session, {sha256 for names in of_campaigns.values() for sha256 in names.values()})
    versions = {source.sha256: (name, source.files) for name, source in present.items()}
    for names in of_campaigns.values():
        versions |= {sha256: (name, older[sha256]) for name, sha256 in names.items() if sha256 not in versions}
    rows: dict[str, list[Decision]] = {name: _listed(source.approvals) for name, source in present.items()}
    for row in session.exec(select(LetterDecision).order_by(col(LetterDecision.id))):
        rows.setdefault(row.letter, []).append(_decision(row))
    found = {sha256: checked(name, files) for sha256, (name, files) in versions.items()}
    states = {sha256: states_of(files, found[sha256], rows.get(name, ())) for sha256, (name, files) in versions.items()}
    return Shelf({name: source.sha256 for name, source in present.items()}, found, states, of_campaigns)


def keep_letters(session: Session, settings: Settings, *, now: datetime) -> int:
    """Let every running campaign keep the versions of the letters it writes, where it keeps none yet; return how many.

    A campaign does so when it starts; this is for those of an older program and for letters that came in with a newer
    workflow.
    """
    running = session.exec(select(Campaign).where(Campaign.status == RUNNING)).all()
    return sum(keep_for(session, settings, campaign, now=now) for campaign in running)


def keep_for(session: Session, settings: Settings, campaign: Campaign, *, now: datetime) -> int:
    """Let one campaign keep the present versions of the letters of its workflow; return of how many."""
    names = {step.mail for step in definition_of(session, campaign.workflow_sha256).steps if step.mail}
    return kept.keep_for(session, settings, campaign, names, now=now)


# --- saving ----------------------------------------------------------------------------------------------------------


def save(
    session: Session,
    settings: Settings,
    name: str,
    files: Files,
    *,
    based_on: str,
    why: str,
    viewer: Viewer,
    now: datetime,
) -> LetterSave:
    """Store the files of a letter as the version in use. What its languages lack is told on the desk, not refused.

    Raises NotAllowed for a language the viewer does not read, BadInput for a letter that cannot be read at all or a
    changed text with mistakes, Stale when somebody else saved meanwhile, Refused when nothing was changed.
    """
    before = kept.sources(session, settings).get(name)
    changed = {file for file in files if before is None or before.files.get(file) != files[file]}
    gone = set(before.files if before else ()) - set(files)
    _require_languages(viewer, changed | gone)
    return _save(session, settings, name, files, changed, based_on, why, viewer, now)


def _save(
    session: Session,
    settings: Settings,
    name: str,
    files: Files,
    strict: Iterable[str],
    based_on: str,
    why: str,
    viewer: Viewer,
    now: datetime,
) -> LetterSave:
    problems = problems_of(name, files, strict)
    if not why.strip():
        problems.append(Problem(_("Write down why it was changed."), Place(field="why")))
    if problems:
        raise BadInput(problems)
    return kept.save(session, settings, name, files, based_on=based_on, why=why[:MOST_WORDS], by=viewer.email, now=now)


def _require_languages(viewer: Viewer, files: Iterable[str]) -> None:
    for file in sorted(files):
        tongue = file.removesuffix(".md")
        if not (viewer.is_staff if file == SETTINGS_FILE else may_edit(viewer, tongue)):
            raise NotAllowed(_("You may change the languages that you read. This one is not among them."))


def problems_of(name: str, files: Files, strict: Iterable[str] = ()) -> list[Problem]:
    """Return what keeps a version from being saved: mistakes of the letter as such, of Korean, and of ``strict`` files.

    What else a language lacks keeps it from being written, not the letter from being saved.
    """
    for file in sorted(files):
        archive.refuse_control_characters(file, files[file])
    found = checked(name, files)
    texts = {MASTER, *(file.removesuffix(".md") for file in strict)}
    return [*found.problems, *(one for tongue in sorted(texts) for one in found.faulty.get(tongue, ()))]


def restore(
    session: Session,
    settings: Settings,
    name: str,
    number: int,
    *,
    based_on: str,
    why: str,
    viewer: Viewer,
    now: datetime,
) -> LetterSave:
    """Store an older version (0: the folder's files) as the one in use. Raises as ``save`` does."""
    if not viewer.is_staff:
        raise NotAllowed(_("Your role does not permit this."))
    files = version_of(session, settings, name, number)
    return _save(session, settings, name, files, (), based_on, why, viewer, now)


def version_of(session: Session, settings: Settings, name: str, number: int) -> Files:
    """Return the files of one version of a letter, 0 for those of the folder. Raises NotFound for none."""
    source = kept.source_of(session, settings, name)
    if number == 0 and source.folder is not None:
        return source.folder
    for saved, files in kept.saves_of(session, name):
        if saved.number == number:
            return files
    raise NotFound(_("There is no such version."))


# --- asking and approving --------------------------------------------------------------------------------------------


def authors(session: Session, source: Source, tongue: str) -> Authors:
    """Return who wrote the present text of a language and the Korean text beside it, as far as the desk knows."""
    saved = [last_change(session, source, f"{one}.md") for one in (tongue, MASTER)]
    return Authors(*(one.saved_by if one else "" for one in saved))


def last_change(session: Session, source: Source, file: str) -> LetterSave | None:
    """Return the saving since which a file reads as it does; None: it is that of the folder."""
    saves = kept.saves_of(session, source.name) if source.save else ()
    text, found = source.files.get(file), None
    for saved, files in saves:
        if files.get(file) != text:
            return found
        found = saved
    if not saves or found is None or not found.folder_sha256:
        return found
    first = kept.files_of(session, [found.folder_sha256]).get(found.folder_sha256, NOTHING)
    return None if first.get(file) == text else found


def ask(
    session: Session, settings: Settings, name: str, tongue: str, *, seen: str, viewer: Viewer, now: datetime
) -> None:
    """Ask for the approval of a language. Raises NotAllowed, Stale when it was changed, Refused when it is no time."""
    if not may_edit(viewer, tongue):
        raise NotAllowed(_("You may change the languages that you read. This one is not among them."))
    found = _seen(session, settings, name, tongue, seen)
    if found.states[tongue].state not in (State.WRITING, State.AGAIN):
        raise Refused(_("Nothing has to be approved here now."))
    if tongue in found.checked.faulty:
        raise Refused(_("There are mistakes in this text. Correct them first."))
    _decide(session, found.source, tongue, ASKED, "", viewer, now)


def approve(
    session: Session, settings: Settings, name: str, tongue: str, *, seen: str, viewer: Viewer, now: datetime
) -> None:
    """Approve the text of a language beside the present Korean one, as both were on the screen (``seen``).

    Raises NotAllowed for who does not read the language or wrote what is new, Stale when either text was changed,
    Refused unless somebody asked for it or the text has to be looked at again.
    """
    found = _seen(session, settings, name, tongue, seen)
    _require_second_person(session, found, tongue, viewer)
    if found.states[tongue].state not in (State.REVIEW, State.AGAIN):
        raise Refused(_("Nobody has asked for the approval of this text."))
    if tongue in found.checked.faulty:
        raise Refused(_("There are mistakes in this text. Correct them first."))
    _decide(session, found.source, tongue, APPROVED, "", viewer, now)


def give_back(
    session: Session,
    settings: Settings,
    name: str,
    tongue: str,
    *,
    seen: str,
    note: str,
    viewer: Viewer,
    now: datetime,
) -> None:
    """Give a text back to who wrote it, with a reason. Raises as ``approve`` does, BadInput without a reason."""
    found = _seen(session, settings, name, tongue, seen)
    if not reads(viewer, tongue):
        raise NotAllowed(_("This text is approved by somebody who reads the language."))
    if found.states[tongue].state not in (State.REVIEW, State.AGAIN):
        raise Refused(_("Nobody has asked for the approval of this text."))
    if not note.strip():
        raise BadInput([Problem(_("Write down what has to be changed."), Place(field="note"))])
    _decide(session, found.source, tongue, RETURNED, note.strip()[:MOST_WORDS], viewer, now)


def why_not_approve(session: Session, found: Page, tongue: str, viewer: Viewer) -> str:
    """Return why this person may not approve a text, or an empty text."""
    if not reads(viewer, tongue):
        return _("This text is approved by somebody who reads the language.")
    if writer_of_what_is_new(authors(session, found.source, tongue), found.states[tongue]) == viewer.email:
        return _("A second person approves it: what is new in it was written by you.")
    return ""


def _require_second_person(session: Session, found: Page, tongue: str, viewer: Viewer) -> None:
    if reason := why_not_approve(session, found, tongue, viewer):
        raise NotAllowed(reason)


def seen_of(files: Files, tongue: str) -> str:
    """Return what tells a pair of texts from another: it stands in the form of who approves."""
    return digest(files.get(f"{tongue}.md", "") + "\0" + files.get(f"{MASTER}.md", ""))


def _seen(session: Session, settings: Settings, name: str, tongue: str, seen: str) -> Page:
    found = page(session, settings, name)
    if f"{tongue}.md" not in found.source.files:
        raise Refused(_("The letter is not written in this language yet."))
    if seen_of(found.source.files, tongue) != seen:
        raise Stale(_("The text was changed while you were reading it. Read it again."))
    return found


def _decide(session: Session, source: Source, tongue: str, kind: str, note: str, viewer: Viewer, now: datetime) -> None:
    decision = Decision(
        tongue,
        digest(source.files[f"{tongue}.md"]),
        digest(source.files[f"{MASTER}.md"]),
        kind,
        viewer.email,
        now,
        note,
    )
    row = _store(session, source.name, decision)
    events.record(
        session, f"letter_text_{kind}", "letter_decision", row.id, at=now, actor=viewer.email, reason=note,
        data={"letter": source.name, "language": tongue},
    )  # fmt: skip


def _store(session: Session, name: str, decision: Decision) -> LetterDecision:
    row = LetterDecision(
        letter=name,
        language=decision.tongue,
        text_sha256=decision.text,
        korean_sha256=decision.korean,
        kind=decision.kind,
        decided_at=decision.at,
        decided_by=decision.by,
        note=decision.note,
    )
    session.add(row)
    session.flush()
    return row


# --- out and in ------------------------------------------------------------------------------------------------------


def exported(session: Session, settings: Settings, name: str) -> archive.Letter:
    """Return a letter in use with its list of approvals, as its folder has them. Raises NotFound."""
    found = page(session, settings, name)
    return archive.Letter(name, dict(found.source.files), approvals.written(found.states))


def take_in(
    session: Session, settings: Settings, letter: archive.Letter, *, why: str, viewer: Viewer, now: datetime
) -> LetterSave | None:
    """Store a letter that came in as the version in use, with the approvals that came along; None: nothing is new.

    Raises NotAllowed for anyone but staff, BadInput for a letter that cannot be read. A language with mistakes comes in
    as it left: it has to be corrected before a letter is written from it.
    """
    if not viewer.is_staff:
        raise NotAllowed(_("Your role does not permit this."))
    listed = approvals.read(letter.approvals)
    before = kept.sources(session, settings).get(letter.name)
    saved = None
    if before is None or before.sha256 != kept.sha256_of(letter.files):
        based_on = before.sha256 if before else ""
        saved = _save(session, settings, letter.name, letter.files, (), based_on, why, viewer, now)
    new = _not_known(session, kept.source_of(session, settings, letter.name), listed)
    rows = [_store(session, letter.name, decision) for decision in new]
    if rows:
        events.record(
            session, "letter_approvals_imported", "letter_decision", rows[0].id, at=now, actor=viewer.email, reason=why,
            data={"letter": letter.name, "language": [row.language for row in rows]},
        )  # fmt: skip
    return saved


def _not_known(session: Session, source: Source, listed: Iterable[Decision]) -> list[Decision]:
    """Return the decisions that are not the last ones about their texts already."""
    last = {(one.tongue, one.text, one.korean): one for one in decisions_of(session, source)}
    return [one for one in listed if last.get((one.tongue, one.text, one.korean)) != one]
