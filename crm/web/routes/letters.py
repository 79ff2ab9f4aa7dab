"""The letter desk: how ready each letter is, writing beside the Korean text, asking, approving, versions, zips."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.datastructures import FormData, UploadFile
from starlette.responses import HTMLResponse, Response

from crm.accounts.rules import Action
from crm.campaigns import letters as kept
from crm.campaigns.letters import NOTHING, SETTINGS_FILE, Files, base_of
from crm.core.errors import BadInput, NotAllowed, NotFound, Place, Problem, Refused, Stale
from crm.core.i18n import _
from crm.drafts import archive, blocks, desk
from crm.drafts.language import KOREAN, VARIANTS
from crm.drafts.library import checked
from crm.drafts.readiness import State, may_edit, reads
from crm.drafts.sample_buyers import SAMPLES_OF_BUYERS, Sample, sample
from crm.web import diffs, letterdesk
from crm.web.downloads import download
from crm.web.routes.imports import Posted
from crm.web.visits import Staff, Visit, allowed

router = APIRouter()
Writer = Annotated[Visit, Depends(allowed(Action.EDIT_LETTERS))]
Text = Annotated[str, Form()]
ZIP = "application/zip"
MOST_CHARACTERS = 60_000
HTML_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
"""The HTML part of a letter has its styles in the elements; nothing else of it may do anything."""


# ---- the list


@router.get("/letters")
def listed(visit: Writer) -> Response:
    return visit.page("letters/list.html", **_listed(visit))


def _listed(visit: Visit) -> dict[str, Any]:
    visit.letters  # noqa: B018 - the menu and other pages name letters by the present titles
    found = desk.pages(visit.db, visit.context.settings)
    columns = list(dict.fromkeys(tongue for page in found for tongue in page.states))
    return {
        "pages": found,
        "columns": columns,
        "states": letterdesk.STATES,
        "mine": [(page, tongue) for page in found for tongue in columns if _waits_for(visit, page, tongue)],
        "why": "",
    }


def _waits_for(visit: Visit, page: desk.Page, tongue: str) -> bool:
    """Tell whether it is this person who can approve a text now."""
    found = page.states.get(tongue)
    return (
        found is not None
        and found.state in (State.REVIEW, State.AGAIN)
        and not desk.why_not_approve(visit.db, page, tongue, visit.viewer)
    )


@router.post("/letters")
def take_in(visit: Staff, form: Posted) -> Response:
    """Take a letter in from the zip of its folder."""
    why = str(form.get("why") or "")
    try:
        letter = archive.unzipped(_uploaded(form))
        saved = desk.take_in(visit.db, visit.context.settings, letter, why=why, viewer=visit.viewer, now=visit.now)
    except BadInput as error:
        visit.db.rollback()
        return visit.again("letters/list.html", error, **{**_listed(visit), "why": why})
    if saved is None:
        return visit.go(f"/letters/{letter.name}", _("The zip holds what is in use already; nothing was changed."))
    return visit.go(
        f"/letters/{letter.name}/versions/{saved.number}",
        _("Version {n} is in use from now on. Campaigns that run keep theirs.", n=saved.number),
    )


def _uploaded(form: FormData) -> bytes:
    found = form.get("file")
    if not isinstance(found, UploadFile) or not found.filename:
        raise BadInput([Problem(_("Choose a file."), Place(field="file"))])
    return found.file.read(archive.MOST_BYTES + 1)


@router.get("/letters/{name}.zip")
def as_zip(visit: Writer, name: str) -> Response:
    letter = desk.exported(visit.db, visit.context.settings, name)
    return download(archive.zipped(*letter), f"{name}.zip", ZIP)


# ---- one letter: writing a language


@router.get("/letters/{name}")
def shown(visit: Writer, name: str, language: str = "", sample: str = "", beside: str = "", turn: int = 0) -> Response:
    page = desk.page(visit.db, visit.context.settings, name)
    tongue = _tongue(visit, page, language)
    return visit.page("letters/letter.html", **_editor(visit, page, tongue, look=_Looking(sample, beside, turn)))


def _tongue(visit: Visit, page: desk.Page, language: str) -> str:
    """Return the language of the page: the one asked for, else the first that waits for this person, else Korean."""
    if language:
        if language not in page.states and language not in VARIANTS:
            raise NotFound(_("There is no such language of letters."))
        return language
    return next((tongue for tongue in page.states if _waits_for(visit, page, tongue)), KOREAN)


class _Looking:
    """What the preview shows: which buyer, which language beside, which wording."""

    def __init__(self, code: str = "", beside: str = "", turn: int | str = 0) -> None:
        self.sample: Sample = sample(code)
        self.beside = beside
        self.turn = int(turn) if str(turn).isdecimal() else 0


def _editor(
    visit: Visit,
    page: desk.Page,
    tongue: str,
    *,
    look: _Looking,
    files: Files | None = None,
    typed: Mapping[str, str] | None = None,
    why: str = "",
    conflict: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what the page of a letter shows; ``files`` with what was typed, if that is not what is in use."""
    source = page.source
    files = source.files if files is None else files
    found = checked(source.name, files) if files is not source.files else page.checked
    looks = [
        letterdesk.look(found, one, look.sample, look.turn) for one in letterdesk.shown(tongue, look.beside, files)
    ]
    viewer = visit.viewer
    return {
        "page": page,
        "source": source,
        "slug": source.name,
        "tongue": tongue,
        "master": KOREAN,
        "states": letterdesk.STATES,
        "present": page.states.get(tongue),
        "unwritten": [one for one in VARIANTS if one not in page.states],
        "rows": letterdesk.rows(files, tongue, found, typed or {}, looks[0]),
        "whole": letterdesk.letter_problems(files, tongue, found),
        "settings": files.get(SETTINGS_FILE, ""),
        "looks": looks,
        "look": look,
        "samples": SAMPLES_OF_BUYERS,
        "others": [one for one in desk.tongues_shown(files) if one != tongue and f"{one}.md" in files],
        "turns": max(found.letter.wordings.values(), default=1) if found.letter else 1,
        "words": letterdesk.words_for(found.letter, tongue),
        "why": why,
        "based_on": _based_on(source.files, tongue),
        "seen": desk.seen_of(source.files, tongue),
        "editable": may_edit(viewer, tongue),
        "approvable": reads(viewer, tongue) and not desk.why_not_approve(visit.db, page, tongue, viewer),
        "hindered": desk.why_not_approve(visit.db, page, tongue, viewer),
        "reads": reads(viewer, tongue),
        "variant": tongue in VARIANTS,
        "base": base_of(tongue),
        "block_name": letterdesk.block_name,
        "unsaved": files is not source.files,
        "conflict": conflict,
    }


