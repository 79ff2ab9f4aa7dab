"""A letter as a zip of its folder: making one, always with the same bytes, and taking one in without trusting it.

What comes in is measured while it is unpacked, never written to a disk, and has to be exactly a letter's files.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from crm.campaigns.letters import APPROVALS_FILE, NAME, SETTINGS_FILE, is_text
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _

MOST_BYTES = 1_000_000
"""Of a zip, and of all that is in it. A letter in six languages has some forty thousand."""
MOST_FILES = 60
_THE_SAME = (1980, 1, 1, 0, 0, 0)
_OF_A_MAC = ("__MACOSX", ".DS_Store")


class Letter(NamedTuple):
    """A letter that was taken in: its name, its files, and its list of approvals (empty: none came along)."""

    name: str
    files: dict[str, str]
    approvals: str


def zipped(name: str, files: Mapping[str, str], approvals: str) -> bytes:
    """Return the folder of a letter as a zip; the same letter gives the same bytes."""
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, text in sorted(everything(files, approvals).items()):
            info = zipfile.ZipInfo(f"{name}/{file}", _THE_SAME)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, text.encode("utf-8", "surrogateescape"))
    return whole.getvalue()


def everything(files: Mapping[str, str], approvals: str) -> dict[str, str]:
    """Return what stands in the folder of a letter."""
    return {**files, APPROVALS_FILE: approvals} if approvals else dict(files)


def belongs(name: str) -> bool:
    """Tell whether a file of this name may stand in the folder of a letter."""
    return name in (SETTINGS_FILE, APPROVALS_FILE) or is_text(name)


def unzipped(data: bytes) -> Letter:
    """Return the letter in a zip. Raises BadInput that says what is wrong with it, and unpacks no more than is fit."""
    if len(data) > MOST_BYTES:
        raise _refused(_("The file is too large for a letter."), _("A letter has some forty kilobytes."))
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _letter(_contents(archive))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        message = _("This is not a zip that can be opened, or it is damaged.")
        raise _refused(message, _("Take the zip that the desk exported.")) from None


def from_folder(path: Path) -> Letter:
    """Return the letter in a folder. Raises BadInput."""
    if not path.is_dir():
        raise BadInput([Problem(_("There is no such folder."), Place(str(path)))])
    found = []
    for one in sorted(path.iterdir()):
        if one.name not in _OF_A_MAC:
            if not one.is_file() or one.stat().st_size > MOST_BYTES:
                raise _refused(_("{name} does not belong to a letter.", name=one.name), _what_belongs())
            found.append((f"{path.resolve().name}/{one.name}", one.read_bytes()))
    return _letter(found)


def _contents(archive: zipfile.ZipFile) -> Iterable[tuple[str, bytes]]:
    entries = [one for one in archive.infolist() if not set(PurePosixPath(one.filename).parts) & set(_OF_A_MAC)]
    if len(entries) > MOST_FILES:
        raise _refused(_("There are too many files in it for a letter."), _what_belongs())
    left = MOST_BYTES
    for entry in entries:
        if entry.flag_bits & 1:
            raise _refused(_("The zip asks for a password."), _("Make it without one."))
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise _refused(_("{name} is a link to elsewhere.", name=_shown(entry.filename)), _what_belongs())
        if entry.is_dir():
            yield entry.filename, b""
            continue
        with archive.open(entry) as file:
            data = file.read(left + 1)  # what the zip says of its size is not believed
        left -= len(data)
        if left < 0:
            raise _refused(_("Unpacked, the zip is too large for a letter."), _("A letter has some forty kilobytes."))
        yield entry.filename, data


def _letter(contents: Iterable[tuple[str, bytes]]) -> Letter:
    files: dict[str, str] = {}
    folders: set[str] = set()
    for path, data in contents:
        if path.endswith("/"):
            _folder_and_file(f"{path}{SETTINGS_FILE}")
            continue
        folder, name = _folder_and_file(path)
        folders.add(folder)
        if name in files:
            raise _refused(_("{name} is in it twice.", name=name), _("Take the zip that the desk exported."))
        files[name] = _text(name, data)
    if len(folders) != 1:
        raise _refused(_("There must be one folder in it, named like the letter."), _what_belongs())
    if SETTINGS_FILE not in files:
        raise _refused(_("{name} is missing.", name=SETTINGS_FILE), _what_belongs())
    return Letter(folders.pop(), files, files.pop(APPROVALS_FILE, ""))


def _folder_and_file(path: str) -> tuple[str, str]:
    parts = path.split("/")
    if "\\" in path or ":" in path or path.startswith("/") or ".." in parts:
        message = _("{name} leads out of the folder of the letter.", name=_shown(path))
        raise _refused(message, _("Take the zip that the desk exported."))
    if len(parts) == 1 or not NAME.fullmatch(parts[0]):
        raise _refused(_("There must be one folder in it, named like the letter."), _what_belongs())
    if len(parts) != 2 or not belongs(parts[1]):
        raise _refused(_("{name} does not belong to a letter.", name=_shown(path)), _what_belongs())
    return parts[0], parts[1]


def _text(name: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput([Problem(_("The file is not UTF-8 text."), Place(name), _("Save it as UTF-8."))]) from None
    refuse_control_characters(name, text)
    return text


def refuse_control_characters(name: str, text: str) -> None:
    """Raise BadInput for signs that no text has, with their line."""
    for number, line in enumerate(text.split("\n"), 1):
        if any(char < " " and char not in "\t\r" for char in line):
            hint = _("Write the line anew.")
            raise BadInput([Problem(_("There is a sign in this line that no text has."), Place(name, number), hint)])


def _shown(path: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in path)[:100]


def _what_belongs() -> str:
    return _("A letter is a folder of letter.yaml and one .md file for each language, for example ko.md and es-ES.md.")


def _refused(message: str, hint: str) -> BadInput:
    return BadInput([Problem(message, Place(field="file"), hint)])
