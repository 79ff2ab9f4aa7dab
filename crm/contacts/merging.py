"""What several records of one person add up to. Pure: the same records in the same order always give the same person.

A record is what one row of a list states: facts by canonical field name, nothing empty. Records are ranked by when the
person was met (else registered), the newest first, undated ones last, ties by earlier import. Of a single field the
first stated value in rank wins, lists are united, and nothing that lost is forgotten. Because the person is computed
and not overwritten, taking a record away gives exactly the person that was there without it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from crm.contacts.rules import fold, script

Facts = Mapping[str, Any]

SINGLE = (
    "company",
    "department",
    "title",
    "mobile",
    "phone",
    "fax",
    "website",
    "country",
    "city",
    "address",
    "postal_code",
    "gender",
    "rating",
    "timeframe",
    "visit_purpose",
    "language",
    "name_reading",
)
ALTERNATIVES = ("company", "department", "title", "mobile", "phone")
"""Fields of which the values that lost are kept in sight."""
CONSENTS = ("consent_privacy", "consent_third_party", "consent_marketing")
NAME_PARTS = ("family_name", "given_name")


def when(facts: Facts) -> str:
    """Return when the person was met, else registered, as ISO text; a date alone sorts as the start of its day."""
    return facts.get("met_at") or facts.get("registered_at") or ""


def ranked(records: Sequence[Facts]) -> list[Facts]:
    """Return records given in import order by rank."""
    return sorted(records, key=when, reverse=True)  # stable, so ties stay in import order


_AS_STATED = (
    *SINGLE,
    "full_name",
    *NAME_PARTS,
    "name_alt",
    "company_alt",
    "emails",
    "interests",
    "tags",
    "other_phones",
    "messengers",
    "more",
    "extra",
    *CONSENTS,
)
"""What one record alone says of a person as it stands."""


def merge(records: Sequence[Facts]) -> dict[str, Any]:
    """Return the person that ``records`` (in import order) add up to, canonical fields by name, nothing empty.

    Besides the canonical fields: other_names, alternatives (field → values that lost), notes (a list, each once),
    external_ids, first_seen and last_seen (ISO dates).
    """
    return _alone(records[0]) if len(records) == 1 else _together(records)


def _alone(facts: Facts) -> dict[str, Any]:
    """Most people are known from one record; what follows is what ``_together`` would say of it."""
    found = {name: facts[name] for name in _AS_STATED if name in facts}
    alt = facts.get("name_alt")
    if alt and "full_name" in found and fold(alt) != fold(found["full_name"]):
        found["other_names"] = [alt]
    if "notes" in facts:
        found["notes"] = [facts["notes"]]
    if "external_id" in facts:
        found["external_ids"] = [facts["external_id"]]
    if "other_phones" in found:
        _drop_main_numbers(found)
    day = when(facts)[:10]
    if day:
        found["first_seen"] = found["last_seen"] = day
    return found


def _drop_main_numbers(found: dict[str, Any]) -> None:
    main = (found.get("mobile"), found.get("phone"))
    found["other_phones"] = [number for number in found["other_phones"] if number not in main]
    if not found["other_phones"]:
        del found["other_phones"]


def _together(records: Sequence[Facts]) -> dict[str, Any]:
    rank = ranked(records)
    first, apart = _first_values(rank)
    found = _names(first, apart, rank)
    for name, value in first.items():
        if name in _FIRST:
            found[name] = value
        elif name in _UNITED:
            found[name] = _UNITED[name](name, records, rank) if name in apart else value
    _add_lost(found, apart, rank)
    if "company_alt" in first:
        found["company_alt"] = _company_alt(found, rank)
    if "other_phones" in found:
        _drop_main_numbers(found)
    if "notes" in first:
        found["notes"] = united_notes(facts["notes"] for facts in records if "notes" in facts)
    if "external_id" in first:
        found["external_ids"] = sorted({facts["external_id"] for facts in records if "external_id" in facts})
    days = [day[:10] for facts in records if (day := when(facts))]
    if days:
        found["first_seen"], found["last_seen"] = min(days), max(days)
    return found


def _first_values(rank: Sequence[Facts]) -> tuple[dict[str, Any], set[str]]:
    """Return of every field the first value in rank, and the fields of which not everybody says the same."""
    if len(rank) == 2:  # nearly always; the same without a loop over the values of each
        newer, older = rank
        return {**older, **newer}, {name for name in older.keys() & newer if older[name] != newer[name]}
    first: dict[str, Any] = {}
    apart: set[str] = set()
    for facts in reversed(rank):
        for name, value in facts.items():
            if first.get(name, value) != value:
                apart.add(name)
            first[name] = value
    return first, apart


def _company_alt(found: Facts, rank: Iterable[Facts]) -> str:
    """The firm's name in another script, as told beside the name that won, else by anybody."""
    own = [facts for facts in rank if facts.get("company") == found.get("company")]
    return next((facts["company_alt"] for facts in [*own, *rank] if "company_alt" in facts), "")


def _add_lost(found: dict[str, Any], apart: Collection[str], rank: Sequence[Facts]) -> None:
    kept: dict[str, list[str]] = {}
    for name in ALTERNATIVES:
        if name not in apart:
            continue
        seen = {fold(found[name])}
        for value in [facts[name] for facts in rank if name in facts]:
            if fold(value) not in seen:
                seen.add(fold(value))
                kept.setdefault(name, []).append(value)
    if kept:
        found["alternatives"] = kept


