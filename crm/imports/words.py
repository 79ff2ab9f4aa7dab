"""The word lists of an import (words.json): what 'nothing', 'yes', 'hot' or 'Seoul' look like in lists."""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def words(name: str) -> Any:
    """Return one list or table of words.json by its name."""
    return json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))[name]


def by_word(name: str) -> dict[str, str]:
    """Return a table turned round: word → the key it stands under."""
    return {word: key for key, listed in words(name).items() for word in listed}