def _based_on(files: Files, tongue: str) -> str:
    """Return what tells whether somebody else changed what this page is about: the text, the Korean, the settings."""
    return kept.digest(desk.seen_of(files, tongue) + files.get(SETTINGS_FILE, ""))


def _typed(form: FormData) -> dict[str, str]:
    """Return the texts of the form by block."""
    found = {}
    for name, value in form.multi_items():
        if name.startswith("b-") and isinstance(value, str):
            block, _dash, number = name[2:].partition("-")
            found[f"{block} {number}" if number else block] = value
    if sum(map(len, found.values())) > MOST_CHARACTERS:
        raise BadInput([Problem(_("This is too long for a letter."))])
    return found


class _Form:
    """What the editor posted, put together with the letter as it is in use now."""

    def __init__(self, visit: Visit, name: str, form: FormData) -> None:
        self.page = desk.page(visit.db, visit.context.settings, name)
        self.tongue = _tongue(visit, self.page, str(form.get("language") or KOREAN))
        self.editable = may_edit(visit.viewer, self.tongue)
        self.typed = _typed(form) if self.editable else {}
        if more := str(form.get("more") or ""):
            self.typed.setdefault(_next_wording(more, self.typed), "")
        settings = form.get("settings") if visit.viewer.is_staff and self.tongue == KOREAN else None
        settings = settings if isinstance(settings, str) else None
        present = self.page.source.files
        self.files = letterdesk.with_texts(present, self.tongue, self.typed, settings) if self.editable else present
        self.why = str(form.get("why") or "")[:500]
        self.based_on = str(form.get("based_on") or "")
        self.look = _Looking(*(str(form.get(key) or "") for key in ("sample", "beside", "turn")))

    def values(self, visit: Visit, **more: Any) -> dict[str, Any]:
        return _editor(
            visit, self.page, self.tongue, look=self.look, files=self.files, typed=self.typed, why=self.why, **more
        )


