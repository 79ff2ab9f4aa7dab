"""What is checked in the text of a letter before anyone may approve it. Pure; codes only, the words are in texts.py.

``block``: the letter may not leave so. ``check``: an advisor looks at it and decides. The law's own checks are not here
but in ``clearance``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from crm.clearance.question import Level
from crm.drafts import scripts
from crm.drafts.names import NameParts, has_damaged_name, has_unreadable_name

BLOCK, CHECK = Level.BLOCK, Level.CHECK

SUBJECT_LIMITS: Mapping[str, int] = {"ko": 35, "en": 60, "zh-Hans": 25, "zh-Hant": 25, "ja": 30, "es": 65}
"""Longest good subject in characters, without the label a law may put in front."""

LENGTH_LIMITS: Mapping[str, tuple[str, int]] = {
    "ko": ("words", 200),
    "en": ("words", 220),
    "zh-Hans": ("characters", 420),
    "zh-Hant": ("characters", 420),
    "ja": ("characters", 650),
    "es": ("words", 250),
}
"""Longest good letter with salutation, list of terms and signature; a screen and a half."""


@dataclass(frozen=True)
class Finding:
    """One thing found in a letter: ``block`` or ``check``, a code of texts.py and what its sentence names."""

    level: Level
    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)


def check_content(
    language: str,
    subject: str,
    texts: Sequence[str],
    *,
    addressee: NameParts | None = None,
    names: Iterable[str] = (),
) -> list[Finding]:
    """Return what is wrong or odd in a letter in ``language``, the grave first.

    ``texts`` are the blocks in order, the salutation first. ``names`` are names of people and firms, which stand as
    their owners write them and are left out of the check of writing; so is the salutation, for Chinese characters.
    """
    return list(_checked(language, subject, tuple(texts), addressee, tuple(names)))


@lru_cache(maxsize=2048)
def _checked(
    language: str, subject: str, texts: tuple[str, ...], addressee: NameParts | None, names: tuple[str, ...]
) -> tuple[Finding, ...]:
    """A letter is looked at many times on its way through the queue and changes once or never."""
    body = "\n".join(texts)
    found = [
        *_leftovers(subject, body),
        *_subject(language, subject),
        *_writing(language, subject, texts, names),
        *_figures(body),
        *_manners(language, subject, texts, names),
        *_length(language, body),
        *(_addressee(addressee, language, body) if addressee else ()),
    ]
    return tuple(sorted(_once(found), key=lambda one: one.level != BLOCK))


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Keep the first finding of each code: one sentence is enough to make a person look."""
    return list({one.code: one for one in reversed(list(found))}.values())[::-1]


# --- what must not be there ------------------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{%|%\}|\[\[|\]\]|[\ue000\ue001]|\bTODO\b|\bXXX+\b|○○|〇〇|□□")
_BANK = re.compile(
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b|\bSWIFT\b|\bBIC\b|\bIBAN\b|계좌\s*번호|账号|帐号|帳號|口座番号"
    r"|account number|cuenta bancaria|número de cuenta",
    re.IGNORECASE,
)
_INCOTERM = re.compile(r"\b(EXW|FCA|FAS|FOB|CFR|CIF|CPT|CIP|DAP|DPU|DDP)\b(?!\s+(?!and\b|or\b|y\b|o\b)[^\W\d_])")


def _leftovers(subject: str, body: str) -> Iterator[Finding]:
    for text in (subject, body):
        if found := _PLACEHOLDER.search(text):
            yield Finding(BLOCK, "placeholder_left", {"text": found[0]})
        if "\ufffd" in text:
            yield Finding(BLOCK, "character_lost")
    if found := _BANK.search(body):
        yield Finding(BLOCK, "bank_data", {"text": found[0]})
    if found := _INCOTERM.search(body):
        yield Finding(BLOCK, "incoterm_without_place", {"text": found[0]})


def _subject(language: str, subject: str) -> Iterator[Finding]:
    if not subject.strip():
        yield Finding(BLOCK, "subject_empty")
    if len(subject.splitlines()) > 1:
        yield Finding(BLOCK, "subject_lines")
    limit = SUBJECT_LIMITS[language]
    if len(subject) > limit:
        yield Finding(CHECK, "subject_long", {"length": len(subject), "limit": limit})


# --- the right writing -----------------------------------------------------------------------------------------------

_FOREIGN: Mapping[str, frozenset[str]] = {
    "ko": frozenset({scripts.KANA}),
    "en": frozenset({scripts.HANGUL, scripts.HAN, scripts.KANA}),
    "es": frozenset({scripts.HANGUL, scripts.HAN, scripts.KANA}),
    "zh-Hans": frozenset({scripts.HANGUL, scripts.KANA}),
    "zh-Hant": frozenset({scripts.HANGUL, scripts.KANA}),
    "ja": frozenset({scripts.HANGUL}),
}
_WRONG_HAN: Mapping[str, Callable[[str], bool]] = {
    "zh-Hans": scripts.is_traditional,
    "zh-Hant": scripts.is_simplified,
    "ja": scripts.is_foreign_to_japanese,
}


