"""How a person or a firm is addressed in a letter. Pure: what is not certain is not used, and gender is never guessed.

The rules are trade practice for the six languages (Korean: the National Institute's advice on 님, 귀하, 귀중; Japanese:
title before the name, 様 after it, 御中 for firms only; Spanish: colon, ``Sra.`` for every woman).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from crm.drafts.language import AMERICAN_ENGLISH, SPANISH_AMERICA
from crm.drafts.scripts import HAN, HANGUL, LATIN, native, readable, scripts_in


@dataclass(frozen=True)
class NameParts:
    """What is known of an addressee, as imported. ``gender`` is ``m``, ``f`` or None; ``country`` is ISO alpha-2."""

    full_name: str | None = None
    family_name: str | None = None
    given_name: str | None = None
    name_alt: str | None = None
    gender: str | None = None
    title: str | None = None
    department: str | None = None
    company: str | None = None
    country: str | None = None


@dataclass(frozen=True)
class Salutation:
    """``greeting`` opens the letter (may have several lines), ``mention`` stands in running text, ``envelope`` is the
    addressee without courtesy words, for the To field and for lists."""

    greeting: str
    mention: str
    envelope: str


@dataclass(frozen=True)
class _Addressee:
    """The parts that may be used in one language; '' for what is unknown, uncertain or in a foreign script."""

    full: str
    address: str  # the part one is addressed by, when the split is certain
    gender: str
    title: str
    department: str
    company: str
    country: str


def salute(parts: NameParts, language: str) -> Salutation:
    """Return how to address ``parts`` in a letter in ``language``. No part of the answer is ever empty."""
    who = _addressee(parts, language)
    return _STYLES[language](who)


# --- what may be used ------------------------------------------------------------------------------------------------

_NOTHING = frozenset({"", "none", "null", "nan", "n/a", "na", "nil", "-", "–", "—", ".", "?"})
_COURTESY = re.compile(r"\s*(様|さま|殿|님|귀하|先生|女士|小姐)$")
_FIRM_COURTESY = re.compile(r"\s*(様|御中|귀중)$")
GIVEN_FIRST_ADDRESS = frozenset(["VN", "TH", "MY", "BN", "BR", "AE", "SA", "EG", "QA", "KW", "OM", "BH", "JO", "MN"])
NO_FAMILY_NAME = frozenset({"ID"})
EAST_ASIA = frozenset(["KR", "KP", "JP", "CN", "TW", "HK", "MO"])
CHINESE_LANDS = frozenset(["CN", "TW", "HK", "MO", "SG", "MY"])
HANGUL_DOUBLE = ("남궁", "황보", "제갈", "선우", "독고", "사공", "서문", "동방")
HAN_DOUBLE = ("欧阳", "司马", "上官", "诸葛", "夏侯", "东方", "尉迟", "歐陽", "司馬", "諸葛", "東方", "尉遲")
_MALAY = re.compile(r"^(?P<given>.+?)\s+(bin|binti|bt|a/l|a/p)\s+", re.IGNORECASE)


def clean(text: str | None, courtesy: re.Pattern[str] = _COURTESY) -> str:
    """Return ``text`` on one line without control and private characters, courtesy words and words for 'nothing'."""
    line = "".join(char if char.isprintable() and not _private(char) else " " for char in text or "")
    line = " ".join(line.split())
    while (stripped := courtesy.sub("", line)) != line:
        line = stripped
    return "" if line.lower() in _NOTHING or not any(char.isalnum() for char in line) else line


def _private(char: str) -> bool:
    return "\ue000" <= char <= "\uf8ff"


def _addressee(parts: NameParts, language: str) -> _Addressee:
    country = (parts.country or "").upper()
    full, family, given = _variant(parts, language)
    company = clean(parts.company, _FIRM_COURTESY)
    title = clean(parts.title)
    academic = language == "es" and country in SPANISH_AMERICA and _ACADEMIC.match(title)
    return _Addressee(
        full=full,
        address=_address(full, family, given, country),
        gender=parts.gender if parts.gender in ("m", "f") else "",
        title=title if native(title, language) or academic else "",
        department=clean(parts.department) if native(clean(parts.department), language) else "",
        company=company if readable(company, language) else "",
        country=country,
    )


def _variant(parts: NameParts, language: str) -> tuple[str, str, str]:
    """Return (full, family, given) of the variant in the letter's own script, else of one its reader can read."""
    family, given = clean(parts.family_name), clean(parts.given_name)
    full = clean(parts.full_name) or _joined(family, given, (parts.country or "").upper())
    alternative = clean(parts.name_alt)
    variants = [(full, family, given), (alternative, "", "")]
    for fits in (native, readable):
        for name in variants:
            if fits(name[0], language):
                return name if scripts_in(name[1] + name[2]) <= scripts_in(name[0]) else (name[0], "", "")
    return "", "", ""


