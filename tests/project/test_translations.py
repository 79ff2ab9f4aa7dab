"""Korean is the first language of the house: nothing may be left in English."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import messages  # noqa: E402

PLACEHOLDER = re.compile(r"\{(\w+)\}")


def test_every_message_has_a_korean_sentence() -> None:
    assert messages.missing() == [], "run: make docs, then fill in crm/locale/ko/*.po"


def test_no_catalogue_keeps_a_message_that_is_gone() -> None:
    used = {message for wanted in messages.used().values() for message in wanted}
    assert [message for message in messages.known() if message not in used] == []


def test_translations_keep_the_placeholders_of_the_message() -> None:
    wrong = []
    for message, string in messages.known().items():
        sources = message if isinstance(message, tuple) else (message,)
        targets = string if isinstance(string, tuple) else (string,)
        wanted = {name for source in sources for name in PLACEHOLDER.findall(source)}
        found = {name for target in targets for name in PLACEHOLDER.findall(target)}
        if not found <= wanted | {"n"} or wanted - found:
            wrong.append(message)
    assert wrong == []


def test_korean_sentences_carry_no_exclamation_mark() -> None:
    shouting = [string for string in messages.known().values() if re.search(r"!(?!=)", str(string))]
    assert shouting == []
