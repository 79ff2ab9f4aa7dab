"""Translation of everything a person reads on a page or in a terminal (letters are files, see ``drafts``).

Message ids are the English sentences. Korean stands in ``crm/locale/ko/<room>.po``, one file a room, compiled in
memory on first use, so that there is no build step and no ``.mo`` file. ``{name}`` placeholders, never ``%s``.
"""

import gettext as _gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE_DIR = Path(__file__).resolve().parent.parent / "locale"
UI_LANGUAGES = ("ko", "en")
_language: ContextVar[str] = ContextVar("ui_language", default="ko")


@cache
def catalogue(language: str) -> _gettext.NullTranslations:
    """Return the merged catalogue of all rooms; English, the source language, has none.

    One catalogue, not a chain of them: a page asks for thousands of sentences, and each would go through all rooms.
    """
    paths = sorted((LOCALE_DIR / language).glob("*.po"))
    if not paths:
        return _gettext.NullTranslations()
    merged = Catalog(locale=language)
    for path in paths:
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    merged[message.id] = message
    buffer = io.BytesIO()
    write_mo(buffer, merged)
    buffer.seek(0)
    return _gettext.GNUTranslations(buffer)


def N_(message: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Mark a message for extraction without translating it yet."""
    return message


def _(message: str, /, **params: object) -> str:
    """Translate ``message`` into the language of the present viewer and fill in ``{name}`` placeholders."""
    text = catalogue(_language.get()).gettext(message) if message else ""
    return text.format(**params) if params else text


def ngettext(singular: str, plural: str, n: int, /, **params: object) -> str:
    """Translate with a count; ``{n}`` in the message is the count."""
    return catalogue(_language.get()).ngettext(singular, plural, n).format(n=n, **params)


def language() -> str:
    """Return the present viewer's language, ``ko`` or ``en``."""
    return _language.get()


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Translate into ``lang`` inside the block. Unknown languages fall back to Korean, the house's first language."""
    token = _language.set(lang if lang in UI_LANGUAGES else "ko")
    try:
        yield
    finally:
        _language.reset(token)
