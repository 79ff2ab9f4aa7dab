"""Who is the same person, which of two values wins, and whether a consent stands. Pure.

A wrong merge is worse than a missed one.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from rapidfuzz.distance import Indel

ALIKE = 0.92
MAYBE_ALIKE = 0.85

_WORDS = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
_LEGAL_FORMS = sorted(_WORDS["legal_forms"], key=len, reverse=True)
_ROLE = frozenset(_WORDS["role_mailboxes"])


@dataclass(frozen=True)
class Identity:
    """What tells a person: addresses, numbers (E.164), name in one or two scripts, firm, country and badge.

    ``badge`` is valid inside one exhibition only; the caller leaves it empty across exhibitions.
    """

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    name: str = ""
    name_alt: str = ""
    company: str = ""
    country: str = ""
    badge: str = ""

    @property
    def mailboxes(self) -> tuple[str, ...]:
        return tuple(mailbox(address) for address in self.emails)

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(number.partition(";")[0] for number in self.phones if number)

    @property
    def name_keys(self) -> tuple[str, ...]:
        return tuple(name_key(name) for name in (self.name, self.name_alt) if name)


def mailbox(address: str) -> str:
    """Return an address in lower case without its plus tag (``kim+expo@…``), for comparing only."""
    local, _at, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def is_role_mailbox(address: str) -> bool:
    """Tell whether an address is a firm's shared mailbox rather than a person's."""
    return address.casefold().partition("@")[0] in _ROLE


@cache
def fold(text: str) -> str:
    """Return letters and digits only, without case, width and accents (đ→d, ł→l, ı→i); words keep their spaces."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(str.maketrans("đłıøß", "dlios"))
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c) or ord(c) > 0x3000)
    kept = "".join(c if c.isalnum() else " " for c in unicodedata.normalize("NFC", plain) if c not in "'’-.")
    return " ".join(kept.split())


@cache
def name_key(name: str) -> str:
    """Return a name for comparing: folded, word order ignored (registration desks swap first and last names)."""
    words = fold(name).split()
    return "".join(sorted(words) if fold(name).isascii() else words)


@cache
def company_key(company: str) -> str:
    """Return a firm's name without legal form, case, accents and spaces; empty when nothing else is left."""
    text = unicodedata.normalize("NFKC", company).casefold()
    for form in _LEGAL_FORMS:
        form = unicodedata.normalize("NFKC", form).casefold()
        edge = r"(?<!\w)" + re.escape(form) + r"(?!\w)" if form.strip("().").isascii() else re.escape(form)
        text = re.sub(edge, " ", text)
    return fold(text).replace(" ", "")


def match_key(company: str, country: str) -> str:
    """Return the key organisations are looked up by: firm and country."""
    key = company_key(company) or fold(company).replace(" ", "")
    return f"{key}|{country}" if key else ""


def script(text: str) -> str:
    """Return latin or native (Hangul, Han, kana) for comparing names; empty for no letters."""
    if re.search("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]", text):
        return "native"
    return "latin" if any(c.isalpha() for c in text) else ""


def names_equal(one: Identity, other: Identity) -> bool:
    return bool(set(one.name_keys) & set(other.name_keys))


def names_contradict(one: Identity, other: Identity) -> bool:
    """Tell whether two people are named differently in the same script, sharing no word of the name."""
    if names_equal(one, other):
        return False
    pairs = [
        (a, b)
        for a in (one.name, one.name_alt)
        for b in (other.name, other.name_alt)
        if a and b and script(a) == script(b)
    ]
    return bool(pairs) and not any(_share_a_word(a, b) for a, b in pairs)


def _share_a_word(one: str, other: str) -> bool:
    if script(one) == "native":
        return False
    return bool({w for w in fold(one).split() if len(w) > 1} & {w for w in fold(other).split() if len(w) > 1})


def same_person(one: Identity, other: Identity) -> str:
    """Return why two records are one person: badge, email, phone or name; empty when they are not surely one.

    Strongest reason first. Contradicting names in one script always keep two records apart.
    """
    if names_contradict(one, other):
        return ""
    if one.badge and one.badge == other.badge:
        return "badge"
    if _same_mailbox(one, other):
        return "email"
    if set(one.numbers) & set(other.numbers) and _compatible(one, other):
        return "phone"
    return "name" if _same_name_and_firm(one, other) else ""


def maybe_same_person(one: Identity, other: Identity) -> bool:
    """Tell whether a person should be asked: equal names at firms that read alike, but two different mailboxes."""
    if same_person(one, other) or not names_equal(one, other):
        return False
    return _firms_alike(one, other, MAYBE_ALIKE)


def _same_mailbox(one: Identity, other: Identity) -> bool:
    shared = set(one.mailboxes) & set(other.mailboxes)
    if any(not is_role_mailbox(address) for address in shared):
        return True
    return bool(shared) and (names_equal(one, other) or not (one.name or other.name))


def _compatible(one: Identity, other: Identity) -> bool:
    """A number alone is no proof, colleagues share lines: names must be equal or in different scripts."""
    if not (one.name and other.name):
        return False
    return names_equal(one, other) or script(one.name) != script(other.name)