def _joined(family: str, given: str, country: str) -> str:
    scripts = scripts_in(family + given)
    if scripts and scripts <= {HAN, HANGUL}:
        return f"{family} {given}".strip() if country == "JP" else family + given
    family_first = LATIN not in scripts or country in ("VN", "MN", "HU")
    return " ".join(part for part in ((family, given) if family_first else (given, family)) if part)


def _address(full: str, family: str, given: str, country: str) -> str:
    if not full or country in NO_FAMILY_NAME:
        return ""
    if malay := _MALAY.match(full):
        return malay["given"]
    if not (family and given):
        family, given = _split(full, country)
    return given if country in GIVEN_FIRST_ADDRESS and scripts_in(full) <= {LATIN} else family


def _split(full: str, country: str) -> tuple[str, str]:
    """Return (family, given) where the split is certain, else two empty texts."""
    scripts = scripts_in(full)
    if scripts == {HANGUL} and 2 <= len(full) <= 5 and " " not in full:
        return _cut(full, HANGUL_DOUBLE)
    if country == "JP" and full.count(" ") == 1 and LATIN not in scripts:
        family, given = full.split()
        return family, given
    if scripts == {HAN} and country in CHINESE_LANDS and 2 <= len(full) <= 4 and " " not in full:
        return _cut(full, HAN_DOUBLE)
    if scripts == {LATIN}:
        return _split_latin(full, country)
    return "", ""


def _cut(full: str, doubles: tuple[str, ...]) -> tuple[str, str]:
    length = 2 if full.startswith(doubles) and len(full) > 2 else 1
    return full[:length], full[length:]


def _split_latin(full: str, country: str) -> tuple[str, str]:
    words = full.split()
    capitals = [word for word in words if len(word) > 1 and word.isupper()]
    if country in EAST_ASIA and len(words) > 1 and len(capitals) == 1 and capitals[0] in (words[0], words[-1]):
        rest = words[1:] if words[0] == capitals[0] else words[:-1]
        return capitals[0].title(), " ".join(rest)
    return "", ""


# --- Korean ----------------------------------------------------------------------------------------------------------

_NO_KOREAN_TITLE = frozenset({"사원", "직원", "담당", "담당자"})


def _korean(who: _Addressee) -> Salutation:
    title = "" if who.title in _NO_KOREAN_TITLE else who.title
    if who.full and (title or len(who.full) > 1):  # 님 does not follow a bare surname
        name = f"{who.full} {title}님" if title else f"{who.full} 님"
        return Salutation(f"{name}께", name, who.full)
    if title:
        name = f"{who.company} {title}님".strip()
        return Salutation(f"{name}께", f"{title}님", who.company or title)
    if who.company:
        return Salutation(f"{who.company} 담당자님께", "담당자님", who.company)
    return Salutation("담당자님께", "담당자님", "담당자")


# --- English ---------------------------------------------------------------------------------------------------------


def _english(who: _Addressee) -> Salutation:
    if who.full:
        name = _english_name(who)
        return Salutation(f"Dear {name},", name, who.full)
    if who.title:
        return Salutation(f"Dear {who.title},", "you", who.company or who.title)
    if who.company:
        return Salutation(f"Dear {who.company} Team,", "your company", who.company)
    return Salutation("Dear Sir or Madam,", "you", "Sir or Madam")


def _english_name(who: _Addressee) -> str:
    if not who.address:
        return who.full
    if who.country == "TH":
        return f"Khun {who.address}"
    courtesy = {"m": "Mr", "f": "Ms"}.get(who.gender)
    stop = "." if who.country in AMERICAN_ENGLISH else ""
    return f"{courtesy}{stop} {who.address}" if courtesy else who.full


