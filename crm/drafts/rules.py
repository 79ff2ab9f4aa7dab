"""What is checked in the text of a letter before anyone may approve it. Pure; codes only, the words are in texts.py.

``block``: the letter may not leave so. ``check``: an advisor looks at it and decides. The law's own checks are not here
but in ``clearance``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from crm.clearance.question import Level
from crm.drafts import phrases, scripts
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
    country = (addressee.country or "").upper() if addressee else ""
    looks = [_look(language, text) for text in (subject, *texts)]
    found = [
        *(one for look in looks for one in look.leftovers),
        *_subject(language, subject),
        *(_writing(language, subject, texts, names) if any(look.foreign for look in looks) else ()),
        *(one for look in looks[1:] for one in look.figures),
        *_manners(language, subject, texts, names, sum(look.marks for look in looks)),
        *(_phrases(language, subject, texts, names, country) if any(look.phrased for look in looks) else ()),
        *_length(language, sum(look.length for look in looks[1:])),
        *(_addressee(addressee, language, looks[1:]) if addressee else ()),
    ]
    return tuple(sorted(_once(found), key=lambda one: one.level != BLOCK))


@dataclass(frozen=True)
class _Look:
    """What one paragraph alone tells. ``foreign`` and ``phrased``: there is something that needs the whole letter."""

    leftovers: tuple[Finding, ...]
    figures: tuple[Finding, ...]
    foreign: bool
    phrased: bool
    marks: int
    length: int
    male: str
    female: str


@lru_cache(maxsize=8192)
def _look(language: str, text: str) -> _Look:
    """Letters by the hundred have most of their paragraphs in common, so each of these is looked at once."""
    male = _MALE.search(text) if any(mark in text for mark in _MALE_MARKS) else None
    female = _FEMALE.search(text) if any(mark in text for mark in _FEMALE_MARKS) else None
    return _Look(
        leftovers=tuple(_leftovers(text)),
        figures=tuple(_figures(text)),
        foreign=bool(foreign_letters(language, text) or foreign_han(language, text)),
        phrased=phrases.suspected(language, text),
        marks=text.count("!") + text.count("！"),
        length=_measured(language, text),
        male=male[0] if male else "",
        female=female[0] if female else "",
    )


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Keep the first finding of each code: one sentence is enough to make a person look."""
    return list({(one.code, one.params.get("rule")): one for one in reversed(list(found))}.values())[::-1]


# --- what must not be there ------------------------------------------------------------------------------------------

# A letter in order is the rule: what can only be wrong with a certain word is looked for by that word first.
_MARKS = ("{{", "}}", "{%", "%}", "[[", "]]", "\ue000", "\ue001", "○○", "〇〇", "□□", "TODO", "XXX")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{%|%\}|\[\[|\]\]|[\ue000\ue001]|\bTODO\b|\bXXX+\b|○○|〇〇|□□")
_BANK_WORDS = re.compile(
    r"\bSWIFT\b|\bBIC\b|\bIBAN\b|계좌\s*번호|账号|帐号|帳號|口座番号|account number|cuenta bancaria|número de cuenta",
    re.IGNORECASE,
)
_BANK_MARKS = ("swift", "bic", "iban", "계좌", "账号", "帐号", "帳號", "口座番号", "account n", "cuenta")
_ACCOUNT = re.compile(r"[A-Za-z][A-Za-z]\d\d(?: ?[A-Za-z0-9]{4}){3,7}\b")
_INCOTERMS = ("EXW", "FCA", "FAS", "FOB", "CFR", "CIF", "CPT", "CIP", "DAP", "DPU", "DDP")
_INCOTERM = re.compile(rf"\b({'|'.join(_INCOTERMS)})\b(?!\s+(?!and\b|or\b|y\b|o\b)[^\W\d_])")


def _leftovers(text: str) -> Iterator[Finding]:
    if any(mark in text for mark in _MARKS) and (found := _PLACEHOLDER.search(text)):
        yield Finding(BLOCK, "placeholder_left", {"text": found[0]})
    if "\ufffd" in text:
        yield Finding(BLOCK, "character_lost")
    if found := _bank_data(text):
        yield Finding(BLOCK, "bank_data", {"text": found[0]})
    if any(code in text for code in _INCOTERMS) and (found := _INCOTERM.search(text)):
        yield Finding(BLOCK, "incoterm_without_place", {"text": found[0]})


def _bank_data(body: str) -> re.Match[str] | None:
    lowered = body.lower()
    words = _BANK_WORDS.search(body) if any(mark in lowered for mark in _BANK_MARKS) else None
    account = _ACCOUNT.search(body)
    return words or (account if account and not body[account.start() - 1 : account.start()].isalnum() else None)


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


def in_writing_of(text: str, language: str) -> bool:
    """Tell whether a text may stand in a letter: no writing of another language or region."""
    wrong = _WRONG_HAN.get(language)
    return not (scripts.scripts_in(text) & _FOREIGN[language]) and not (wrong and any(map(wrong, text)))


def _writing(language: str, subject: str, texts: Sequence[str], names: Iterable[str]) -> Iterator[Finding]:
    whole = _without("\n".join((subject, *texts)), names)
    if language == "ko":  # a Korean letter keeps a Japanese name as it is written
        whole = _without("\n".join((subject, *texts[1:])), names)
    if strays := foreign_letters(language, whole):
        yield Finding(BLOCK, "wrong_script", {"text": strays})
    rest = _without("\n".join((subject, *texts[1:])), names)
    if odd := foreign_han(language, rest):
        yield Finding(BLOCK, "wrong_han", {"text": odd})


