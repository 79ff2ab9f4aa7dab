"""Takes a person's name apart: courtesy titles, job titles, second scripts, family and given name.

Nothing is made up: a name is split only where its script makes the split certain, and never "corrected".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from crm.imports.answers import gender_of_courtesy
from crm.imports.text import has_invisible, name_line
from crm.imports.words import by_word, words

TITLES = sorted(by_word("titles"), key=len, reverse=True)
TITLE_WORDS = frozenset(TITLES)

_DOUBLE = {script: frozenset(names) for script, names in words("double_surnames").items()}
FAMILY_FIRST = frozenset({"VN", "MN", "HU"})

_EXTRA = re.compile(
    r"\s*(?:외|他|ほか|等)\s*\d+\s*(?:명|인|분|名|人)\s*$|\s*(?:and|&|\+)\s*\d+\s*(?:others?|more)\s*$", re.I
)
_PREFIX = re.compile(
    r"^(Mr|Ms|Mrs|Miss|Mx|Dr|Prof|Professor|Sr|Sra|Srta|Ing|Lic|Dott|Herr|Frau|Monsieur|Madame|Mme)(?:\.\s*|\s+)(?=\S)",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"\s*(님|씨|귀하|様|さま|さん|殿|先生|女士|小姐)$")
_BRACKET = re.compile(r"\s*[(（\[［]([^)）\]］]*)[)）\]］]\s*")
_HANGUL, _HAN, _KANA = "가-힣", "\u3400-\u9fff\uf900-\ufaff々〆\U00020000-\U0003ffff", "ぁ-ゖァ-ヺー"
_LATIN = re.compile(r"[^\W\d_]")


@dataclass
class PersonName:
    """A name taken apart. ``title`` is a job title that stood in the name; ``codes`` say what was changed."""

    full: str = ""
    family: str = ""
    given: str = ""
    alt: str = ""
    reading: str = ""
    gender: str = ""
    title: str = ""
    codes: list[str] = field(default_factory=list)


_HANGUL_NAME = re.compile("[가-힣]{2,4}")
_COURTESY_ENDS = ("님", "씨", "하")


def plain_hangul(text: str) -> tuple[str, str]:
    """Split a name that is two to four syllables and nothing else; two empty texts when a closer look is needed.

    A job title glued to a name makes it five syllables at least.
    """
    if not _HANGUL_NAME.fullmatch(text) or text.endswith(_COURTESY_ENDS):
        return "", ""
    size = 2 if len(text) > 2 and text[:2] in _DOUBLE["hangul"] else 1
    return text[:size], text[size:]


def script_of(text: str) -> str:
    """Return hangul, kana (with or without Han), han, latin or an empty text."""
    if re.search(f"[{_HANGUL}]", text):
        return "hangul"
    if re.search(f"[{_KANA}]", text):
        return "kana"
    if re.search(f"[{_HAN}]", text):
        return "han"
    return "latin" if _LATIN.search(text) else ""


def from_one_cell(text: str, *, country: str) -> PersonName:
    """Read a whole name out of one cell. ``country`` (row's or file's) tells Japanese from Chinese names."""
    name = PersonName(codes=_seen(text))
    rest = name_line(text)
    rest = _without_extra(rest, name)
    rest = _without_second_name(rest, name)
    rest = _without_courtesy(rest, name, country)
    rest = _without_title(rest, name)
    _split(rest, name, country)
    return name


def from_two_cells(family: str, given: str, *, country: str) -> PersonName:
    """Join family and given name in the order of the script and the country."""
    if not family.strip() or not given.strip():
        return _from_half(family, given, country)
    name = PersonName(codes=_seen(family + given))
    name.family = _without_courtesy(name_line(family), name, country)
    name.given = _without_title(_without_courtesy(name_line(given), name, country), name)
    name.full = _joined(name.family, name.given, country)
    return name


def _from_half(family: str, given: str, country: str) -> PersonName:
    """Only one of two columns is filled: a whole Chinese or Korean name, or really half a name."""
    name = from_one_cell(family or given, country=country)
    if not name.family and not name.given:
        return replace(name, family=name.full) if family.strip() else replace(name, given=name.full)
    return name


def _seen(raw: str) -> list[str]:
    codes = ["control_chars_removed"] if has_invisible(raw) else []
    return [*codes, "placeholder_char"] if re.search("[?？*＊\ufffd]", raw) else codes


def _add(name: PersonName, code: str) -> None:
    if code not in name.codes:
        name.codes.append(code)


def _without_extra(text: str, name: PersonName) -> str:
    bare = _EXTRA.sub("", text)
    if bare != text:
        _add(name, "name_extra_removed")
    return bare.strip()


def _without_second_name(text: str, name: PersonName) -> str:
    """Take out a second writing of the name: in brackets, after a slash, or in another script beside it."""
    for inner in _BRACKET.findall(text):
        if _place(inner.strip(), text, name):
            text = re.sub(r"\s+", " ", text.replace(_bracketed(text, inner), " ")).strip()
    if "/" in text:
        first, _sep, second = (part.strip() for part in text.partition("/"))
        if _place(second, first, name):
            text = first
    return _native_first(text, name)


def _bracketed(text: str, inner: str) -> str:
    return next(match[0] for match in _BRACKET.finditer(text) if match[1] == inner)


def _place(second: str, first: str, name: PersonName) -> bool:
    """Put what stood in brackets where it belongs; False: it is none of ours and stays in the name."""
    main = script_of(_BRACKET.sub("", first))
    script = script_of(second)
    if not second:
        return True
    if second in TITLES:
        name.title = second
    elif script == "kana" and main in ("han", "kana") and not re.search(f"[{_HAN}]", second):
        name.reading = _hiragana(second)
    elif script and script != main and (script != "latin" or re.search(r"[a-z]|\s", second)):
        name.alt = second
    else:
        return False
    return True


def _native_first(text: str, name: PersonName) -> str:
    """``Wang Xiaoming 王小明``: the native script is the name, the Latin one the other name."""
    if name.alt and script_of(text) == "latin" and script_of(name.alt) != "latin":
        text, name.alt = name.alt, text
        return text
    words = text.split()
    native = [word for word in words if script_of(word) in ("hangul", "han", "kana")]
    latin = [word for word in words if script_of(word) == "latin"]
    if native and len(latin) > 1 and not name.alt and len(native) + len(latin) == len(words):
        name.alt = " ".join(latin)
        return " ".join(native)
    return text


def _without_courtesy(text: str, name: PersonName, country: str) -> str:
    found = _PREFIX.match(text) or _SUFFIX.search(text)
    while found:
        bare = (text[: found.start()] + text[found.end() :]).strip()
        word = found[1]
        if not bare or (word == "씨" and len(bare) < 3):
            return text
        if not (word == "先生" and _is_japanese(bare, country)):
            name.gender = name.gender or gender_of_courtesy(word)
        _add(name, "name_honorific_removed")
        text = bare
        found = _PREFIX.match(text) or _SUFFIX.search(text)
    return text


def _without_title(text: str, name: PersonName) -> str:
    """Take a job title off the end: as a word of its own, or glued to a name that is too long without it."""
    for title in TITLES:
        bare = text.removesuffix(title).rstrip()
        if bare == text or not bare:
            continue
        apart = text.removesuffix(title) != bare
        if apart or _glued(bare.replace(" ", ""), script_of(title)):
            name.title = name.title or title
            return bare
    return text


def _glued(bare: str, script: str) -> bool:
    return 3 <= len(bare) <= 4 if script == "hangul" else 2 <= len(bare) <= 4 and script_of(bare) == "han"


def _split(text: str, name: PersonName, country: str) -> None:
    script = script_of(text)
    if script == "latin":
        _split_latin(text, name, country)
    elif script == "kana" or (script == "han" and _is_japanese(text, country)):
        family, _sep, given = text.partition(" ")
        name.full = text
        name.family, name.given = (family, given) if given else ("", "")
    elif script in ("hangul", "han"):
        _split_syllables(text, name, _DOUBLE[script])
    else:
        name.full = text


def _split_latin(text: str, name: PersonName, country: str) -> None:
    """A Latin name in one cell is split only at a comma: compound surnames and single names are many."""
    family, comma, given = (part.strip() for part in text.partition(","))
    if comma and family and given and "," not in given:
        name.family, name.given, name.full = family, given, _joined(family, given, country)
    else:
        name.full = text


def _split_syllables(text: str, name: PersonName, double: Iterable[str]) -> None:
    words = text.split()
    whole = "".join(words)
    if not re.fullmatch(f"[{_HANGUL}{_HAN}]+", whole) or len(whole) > 5:
        name.full = text
        return
    name.full = whole
    if whole in double and "name_honorific_removed" in name.codes:
        name.family = whole  # 欧阳先生: surname and courtesy only
    elif len(words) == 2 and len(words[0]) <= 2 < len(whole):
        name.family, name.given = words
    elif whole[:2] in double and len(whole) > 2:
        name.family, name.given = whole[:2], whole[2:]
    else:
        name.family, name.given = whole[:1], whole[1:]


def _is_japanese(text: str, country: str) -> bool:
    return script_of(text) == "kana" or country == "JP" or (" " in text and country in ("", "KR") and len(text) > 3)


def _joined(family: str, given: str, country: str) -> str:
    scripts = {script_of(family), script_of(given)}
    if scripts <= {"hangul"} or (scripts <= {"han"} and country != "JP"):
        return (family + given).replace(" ", "")
    if scripts <= {"han", "kana"} or country in FAMILY_FIRST:
        return f"{family} {given}"
    return f"{given} {family}"


def _hiragana(text: str) -> str:
    """Fold katakana to hiragana; the two blocks stand 0x60 apart."""
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in text)


def hiragana(text: str) -> str:
    """Return a phonetic reading in hiragana with single spaces."""
    return _hiragana(name_line(text))
