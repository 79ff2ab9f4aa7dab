"""What several records of one person add up to. Pure: the same records in the same order always give the same person.

A record is what one row of a list states: facts by canonical field name, nothing empty. Records are ranked by when the
person was met (else registered), the newest first, undated ones last, ties by earlier import. Of a single field the
first stated value in rank wins, lists are united, and nothing that lost is forgotten. Because the person is computed and
not overwritten, taking a record away gives exactly the person that was there without it.
"""

from collections.abc import Iterable, Mapping, Sequence
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


def merge(records: Sequence[Facts]) -> dict[str, Any]:
    """Return the person that ``records`` (in import order) add up to, canonical fields by name, nothing empty.

    Besides the canonical fields: other_names, alternatives (field → values that lost), notes (a list, each once),
    external_ids, first_seen and last_seen (ISO dates).
    """
    rank = list(records) if len(records) == 1 else ranked(records)
    found: dict[str, Any] = {}
    found |= _name(rank)
    _take_singles(found, rank)
    found["emails"] = _united(rank, "emails")
    found["interests"] = _united(rank, "interests", key=str.casefold)
    found["tags"] = _united(rank, "tags", key=str.casefold)
    found["other_phones"] = [
        n for n in _united(rank, "other_phones") if n not in (found.get("mobile"), found.get("phone"))
    ]
    found["notes"] = list(dict.fromkeys(facts["notes"] for facts in records if "notes" in facts))
    found["external_ids"] = sorted({facts["external_id"] for facts in records if "external_id" in facts})
    for name in ("messengers", "more", "extra"):
        found[name] = _mapped(rank, name)
    found |= _consents(records)
    days = sorted(day[:10] for facts in records if (day := when(facts)))
    if days:
        found["first_seen"], found["last_seen"] = days[0], days[-1]
    return {name: value for name, value in found.items() if value not in ("", None, [], {})}


def _take_singles(found: dict[str, Any], rank: Sequence[Facts]) -> None:
    if len(rank) == 1:
        found.update({name: rank[0][name] for name in SINGLE if name in rank[0]})
        if "company_alt" in rank[0]:
            found["company_alt"] = rank[0]["company_alt"]
        return
    for name in SINGLE:
        for facts in rank:
            if name in facts:
                found[name] = facts[name]
                break
    found["company_alt"] = _company_alt(found, rank)
    found["alternatives"] = _alternatives(found, rank)


def _company_alt(found: Facts, rank: Iterable[Facts]) -> str:
    """The firm's name in another script, as told beside the name that won, else by anybody."""
    own = [facts for facts in rank if facts.get("company") == found.get("company")]
    return next((facts["company_alt"] for facts in [*own, *rank] if "company_alt" in facts), "")


def _alternatives(found: Facts, rank: Iterable[Facts]) -> dict[str, list[str]]:
    kept: dict[str, list[str]] = {}
    for name in ALTERNATIVES:
        seen = {fold(found[name])} if name in found else set()
        for facts in rank:
            value = facts.get(name)
            if value and fold(value) not in seen:
                seen.add(fold(value))
                kept.setdefault(name, []).append(value)
    return kept


def _name(rank: Sequence[Facts]) -> dict[str, Any]:
    """Choose the spelling of the name, with the halves and the other names that go with it.

    A native script beats Latin letters; within that the newest; of spellings that fold alike the one that is not all
    capitals or all small, then the one with more accents.
    """
    named = [facts for facts in rank if "full_name" in facts]
    if not named:
        return {}
    pool = [facts for facts in named if script(facts["full_name"]) == "native"] or named
    key = fold(pool[0]["full_name"])
    same = [facts for facts in pool if fold(facts["full_name"]) == key]
    best = min(same, key=lambda facts: _finesse(facts["full_name"])) if len(same) > 1 else same[0]
    name = best["full_name"]
    others = _other_names(name, named, rank)
    halves = next((f for f in (best, *same) if f["full_name"] == name and any(part in f for part in NAME_PARTS)), best)
    found = {part: halves[part] for part in NAME_PARTS if part in halves}
    alt = best.get("name_alt") or next((other for other in others if script(other) != script(name)), "")
    return {"full_name": name, **found, "name_alt": alt, "other_names": others}


def _finesse(name: str) -> tuple[bool, int]:
    return name.isupper() or name.islower(), -sum(ord(c) > 127 for c in name)


def _other_names(best: str, named: Iterable[Facts], rank: Iterable[Facts]) -> list[str]:
    seen = {fold(best)}
    others = []
    for name in [*(facts["full_name"] for facts in named), *(f["name_alt"] for f in rank if "name_alt" in f)]:
        if fold(name) not in seen:
            seen.add(fold(name))
            others.append(name)
    return others


def _united(rank: Sequence[Facts], name: str, key: Any = None) -> list[str]:
    lists = [facts[name] for facts in rank if name in facts]
    if len(lists) <= 1:
        return list(lists[0]) if lists else []
    seen: dict[str, str] = {}
    for item in (item for listed in lists for item in listed):
        seen.setdefault(key(item) if key else item, item)
    return list(seen.values())


def _mapped(rank: Sequence[Facts], name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for facts in reversed(rank):
        if name in facts:
            found.update(facts[name])
    return found


def _consents(records: Sequence[Facts]) -> dict[str, bool]:
    """An undated no always wins; otherwise the latest dated statement; at the same time the no wins."""
    found = {}
    for name in CONSENTS:
        said = [(when(facts), facts[name]) for facts in records if name in facts]
        if said:
            last = max(at for at, _given in said)
            undated_no = any(not given and not at for at, given in said)
            found[name] = not undated_no and all(given for at, given in said if at == last)
    return found