def _names(first: Facts, apart: set[str], rank: Sequence[Facts]) -> dict[str, Any]:
    """Nearly always everybody spells a person alike and in one script; only else is there something to choose."""
    parts = ("full_name", *NAME_PARTS)
    if "full_name" in first and "name_alt" not in first and apart.isdisjoint(parts):
        return {name: first[name] for name in parts if name in first}
    return {name: value for name, value in _name(rank).items() if value}


def _name(rank: Sequence[Facts]) -> dict[str, Any]:
    """Choose the spelling of the name, with the halves and the other names that go with it.

    A native script beats Latin letters; within that the newest; of spellings that fold alike the one that is not all
    capitals or all small, then the one with more accents, then the one whose halves are known.
    """
    named = [facts for facts in rank if "full_name" in facts]
    if not named:
        return _nameless(rank)
    if len({facts["full_name"] for facts in named}) == 1:
        return _one_name(named, rank)
    pool = [facts for facts in named if script(facts["full_name"]) == "native"] or named
    key = _letters(pool[0]["full_name"])
    same = [facts for facts in pool if _letters(facts["full_name"]) == key]
    best = min(same, key=_finesse) if len(same) > 1 else same[0]
    name = best["full_name"]
    others = _other_names(name, named, rank)
    halves = next((f for f in (best, *same) if f["full_name"] == name and any(part in f for part in NAME_PARTS)), best)
    found = {part: halves[part] for part in NAME_PARTS if part in halves}
    alt = best.get("name_alt") or next((other for other in others if script(other) != script(name)), "")
    return {"full_name": name, **found, "name_alt": alt, "other_names": others}


def _nameless(rank: Sequence[Facts]) -> dict[str, Any]:
    """Nobody told the whole name; what they told of it is kept."""
    found = {}
    for name in (*NAME_PARTS, "name_alt"):
        told = next((facts[name] for facts in rank if name in facts), "")
        if told:
            found[name] = told
    return {**found, "other_names": _other_names(found.get("name_alt", ""), (), rank)}


def _one_name(named: Sequence[Facts], rank: Sequence[Facts]) -> dict[str, Any]:
    """Nearly always everybody spells a person alike; only names in another script are left to be looked for."""
    found = {"full_name": named[0]["full_name"]}
    for facts in named:
        if "family_name" in facts or "given_name" in facts:
            found.update({part: facts[part] for part in NAME_PARTS if part in facts})
            break
    others = _other_names(found["full_name"], (), rank)
    native = script(found["full_name"]) if others else ""
    alt = named[0].get("name_alt") or next((other for other in others if script(other) != native), "")
    if alt:
        found["name_alt"] = alt
    if others:
        found["other_names"] = others
    return found


def _letters(name: str) -> str:
    """A name for comparing spellings: case, accents and the space within a Japanese name say nothing."""
    return fold(name).replace(" ", "")


def _finesse(facts: Facts) -> tuple[bool, int, bool]:
    name = facts["full_name"]
    return name.isupper() or name.islower(), -sum(ord(c) > 127 for c in name), "family_name" not in facts


def _other_names(best: str, named: Iterable[Facts], rank: Iterable[Facts]) -> list[str]:
    told = [*(facts["full_name"] for facts in named), *(facts["name_alt"] for facts in rank if "name_alt" in facts)]
    if not told:
        return []
    seen = {_letters(best)}
    others = []
    for name in told:
        if _letters(name) not in seen:
            seen.add(_letters(name))
            others.append(name)
    return others


def _united(name: str, _records: Sequence[Facts], rank: Sequence[Facts]) -> list[str]:
    """Every item once, in the spelling that comes first in rank; case tells none apart but in addresses."""
    exact = name in ("emails", "other_phones")
    seen: dict[str, str] = {}
    for item in (item for facts in rank for item in facts.get(name, ())):
        seen.setdefault(item if exact else item.casefold(), item)
    return list(seen.values())


def _mapped(name: str, _records: Sequence[Facts], rank: Sequence[Facts]) -> dict[str, str]:
    found: dict[str, str] = {}
    for facts in reversed(rank):
        found.update(facts.get(name, {}))
    return found


def united_notes(notes: Iterable[str]) -> list[str]:
    """Return notes each once; one that only repeats lines of earlier ones (an export that comes back) is no news."""
    kept: list[str] = []
    lines: set[str] = set()
    for note in notes:
        if not lines.issuperset(note.split("\n")):
            kept.append(note)
            lines.update(note.split("\n"))
    return kept


def _consent(name: str, records: Sequence[Facts], _rank: Sequence[Facts]) -> bool:
    """An undated no always wins; otherwise the latest dated statement; at the same time the no wins."""
    said = [(when(facts), facts[name]) for facts in records if name in facts]
    last = max(at for at, _given in said)
    undated_no = any(not given and not at for at, given in said)
    return not undated_no and all(given for at, given in said if at == last)


_FIRST = frozenset(SINGLE)
_UNITED: Mapping[str, Callable[[str, Sequence[Facts], Sequence[Facts]], Any]] = {
    **dict.fromkeys(("emails", "interests", "tags", "other_phones"), _united),
    **dict.fromkeys(("messengers", "more", "extra"), _mapped),
    **dict.fromkeys(CONSENTS, _consent),
}
"""What is made of a field of which people state different values, from (field, records in import order, by rank)."""
