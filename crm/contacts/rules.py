"""Who is the same person, and whether a consent stands. Pure. Which value wins is decided in ``merging``.

A wrong merge is worse than a missed one.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Indel

ALIKE = 0.92
MAYBE_ALIKE = 0.85
REMEMBERED = 4_000
"""Results kept of the functions below; a list repeats its firms and names, but memory must not grow with it."""

_WORDS = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
_ROLE = frozenset(_WORDS["role_mailboxes"])
_PLAIN_NATIVE = re.compile("[\u4e00-\u9fff\uac00-\ud7a3]+")
_DROPPED = re.compile(r"['\-.]")
_APART = re.compile(r"[^a-z0-9]+")
_NATIVE = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
_ROMANISED = str.maketrans("đłıøß", "dlios")


def _legal_forms() -> re.Pattern[str]:
    """Latin forms stand as words of their own, the others anywhere (``한빛(주)``); the longest is taken first."""
    forms = {unicodedata.normalize("NFKC", form).casefold() for form in _WORDS["legal_forms"]}
    ordered = sorted(forms, key=len, reverse=True)
    latin = "|".join(re.escape(form) for form in ordered if form.strip("().").isascii())
    native = "|".join(re.escape(form) for form in ordered if not form.strip("().").isascii())
    return re.compile(rf"(?<!\w)(?:{latin})(?!\w)|{native}")


_LEGAL_FORM = _legal_forms()


class Identity:
    """What tells a person: addresses, numbers (E.164), names in any script, firms, countries and badges.

    One record has at most one of most of these; a person known from several lists has what all of them say. Few values
    each, so plain tuples serve better than sets. ``badges`` hold the exhibition as well, since a badge number is valid
    inside one exhibition only.
    """

    __slots__ = ("_companies", "_firms", "badges", "countries", "mailboxes", "mobiles", "names", "numbers")

    def __init__(
        self,
        mailboxes: tuple[str, ...] = (),
        numbers: tuple[str, ...] = (),
        names: tuple[str, ...] = (),
        companies: tuple[str, ...] = (),
        countries: tuple[str, ...] = (),
        badges: tuple[tuple[int, str], ...] = (),
        mobiles: tuple[str, ...] = (),
        firms: tuple[str, ...] | None = None,
    ) -> None:
        """``names`` and ``companies`` are as written, ``mailboxes`` by ``mailbox``, ``firms`` by ``company_key``."""
        self.mailboxes = mailboxes
        self.numbers = numbers
        self.names = names
        self.countries = countries
        self.badges = badges
        self.mobiles = mobiles
        self._companies = companies
        self._firms = firms

    def parts(self) -> tuple[tuple[Any, ...], ...]:
        """Return what makes the same identity anew, its firms worked out."""
        return (
            self.mailboxes,
            self.numbers,
            self.names,
            self._companies,
            self.countries,
            self.badges,
            self.mobiles,
            self.firms,
        )

    def __or__(self, other: "Identity") -> "Identity":
        companies = _both(self._companies, other._companies)
        return Identity(
            _both(self.mailboxes, other.mailboxes),
            _both(self.numbers, other.numbers),
            _both(self.names, other.names),
            companies,
            _both(self.countries, other.countries),
            _both(self.badges, other.badges),
            _both(self.mobiles, other.mobiles),
            next((one._firms for one in (self, other) if one._firms is not None and one._companies == companies), None),
        )

    @property
    def firms(self) -> tuple[str, ...]:
        """Return the companies by ``company_key``; worked out when first asked, most are known by their mailbox."""
        if self._firms is None:
            self._firms = tuple(dict.fromkeys(key for name in self._companies if (key := company_key(name))))
        return self._firms

    @property
    def firm(self) -> str:
        """Return the one firm of one company; empty when there are several or it has no key."""
        return self.firms[0] if len(self.firms) == len(self._companies) == 1 else ""

    @property
    def name_keys(self) -> tuple[str, ...]:
        return tuple(map(name_key, self.names))


def _both(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    if one == other or not other:
        return one
    return (*one, *(value for value in other if value not in one))


def _share(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return any(value in other for value in one) if one and other else False


def mailbox(address: str) -> str:
    """Return an address in lower case without its plus tag (``kim+expo@…``), for comparing only."""
    if "+" not in address:
        return address.casefold()
    local, _at, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def is_role_mailbox(address: str) -> bool:
    """Tell whether an address is a firm's shared mailbox rather than a person's."""
    return address.casefold().partition("@")[0] in _ROLE


@lru_cache(REMEMBERED)
def fold(text: str) -> str:
    """Return letters and digits only, without case, width and accents (đ→d, ł→l, ı→i); words keep their spaces."""
    if text.isascii():
        return _APART.sub(" ", _DROPPED.sub("", text.lower())).strip()
    if _PLAIN_NATIVE.fullmatch(text):
        return text
    text = unicodedata.normalize("NFKC", text).casefold().translate(_ROMANISED)
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c) or ord(c) > 0x3000)
    kept = "".join(c if c.isalnum() else " " for c in unicodedata.normalize("NFC", plain) if c not in "'’-.")
    return " ".join(kept.split())


@lru_cache(REMEMBERED)
def name_key(name: str) -> str:
    """Return a name for comparing: folded, word order ignored (registration desks swap first and last names)."""
    folded = fold(name)
    words = folded.split()
    return "".join(sorted(words) if folded.isascii() else words)


@lru_cache(REMEMBERED)
def company_key(company: str) -> str:
    """Return a firm's name without legal form, case, accents and spaces; empty when nothing else is left."""
    text = company if company.isascii() else unicodedata.normalize("NFKC", company)
    return fold(_LEGAL_FORM.sub(" ", text.casefold()).replace(" ", "")).replace(" ", "")


