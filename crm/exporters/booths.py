"""Who stands where at an exhibition."""

from datetime import datetime

from sqlmodel import Session, col, select

from crm.core import events
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _
from crm.exporters.models import Booth, Exhibition, Exporter


def set_booth(
    session: Session, exhibition: Exhibition, exporter: Exporter, number: str, *, now: datetime, by: str
) -> Booth:
    """Give an exporter a booth at an exhibition, or another one. Raises BadInput when the number is empty or taken."""
    assert exhibition.id is not None
    assert exporter.id is not None
    wanted = "".join(number.split()).upper()
    _refuse_taken(session, exhibition.id, exporter.id, wanted)
    rows = select(Booth).where(Booth.exhibition_id == exhibition.id, Booth.exporter_id == exporter.id)
    booth = session.exec(rows).first() or Booth(exhibition_id=exhibition.id, exporter_id=exporter.id, number="")
    booth.number = wanted
    session.add(booth)
    session.flush()
    data = {"booth": wanted}
    events.record(
        session, "booth_set", "exhibition", exhibition.id, at=now, actor=by, exporter_id=exporter.id, data=data
    )
    return booth


def _refuse_taken(session: Session, exhibition_id: int, exporter_id: int, number: str) -> None:
    if not 1 <= len(number) <= 16:
        raise BadInput([Problem(_("Write the number of the booth, for example 7B-101."), Place(field="number"))])
    rows = select(Booth).where(
        Booth.exhibition_id == exhibition_id, Booth.number == number, col(Booth.exporter_id) != exporter_id
    )
    if session.exec(rows).first():
        message = _("Booth {number} belongs to another company.", number=number)
        raise BadInput([Problem(message, Place(field="number"))])
