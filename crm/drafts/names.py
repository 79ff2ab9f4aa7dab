"""How a person or a firm is addressed in a letter. Pure: what is not certain is not used, and gender is never guessed.

Each language has one function whose docstring is its rule (docs/names.md tells which rule goes before which). What may
be used of a name at all is decided in addressee.py, how a name is joined from its parts in person_names.py.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crm.drafts.addressee import Addressee, NameParts, addressee, clean, customary, written_for
from crm.drafts.language import AMERICAN_ENGLISH
from crm.drafts.scripts import HAN, scripts_in

__all__ = ["NameParts", "Salutation", "clean", "has_damaged_name", "has_unreadable_name", "salute", "salute_all"]


@dataclass(frozen=True)
class Salutation:
    """``greeting`` opens the letter (may have several lines), ``mention`` stands in running text, ``envelope`` is the
    addressee without courtesy words, for the To field and for lists."""

    greeting: str
    mention: str
    envelope: str


def salute(parts: NameParts, language: str) -> Salutation:
    """Return how to address ``parts`` in a letter in ``language``. No part of the answer is ever empty."""
    return _STYLES[language](addressee(parts, language))


def salute_all(people: Sequence[NameParts], language: str) -> Salutation:
    """Return how to address several people in one letter: as a group, never by a list of names; one as by ``salute``.

    各位 takes no 様, and a Spanish letter names both genders because none is known.
    """
    if len(people) == 1:
        return salute(people[0], language)
    greeting, mention = _SEVERAL[language]
    names = [salute(one, language).envelope for one in people]
    return Salutation(greeting, mention, ", ".join(names) or mention)


_SEVERAL = {
    "ko": ("담당자 여러분께", "여러분"),
    "en": ("Dear All,", "you"),
    "zh-Hans": ("尊敬的各位：", "各位"),
    "zh-Hant": ("各位 您好：", "各位"),
    "ja": ("各位", "皆様"),
    "es": ("Estimados señores y señoras:", "ustedes"),
}


# --- Korean ----------------------------------------------------------------------------------------------------------

_NO_KOREAN_TITLE = frozenset({"사원", "직원", "담당", "담당자"})


def _korean(who: Addressee) -> Salutation:
    """Full name, title, 님; 님 stands apart after a name and joined after a title, never after a bare surname.

    A function below 대리 is no form of address. The name stays in the script it is known in. Without a name the title
    of the firm; a firm alone is headed 귀중 and its 담당자 greeted. 씨 and 귀하 are never used.
    """
    title = "" if who.title in _NO_KOREAN_TITLE else who.title
    if who.full and (title or len(who.full) > 1):
        name = f"{who.full} {title}님" if title else f"{who.full} 님"
        return Salutation(f"{name}께", name, who.full)
    if title:
        name = f"{who.company} {title}님".strip()
        return Salutation(f"{name}께", f"{title}님", who.company or title)
    if who.company:
        return Salutation(f"{who.company} 귀중\n담당자님께", "담당자님", who.company)
    return Salutation("담당자님께", "담당자님", "담당자")


# --- English ---------------------------------------------------------------------------------------------------------


_NO_ENGLISH_TITLE = frozenset({"buyer", "staff", "employee", "member", "assistant", "owner", "sales", "purchasing"})


def _english(who: Addressee) -> Salutation:
    """``Dear`` and the name; then the function, the firm's team, ``Sir or Madam``. A function is not repeated.

    ``Buyer``, ``Staff`` and the like are no form of address: ``Dear Buyer`` reads as a circular.
    """
    if who.full:
        name = _english_name(who)
        return Salutation(f"Dear {name},", name, who.full)
    if who.title and not (who.company and who.title.lower() in _NO_ENGLISH_TITLE):
        return Salutation(f"Dear {who.title},", "you", who.company or who.title)
    if who.company:
        return Salutation(f"Dear {who.company} Team,", "your company", who.company)
    return Salutation("Dear Sir or Madam,", "you", "Sir or Madam")


def _english_name(who: Addressee) -> str:
    """A rank that people there go by, else Mr or Ms, and the part one is addressed by; else the full name alone.

    Mr and Ms need both a recorded gender and a certain part; a rank says no gender and may stand before the full name.
    In Thailand ``Khun`` with the given name fits everybody. Full stops in American English only.
    """
    stop = "." if who.country in AMERICAN_ENGLISH else ""
    if customary(who.rank, who.country):
        return f"{_english_rank(who.rank, stop)} {who.address or who.full}"
    if not who.address:
        return who.full
    if who.country == "TH":
        return f"Khun {who.address}"
    courtesy = {"m": "Mr", "f": "Ms"}.get(who.gender)
    return f"{courtesy}{stop} {who.address}" if courtesy else who.full


def _english_rank(rank: str, stop: str) -> str:
    fixed = {"Prof": "Professor", "Dr": f"Dr{stop}", "Dra": f"Dr{stop}", "C.P": "C.P."}
    return fixed.get(rank) or (f"{rank}." if rank in ("Engr", "Eng", "Atty", "Ing", "Lic", "Arq") else rank)


# --- Chinese ---------------------------------------------------------------------------------------------------------

_NO_CHINESE_TITLE = re.compile(
    "职员|職員|员工|員工|采购|採購|采购员|採購員|业务|業務|业务员|業務員|销售|銷售|助理|专员|專員|买手|買手"
)


def _chinese_name(who: Addressee, unknown: str) -> str:
    """Surname and title as on the card, else surname and 先生 or 女士 by the recorded gender, else the full name.

    小姐 is never used. Where the surname is not certain, or the name in Latin letters, the full name stands for it.
    Functions that are no form of address (职员, 采购) are left out.
    """
    name = who.address if scripts_in(who.full) == {HAN} and who.address else who.full
    if _chinese_title(who):
        return name + who.title
    courtesy = {"m": "先生", "f": "女士"}.get(who.gender)
    return name + courtesy if courtesy else who.full + unknown


def _chinese_title(who: Addressee) -> str:
    return "" if _NO_CHINESE_TITLE.fullmatch(who.title) else who.title


def _simplified(who: Addressee) -> Salutation:
    """尊敬的, name, colon. A person of unknown gender without title is 先生/女士; a firm its 负责人, else 敬启者."""
    if who.full:
        name = _chinese_name(who, "先生/女士")
        return Salutation(f"尊敬的{name}：", name, who.full)
    if title := _chinese_title(who):
        return Salutation(f"尊敬的{title}：", title, who.company or title)
    if who.company:
        return Salutation(f"尊敬的{who.company}负责人：", "贵公司", who.company)
    return Salutation("敬启者：", "贵公司", "负责人")


def _traditional(who: Addressee) -> Salutation:
    """Name, 您好, colon. A person of unknown gender without title is the name alone; a firm its 負責人, else 敬啟者."""
    if who.full:
        name = _chinese_name(who, "")
        return Salutation(f"{name} 您好：", name, who.full)
    if title := _chinese_title(who):
        return Salutation(f"{title} 您好：", title, who.company or title)
    if who.company:
        return Salutation(f"{who.company} 負責人 您好：", "貴公司", who.company)
    return Salutation("敬啟者：", "貴公司", "負責人")


# --- Japanese --------------------------------------------------------------------------------------------------------

_SENSEI = re.compile(r".*(?:教授|弁護士|弁理士|医師|獣医師)")
_NO_JAPANESE_TITLE = frozenset({"担当", "担当者", "ご担当者", "社員", "会社員"})


def _japanese(who: Addressee) -> Salutation:
    """Firm, department and title, name 様, each on its line; the title never between name and 様.

    Professors, doctors and lawyers are 先生 instead. In running text the family name if it is certain. 御中 for a firm
    without a named person only, so never together with 様; ご担当者様 where a department or function is known.
    """
    title = "" if who.title in _NO_JAPANESE_TITLE else who.title
    if who.full:
        honorific = "先生" if _SENSEI.fullmatch(title) else "様"
        post = " ".join(part for part in (who.department, title) if part)
        lines = [line for line in (who.company, post, f"{who.full} {honorific}") if line]
        return Salutation("\n".join(lines), f"{who.address or who.full}{honorific}", who.full)
    if who.department or title:
        desk = f"{who.department or title} ご担当者様"
        return Salutation(
            "\n".join(filter(None, (who.company, desk))), "ご担当者様", who.company or who.department or title
        )
    if who.company:
        return Salutation(f"{who.company} 御中", "貴社", who.company)
    return Salutation("ご担当者様", "ご担当者様", "ご担当者")


# --- Spanish ---------------------------------------------------------------------------------------------------------


def _spanish(who: Addressee) -> Salutation:
    """``Estimado`` or ``Estimada`` by the recorded gender, ``Estimado/a`` without one; a colon, never a comma.

    Without a name ``Estimados señores`` and to whose attention.
    """
    if who.full:
        gender = who.gender or ("f" if who.rank == "Dra" else "")
        name = _spanish_name(who, gender)
        dear = {"m": "Estimado", "f": "Estimada"}.get(gender, "Estimado/a")
        return Salutation(f"{dear} {name}:", name, who.full)
    whom = who.company or who.department or who.title
    attention = f"A la atención de {whom}\n" if whom else ""
    return Salutation(f"{attention}Estimados señores:", "su empresa", whom or "Estimados señores")


def _spanish_name(who: Addressee, gender: str) -> str:
    """An academic title where one goes by it, else Sr. or Sra., and the (paternal) surname; else the full name alone.

    ``Sra.`` for every woman. Ing., Lic., Arq., C.P. in Spanish America but for Colombia, Dr. and Prof. everywhere; a
    woman whose card says Dr. is Dra.
    """
    rank = {"Prof": "Prof.", "Dr": "Dra." if gender == "f" else "Dr."}.get(who.rank) or f"{who.rank}."
    if customary(who.rank, who.country) and who.rank in ("Prof", "Dr", "Dra", "Ing", "Lic", "Arq", "C.P"):
        return f"{rank} {who.address or who.full}"
    if not who.address:
        return who.full
    courtesy = {"m": "Sr.", "f": "Sra."}.get(gender)
    return f"{courtesy} {who.address}" if courtesy else who.full


_STYLES: dict[str, Callable[[Addressee], Salutation]] = {
    "ko": _korean,
    "en": _english,
    "zh-Hans": _simplified,
    "zh-Hant": _traditional,
    "ja": _japanese,
    "es": _spanish,
}


def has_unreadable_name(parts: NameParts, language: str) -> bool:
    """Tell whether a name is known but stands in no script the letter's reader can read, so that it is left out."""
    return bool(clean(parts.full_name) or clean(parts.name_alt)) and not written_for(parts, language).full


_LOST = re.compile("[?？*＊]")
_DAMAGE = re.compile(
    "\ufffd|[ÂÃÐÑ][\u0080-\u00bf]|â€|[ìíêë][\u0080-\u00bf]{2}|ï»¿"  # UTF-8 read as Western, "FranÃ§ois"
    "|(?:=[0-9A-F]{2}){2,}"  # quoted-printable left undecoded, "=E7=88=B6"
)


def has_damaged_name(parts: NameParts) -> bool:
    """Tell whether the person's or the firm's name was damaged on the way here.

    In a person's name a ``?`` or ``＊`` stands for a lost character; U+FFFD, UTF-8 read in the wrong encoding and
    undecoded quoted-printable are damage in both.
    """
    person = " ".join(filter(None, (parts.full_name, parts.family_name, parts.given_name, parts.name_alt)))
    return bool(_LOST.search(person) or _DAMAGE.search(person) or _DAMAGE.search(parts.company or ""))