def _next_wording(block: str, typed: Mapping[str, str]) -> str:
    taken = [key for key in typed if key.partition(" ")[0] == block]
    return f"{block} {len(taken) + 1}"


@router.post("/letters/{name}/check")
def check(visit: Writer, name: str, form: Posted) -> Response:
    """Show the letter as it stands in the form: with script only what changed, else the whole page. Stores nothing."""
    posted = _Form(visit, name, form)
    values = {**posted.values(visit), "based_on": posted.based_on}
    if visit.request.headers.get("hx-request") == "true":
        return visit.page("letters/_live.html", **values)
    return visit.page("letters/letter.html", **values)


@router.post("/letters/{name}/html")
def html(visit: Writer, name: str, form: Posted) -> Response:
    """Show the HTML part as a mail program gets it, shut off from everything."""
    posted = _Form(visit, name, form)
    tongue = str(form.get("of") or posted.tongue)
    letter = checked(name, posted.files).letter
    if letter is None or tongue not in letter.compiled:
        raise Refused(_("There are mistakes in this text. Correct them first."))
    text = letterdesk.html_part(letter, tongue, posted.look.sample, posted.look.turn)
    return HTMLResponse(text, headers={"Content-Security-Policy": HTML_POLICY})


@router.post("/letters/{name}")
def save(visit: Writer, name: str, form: Posted) -> Response:
    posted = _Form(visit, name, form)
    if not posted.editable:
        raise NotAllowed(_("You may change the languages that you read. This one is not among them."))
    source, values = posted.page.source, posted.values(visit)
    if posted.based_on != _based_on(source.files, posted.tongue):
        return _conflict(visit, posted)
    try:
        made = desk.save(
            visit.db, visit.context.settings, name, posted.files,
            based_on=source.sha256, why=posted.why, viewer=visit.viewer, now=visit.now,
        )  # fmt: skip
    except Stale:
        return _conflict(visit, posted)
    except Refused as refused:
        return visit.again("letters/letter.html", BadInput(refused.message), **values)
    except BadInput as error:
        return visit.again("letters/letter.html", _in_blocks(error, posted), **values)
    return visit.go(_address(name, posted.tongue), _saved(posted, made.number))


def _saved(posted: _Form, number: int) -> str:
    said = _("Version {n} is in use from now on. Campaigns that run keep theirs.", n=number)
    korean = f"{KOREAN}.md"
    if posted.files.get(korean) != posted.page.source.files.get(korean):
        return f"{said} {_('The other languages have to be looked at again before letters are written in them.')}"
    return said


def _address(name: str, tongue: str) -> str:
    return f"/letters/{name}?language={tongue}"


def _in_blocks(error: BadInput, posted: _Form) -> BadInput:
    """Lead from the summary to the blocks of this page; mistakes elsewhere keep their place."""
    written = blocks.split(posted.files.get(f"{posted.tongue}.md", ""))

    def led(one: Problem) -> Problem:
        if one.place.file == f"{posted.tongue}.md" and (key := written.block_at(one.place.line)):
            return replace(one, place=Place(field=letterdesk.field_of(key)), message=_told(key, one.message))
        return replace(one, place=Place(field="settings")) if one.place.file == SETTINGS_FILE else one

    return BadInput([led(one) for one in error.problems])


def _told(key: str, message: str) -> str:
    return f"{letterdesk.block_name(key)}: {message}"


def _conflict(visit: Visit, posted: _Form) -> Response:
    """Answer who was slower: both texts are there, nothing typed is lost, and saving again is a decision."""
    visit.db.rollback()
    page = desk.page(visit.db, visit.context.settings, posted.page.source.name)
    files = [f"{posted.tongue}.md", f"{KOREAN}.md", SETTINGS_FILE]
    changed = (desk.last_change(visit.db, page.source, file) for file in files)
    latest = max((one for one in changed if one), key=lambda one: one.number, default=None)
    conflict = {
        "save": latest,
        "files": [
            (file, diffs.line_changes(page.source.files.get(file, ""), posted.files.get(file, "")))
            for file in dict.fromkeys(files)
            if page.source.files.get(file) != posted.files.get(file)
        ],
    }
    values = {**posted.values(visit, conflict=conflict), "based_on": _based_on(page.source.files, posted.tongue)}
    return visit.page("letters/letter.html", status=409, **values)


# ---- asking and approving


