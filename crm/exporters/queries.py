"""Reading exporters and exhibitions; every answer holds only what the viewer may see."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.exporters.models import Booth, Exhibition, Exporter


def list_exporters(session: Session, viewer: Viewer) -> Sequence[Exporter]:
    """Return the viewer's exporters by code."""
    rows = select(Exporter).order_by(Exporter.code)
    return session.exec(only_visible(rows, viewer, col(Exporter.id))).all()


def get_exporter(session: Session, viewer: Viewer, exporter_id: int) -> Exporter:
    """Return one exporter; NotFound also when the viewer may not know of it."""
    rows = select(Exporter).where(Exporter.id == exporter_id)
    found = session.exec(only_visible(rows, viewer, col(Exporter.id))).first()
    if found is None:
        raise NotFound(_("There is no such company."))
    return found


def list_exhibitions(session: Session, viewer: Viewer) -> Sequence[Exhibition]:
    """Return exhibitions, the newest first: all for staff, those with a booth of the viewer's exporters for others."""
    rows = select(Exhibition).order_by(col(Exhibition.ends_on).desc())
    if viewer.exporter_ids is not None:
        rows = rows.where(
            col(Exhibition.id).in_(only_visible(select(Booth.exhibition_id), viewer, col(Booth.exporter_id)))
        )
    return session.exec(rows).all()


def get_exhibition(session: Session, viewer: Viewer, exhibition_id: int) -> Exhibition:
    """Return one exhibition that the viewer may see, else NotFound."""
    for show in list_exhibitions(session, viewer):
        if show.id == exhibition_id:
            return show
    raise NotFound(_("There is no such exhibition."))


def booths_of(session: Session, viewer: Viewer, exhibition_id: int) -> list[tuple[Booth, Exporter]]:
    """Return the booths of an exhibition with their exporters, by number."""
    rows = select(Booth, Exporter).join(Exporter).where(Booth.exhibition_id == exhibition_id).order_by(Booth.number)
    return list(session.exec(only_visible(rows, viewer, col(Exporter.id))))
