"""Letting go of leads whose import is taken back."""

from collections.abc import Collection

from sqlmodel import Session, col, delete

from crm.drafts.models import Draft


def forget_leads(session: Session, lead_ids: Collection[int]) -> None:
    """Remove the drafts of leads; the caller makes sure that nobody has decided about any of them."""
    session.exec(delete(Draft).where(col(Draft.lead_id).in_(lead_ids)))
    session.flush()
