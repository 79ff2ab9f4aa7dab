"""Keeps the Korean catalogues in step with the code: ``make messages`` adds what is new and drops what is gone.

One catalogue a room: ``crm/locale/ko/<room>.po``. A message used in several rooms stands in the first of them only.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "crm"
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
Message = str | tuple[str, ...]


def messages_in(path: Path) -> Iterator[Message]:
    """Yield the message ids of one Python file or page template."""
    if path.suffix == ".html":
        with path.open("rb") as file:
            options = {"trimmed": "true", "extensions": "jinja2.ext.loopcontrols"}
            for _line, function, found, _notes in babel_extract(file, list(KEYWORDS), [], options):
                yield _message(function, found)
        return
    with path.open("rb") as file:
        for _line, found, _notes, _context in extract("python", file, KEYWORDS):
            yield found if isinstance(found, str) else tuple(found)


def _message(function: str | None, found: object) -> Message:
    if function == "ngettext" and isinstance(found, tuple | list):
        return tuple(str(part) for part in found[:2])
    return str(found[0] if isinstance(found, tuple | list) else found)


def used() -> dict[str, dict[Message, list[str]]]:
    """Return room → message → the files that use it. Each message belongs to the first room that has it."""
    found: dict[str, dict[Message, list[str]]] = {}
    seen: dict[Message, str] = {}
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("templates/**/*.html")]):
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] == "migrations":
            continue
        room = inside.parts[0].removesuffix(".py")
        for message in messages_in(path):
            if message in ("", "None", ("",)):
                continue
            owner = seen.setdefault(message, room)
            found.setdefault(owner, {}).setdefault(message, []).append(inside.as_posix())
    return found


def catalogue(room: str) -> Catalog:
    """Return the room's Korean catalogue; an empty one if there is none yet."""
    path = PACKAGE / "locale" / "ko" / f"{room}.po"
    if not path.exists():
        return Catalog(locale="ko")
    with path.open("rb") as file:
        return read_po(file, locale="ko")


def known() -> dict[Message, str | tuple[str, ...]]:
    """Return every translation there is, whatever room it stands in."""
    rooms = [path.stem for path in sorted((PACKAGE / "locale" / "ko").glob("*.po"))]
    return {
        (tuple(entry.id) if isinstance(entry.id, list | tuple) else entry.id): entry.string
        for room in rooms
        for entry in catalogue(room)
        if entry.id and entry.string and any(entry.string)
    }


def rewrite(room: str, wanted: dict[Message, list[str]], translations: dict[Message, str | tuple[str, ...]]) -> None:
    """Write the room's catalogue with exactly the wanted messages, translations kept."""
    fresh = Catalog(locale="ko", project="Ieum", charset="utf-8", fuzzy=False)
    for message in sorted(wanted, key=str):
        string = translations.get(message, "")
        files = [(name, None) for name in sorted(set(wanted[message]))]
        fresh.add(message, string if string else (("",) if isinstance(message, tuple) else ""), locations=files)
    buffer = io.BytesIO()
    write_po(buffer, fresh, omit_header=True, include_lineno=False, width=110, sort_output=False)
    head = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n'
    )
    path = PACKAGE / "locale" / "ko" / f"{room}.po"
    path.write_text(head + "\n" + buffer.getvalue().decode().strip() + "\n", encoding="utf-8")


def missing() -> list[tuple[str, Message]]:
    """Return (room, message) of every message without a Korean translation."""
    translations = known()
    return [(room, message) for room, wanted in used().items() for message in wanted if message not in translations]


def main() -> int:
    translations = known()
    rooms = used()
    for room, wanted in rooms.items():
        rewrite(room, wanted, translations)
    for path in (PACKAGE / "locale" / "ko").glob("*.po"):
        if path.stem not in rooms:
            path.unlink()
    empty = missing()
    for room, message in empty:
        sys.stdout.write(f"{room}: {message}\n")
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
