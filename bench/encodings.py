"""How often the encoding of a random list is found.

The lists are drawn from seeds: columns out of aliases.json in six languages or in English, 3 to 200 rows, names, firms,
cities and remarks of common and of rarer characters, some files damaged. One seed (TUNED) was looked at while the
scorer was written, the others never. chardet and charset-normalizer stand beside it when they happen to be installed.
"""

import importlib
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crm.imports import aliases, encodings

TUNED = 7
SEEDS = (20261101, 20261102, 20261103)
FILES = 1200
LIMITS = {"all": 0.986, "one name": 0.92}
CODECS = {
    "ko": ("cp949", "cp949", "cp949", "euc_kr", "utf-8", "utf-16"),
    "ja": ("cp932", "cp932", "cp932", "shift_jis", "euc_jp", "iso2022_jp"),
    "zh-Hans": ("gb18030", "gbk", "gb2312", "gb18030"),
    "zh-Hant": ("cp950", "big5", "cp950"),
    "es": ("cp1252", "cp1252", "utf-8"),
}
COLUMNS = (
    *("full_name", "company", "department", "title", "email", "mobile", "phone", "country", "city", "address"),
    *("interests", "visit_purpose", "notes", "registered_at", "rating", "consent_marketing", "seq", "website"),
)
DOMAINS = {"ko": "co.kr", "ja": "co.jp", "zh-Hans": "com.cn", "zh-Hant": "com.tw", "es": "es"}
RARE = {"ko": "euc_kr", "ja": "euc_jp", "zh-Hans": "gb2312", "zh-Hant": "big5"}
FIRST_LEVEL = {"ko": (0xB0, 0xC8), "ja": (0xB0, 0xCF), "zh-Hans": (0xB0, 0xD7), "zh-Hant": (0xA4, 0xC6)}


@dataclass(frozen=True)
class Drawn:
    """One file: its bytes, its text as a perfect reader sees it, and which kind of file it is."""

    data: bytes
    text: str
    language: str
    codec: str
    kind: str


def draw(seed: int, files: int) -> Iterator[Drawn]:
    """Yield random files; the same ones for the same seed."""
    chance = random.Random(seed)
    made = 0
    while made < files:
        language = chance.choice(list(CODECS))
        codec = chance.choice(CODECS[language])
        one_name = chance.random() < 0.25 and language != "es"
        text = _one_name(chance, language) if one_name else _list(chance, language)
        data = text.encode(codec, errors="ignore")
        text = data.decode(codec)
        if text.isascii():
            continue
        kind = "one name" if one_name else "list"
        if not one_name and not codec.startswith(("utf", "iso")) and chance.random() < 0.15:
            data, kind = _cut(chance, data), "damaged"
            text = data.decode(_wide(codec), errors="replace")
        made += 1
        yield Drawn(data, text, language, codec, kind)


def _wide(codec: str) -> str:
    return encodings.codec_of(codec)


def _one_name(chance: random.Random, language: str) -> str:
    """Three rows, English headers, one name that is not Latin."""
    rows = [["Name", "Company", "Email", "Country"]]
    rows += [[f"Person {number}", "Acme Inc.", f"p{number}@acme.example", ""] for number in range(3)]
    chance.choice(rows[1:])[0] = _name(chance, language)
    return _joined(chance, rows)


def _list(chance: random.Random, language: str) -> str:
    columns = chance.sample(COLUMNS, chance.randint(3, 12))
    english = chance.random() < 0.4
    headers = [_header(chance, "en" if english else language, name) for name in columns]
    size = chance.choice((3, 4, 5, 8, 12, 20, 40, 80, 200))
    rare = chance.random() < 0.2
    rows = [[_cell(chance, language, name, number, rare) for name in columns] for number in range(size)]
    return _joined(chance, [headers, *rows])


def _joined(chance: random.Random, rows: list[list[str]]) -> str:
    sign, end = chance.choice(",,,,\t;"), chance.choice(("\n", "\r\n"))
    return end.join(sign.join(cell.replace(sign, " ") for cell in row) for row in rows) + end


@cache
def _words(kind: str, language: str) -> list[str]:
    listed: str = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))[kind][language]
    return listed.split()


