"""Reading batches, their rows, and where each value of a contact came from."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, or_, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.contacts import queries as contacts
from crm.contacts.models import EmailAddress, Lead
from crm.core.clock import KST
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.imports.models import ImportBatch, ImportChange, ImportRow


@dataclass(frozen=True)
class Source:
    """Where a value came from."""

    file: str
    row: int
    sheet: str
    day: date

    def __str__(self) -> str:
        where = f"{self.sheet} {self.row}" if self.sheet else str(self.row)
        return _("{file}, row {row}, {day}", file=self.file, row=where, day=self.day.isoformat())


def list_batches(session: Session, viewer: Viewer) -> list[ImportBatch]:
    """Return the batches a viewer may see, the newest first; those of no one exporter are staff's."""
    statement = only_visible(select(ImportBatch), viewer, ImportBatch.exporter_id)
    return list(session.exec(statement.order_by(col(ImportBatch.id).desc())))


def get_batch(session: Session, viewer: Viewer, batch_id: int) -> ImportBatch:
    """Return one batch. Raises NotFound."""
    batch = session.get(ImportBatch, batch_id)
    if batch is None or not viewer.sees(batch.exporter_id):
        raise NotFound(_("There is no import batch {n}.", n=batch_id))
    return batch


def rows_of(session: Session, viewer: Viewer, batch_id: int, outcome: str | None = None) -> list[ImportRow]:
    """Return the rows of a batch in file order, all of them or those of one outcome."""
    get_batch(session, viewer, batch_id)
    statement = select(ImportRow).where(ImportRow.batch_id == batch_id)
    if outcome:
        statement = statement.where(ImportRow.outcome == outcome)
    return list(session.exec(statement.order_by(ImportRow.sheet, col(ImportRow.number))))


def provenance(session: Session, viewer: Viewer, contact_id: int) -> dict[str, Source]:
    """Return field → where its present value came from, for the contact, its addresses and its leads.

    Fields a person has edited since are left out. Raises NotFound when the viewer may not know the contact.
    """
    contact = contacts.get_contact(session, viewer, contact_id).contact
    statement = (
        select(ImportChange, ImportRow, ImportBatch)
        .join(ImportRow, col(ImportRow.id) == ImportChange.row_id)
        .join(ImportBatch, col(ImportBatch.id) == ImportChange.batch_id)
        .where(_about(session, contact_id), ImportBatch.status != "undone")
        .order_by(col(ImportChange.id))
    )
    found: dict[str, Source] = {}
    for change, row, batch in session.exec(statement):
        source = Source(batch.filename, row.number, row.sheet, batch.created_at.astimezone(KST).date())
        for name in _fields(change):
            if name not in found or change.field:  # who only confirms a value is not its source
                found[name] = source
    return {name: source for name, source in found.items() if name not in contact.edited}


def _about(session: Session, contact_id: int) -> Any:
    emails = select(EmailAddress.id).where(EmailAddress.contact_id == contact_id)
    leads = select(Lead.id).where(Lead.contact_id == contact_id)
    return or_(
        (ImportChange.target == "contact") & (ImportChange.target_id == contact_id),
        (ImportChange.target == "email_address") & col(ImportChange.target_id).in_(emails),  # type: ignore[operator]
        (ImportChange.target == "lead") & col(ImportChange.target_id).in_(leads),  # type: ignore[operator]
    )


def _fields(change: ImportChange) -> list[str]:
    if change.target == "email_address":
        return ["emails"]
    if change.target == "lead":
        return ["leads"]
    written = [change.field] if change.field else list(change.after or {})
    names: list[str] = []
    for name in written:
        if name == "extra.extra":
            names += (change.after if change.field else change.after[name]) or {}
        elif not name.startswith("extra."):
            names.append("company" if name == "organisation_id" else name)
    return names
