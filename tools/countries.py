"""Writes crm/imports/countries.json, country names in many languages, out of Babel's CLDR data: ``make docs``.

Read from Babel at run time, the sixteen locales would take 16 MiB and a tenth of a second of every process that
imports.
"""

import json
import re
from pathlib import Path

from babel import Locale
from babel.core import get_global

from crm.imports.countries import NAMES, key

LANGUAGES = ("en", "ko", "ja", "zh_Hans", "zh_Hant", "es", "de", "fr", "pt", "it", "vi", "id", "tr", "ru", "ar", "th")
NO_COUNTRIES = ("ZZ", "EU", "UN", "EZ", "XA", "XB", "QO")
_ISO = re.compile(r"[A-Z]{2}")


def names() -> dict[str, str]:
    """Return folded name → ISO 3166-1 alpha-2 code, codes of two and three letters among the names."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if _ISO.fullmatch(code) and code not in NO_COUNTRIES:
                found.setdefault(key(name), code)
                found.setdefault(key(code), code)
    for alias, codes in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and len(codes) == 1:  # ISO alpha-3
            found.setdefault(key(alias), codes[0])
    return found


def text() -> str:
    """Return the file's text: countries one a line, each with its names."""
    by_code: dict[str, list[str]] = {}
    for name, code in names().items():
        by_code.setdefault(code, []).append(name)
    lines = [f"{json.dumps(code)}: {json.dumps(by_code[code], ensure_ascii=False)}" for code in sorted(by_code)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    Path(NAMES).write_text(text(), encoding="utf-8")