def match_key(company: str, country: str, firm: str = "") -> str:
    """Return the key organisations are looked up by: firm and country. ``firm``: its ``company_key`` if known."""
    key = firm or company_key(company) or fold(company).replace(" ", "")
    return f"{key}|{country}" if key else ""


@lru_cache(REMEMBERED)
def script(text: str) -> str:
    """Return latin or native (Hangul, Han, kana) for comparing names; empty for no letters."""
    if not text.isascii() and _NATIVE.search(text):
        return "native"
    return "latin" if any(c.isalpha() for c in text) else ""


def names_equal(one: Identity, other: Identity) -> bool:
    return _share(one.names, other.names) or _share(one.name_keys, other.name_keys)


def names_contradict(one: Identity, other: Identity) -> bool:
    """Tell whether two people are named differently in the same script, sharing no word of the name."""
    if names_equal(one, other):
        return False
    pairs = [(a, b) for a in one.names for b in other.names if script(a) == script(b)]
    return bool(pairs) and not any(_share_a_word(a, b) for a, b in pairs)


def _share_a_word(one: str, other: str) -> bool:
    if script(one) == "native":
        return False
    return bool({w for w in fold(one).split() if len(w) > 1} & {w for w in fold(other).split() if len(w) > 1})


REASONS = ("badge", "email", "phone", "name")
"""Why two records are one person, the strongest first."""


def same_person(one: Identity, other: Identity) -> str:
    """Return why two records are one person, one of ``REASONS``; empty when they are not surely one.

    Contradicting names in one script always keep two records apart.
    """
    if names_contradict(one, other):
        return ""
    if _share(one.badges, other.badges):
        return "badge"
    if _same_mailbox(one, other):
        return "email"
    if _share(one.numbers, other.numbers) and _compatible(one, other):
        return "phone"
    return "name" if _same_name_and_firm(one, other) else ""


def maybe_same_person(one: Identity, other: Identity) -> str:
    """Return why a person should compare two who are not surely one: name, mailbox or mobile; empty when nothing hints.

    A shared land line hints at nothing, colleagues share it; a shared mobile does.
    """
    if names_equal(one, other) and _firms_alike(one, other, MAYBE_ALIKE):
        return "name"
    if _share(one.mailboxes, other.mailboxes):
        return "mailbox"
    return "mobile" if _share(one.mobiles, other.mobiles) else ""


def _same_mailbox(one: Identity, other: Identity) -> bool:
    shared = [address for address in one.mailboxes if address in other.mailboxes]
    if any(not is_role_mailbox(address) for address in shared):
        return True
    return bool(shared) and (names_equal(one, other) or not (one.names or other.names))


def _compatible(one: Identity, other: Identity) -> bool:
    """A number alone is no proof, colleagues share lines: names must be equal or in different scripts."""
    if not (one.names and other.names):
        return False
    return names_equal(one, other) or not _share(tuple(map(script, one.names)), tuple(map(script, other.names)))


def _same_name_and_firm(one: Identity, other: Identity) -> bool:
    if one.mailboxes and other.mailboxes:
        return False
    if one.countries and other.countries and not _share(one.countries, other.countries):
        return False
    return names_equal(one, other) and _firms_alike(one, other, ALIKE)


def _firms_alike(one: Identity, other: Identity, least: float) -> bool:
    if _share(one.firms, other.firms):
        return True
    return any(Indel.normalized_similarity(a, b) >= least for a in one.firms for b in other.firms)


def keys(one: Identity) -> dict[str, str]:
    """Return the keys under which a record's person is looked up, each with the firm it is about, if any.

    A name is looked up together with how its firm begins or ends: of two firms that read alike at least one end is the
    same, and a common name does not bring thousands of strangers. ``firm_fits`` then tells whom to look at closely.
    """
    found = dict.fromkeys([f"e:{address}" for address in one.mailboxes], "")
    for number in one.numbers:
        found[f"p:{number}"] = ""
    for show, badge in one.badges:
        found[f"b:{show}:{badge}"] = ""
    for firm in one.firms:
        for name in one.names:
            key = name_key(name)
            found[f"n:{key}|{firm[:3]}"] = firm
            found[f"m:{key}|{firm[-3:]}"] = firm
    return found


def firm_fits(one: str, other: str) -> bool:
    """Tell whether two people of one name may be one person by their firms' keys; no firm fits any."""
    return one == other or not one or not other or Indel.normalized_similarity(one, other) >= MAYBE_ALIKE


# Consent


@dataclass(frozen=True)
class Statement:
    """One statement about advertising mail: yes or no, to one exporter or (None) to all, and when; None: undated."""

    given: bool
    exporter_id: int | None
    at: datetime | None


def consent_stands(statements: Iterable[Statement], exporter_id: int | None) -> bool:
    """Tell whether the statements that concern an exporter end in a yes.

    An undated no always wins, otherwise the latest dated statement; at the same time the no wins.
    """
    concerning = [one for one in statements if one.exporter_id in (None, exporter_id)]
    refusals = [one for one in concerning if not one.given]
    grants = [one for one in concerning if one.given]
    if not grants or any(one.at is None for one in refusals):
        return False
    last_no = max((one.at for one in refusals if one.at), default=None)
    last_yes = max((one.at for one in grants if one.at), default=None)
    if last_no is None:
        return True
    return last_yes is not None and last_yes > last_no
