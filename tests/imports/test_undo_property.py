"""Whatever was imported, edited and undone before: an import that is taken back leaves no trace."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from crm.contacts import service as contacts
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.core.db import Database
from crm.exporters.models import Exhibition
from crm.imports import service
from crm.imports.models import ContactMerge, DuplicatePair, IdentityKey, ImportBatch
from tests.conftest import NOW
from tests.imports.conftest import hold_a_show

HEAD = "Name,Company,Email,Mobile,Country,Booth,Captured At,Follow Up,Marketing Opt-In,Job Title,Notes,Tags,Badge ID\n"
BUSINESS = (Contact, Organisation, EmailAddress, Lead, Consent, IdentityKey)

# Few people with few values each, so that rows meet, contradict and bridge one another.
_cells = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Ana López", "ANA LOPEZ", "López Ana", "김민수", "Minsoo Kim", "Bo Li", ""]),
        "company": st.sampled_from(["Flores SA", "Flores S.A.", "한빛(주)", "Hanbit Co., Ltd.", "Lotus"]),
        "email": st.sampled_from(
            ["ana@flores.example", "ana+show@flores.example", "kim@hanbit.example", "info@l.example", ""]
        ),
        "mobile": st.sampled_from(["+34600000001", "+821000000001", ""]),
        "country": st.sampled_from(["Spain", "Korea", ""]),
        "booth": st.sampled_from(["7B-101", "9A-210", "7B-101;9A-210", ""]),
        "met": st.sampled_from(["2026-11-11", "2026-11-12 14:00", "2026-11-13", ""]),
        "follow_up": st.sampled_from(["catalogue", "price list", ""]),
        "optin": st.sampled_from(["Yes", "No", ""]),
        "title": st.sampled_from(["Buyer", "Director", ""]),
        "notes": st.sampled_from(["Likes blue", "Wants red", ""]),
        "tags": st.sampled_from(["vip", "red", ""]),
        "badge": st.sampled_from(["B1", "B2", "", "", ""]),
    }
)
COLUMNS = (
    *("name", "company", "email", "mobile", "country", "booth", "met", "follow_up", "optin", "title", "notes", "tags"),
    "badge",
)
_file = st.lists(_cells, min_size=1, max_size=5).map(
    lambda rows: HEAD + "".join(",".join(row[name] for name in COLUMNS) + "\n" for row in rows)
)
_step = st.one_of(
    st.tuples(st.just("import"), _file),
    st.tuples(st.just("edit"), st.tuples(st.integers(0, 9), st.sampled_from(["title", "full_name", "mobile"]))),
    st.tuples(st.just("undo"), st.integers(0, 9)),
    st.tuples(st.just("again"), st.integers(0, 9)),
)


class House:
    """One database on which the steps are played."""

    def __init__(self, session: Session, show: Exhibition) -> None:
        self.session = session
        self.show = show
        self.now = NOW
        self.files: list[str] = []

    def play(self, kind: str, what: Any) -> None:
        self.now += timedelta(minutes=1)
        getattr(self, f"_{kind}")(what)

    def _import(self, text: str) -> int | None:
        self.files.append(text)
        name = f"list{len(self.files)}.csv"
        report = service.import_file(
            self.session, text.encode(), name, service.Purpose(self.show), now=self.now, by="staff@ieum.example"
        )
        return report.batch_id if not report.already_imported else None

    def _edit(self, what: tuple[int, str]) -> None:
        people = self.session.exec(
            select(Contact).where(col(Contact.merged_into_id).is_(None)).order_by(Contact.id)
        ).all()
        if people:
            one = people[what[0] % len(people)]
            value = f"edited {self.now.minute}"
            contacts.edit_contact(self.session, one, {what[1]: value}, now=self.now, by="staff@ieum.example")

    def _undo(self, which: int) -> None:
        standing = self.session.exec(
            select(ImportBatch).where(ImportBatch.status == "done").order_by(ImportBatch.id)
        ).all()
        if standing:
            self.take_back(standing[which % len(standing)].id)

    def _again(self, which: int) -> None:
        if self.files:
            self._import(self.files[which % len(self.files)])

    def take_back(self, batch_id: int | None) -> None:
        self.now += timedelta(minutes=1)
        service.undo(self.session, batch_id or 0, now=self.now, by="staff@ieum.example", mailed=lambda _s, _ids: set())

    def picture(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of the business tables; only the counters of the optimistic lock may have moved on."""
        self.session.flush()
        found = {}
        for model in BUSINESS:
            table: sa.Table = model.__table__  # type: ignore[attr-defined]
            columns = [column for column in table.columns if column.name != "version"]
            found[table.name] = sorted(map(tuple, self.session.execute(sa.select(*columns)).all()), key=repr)
        questions = sa.select(DuplicatePair.one_id, DuplicatePair.other_id, DuplicatePair.status)  # type: ignore[call-overload]
        found["questions"] = sorted(map(tuple, self.session.execute(questions).all()))
        return found


