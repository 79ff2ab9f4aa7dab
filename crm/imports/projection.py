"""What the records of one person mean to the other rooms: the contact, its addresses, its leads and its consents. Pure.

Import and undo both write what stands here, so that taking a batch back leaves exactly what would be there had the
batch never come.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.contacts import rules
from crm.contacts.merging import merge, ranked, united_notes, when
from crm.contacts.models import CONTACT_FIELDS, MANY
from crm.contacts.rules import Identity, Statement
from crm.core.clock import KST
from crm.imports import facts as read
from crm.imports.identities import identity

EXTRA_FIELDS = (
    "other_names",
    "alternatives",
    "company",
    "company_alt",
    "interests",
    "notes",
    "rating",
    "timeframe",
    "visit_purpose",
    "external_ids",
    "first_seen",
    "last_seen",
    "consent_privacy",
    "consent_third_party",
    "consent_marketing",
    "more",
    "extra",
)
"""What a list says of a person beyond the columns; it stands in the contact's ``extra``."""
BLANKS: dict[str, Any] = {name: MANY[name]() if name in MANY else "" for name in CONTACT_FIELDS}
BLANKS["country"] = None
_IN_ORDER = [(name, BLANKS[name]) for name in CONTACT_FIELDS]
LIMITS = {"family_name": 200, "given_name": 200, "city": 200, "postal_code": 32, "mobile": 40, "phone": 40, "fax": 40}
"""Columns shorter than the longest value of a field; the record keeps the whole value."""


@dataclass(frozen=True)
class Batch:
    """What matters of the list a record came with. ``opened``: first day of its show, for consents without a date."""

    id: int
    exhibition_id: int
    exhibition_code: str
    opened: datetime
    filename: str
    kind: str
    created_at: datetime
    created_by: str


@dataclass(slots=True)
class Record:
    """One standing row about one person. ``batch`` is None for what was known before any list."""

    id: int
    batch: Batch | None
    sheet: str
    number: int
    facts: Mapping[str, Any]


@dataclass(slots=True)
class Projection:
    """Everything that follows from a person's records."""

    person: dict[str, Any]
    """As ``merge`` returns it."""
    leads: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    """(exporter, exhibition) → values of a lead."""
    consents: dict[tuple[int | None, str, datetime], dict[str, Any]] = field(default_factory=dict)
    """(exporter, basis, given at) → the rest of a consent."""

    def columns(self) -> dict[str, Any]:
        """Return the contact's columns in their order; what nobody stated is blank, what is too long is cut."""
        person = self.person
        found = {name: person.get(name, blank) for name, blank in _IN_ORDER}
        for name, limit in LIMITS.items():
            if name in person and len(person[name]) > limit:
                found[name] = person[name][:limit]
        return found

    def extra(self) -> dict[str, Any]:
        """Return what of the person has no column of its own."""
        person = self.person
        return {name: person[name] for name in EXTRA_FIELDS if name in person}


def project(records: Sequence[Record], booth_of: Any, line_of: Any) -> Projection:
    """Return what ``records`` (in import order) add up to.

    ``booth_of(exporter, exhibition)`` gives the booth's number, ``line_of(exporter, texts)`` the id of the product line
    that the texts speak of, or None.
    """
    found = Projection(merge([record.facts for record in records]))
    for record in records:
        if "exporter_ids" in record.facts:
            found.leads = _leads(records, booth_of, line_of)
            break
    if any(map(_may_prove, records)):
        found.consents = _consents(records)
    return found


def _may_prove(record: Record) -> bool:
    """Tell whether a record may prove a consent: it names exporters, or a wording may name all (``_scopes``)."""
    return "exporter_ids" in record.facts or "consent_third_party" in record.facts


def identity_of(record: Record) -> Identity:
    """Return what a record tells of its person."""
    return identity(record.facts, record.batch.exhibition_id if record.batch else 0)


# Leads


def _leads(records: Sequence[Record], booth_of: Any, line_of: Any) -> dict[tuple[int, int], dict[str, Any]]:
    told: dict[tuple[int, int], list[Record]] = {}
    for record in records:
        for exporter_id in record.facts.get("exporter_ids", ()):
            assert record.batch is not None
            told.setdefault((exporter_id, record.batch.exhibition_id), []).append(record)
    return {key: _lead(key, listed, booth_of, line_of) for key, listed in told.items()}


def _lead(key: tuple[int, int], records: Sequence[Record], booth_of: Any, line_of: Any) -> dict[str, Any]:
    rank = ranked([record.facts for record in records])
    asked = [read.requests_in(facts.get("follow_up", "")) for facts in rank]
    interests = list(dict.fromkeys(item for facts in rank for item in facts.get("interests", ())))
    met, timed = _met(rank)
    texts = [*interests, *(facts[name] for facts in rank for name in ("follow_up", "notes") if name in facts)]
    first = records[0].batch
    assert first is not None
    return {
        "product_line_id": line_of(key[0], texts) if texts else None,
        "met_at": met,
        "met_time_known": timed,
        "booth": booth_of(*key),
        "rating": read.RATINGS.get(_first(rank, "rating")),
        "interests": interests,
        "requests": list(dict.fromkeys(kind for one in asked for kind in one.kinds)),
        "notes": _notes(records),
        "captured_by": _first(rank, "captured_by")[:200],
        "external_id": _first(rank, "external_id")[:100],
        "source": first.kind,
        "created_at": first.created_at,
    }


