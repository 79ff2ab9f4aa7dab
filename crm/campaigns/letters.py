"""The texts of letters as they are kept: files of their folder, versions saved over them, versions campaigns keep.

What stands in a letter is not looked at here (``drafts`` reads it); a letter is a name and files, ``letter.yaml`` and
one ``<language>.md`` each. Its version is the hash of these files. Who approved what stands in ``approvals.yaml`` and
is no part of the version.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from crm.campaigns.language import LANGUAGES
from crm.campaigns.models import Campaign, CampaignLetter, LetterSave, LetterVersion
from crm.campaigns.states import PAUSED, RUNNING
from crm.core import events
from crm.core.config import Settings
from crm.core.db import alone
from crm.core.errors import NotFound, Refused, Stale
from crm.core.i18n import _

SETTINGS_FILE, APPROVALS_FILE = "letter.yaml", "approvals.yaml"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TEXT = re.compile(rf"({'|'.join(LANGUAGES)})(-[A-Z]{{2}})?\.md")
Files = Mapping[str, str]
NOTHING: Files = {}


def is_text(name: str) -> bool:
    """Tell whether a file of this name holds a language of a letter, or a variant of one."""
    return _TEXT.fullmatch(name) is not None


def base_of(tongue: str) -> str:
    """Return the language of a text's name: ``es`` of ``es`` and of its variant ``es-ES``."""
    return next((one for one in LANGUAGES if tongue == one or tongue.startswith(f"{one}-")), tongue)


def tongues_of(files: Files) -> list[str]:
    """Return what a letter is written in, the six languages first, then variants: ``ko``, …, ``es``, ``ko-KR``."""
    found = {name.removesuffix(".md") for name in files if is_text(name)}
    return [one for one in LANGUAGES if one in found] + sorted(found - set(LANGUAGES))


def digest(text: str) -> str:
    """Return the SHA-256 of a text. What was no UTF-8 in a file counts with the bytes it had."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def sha256_of(files: Files) -> str:
    """Return the content hash by which the files of a letter are a version."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(name.encode() + b"\0" + files[name].encode("utf-8", "surrogateescape") + b"\0")
    return whole.hexdigest()


# ---------------------------------------------------------------- what is in use


@dataclass(frozen=True)
class Source:
    """A letter in use, unchecked. ``save``: the saving it comes from, None for the folder's files.

    What was saved on the desk wins over the folder; ``folder`` is what the folder holds (None: there is none), and
    ``approvals`` its list of who approved what.
    """

    name: str
    files: Files
    save: LetterSave | None
    folder: Files | None
    approvals: str = ""
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", sha256_of(self.files))

    @property
    def differs(self) -> bool:
        """Tell whether the folder says something else than the version in use."""
        return self.folder is not None and sha256_of(self.folder) != self.sha256

    @property
    def folder_is_newer(self) -> bool:
        """Tell whether the folder was changed after the version in use was saved."""
        return self.differs and self.save is not None and self.save.folder_sha256 != sha256_of(self.folder or NOTHING)


@dataclass(frozen=True)
class Folder:
    """What the folder of a letter holds: its files, and its list of approvals."""

    files: Files
    approvals: str = ""


def folders_in(root: str | Path) -> dict[str, Folder]:
    """Return the letters of a templates folder by name; files that did not change are not read again."""
    root = Path(root)
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return {path.name: folder_at(path) for path in folders if NAME.fullmatch(path.name)}


def folder_at(path: Path) -> Folder:
    """Return what the folder of one letter holds."""
    found = sorted(one for one in path.iterdir() if one.is_file() and _belongs(one.name))
    return _read(path, tuple((one.name, one.stat().st_mtime_ns, one.stat().st_size) for one in found))


def _belongs(name: str) -> bool:
    return name in (SETTINGS_FILE, APPROVALS_FILE) or is_text(name)


@lru_cache(maxsize=256)
def _read(path: Path, stamps: tuple[tuple[str, int, int], ...]) -> Folder:
    texts = {name: (path / name).read_bytes().decode("utf-8", "surrogateescape") for name, _at, _size in stamps}
    return Folder({name: text for name, text in texts.items() if name != APPROVALS_FILE}, texts.get(APPROVALS_FILE, ""))


