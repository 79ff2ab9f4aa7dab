"""Six lists of one exhibition, one after the other: who is one person, and what is known of them in the end."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from crm.accounts.rules import system_viewer
from crm.contacts import queries as contacts
from crm.core.db import Database
from crm.exporters.models import Exhibition
from crm.imports import queries, service
from crm.imports.models import DuplicatePair
from crm.imports.records import ReadOptions
from tests.imports.conftest import SAMPLES

NOW = datetime(2026, 4, 20, tzinfo=UTC)
FILES = (
    ("visitors-cp949.csv", "KR"),
    ("buyers.xlsx", ""),
    ("badge-scans.csv", ""),
    ("cards-sjis.csv", "JP"),
    ("cards.vcf", ""),
    ("outlook-zh.csv", "CN"),
)
EXPECTED = json.loads((SAMPLES / "merged.json").read_text(encoding="utf-8"))
CONSENTS = ("consent_privacy", "consent_third_party", "consent_marketing")
COMPARED = sorted({name for person in EXPECTED["contacts"] for name in person} - {"id", "sources", "uncompared"})
AS_SETS = ("interests", "external_ids")

Group = frozenset[tuple[str, str, int]]


class Outcome:
    """What stands in the database after all six lists, by the rows each person is made of."""

    def __init__(self, session: Session) -> None:
        people = list(contacts.as_json(session, system_viewer()))
        sources = queries.sources_of(session, [one["id"] for one in people])
        groups = {one["id"]: _group(sources[one["id"]]) for one in people}
        self.people = {groups[one["id"]]: one for one in people}
        self.pairs = {frozenset((groups[p.one_id], groups[p.other_id])) for p in session.exec(select(DuplicatePair))}


def _group(sources: list[dict[str, Any]]) -> Group:
    return frozenset((one["file"], one["sheet"] or "", one["row"]) for one in sources)


@pytest.fixture(scope="module")
def outcome(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    path = tmp_path_factory.mktemp("merged") / "ieum.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    db = Database(f"sqlite:///{path}")
    with db.writing() as session:
        days = {"starts_on": date(2026, 4, 14), "ends_on": date(2026, 4, 17)}
        show = Exhibition(code="HIFEX2026", names={"en": "HIFEX"}, **days)
        session.add(show)
        session.flush()
        for name, home in FILES:
            purpose = service.Purpose(show, None, ReadOptions(home_country=home))
            service.import_file(session, (SAMPLES / name).read_bytes(), name, purpose, now=NOW, by="staff@ieum.example")
    with db.reading() as session:
        yield Outcome(session)
    db.close()


WANTED = {_group(person["sources"]): person for person in EXPECTED["contacts"]}


def test_no_two_people_are_taken_for_one(outcome: Outcome) -> None:
    joined = [group for group in outcome.people if not any(group <= wanted for wanted in WANTED)]
    assert joined == []


def test_everybody_who_is_one_person_is_one(outcome: Outcome) -> None:
    several = [group for group in WANTED if len(group) > 1]
    found = [group for group in several if group in outcome.people]
    assert len(found) == len(several) == 263


def test_every_question_worth_asking_is_asked_and_hardly_another(outcome: Outcome) -> None:
    ids = {person["id"]: group for group, person in WANTED.items()}
    wanted = {frozenset((ids[pair["a"]], ids[pair["b"]])) for pair in EXPECTED["review_pairs"]}
    assert wanted <= outcome.pairs
    assert len(outcome.pairs - wanted) <= 1  # one mailbox of a firm with two names


def _blank(value: Any) -> bool:
    return value in (None, "", [], {})


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    return set(value or ()) if name in AS_SETS else value


def _wrong(outcome: Outcome, name: str) -> list[tuple[Any, Any]]:
    """Return (what we say, what is true) where they differ; a name nobody can split is not judged."""
    unsure = _names_not_judged() if name in ("full_name", "other_names", "name_reading") else set()
    pairs = [
        (outcome.people[group].get(name), person.get(name))
        for group, person in WANTED.items()
        if group in outcome.people and not group & unsure
    ]
    return [
        (got, true)
        for got, true in pairs
        if not (_blank(got) and _blank(true)) and _plain(name, got) != _plain(name, true)
    ]


def _names_not_judged() -> Group:
    found = set()
    for name, _home in FILES:
        told = json.loads((SAMPLES / name).with_suffix(".json").read_text(encoding="utf-8"))["contacts"]
        found |= {
            (name, row.get("sheet") or "", row["row"]) for row in told if "full_name" in row.get("uncompared", ())
        }
    return frozenset(found)


@pytest.mark.parametrize("name", CONSENTS)
def test_every_consent_ends_as_it_must(outcome: Outcome, name: str) -> None:
    assert _wrong(outcome, name) == []


def test_no_address_is_wrong_and_only_a_shared_mailbox_is_left_with_its_first_owner(outcome: Outcome) -> None:
    wrong = _wrong(outcome, "emails")
    assert [true for got, true in wrong if got] == []
    assert len(wrong) <= 1


def test_ninety_nine_of_a_hundred_fields_are_right(outcome: Outcome) -> None:
    wrong = Counter({name: len(found) for name in COMPARED if (found := _wrong(outcome, name))})
    told = sum(not _blank(person.get(name)) for person in WANTED.values() for name in COMPARED)
    assert wrong.total() <= told / 1000, wrong