def _writing(language: str, subject: str, texts: Sequence[str], names: Iterable[str]) -> Iterator[Finding]:
    whole = _without("\n".join((subject, *texts)), names)
    if language == "ko":  # a Korean letter keeps a Japanese name as it is written
        whole = _without("\n".join((subject, *texts[1:])), names)
    strays = [char for char in whole if scripts.script_of(char) in _FOREIGN[language]]
    if strays:
        yield Finding(BLOCK, "wrong_script", {"text": "".join(strays[:10])})
    wrong = _WRONG_HAN.get(language)
    rest = _without("\n".join((subject, *texts[1:])), names)
    odd = [char for char in rest if wrong and wrong(char)]
    if odd:
        yield Finding(BLOCK, "wrong_han", {"text": "".join(dict.fromkeys(odd))[:10]})


def _without(text: str, names: Iterable[str]) -> str:
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, " ")
    return text


# --- what a reader would stumble over --------------------------------------------------------------------------------

_SLASH_DATE = re.compile(r"(?<![\w/.])\d{1,2}[/.]\d{1,2}[/.](?:\d{2}|\d{4})(?![\w/])")
_BARE_CURRENCY = re.compile(r"(?<![A-Za-z])[$¥￥€₩￦]\s?\d|\d\s?[$¥￥€₩￦](?![A-Za-z])")
_SUPERLATIVES = re.compile(
    r"\b(?:the best|cheapest|number one|No\.? ?1|100 ?% (?:safe|guaranteed)|world'?s (?:best|first))\b"
    r"|최고의|최저가|업계 1위|세계 최초|最好的|第一品牌|最佳品质|最佳品質|最低价|最低價|業界No|世界初|日本一"
    r"|\b(?:el mejor|la mejor|los mejores|las mejores|líder mundial)\b",
    re.IGNORECASE,
)


def _figures(body: str) -> Iterator[Finding]:
    for code, pattern in (
        ("slash_date", _SLASH_DATE),
        ("bare_currency", _BARE_CURRENCY),
        ("superlative", _SUPERLATIVES),
    ):
        if found := pattern.search(body):
            yield Finding(CHECK, code, {"text": found[0]})


_EXCLAMATIONS = {"zh-Hans": 2, "zh-Hant": 2}
_HABITS: Mapping[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "ko": (
        ("nim_and_gwiha", re.compile(r"님\s*귀하")),
        ("too_low", re.compile(r"[가-힣]{2,4}\s?씨(?:께|에게|\s|,|$)")),
    ),
    "ja": (
        ("onchu_and_sama", re.compile(r"御中[\s\S]{0,40}?様|様[\s\S]{0,40}?御中")),
        ("kakui_sama", re.compile(r"各位様")),
        ("title_before_sama", re.compile(r"(?:社長|部長|課長|係長|次長|主任|専務|常務|取締役)\s?様")),
    ),
    "es": (
        ("informal_address", re.compile(r"\b(?:tú|tu|tus|contigo|vosotros|vosotras|vuestr[oa]s?)\b", re.IGNORECASE)),
        ("unpaired_marks", re.compile(r"^(?=[^¿\n]*\?)[^¿\n]*$|^(?=[^¡\n]*!)[^¡\n]*$", re.MULTILINE)),
    ),
}
_SPANISH_COMMA = re.compile(r"^(?:Estimad|Apreciad|Querid|Distinguid)[^\n]*,\s*$", re.MULTILINE)


def _manners(language: str, subject: str, texts: Sequence[str], names: Iterable[str]) -> Iterator[Finding]:
    whole = "\n".join((subject, *texts))
    marks = len(re.findall("[!！]", _without(whole, names)))  # Yahoo! keeps its own
    if marks > _EXCLAMATIONS.get(language, 0):
        yield Finding(CHECK, "exclamation", {"count": marks})
    if language == "es" and texts and _SPANISH_COMMA.search(texts[0]):
        yield Finding(CHECK, "comma_after_salutation")
    for code, pattern in _HABITS.get(language, ()):
        if found := pattern.search(re.sub(r"https?://\S+", "", whole)):
            yield Finding(CHECK, code, {"text": found[0].strip()})


def _length(language: str, body: str) -> Iterator[Finding]:
    unit, limit = LENGTH_LIMITS[language]
    text = re.sub(r"https?://\S+", "", body)
    length = len(text.split()) if unit == "words" else len("".join(text.split()))
    if length > limit:
        yield Finding(CHECK, f"long_{unit}", {"length": length, "limit": limit})


# --- the addressee ---------------------------------------------------------------------------------------------------

_MALE = re.compile(r"先生(?!/女士)|\bMr\b|\bEstimado\b(?!/a)|\bSr\.|\bSeñor\b")
_FEMALE = re.compile(r"(?<!先生/)女士|小姐|\bM(?:rs|s|iss)\b|\bEstimada\b|\bSra\.|\bSeñora\b")


def _addressee(addressee: NameParts, language: str, body: str) -> Iterator[Finding]:
    if has_damaged_name(addressee):
        yield Finding(BLOCK, "name_damaged", {"text": addressee.full_name or addressee.company or ""})
    if has_unreadable_name(addressee, language):
        yield Finding(CHECK, "name_in_other_script", {"text": addressee.full_name or ""})
    wrong = {"m": _FEMALE, "f": _MALE}.get(addressee.gender or "")
    if wrong and (found := wrong.search(body)):
        yield Finding(CHECK, "wrong_gender", {"text": found[0]})
    if not wrong and (found := _MALE.search(body) or _FEMALE.search(body)):
        yield Finding(CHECK, "gender_unknown", {"text": found[0]})
