"""A show with two exporters, and short ways to import a list given as text."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from crm.exporters.models import Booth, Exhibition, Exporter, ProductLine
from crm.imports import service
from crm.imports.records import ReadOptions
from crm.imports.report import ImportReport
from tests.conftest import NOW

SAMPLES = Path(__file__).parent / "samples"
Importer = Callable[..., ImportReport]


@pytest.fixture
def show(session: Session) -> Exhibition:
    return hold_a_show(session)


def hold_a_show(session: Session) -> Exhibition:
    """Return a show at which two exporters have a booth."""
    show = Exhibition(
        code="HANBIT2026", names={"en": "HANBIT"}, starts_on=date(2026, 11, 11), ends_on=date(2026, 11, 14)
    )
    session.add(show)
    session.flush()
    for code, number in (("GAON", "7B-101"), ("SEOLAK", "9A-210")):
        exporter = Exporter(
            code=code, names={"ko": f"{code}(주)", "en": f"{code.title()} Co., Ltd."}, sender_email="a@b.example",
            created_at=NOW,
        )  # fmt: skip
        session.add(exporter)
        session.flush()
        session.add(Booth(exhibition_id=show.id, exporter_id=exporter.id, number=number))
        session.add(ProductLine(exporter_id=exporter.id, code="LINE", names={"en": "valves"}, keywords=["valve"]))
    session.flush()
    return show


@pytest.fixture
def take(session: Session, show: Exhibition) -> Importer:
    """Import a list written as CSV text; keyword arguments say how it is read."""

    def importer(text: str, filename: str = "list.csv", now: datetime = NOW, **options: Any) -> ImportReport:
        exporter = options.pop("exporter", None)
        purpose = service.Purpose(show, exporter, ReadOptions(**options))
        return service.import_file(
            session, text.encode(), filename, purpose, now=now, by="staff@ieum.example", keep_rows=True
        )

    return importer