def sources(session: Session | None, settings: Settings) -> dict[str, Source]:
    """Return the letters in use by name, whether they are in order or not. Without a session, those of the folder."""
    saved = _latest(session) if session is not None else {}
    folders = folders_in(settings.templates_dir)
    return {name: _source(name, saved.get(name), folders.get(name)) for name in sorted({*folders, *saved})}


def _source(name: str, saved: tuple[LetterSave, Files] | None, folder: Folder | None) -> Source:
    files = saved[1] if saved else folder.files if folder else NOTHING
    return Source(
        name, files, saved[0] if saved else None, folder.files if folder else None, folder.approvals if folder else ""
    )


def source_of(session: Session, settings: Settings, name: str) -> Source:
    """Return one letter in use. Raises NotFound."""
    found = sources(session, settings).get(name)
    if found is None:
        raise NotFound(_("There is no such letter template."))
    return found


def _latest(session: Session) -> dict[str, tuple[LetterSave, Files]]:
    newest = select(func.max(LetterSave.id)).group_by(LetterSave.name)
    saves = session.exec(select(LetterSave).where(col(LetterSave.id).in_(newest))).all()
    texts = files_of(session, [save.sha256 for save in saves])
    return {save.name: (save, texts[save.sha256]) for save in saves}


_kept: dict[str, Files] = {}


def files_of(session: Session, hashes: Iterable[str]) -> dict[str, Files]:
    """Return the files of stored versions by hash; they never change, so each is read once a process."""
    wanted = set(hashes)
    if missing := wanted - set(_kept):
        for row in session.exec(select(LetterVersion).where(col(LetterVersion.sha256).in_(missing))):
            _kept[row.sha256] = row.files
    return {sha256: _kept[sha256] for sha256 in wanted if sha256 in _kept}


def letters_in(root: str | Path) -> dict[str, set[str]]:
    """Return the letters of a templates folder, each with the languages and variants it is written in."""
    return {name: set(tongues_of(folder.files)) for name, folder in folders_in(root).items()}


def languages_in_use(session: Session | None, settings: Settings) -> dict[str, set[str]]:
    """Return which languages and variants each letter in use is written in."""
    return {name: set(tongues_of(source.files)) for name, source in sources(session, settings).items()}


# ---------------------------------------------------------------- versions


def saves_of(session: Session, name: str) -> Sequence[tuple[LetterSave, Files]]:
    """Return every saving of a letter with its files, the latest first."""
    saves = session.exec(select(LetterSave).where(LetterSave.name == name).order_by(col(LetterSave.number).desc()))
    rows = saves.all()
    texts = files_of(session, [save.sha256 for save in rows])
    return [(save, texts[save.sha256]) for save in rows]


def save(
    session: Session, settings: Settings, name: str, files: Files, *, based_on: str, why: str, by: str, now: datetime
) -> LetterSave:
    """Store files that were found good as the version in use. Campaigns that run keep theirs.

    ``based_on`` is the hash of the version that was changed, empty for a new letter. Raises Stale when somebody else
    saved meanwhile, Refused when nothing was changed.
    """
    alone(session, f"letter {name}")  # who saves at the same moment looks only when the other one has stored
    present = sources(session, settings).get(name)
    if (present.sha256 if present else "") != based_on:
        raise Stale(_("Somebody else changed this letter while you were writing."))
    if present is not None and present.sha256 == sha256_of(files):
        raise Refused(_("Nothing was changed."))
    if present is not None:
        keep(session, name, present.files, now)  # so that the files of the folder stay known, whatever becomes of them
    saved = LetterSave(
        name=name,
        number=(session.exec(select(func.max(LetterSave.number)).where(LetterSave.name == name)).one() or 0) + 1,
        sha256=keep(session, name, files, now),
        folder_sha256=sha256_of(present.folder) if present and present.folder is not None else "",
        saved_at=now,
        saved_by=by,
        why=why.strip(),
    )
    try:
        with session.begin_nested():
            session.add(saved)
            session.flush()
    except IntegrityError:  # of two who save at the same moment, one has the number
        raise Stale(_("Somebody else changed this letter while you were writing.")) from None
    events.record(
        session, "letter_saved", "letter_save", saved.id, at=now, actor=by, reason=saved.why, data={"letter": name}
    )
    return saved