@pytest.fixture(scope="module")
def module_db(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("undo") / "ieum.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    db = Database(f"sqlite:///{path}")
    yield db
    db.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(_step, max_size=6), last=_file)
def test_taking_the_last_import_back_leaves_every_business_table_as_it_was(
    module_db: Database, steps: list[tuple[str, Any]], last: str
) -> None:
    _leaves_no_trace(module_db, steps, last)


def _leaves_no_trace(db: Database, steps: list[tuple[str, Any]], last: str) -> None:
    with db.reading() as session:
        house = House(session, hold_a_show(session))
        for kind, what in steps:
            house.play(kind, what)
        before = house.picture()
        batch_id = house._import(last)
        if batch_id is not None:
            house.take_back(batch_id)
        assert house.picture() == before


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(files=st.lists(_file, min_size=2, max_size=4, unique=True), order=st.randoms(use_true_random=False))
def test_undoing_everything_in_any_order_leaves_nothing(module_db: Database, files: list[str], order: Any) -> None:
    with module_db.reading() as session:
        house = House(session, hold_a_show(session))
        for text in files:
            house.play("import", text)
        batches = [batch.id for batch in session.exec(select(ImportBatch))]
        order.shuffle(batches)
        for batch_id in batches:
            house.take_back(batch_id)
        assert {name: rows for name, rows in house.picture().items() if rows} == {}


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(text=_file, steps=st.lists(_step, max_size=3))
def test_the_same_rows_in_another_file_change_nothing(
    module_db: Database, text: str, steps: list[tuple[str, Any]]
) -> None:
    with module_db.reading() as session:
        house = House(session, hold_a_show(session))
        for kind, what in steps:
            house.play(kind, what)
        house.play("import", text)
        before = house.picture()
        house.play("import", "List of today\n" + text)
        assert house.picture() == before


@pytest.mark.postgres
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_step, max_size=5), last=_file)
def test_postgresql_takes_imports_back_alike(postgres_db: Database, steps: list[tuple[str, Any]], last: str) -> None:
    _leaves_no_trace(postgres_db, steps, last)


def test_a_list_that_joins_two_people_parts_them_when_it_is_taken_back(session: Session) -> None:
    house = House(session, hold_a_show(session))
    house.play("import", "Name,Company,Email\nAna López,Flores SA,ana@flores.example\n")
    house.play("import", "Name,Company,Mobile\nAna López,Rosas SA,+34600000001\n")
    before = house.picture()
    batch_id = house._import("Name,Email,Mobile\nAna López,ana@flores.example,+34600000001\n")
    people = session.exec(select(Contact).where(col(Contact.merged_into_id).is_(None))).all()
    assert [person.full_name for person in people] == ["Ana López"]
    assert len(session.exec(select(ContactMerge)).all()) == 1
    house.take_back(batch_id)
    assert house.picture() == before