@cache
def _aliases() -> dict[str, dict[str, list[str]]]:
    path = Path(aliases.__file__).with_name("aliases.json")
    found: dict[str, dict[str, list[str]]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _header(chance: random.Random, language: str, name: str) -> str:
    entry = _aliases()[name]
    return chance.choice(entry.get(language) or entry["en"])


def _name(chance: random.Random, language: str, rare: bool = False) -> str:
    family, given = chance.choice(_words("names", language)), chance.choice(_words("given", language))
    if language == "es":
        return f"{given} {family}"
    if rare or chance.random() < 0.15:
        given = _rare(chance, language) + (given[1:] if chance.random() < 0.5 else "")
    return f"{family} {given}" if language == "ja" and chance.random() < 0.5 else family + given


def _rare(chance: random.Random, language: str) -> str:
    lead = chance.randint(*FIRST_LEVEL[language])
    return bytes([lead, chance.randint(0xA1, 0xFE)]).decode(RARE[language], errors="ignore")


def _cell(chance: random.Random, language: str, column: str, number: int, rare: bool) -> str:
    if chance.random() < 0.1:
        return ""
    if column == "full_name":
        return _name(chance, language, rare)
    if column == "company":
        return (
            chance.choice(_words("firms", language))
            + (" " if language == "es" else "")
            + chance.choice(_words("ends", language))
        )
    if column in ("email", "website"):
        ending = DOMAINS[language] if chance.random() < 0.3 else chance.choice(("com", "example", "net"))
        return f"user{number}@firm{chance.randint(1, 99)}.{ending}"
    if column in ("mobile", "phone", "seq", "registered_at", "rating", "consent_marketing"):
        return str(chance.randint(1, 10**9))
    words = [chance.choice(_words("words", language)) for _ in range(chance.randint(1, 6 if column == "notes" else 2))]
    return ("" if language in ("ja", "zh-Hans", "zh-Hant") else " ").join(words)


def _cut(chance: random.Random, data: bytes) -> bytes:
    """Take away the second byte of one to three characters at the end of cells, as fixed-width exports do."""
    ends = [place for place in range(1, len(data)) if data[place] in b",\t;\r\n" and data[place - 1] > 127]
    for place in sorted(chance.sample(ends, min(len(ends), chance.randint(1, 3))), reverse=True):
        data = data[: place - 1] + data[place:]
    return data


def ours(data: bytes) -> str:
    return encodings.decode(data).text


def others() -> Iterator[tuple[str, Callable[[bytes], str]]]:
    """Yield the general detectors that are installed."""
    for module, detect in (("chardet", _chardet), ("charset_normalizer", _normalizer)):
        try:
            importlib.import_module(module)
        except ImportError:
            sys.stdout.write(f"{module:20} not installed, left out\n")
            continue
        yield module, detect


def _chardet(data: bytes) -> str:
    name = importlib.import_module("chardet").detect(data)["encoding"] or "ascii"
    return data.decode(_wide(name), errors="replace")


def _normalizer(data: bytes) -> str:
    best = importlib.import_module("charset_normalizer").from_bytes(data).best()
    return data.decode(_wide(best.encoding) if best else "ascii", errors="replace")


def measure(name: str, decode: Callable[[bytes], str], seed: int, shown: int = 0) -> dict[str, float]:
    """Print and return the share of files decoded right, all and by kind."""
    right: dict[str, list[bool]] = defaultdict(list)
    began = time.perf_counter()
    for drawn in draw(seed, FILES):
        try:
            is_right = decode(drawn.data).removeprefix("\ufeff") == drawn.text.removeprefix("\ufeff")
        except LookupError:
            is_right = False
        for key in ("all", drawn.kind, drawn.language):
            right[key].append(is_right)
        if shown and not is_right:
            shown -= 1
            sys.stdout.write(f"  {drawn.codec} {drawn.kind}: {decode(drawn.data)[:90]!r} not {drawn.text[:90]!r}\n")
    shares = {key: sum(found) / len(found) for key, found in right.items()}
    text = "  ".join(f"{key} {share:.1%}" for key, share in shares.items())
    sys.stdout.write(f"{name:20} seed {seed}: {text}  ({time.perf_counter() - began:.1f} s)\n")
    return shares


def main() -> None:
    compared = [("ours", ours), *others()]
    measure("ours (tuned)", ours, TUNED)
    for seed in SEEDS:
        for name, decode in compared:
            shares = measure(name, decode, seed)
            if name == "ours":
                verdict = all(shares[key] >= limit for key, limit in LIMITS.items())
                sys.stdout.write(f"{'':20} {'within' if verdict else 'BELOW'} the limits {LIMITS}\n")
    big = b"".join(drawn.data for drawn in draw(TUNED, 400) if drawn.codec == "cp949")[: 1 << 20]
    big *= (1 << 20) // len(big) + 1
    encodings.detect(big)
    began = time.perf_counter()
    encodings.detect(big)
    sys.stdout.write(f"a file of {len(big) >> 20} MB: {1000 * (time.perf_counter() - began):.1f} ms\n")


if __name__ == "__main__":
    main()