def keep(session: Session, name: str, files: Files, now: datetime) -> str:
    """Store the files of a letter as a version, once, and return its hash."""
    sha256 = sha256_of(files)
    if session.get(LetterVersion, sha256) is None:
        session.add(LetterVersion(sha256=sha256, name=name, files=dict(files), created_at=now))
        session.flush()
    return sha256


# ---------------------------------------------------------------- what campaigns keep


def kept_by(session: Session, campaigns: Collection[int] | None = None) -> dict[int, dict[str, str]]:
    """Return campaign → letter → the version it keeps; without ``campaigns``, of all that run or are paused."""
    rows = select(CampaignLetter)
    if campaigns is None:
        alive = select(Campaign.id).where(col(Campaign.status).in_((RUNNING, PAUSED)))
        rows = rows.where(col(CampaignLetter.campaign_id).in_(alive))
    else:
        rows = rows.where(col(CampaignLetter.campaign_id).in_(campaigns))
    found: dict[int, dict[str, str]] = {}
    for row in session.exec(rows):
        found.setdefault(row.campaign_id, {})[row.letter] = row.sha256
    return found


def keep_for(session: Session, settings: Settings, campaign: Campaign, names: Iterable[str], *, now: datetime) -> int:
    """Let a campaign keep the present version of letters of which it keeps none yet; return of how many."""
    assert campaign.id is not None
    known, missing = sources(session, settings), set(names) - set(kept_by(session, [campaign.id]).get(campaign.id, {}))
    chosen = [known[name] for name in sorted(missing) if name in known]
    for source in chosen:
        sha256 = keep(session, source.name, source.files, now)
        session.add(CampaignLetter(campaign_id=campaign.id, letter=source.name, sha256=sha256))
    session.flush()
    return len(chosen)


def move_to_newest(
    session: Session,
    settings: Settings,
    campaign: Campaign,
    seen: Mapping[str, str],
    *,
    reason: str,
    by: str,
    now: datetime,
) -> list[str]:
    """Let a campaign go on with the letters in use, those in ``seen`` (letter → version looked at); return their names.

    Raises Stale when one of them was changed since it was looked at, Refused without a reason or when all are kept.
    """
    assert campaign.id is not None
    if not reason.strip():
        raise Refused(_("Write down why the campaign goes on with newer letters."))
    present = sources(session, settings)
    rows = session.exec(select(CampaignLetter).where(CampaignLetter.campaign_id == campaign.id)).all()
    older = [row for row in rows if row.letter in present and present[row.letter].sha256 != row.sha256]
    if not older:
        raise Refused(_("The campaign writes the present letters already."))
    if {row.letter: present[row.letter].sha256 for row in older} != dict(seen):
        raise Stale(_("The letters were changed while you were looking at them."))
    before = {row.letter: row.sha256 for row in older}
    for row in older:
        row.sha256 = keep(session, row.letter, present[row.letter].files, now)
    session.flush()
    events.record(
        session, "letters_moved", "campaign", campaign.id, at=now, actor=by, exporter_id=campaign.exporter_id,
        reason=reason.strip(), data={"letter": sorted(before), "sha256": [seen[name] for name in sorted(before)]},
    )  # fmt: skip
    return sorted(before)


def newer_letters(session: Session, settings: Settings, campaign: Campaign) -> dict[str, tuple[Files, Source]]:
    """Return the letters of which a campaign keeps another version than the one in use: its files, and the source."""
    kept = kept_by(session, [campaign.id or 0]).get(campaign.id or 0, {})
    present, texts = sources(session, settings), files_of(session, kept.values())
    return {
        name: (texts[sha256], present[name])
        for name, sha256 in sorted(kept.items())
        if name in present and present[name].sha256 != sha256
    }


def wordings_of(session: Session, settings: Settings, campaign: Campaign | None = None) -> dict[str, str]:
    """Return the digest of every text, by ``letter/language``, as a campaign writes it (or a new one would)."""
    kept = kept_by(session, [campaign.id]).get(campaign.id, {}) if campaign is not None and campaign.id else {}
    texts = {name: source.files for name, source in sources(session, settings).items()}
    stored = files_of(session, kept.values())
    texts |= {name: stored[sha256] for name, sha256 in kept.items() if sha256 in stored}
    return {
        f"{name}/{tongue}": digest(files[f"{tongue}.md"])[:16]
        for name, files in texts.items()
        for tongue in tongues_of(files)
    }