def _first(rank: Iterable[Mapping[str, Any]], name: str) -> str:
    return next((facts[name] for facts in rank if name in facts), "")


def _met(rank: Iterable[Mapping[str, Any]]) -> tuple[datetime | None, bool]:
    """Of one day's talks the one whose time is known says more than the one that has only a date."""
    said = [facts["met_at"] for facts in rank if "met_at" in facts]
    if not said:
        return None, False
    day = max(text[:10] for text in said)
    return read.moment(max(text for text in said if text.startswith(day)))


def _notes(records: Iterable[Record]) -> str:
    """Notes in import order, each once; a request that is no fact of ours is a note too."""
    return "\n".join(united_notes(note for record in records if (note := _note(record.facts))))


def _note(facts: Mapping[str, Any]) -> str:
    return "\n".join(
        part for part in (facts.get("notes", ""), *read.requests_in(facts.get("follow_up", "")).unknown) if part
    )


# Consents


@dataclass(frozen=True)
class _Said:
    statement: Statement
    learned_at: datetime


def _consents(records: Sequence[Record]) -> dict[tuple[int | None, str, datetime], dict[str, Any]]:
    found: dict[tuple[int | None, str, datetime], dict[str, Any]] = {}
    said: list[_Said] = []
    for record in records:
        if record.batch is None or record.facts.get("basis_held"):
            continue
        for key, consent in _bases(record, record.batch):
            found.setdefault(key, consent)
        said += _said(record, record.batch)
    if not found:
        return found
    statements = [one.statement for one in said]
    for (exporter_id, basis, _at), consent in found.items():
        if basis == "express_optin" and not rules.consent_stands(statements, exporter_id):
            consent["withdrawn_at"] = max(
                one.learned_at
                for one in said
                if not one.statement.given and one.statement.exporter_id in (None, exporter_id)
            )
    return found


def _bases(record: Record, batch: Batch) -> Iterable[tuple[tuple[int | None, str, datetime], dict[str, Any]]]:
    facts = record.facts
    scopes = _scopes(record, batch) if facts.get("consent_marketing") else ()
    if scopes:
        # Without a date the consent cannot be younger than the show; a date in the future is a slip.
        given_at = min(_said_at(record, batch) or batch.opened, batch.created_at)
        for scope in scopes:
            yield (scope, "express_optin", given_at), _consent(record, batch, _evidence(record, batch, "marketing"))
    exporter_ids = facts.get("exporter_ids", ())
    met = read.moment(facts.get("met_at", ""))[0] if exporter_ids else None
    if met is None:
        return
    asked = read.requests_in(facts.get("follow_up", "")).kinds
    for exporter_id in exporter_ids:
        if asked:
            evidence = _evidence(record, batch) | {"follow_up": facts["follow_up"], "requests": asked}
            yield (exporter_id, "requested_info", met), _consent(record, batch, evidence)
        if batch.kind == "badge_scan":
            badge = {"badge": facts.get("external_id", ""), "captured_by": facts.get("captured_by", "")}
            yield (exporter_id, "badge_scanned", met), _consent(record, batch, _evidence(record, batch) | badge)


def _said(record: Record, batch: Batch) -> Iterable[_Said]:
    """Yield the record's statements about advertising mail. An opt-out is none of them: it stops the address."""
    facts = record.facts
    if "consent_marketing" not in facts:
        return
    given = facts["consent_marketing"]
    scopes = _scopes(record, batch)
    for scope in scopes if given else scopes or [None]:
        yield _Said(Statement(given, scope, _said_at(record, batch)), batch.created_at)


def _scopes(record: Record, batch: Batch) -> list[int | None]:
    """A registration's wording names the exhibitors of the show only where it also asks to pass the data on."""
    general = batch.kind == "registration" and record.facts.get("consent_third_party") is True
    return [None] if general else list(record.facts.get("exporter_ids", ()))


def _said_at(record: Record, batch: Batch) -> datetime | None:
    facts = record.facts
    order = ("registered_at", "met_at") if batch.kind == "registration" else ("met_at", "registered_at")
    return read.moment(next((facts[name] for name in order if name in facts), ""))[0]


def _consent(record: Record, batch: Batch, evidence: dict[str, Any]) -> dict[str, Any]:
    return {
        "source": batch.kind,
        "evidence": evidence,
        "recorded_at": batch.created_at,
        "recorded_by": batch.created_by,
        "withdrawn_at": None,
    }


def _evidence(record: Record, batch: Batch, kind: str = "") -> dict[str, Any]:
    """Return what proves a statement: file, row, and the columns' headers and cells as the visitor saw them."""
    told = record.facts.get("consents", ()) if kind else ()
    said = [
        {"column": one["wording"], "cell": one["cell"]}
        for one in told
        if one["kind"] in (kind, "third_party", "privacy")
    ]
    found = {
        "file": batch.filename,
        "sheet": record.sheet,
        "row": record.number,
        "exhibition": batch.exhibition_code,
        "day": when(record.facts),
        "statements": said,
    }
    return {name: value for name, value in found.items() if value}


def opened(day: Any) -> datetime:
    """Return the start of a show's first day in Korea."""
    return datetime.combine(day, datetime.min.time(), KST)