@router.post("/letters/{name}/ask")
def ask(visit: Writer, name: str, language: Text = "", seen: Text = "") -> Response:
    return _decided(visit, name, language, "ask", _("It waits for somebody who reads the language."), seen=seen)


@router.post("/letters/{name}/approve")
def approve(visit: Writer, name: str, language: Text = "", seen: Text = "") -> Response:
    return _decided(
        visit, name, language, "approve", _("The text is approved; letters are written from it."), seen=seen
    )


@router.post("/letters/{name}/return")
def give_back(visit: Writer, name: str, language: Text = "", seen: Text = "", note: Text = "") -> Response:
    return _decided(visit, name, language, "give_back", _("The text went back with your reason."), seen=seen, note=note)


def _decided(visit: Visit, name: str, language: str, verb: str, notice: str, **values: str) -> Response:
    settings = visit.context.settings
    page = desk.page(visit.db, settings, name)
    if language not in page.states:
        raise NotFound(_("There is no such language of letters."))
    try:
        getattr(desk, verb)(visit.db, settings, name, language, viewer=visit.viewer, now=visit.now, **values)
    except (Stale, Refused) as error:
        visit.db.rollback()
        return visit.go(_address(name, language), error.message, kind="warn")
    except BadInput as error:
        return visit.again("letters/letter.html", error, **_editor(visit, page, language, look=_Looking()))
    return visit.go(_address(name, language), notice)


# ---- versions


@router.get("/letters/{name}/versions")
def versions(visit: Writer, name: str) -> Response:
    page = desk.page(visit.db, visit.context.settings, name)
    return visit.page(
        "letters/versions.html",
        page=page,
        source=page.source,
        saves=[save for save, _files in kept.saves_of(visit.db, name)],
    )


@router.get("/letters/{name}/versions/{number}")
def version(visit: Writer, name: str, number: int, other: int = -1) -> Response:
    """Show what a version changed against the one before it (or ``other``); 0 is the folder's files."""
    return visit.page("letters/version.html", **_version(visit, name, number, other))


def _version(visit: Visit, name: str, number: int, other: int = -1) -> dict[str, Any]:
    page = desk.page(visit.db, visit.context.settings, name)
    saves = kept.saves_of(visit.db, name)
    files = {save.number: texts for save, texts in saves}
    if page.source.folder is not None:
        files[0] = page.source.folder
    if number not in files:
        raise NotFound(_("There is no such version."))
    before = other if other in files else max((one for one in files if one < number), default=-1)
    return {
        "page": page,
        "source": page.source,
        "number": number,
        "save": next((save for save, _files in saves if save.number == number), None),
        "before": before,
        "others": sorted(one for one in files if one != number),
        "changed": changes(files.get(before), files[number]),
        "in_use": kept.sha256_of(files[number]) == page.source.sha256,
        "why": "",
    }


def changes(before: Files | None, after: Files) -> list[dict[str, Any]]:
    """Return what differs between two versions of a letter, file by file and block by block, word by word."""
    return [
        {"file": name, "blocks": _block_changes(old, new)}
        for name, old, new in letterdesk.changed_files(before if before is not None else NOTHING, after)
    ]


def _block_changes(old: str, new: str) -> list[tuple[str, list[diffs.Piece]]]:
    before, after = blocks.split(old), blocks.split(new)
    keys = list(dict.fromkeys([*after.texts, *before.texts]))
    pairs = [(key, before.texts.get(key, ""), after.texts.get(key, "")) for key in keys]
    pairs = [("", before.head.rstrip("\n"), after.head.rstrip("\n")), *pairs]
    return [(key, diffs.changes(one, two)) for key, one, two in pairs if one != two]


@router.post("/letters/{name}/versions/{number}")
def restore(visit: Staff, name: str, number: int, why: Text = "") -> Response:
    """Store an older version as a new one."""
    values = {**_version(visit, name, number), "why": why}
    source = values["source"]
    try:
        made = desk.restore(
            visit.db, visit.context.settings, name, number,
            based_on=source.sha256, why=why, viewer=visit.viewer, now=visit.now,
        )  # fmt: skip
    except Refused as refused:
        return visit.again("letters/version.html", BadInput(refused.message), **values)
    except BadInput as error:
        return visit.again("letters/version.html", error, **values)
    return visit.go(
        f"/letters/{name}", _("Version {n} is in use from now on. Campaigns that run keep theirs.", n=made.number)
    )
