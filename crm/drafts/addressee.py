"""Finds what may be used of an addressee in a letter: which writing of the name, which part of it, which title. Pure.

What is not certain is not used: a name is cut only where its script, its capitals, a list of family names or the
custom of its country make the cut sure; gender is only what a column or a form of address on the card says.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files

from crm.drafts.language import SPANISH_AMERICA
from crm.drafts.name_locales import likely_locale
from crm.drafts.person_names import SURNAME_FIRST, PersonName, format_name
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
class Addressee:
    """The parts that may be used in one language; '' for what is unknown, uncertain or in a foreign script.

    ``address`` is the part one is addressed by in the person's country, ``rank`` a title that stands before a name
    instead of Mr or Ms (``Dr``, ``Ing``, ``Dato'``), ``title`` the function in the letter's own language.
    """

    full: str
    address: str
    gender: str
    rank: str
    title: str
    department: str
    company: str
    country: str


@dataclass(frozen=True)
class _Name:
    """One writing of a name; family and given are '' where they are not known for this writing."""

    full: str = ""
    family: str = ""
    given: str = ""


def addressee(parts: NameParts, language: str) -> Addressee:
    """Return what a letter in ``language`` may use of ``parts``."""
    country = (parts.country or "").upper()
    name, said_gender, said_rank = _bare(_without_credentials(written_for(parts, language)), country)
    alone = said_gender and " " not in name.full  # ``Mr. Smith``: what follows Mr alone is what one is addressed by
    title = _first_of(clean(parts.title))
    company = clean(parts.company, FIRM_COURTESY)
    department = clean(parts.department)
    return Addressee(
        full=name.full,
        address=name.full if alone else address_part(name.full, name.family, name.given, country),
        gender=parts.gender if parts.gender in ("m", "f") else said_gender if not parts.gender else "",
        rank=_rank_in(title) or said_rank,
        title=title if native(title, language) and not _rank_in(title) else "",
        department=department if native(department, language) else "",
        company=company if readable(company, language) else "",
        country=country,
    )


# --- cleaning --------------------------------------------------------------------------------------------------------

_NOTHING = frozenset({"", "none", "null", "nan", "n/a", "na", "nil", "-", "–", "—", ".", "?"})
COURTESY = re.compile(r"\s*(様|さま|殿|님|귀하|先生|女士|小姐)$|\s+씨$")
_SCHEME = re.compile(r"\w*://")
FIRM_COURTESY = re.compile(r"\s*(様|御中|귀중)$")


@lru_cache(maxsize=8192)  # a name is cleaned for each language and each form of address
def clean(text: str | None, courtesy: re.Pattern[str] = COURTESY) -> str:
    """Return ``text`` on one line without control and private characters, courtesy words and words for 'nothing'.

    A web address in a cell for a name loses its ``https://``: no letter of ours makes a link to it.
    """
    line = text or ""
    if not line.isprintable():  # control, private and unusual space characters
        line = "".join(char if char.isprintable() else " " for char in line)
    line = " ".join(line.split())
    if "://" in line:
        line = _SCHEME.sub("", line)
    while (stripped := courtesy.sub("", line)) != line:
        line = stripped
    return "" if line.lower() in _NOTHING or not any(char.isalnum() for char in line) else line


def _first_of(title: str) -> str:
    """Return the first of several functions: ``이사 / 팀장`` is addressed as 이사, ``Ing., Gerente`` as Ing.

    A comma after one Latin word divides nothing: ``Sales, Marketing Manager``.
    """
    first = re.split(r"\s*[/，、|·]\s*|\s+[-–]\s+", title)[0]
    head = first.partition(",")[0].strip()
    return head if " " in head or _rank_in(head) or LATIN not in scripts_in(head) else first


# --- which writing ---------------------------------------------------------------------------------------------------


def written_for(parts: NameParts, language: str) -> _Name:
    """Return the writing of the name in the letter's own script, else one its reader can read, else none.

    Names are never transcribed and simplified and traditional characters never changed into one another. Family and
    given name count only for the writing whose script they are in.
    """
    family, given = clean(parts.family_name), clean(parts.given_name)
    full = clean(parts.full_name) or joined(family, given, (parts.country or "").upper(), language)
    variants = (_Name(full, family, given), _Name(clean(parts.name_alt)))
    for fits in (native, readable):
        for name in variants:
            if fits(name.full, language):
                return name if scripts_in(name.family + name.given) <= scripts_in(name.full) else _Name(name.full)
    return _Name()


FAMILY_FIRST = frozenset({"VN", "MN", "HU"})


@lru_cache(maxsize=4096)
def joined(family: str, given: str, country: str, language: str) -> str:
    """Return family and given name as one, in the order and with the spaces of CLDR for the reader's language.

    Japanese names keep a space, as on cards, since it alone shows where the family name ends. Vietnamese, Mongolian
    and Hungarian names stay family first in every language, as on their cards.
    """
    if not family or not given:
        return family or given
    if country == "JP" and LATIN not in scripts_in(family + given):
        return f"{family} {given}"
    known = re.fullmatch("[A-Z]{2}", country) and not _plainly_east_asian(family, given)
    order = SURNAME_FIRST if country in FAMILY_FIRST else None
    name = PersonName({"surname": family, "given": given}, likely_locale(f"und_{country}") if known else "", order)
    return format_name(name, language, length="long", formality="informal")


def _plainly_east_asian(family: str, given: str) -> bool:
    """Tell Kim of Los Angeles, who writes 김민수, from a foreign name spelled in Korean or Chinese writing."""
    scripts = scripts_in(family + given)
    short = len(family) == 1 or family in (*HANGUL_DOUBLE, *HAN_DOUBLE)
    return scripts <= {HANGUL, HAN} and short and len(given) <= 2


# --- which part ------------------------------------------------------------------------------------------------------

ARAB_LANDS = frozenset(["AE", "SA", "EG", "QA", "KW", "OM", "BH", "JO", "IQ", "LB", "YE"])
GIVEN_FIRST_ADDRESS = frozenset(["VN", "TH", "MY", "BN", "BR", "MN"]) | ARAB_LANDS
NO_FAMILY_NAME = frozenset({"ID"})
CHINESE_LANDS = frozenset(["CN", "TW", "HK", "MO", "SG", "MY"])
TWO_SURNAMES = SPANISH_AMERICA | {"ES"}
HANGUL_DOUBLE = ("남궁", "황보", "제갈", "선우", "독고", "사공", "서문", "동방")
HAN_DOUBLE = ("欧阳", "司马", "上官", "诸葛", "夏侯", "东方", "尉迟", "歐陽", "司馬", "諸葛", "東方", "尉遲")
_MALAY = re.compile(r"^(?P<given>.+?)\s+(bin|binti|bte?|a/l|a/p|s/o|d/o)\.?\s+", re.IGNORECASE)
_INITIAL = re.compile(r"(?:[^\W\d_]\.)+|[^\W\d_]")


@lru_cache(maxsize=4096)  # asked for by the letter and by its Korean rendering
def address_part(full: str, family: str, given: str, country: str) -> str:
    """Return the part of a name one is addressed by, '' where that is not certain.

    By country: the given name in Viet Nam (its last word), Thailand, Malaysia, Brazil, Mongolia and the Arab lands;
    the paternal of two surnames in Spain and Spanish America; nothing in Indonesia, where a surname is not invented;
    the name beside initials in India; the family name everywhere else, a compound one whole.
    """
    if not full or country in NO_FAMILY_NAME:
        return ""
    if malay := _MALAY.match(full):
        return malay["given"]
    if not (family and given):
        family, given = split(full, country)
    if country == "IN" and _INITIAL.fullmatch(family):
        part = given
    elif country in GIVEN_FIRST_ADDRESS and scripts_in(full) <= {LATIN}:
        part = given.split()[-1] if country == "VN" and given else given
    else:
        part = paternal(family) if country in TWO_SURNAMES else family
    return " ".join(map(_uncapitalised, part.split()))


_PARTICLES = frozenset({"de", "del", "la", "las", "los", "san", "santa", "da", "do", "dos", "van", "von", "der", "di"})
_PARTICLES_IN_CAPITALS = frozenset(map(str.upper, _PARTICLES))


def paternal(family: str) -> str:
    """Return the first of two surnames, with the particles before it; the whole where the border is not certain.

    ``García López`` → ``García``; ``de la Cruz Pérez`` → ``de la Cruz``; ``Ruiz de Alarcón``, ``Ortega y Gasset`` and
    three or more names stay whole.
    """
    words = family.split()
    names = [word for word in words if word.lower() not in _PARTICLES]
    if len(names) != 2 or "y" in words or words[-1] != names[1] or words[-2] != names[0]:
        return family
    return " ".join(words[:-1])


def split(full: str, country: str) -> tuple[str, str]:
    """Return (family, given) where the cut is certain, else two empty texts. The script is the first guide."""
    scripts = scripts_in(full)
    if scripts == {HANGUL} and 2 <= len(full) <= 5 and " " not in full:
        return _cut(full, HANGUL_DOUBLE)
    if country == "JP" and full.count(" ") == 1 and LATIN not in scripts:
        family, given = full.split()
        return family, given
    if scripts == {HAN} and country in CHINESE_LANDS | {"KR"} and 2 <= len(full) <= 4 and " " not in full:
        return _cut(full, HAN_DOUBLE)
    if scripts == {LATIN}:
        return _split_latin(full, country)
    return "", ""


def _cut(full: str, doubles: tuple[str, ...]) -> tuple[str, str]:
    if full in doubles:  # a surname alone, as after 欧阳先生
        return full, ""
    length = 2 if full.startswith(doubles) else 1
    return full[:length], full[length:]


def _split_latin(full: str, country: str) -> tuple[str, str]:
    words = full.split()
    by_capitals = _by_capitals(words)
    if by_capitals[0] or len(words) < 2:
        return by_capitals
    custom = _CUSTOMS.get(country)
    return custom(words) if custom else ("", "")


def _by_capitals(words: list[str]) -> tuple[str, str]:
    """``KIM Min-su``, ``Jean DUPONT``, ``Ana DE LA CRUZ``: capitals at one end mark the family name, everywhere."""
    names = [word.isupper() and not word.endswith(".") and (len(word) > 2 or _listed(word)) for word in words]
    marks = [name or word in _PARTICLES_IN_CAPITALS for name, word in zip(names, words, strict=True)]
    count = sum(marks)
    if not any(names) or count == len(words) or not any(word[1:].islower() for word in words if not word.isupper()):
        return "", ""
    if all(marks[:count]):
        family, given = words[:count], words[count:]
    elif all(marks[-count:]):
        family, given = words[-count:], words[:-count]
    else:
        return "", ""
    return " ".join(map(_uncapitalised, family)), " ".join(given)


def _uncapitalised(word: str) -> str:
    """``KIM`` → ``Kim``, ``DE`` → ``de``; two capitals may be initials (``JP``) unless they are a name (``NG``)."""
    if not word.isupper() or scripts_in(word) != {LATIN}:
        return word
    if word.lower() in _PARTICLES:
        return word.lower()
    return word.title() if len(word) > 2 or _listed(word) else word


def _listed(word: str) -> bool:
    return any(_folded(word) in _surnames(people) for people in ("korean", "chinese", "vietnamese"))


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFD", word.lower().replace("đ", "d"))
    return "".join(char for char in plain if char.isalpha())


@cache
def _surnames(people: str) -> frozenset[str]:
    listed: dict[str, str] = tomllib.loads(files("crm.drafts").joinpath("surnames.toml").read_text(encoding="utf-8"))
    return frozenset(listed[people].split())


def _by_list(words: list[str], people: str) -> tuple[str, str]:
    """``Minsu Kim``, ``Wang Xiaoming``: one end of the name, not both, is in the list of family names.

    A word with a hyphen is a given name. ``Vivian Chan Wai-Ling`` has the family name before the hyphened one.
    """
    known = [_folded(word) in _surnames(people) and "-" not in word for word in words]
    if len(words) == 3 and "-" in words[2] and known[1] and not known[0]:
        return words[1], f"{words[0]} {words[2]}"
    if known[0] and not known[-1]:
        return words[0], " ".join(words[1:])
    if known[-1] and not known[0]:
        return words[-1], " ".join(words[:-1])
    return "", ""


def _korean_words(words: list[str]) -> tuple[str, str]:
    return _by_list(words, "korean")


def _chinese_words(words: list[str]) -> tuple[str, str]:
    return _by_list(words, "chinese")


def _vietnamese_words(words: list[str]) -> tuple[str, str]:
    """``Nguyễn Văn An`` and ``Mai Thi Nguyen``: the listed name is the family's, the other end the given name."""
    family, given = _by_list(words, "vietnamese")
    return family, given if family == words[0] else words[0] if family else ""


def _thai_words(words: list[str]) -> tuple[str, str]:
    """Thai names have one order in every script: given, family."""
    return (words[1], words[0]) if len(words) == 2 else ("", "")


def _mongolian_words(words: list[str]) -> tuple[str, str]:
    """``T. Oyunchimeg``: the initial is the father's name, the word the person's own."""
    return (words[0], words[1]) if len(words) == 2 and _INITIAL.fullmatch(words[0]) else ("", "")


def _indian_words(words: list[str]) -> tuple[str, str]:
    """``R. Subramanian``: beside initials only one name stands, and one is addressed by it."""
    names = [word for word in words if not _INITIAL.fullmatch(word)]
    return (names[0], " ".join(word for word in words if word not in names)) if len(names) == 1 else ("", "")


def _arab_words(words: list[str]) -> tuple[str, str]:
    """``Ahmed Al-Mazrouqi``, ``Abdul Rahman Al Saud``: what stands before Al is the given name."""
    at = next((place for place, word in enumerate(words) if re.match(r"(?:al|el)(?:-|$)", word, re.I)), 0)
    given = words[:at]
    single = len(given) == 1 and not _folded(given[0]).startswith(("abd", "abu"))
    servant = len(given) == 2 and _folded(given[0]) in ("abdul", "abdel", "abd", "abdal")
    return (" ".join(words[at:]), " ".join(given)) if single or servant else ("", "")


_CUSTOMS: dict[str, Callable[[list[str]], tuple[str, str]]] = {
    "KR": _korean_words,
    **dict.fromkeys(("CN", "TW", "HK", "MO"), _chinese_words),
    "VN": _vietnamese_words,
    "TH": _thai_words,
    "MN": _mongolian_words,
    "IN": _indian_words,
    **dict.fromkeys(ARAB_LANDS, _arab_words),
}


# --- titles before a name --------------------------------------------------------------------------------------------

_RANKS = (
    ("Prof", r"Prof(?:essor)?\.?(?:\s*Dr\.?)?"),
    ("Dra", r"Dra\."),
    ("Dr", r"Dr\.?"),
    ("Engr", r"Engr\.?"),
    ("Eng", r"Eng\."),
    ("Ing", r"Ing\."),
    ("Lic", r"Lic\."),
    ("Arq", r"Arq\."),
    ("C.P", r"C\.\s?P\."),
    ("Atty", r"Atty\.?"),
    ("Sheikha", r"Sheikha"),
    ("Sheikh", r"Sheikh"),
    ("Dato' Sri", r"Dato['’]?\s+S(?:e)?ri"),
    ("Dato'", r"Dato['’]?"),
    ("Datuk", r"Datuk"),
    ("Datin", r"Datin"),
    ("Tan Sri", r"Tan Sri"),
    ("Puan Sri", r"Puan Sri"),
    ("Tun", r"Tun"),
)
_RANK = re.compile("|".join(f"(?P<r{place}>{pattern})" for place, (_name, pattern) in enumerate(_RANKS)), re.I)
_CREDENTIALS = r"(?:Ph\.?\s?D|M\.?B\.?A|M\.?D|C\.?P\.?A|P\.\s?Eng|M\.?Sc|B\.?Sc|D\.?D\.?S|Esq)\.?"
_AFTER_NAME = re.compile(rf"(?:,\s*|\s+){_CREDENTIALS}$")
_CREDENTIAL = re.compile(_CREDENTIALS)
_SPANISH_DON = re.compile(r"(?:(?P<him>Don|D\.)|(?P<her>Doña|Dña\.|D\.ª))\s*(?=\S{2})")
_BEFORE_NAME = re.compile(
    rf"(?:(?P<rank>{'|'.join(pattern for _name, pattern in _RANKS)})"
    r"|(?P<him>Mr|Sr)|(?P<her>Ms|Mrs|Miss|Sra|Srta)|(?P<any>Mx))"
    r"(?:(?<=\.)|\.|(?=\s))\s*(?=\S)",
    re.I,
)
_ONLY_IN = {
    **dict.fromkeys(("Dato'", "Dato' Sri", "Datuk", "Datin", "Tan Sri", "Puan Sri", "Tun"), frozenset({"MY", "BN"})),
    **dict.fromkeys(("Engr", "Atty"), frozenset({"PH"})),
    **dict.fromkeys(("Eng", "Sheikh", "Sheikha"), ARAB_LANDS),
    **dict.fromkeys(("Ing", "Lic", "Arq", "C.P"), SPANISH_AMERICA - {"CO"}),
}


def customary(rank: str, country: str) -> bool:
    """Tell whether people in ``country`` are addressed by ``rank``: Dr and Prof everywhere, the others where listed."""
    return bool(rank) and country in _ONLY_IN.get(rank, {country})


def _rank_in(title: str) -> str:
    """Return the rank a title consists of: ``Dr.`` → ``Dr``; '' for a function such as ``Director``."""
    found = _RANK.fullmatch(title)
    return _RANKS[int(str(found.lastgroup)[1:])][0] if found else ""


def _without_credentials(name: _Name) -> _Name:
    """Return the name without ``, Ph.D.``, which a comma makes look like a given name: it is not said in a greeting."""
    if name.given and _CREDENTIAL.fullmatch(name.given):
        name = _Name(name.family)
    full = name.full
    while (bare := _AFTER_NAME.sub("", full)) != full:
        full = bare
    return name if full == name.full else replace(name, full=full)


def _bare(name: _Name, country: str) -> tuple[_Name, str, str]:
    """Return the name without forms of address in front, the gender they say and the rank among them.

    A word that is a rank in some countries only is elsewhere a part of the name: ``Tun Aung`` is nobody's Tun.
    """
    gender = rank = ""
    full = name.full
    while found := _BEFORE_NAME.match(full) or (_SPANISH_DON.match(full) if country in TWO_SURNAMES else None):
        one = _rank_in(found.groupdict().get("rank") or "")
        if not any(char.isalnum() for char in full[found.end() :]):
            break
        if one and not (customary(one, country) or found["rank"].endswith(".")):
            break
        rank = rank or one
        gender = gender or ("m" if found["him"] else "f" if found["her"] else "")
        full = full[found.end() :]
    return (name if full == name.full else replace(name, full=full)), gender, rank