def _same_name_and_firm(one: Identity, other: Identity) -> bool:
    if one.emails and other.emails:
        return False
    if one.country and other.country and one.country != other.country:
        return False
    return names_equal(one, other) and _firms_alike(one, other, ALIKE)


def _firms_alike(one: Identity, other: Identity, least: float) -> bool:
    first, second = company_key(one.company), company_key(other.company)
    return bool(first and second) and Indel.normalized_similarity(first, second) >= least


def keys(person: Identity) -> list[tuple[str, str]]:
    """Return the keys under which people who may be the same are looked up."""
    found = [("email", address) for address in person.mailboxes]
    found += [("phone", number) for number in person.numbers]
    found += [("name", key) for key in person.name_keys]
    return [*found, ("badge", person.badge)] if person.badge else found


def first_of_each(people: Sequence[Identity]) -> list[int | None]:
    """Return for every record the index of the first record of the same person, None for that first one itself."""
    seen: dict[tuple[str, str], list[int]] = {}
    firsts: list[int | None] = []
    for index, person in enumerate(people):
        near = sorted({i for key in keys(person) for i in seen.get(key, ())})
        firsts.append(_root(person, near, people, firsts))
        for key in keys(person):
            seen.setdefault(key, []).append(index)
    return firsts


def _root(person: Identity, near: Iterable[int], people: Sequence[Identity], firsts: list[int | None]) -> int | None:
    for index in near:
        if same_person(people[index], person):
            first = firsts[index]
            root = index if first is None else first
            if not names_contradict(people[root], person):
                return root
    return None


# Which value wins


@dataclass(frozen=True)
class Merge:
    """What a record changes in a person: values to write, values that lost, and fields a person's edit protects."""

    changes: dict[str, object]
    lost: dict[str, str]
    protected: tuple[str, ...]


LISTS = frozenset({"tags", "other_phones", "interests", "requests"})
KEPT_WHEN_LOST = frozenset({"company", "department", "title", "mobile", "phone"})


def merge(
    current: Mapping[str, object], stated: Mapping[str, object], *, newer: bool, edited: Collection[str] = ()
) -> Merge:
    """Decide field by field what a record changes.

    ``current`` and ``stated`` map field to value; ``newer`` tells that the record is dated after everything known of
    the person. Empty never overwrites; lists and maps are united; a person's edit beats every file; the native script
    of a name beats the Latin one.
    """
    changes: dict[str, object] = {}
    lost: dict[str, str] = {}
    protected: list[str] = []
    for field, value in stated.items():
        known = current.get(field)
        if not value or value == known:
            continue
        if field in edited:
            protected.append(field)
        elif isinstance(value, list):
            united = list(dict.fromkeys([*_as_list(known), *value]))
            changes |= {field: united} if united != known else {}
        elif isinstance(value, dict):
            united_map = {**value, **_as_dict(known)}
            changes |= {field: united_map} if united_map != known else {}
        elif not known or _wins(field, str(known), str(value), newer=newer):
            changes[field] = value
            lost |= {field: str(known)} if known and field in KEPT_WHEN_LOST else {}
        elif field in KEPT_WHEN_LOST and fold(str(value)) != fold(str(known)):
            lost[field] = str(value)
    return Merge(changes, lost, tuple(protected))


NAME_FIELDS = ("full_name", "family_name", "given_name")


def _wins(field: str, known: str, value: str, *, newer: bool) -> bool:
    """Names: the native script beats the Latin one whenever it was written. Of equal spellings the finer one wins."""
    if field in NAME_FIELDS and script(known) != script(value):
        return script(value) == "native"
    if fold(known) == fold(value):
        return _is_shouted(known) and not _is_shouted(value)
    return newer


def _is_shouted(text: str) -> bool:
    return text.isupper() or text.islower()


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _as_dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def without(current: object, before: object, after: object, others: Sequence[object] = ()) -> object:
    """Take one change back and return the value to keep.

    ``after`` is what the change wrote; for lists and maps what its record stated. ``others`` are what later changes
    that still stand wrote: they keep what they stated too. A single value that was changed since stays as it is; of
    lists and maps only what this change alone had added goes.
    """
    if isinstance(after, list):
        gone = added(before, after)
        stated = [item for other in others for item in _as_list(other)]
        return [item for item in _as_list(current) if item not in gone or item in stated]
    if isinstance(after, dict):
        gone_keys = {key for key in added(before, after) if not any(key in _as_dict(other) for other in others)}
        return {key: value for key, value in _as_dict(current).items() if key not in gone_keys}
    if current == after:
        return before
    if isinstance(current, str) and isinstance(after, str) and "\n" in current:
        return _without_lines(current, str(before or ""), after)
    return current


def _without_lines(current: str, before: str, after: str) -> str:
    """Notes are only ever added to; take the added lines out wherever they stand now."""
    part = after.removeprefix(before).strip("\n")
    if not after.startswith(before) or part not in current:
        return current
    return re.sub(r"\n{2,}", "\n", current.replace(part, "", 1)).strip("\n")


def added(before: object, after: object) -> list[object]:
    """Return the items or keys that a change brought."""
    known = _as_dict(before) if isinstance(after, dict) else _as_list(before)
    listed = list(after) if isinstance(after, list | dict) else []
    return [item for item in listed if item not in known]


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