def foreign_letters(language: str, text: str) -> str:
    """Return the first letters of ``text`` in a script that a letter in ``language`` is not written in."""
    foreign = {char for char in set(text) if scripts.script_of(char) in _FOREIGN[language]}
    return "".join(char for char in text if char in foreign)[:10] if foreign else ""


def foreign_han(language: str, text: str) -> str:
    """Return the Chinese characters of ``text`` that are written otherwise where ``language`` is read."""
    wrong = _WRONG_HAN.get(language)
    odd = {char for char in set(text) if wrong(char)} if wrong else set()
    return "".join(char for char in dict.fromkeys(text) if char in odd)[:10] if odd else ""


def _without(text: str, names: Iterable[str]) -> str:
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, " ")
    return text


# --- what a reader would stumble over --------------------------------------------------------------------------------

_SLASH_DATE = re.compile(r"(?<![\w/.])\d{1,2}[/.]\d{1,2}[/.](?:\d{2}|\d{4})(?![\w/])")
_SLASHES = re.compile(r"\d[/.]\d\d?[/.]\d\d")
_SIGNS = "$¥￥€₩￦"
_BARE_CURRENCY = re.compile(r"(?<![A-Za-z])[$¥￥€₩￦]\s?\d|\d\s?[$¥￥€₩￦](?![A-Za-z])")


def _figures(body: str) -> Iterator[Finding]:
    if _SLASHES.search(body) and (found := _SLASH_DATE.search(body)):
        yield Finding(CHECK, "slash_date", {"text": found[0]})
    if any(sign in body for sign in _SIGNS) and (found := _BARE_CURRENCY.search(body)):
        yield Finding(CHECK, "bare_currency", {"text": found[0]})


_EXCLAMATIONS = {"zh-Hans": 2, "zh-Hant": 2}
_UNPAIRED = re.compile(r"^(?=[^¿\n]*\?)[^¿\n]*$|^(?=[^¡\n]*!)[^¡\n]*$", re.MULTILINE)


def _manners(language: str, subject: str, texts: Sequence[str], names: Iterable[str], marks: int) -> Iterator[Finding]:
    limit, whole = _EXCLAMATIONS.get(language, 0), "\n".join((subject, *texts))
    if marks > limit:
        marks = len(re.findall("[!！]", _without(whole, names)))  # Yahoo! keeps its own
    if marks > limit:
        yield Finding(CHECK, "exclamation", {"count": marks})
    if language == "es" and ("?" in whole or "!" in whole) and _UNPAIRED.search(re.sub(r"https?://\S+", "", whole)):
        yield Finding(CHECK, "unpaired_marks")


def _phrases(
    language: str, subject: str, texts: Sequence[str], names: Iterable[str], country: str
) -> Iterator[Finding]:
    greeting, *rest = texts or ("",)
    body = _without("\n".join(rest), names)
    parts = ((phrases.SUBJECT, subject), (phrases.GREETING, greeting), (phrases.ANY, body))
    for phrase, words in phrases.find(language, parts, country=country):
        yield Finding(CHECK, phrase.code, {"text": words, "rule": phrase.number})


def _measured(language: str, text: str) -> int:
    """Return the length of a paragraph in the unit of its language, addresses left out."""
    words = (re.sub(r"https?://\S+", "", text) if "://" in text else text).split()
    return len(words) if LENGTH_LIMITS[language][0] == "words" else sum(map(len, words))


def _length(language: str, length: int) -> Iterator[Finding]:
    unit, limit = LENGTH_LIMITS[language]
    if length > limit:
        yield Finding(CHECK, f"long_{unit}", {"length": length, "limit": limit})


# --- the addressee ---------------------------------------------------------------------------------------------------

_MALE = re.compile(r"先生(?!/女士)|\bMr\b|\bEstimado\b(?!/a)|\bSr\.|\bSeñor\b")
_MALE_MARKS = ("先生", "Mr", "Estimado", "Sr.", "Señor")
_FEMALE_MARKS = ("女士", "小姐", "Mrs", "Ms", "Miss", "Estimada", "Sra.", "Señora")
_FEMALE = re.compile(r"(?<!先生/)女士|小姐|\bM(?:rs|s|iss)\b|\bEstimada\b|\bSra\.|\bSeñora\b")


def _addressee(addressee: NameParts, language: str, looks: Sequence[_Look]) -> Iterator[Finding]:
    if has_damaged_name(addressee):
        yield Finding(BLOCK, "name_damaged", {"text": addressee.full_name or addressee.company or ""})
    if has_unreadable_name(addressee, language):
        yield Finding(CHECK, "name_in_other_script", {"text": addressee.full_name or ""})
    male = next((look.male for look in looks if look.male), "")
    female = next((look.female for look in looks if look.female), "")
    wrong = {"m": female, "f": male}.get(addressee.gender or "")
    if wrong:
        yield Finding(CHECK, "wrong_gender", {"text": wrong})
    if wrong is None and (said := male or female):
        yield Finding(CHECK, "gender_unknown", {"text": said})