# --- Chinese ---------------------------------------------------------------------------------------------------------


def _chinese_name(who: _Addressee, unknown: str) -> str:
    """Surname and title, else name and courtesy word; 先生 and 女士 only where the gender is known."""
    name = who.address if scripts_in(who.full) == {HAN} and who.address else who.full
    if who.title:
        return name + who.title
    courtesy = {"m": "先生", "f": "女士"}.get(who.gender)
    return name + courtesy if courtesy else who.full + unknown


def _simplified(who: _Addressee) -> Salutation:
    if who.full:
        name = _chinese_name(who, "先生/女士")
        return Salutation(f"尊敬的{name}：", name, who.full)
    if who.title:
        return Salutation(f"尊敬的{who.title}：", who.title, who.company or who.title)
    if who.company:
        return Salutation(f"尊敬的{who.company}负责人：", "贵公司", who.company)
    return Salutation("敬启者：", "贵公司", "负责人")


def _traditional(who: _Addressee) -> Salutation:
    if who.full:
        name = _chinese_name(who, "")
        return Salutation(f"{name} 您好：", name, who.full)
    if who.title:
        return Salutation(f"{who.title} 您好：", who.title, who.company or who.title)
    if who.company:
        return Salutation(f"{who.company} 負責人 您好：", "貴公司", who.company)
    return Salutation("敬啟者：", "貴公司", "負責人")


# --- Japanese --------------------------------------------------------------------------------------------------------


def _japanese(who: _Addressee) -> Salutation:
    if who.full:
        post = " ".join(part for part in (who.department, who.title) if part)
        lines = [line for line in (who.company, post, f"{who.full} 様") if line]
        return Salutation("\n".join(lines), f"{who.address or who.full}様", who.full)
    if who.department or who.title:
        desk = f"{who.department or who.title} ご担当者様"
        return Salutation("\n".join(filter(None, (who.company, desk))), "ご担当者様", who.company or who.department)
    if who.company:
        return Salutation(f"{who.company} 御中", "貴社", who.company)
    return Salutation("ご担当者様", "ご担当者様", "ご担当者")


# --- Spanish ---------------------------------------------------------------------------------------------------------

_ACADEMIC = re.compile(r"(?P<title>Lic|Ing|Arq|C\.P|Dra?)\.(?=$|,|\s*[-–/])")


def _spanish(who: _Addressee) -> Salutation:
    if who.full:
        name = _spanish_name(who)
        dear = {"m": "Estimado", "f": "Estimada"}.get(who.gender, "Estimado/a")
        return Salutation(f"{dear} {name}:", name, who.full)
    whom = who.company or who.department or who.title
    attention = f"A la atención de {whom}\n" if whom else ""
    return Salutation(f"{attention}Estimados señores:", "su empresa", whom or "Estimados señores")


def _spanish_name(who: _Addressee) -> str:
    if not who.address:
        return who.full
    academic = _ACADEMIC.match(who.title) if who.country in SPANISH_AMERICA else None
    courtesy = f"{academic['title']}." if academic else {"m": "Sr.", "f": "Sra."}.get(who.gender)
    return f"{courtesy} {who.address}" if courtesy else who.full


_STYLES: dict[str, Callable[[_Addressee], Salutation]] = {
    "ko": _korean,
    "en": _english,
    "zh-Hans": _simplified,
    "zh-Hant": _traditional,
    "ja": _japanese,
    "es": _spanish,
}


def has_unreadable_name(parts: NameParts, language: str) -> bool:
    """Tell whether a name is known but stands in no script the letter's reader can read, so that it is left out."""
    return bool(clean(parts.full_name) or clean(parts.name_alt)) and not _variant(parts, language)[0]


_DAMAGE = re.compile("[?？*＊\ufffd]")


def has_damaged_name(parts: NameParts) -> bool:
    """Tell whether a character of the person's or the firm's name was lost on the way (``?``, ``＊``, U+FFFD)."""
    person = " ".join(filter(None, (parts.full_name, parts.family_name, parts.given_name, parts.name_alt)))
    return bool(_DAMAGE.search(person)) or "\ufffd" in (parts.company or "")
