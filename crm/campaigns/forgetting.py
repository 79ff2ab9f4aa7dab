"""Letting go of leads whose import is taken back."""

from collections.abc import Collection

from sqlmodel import Session, col, delete, select

from crm.campaigns.models import Enrolment, EnrolmentEvent, Step


def forget_leads(session: Session, lead_ids: Collection[int]) -> None:
    """Remove the enrolments and steps of leads, before anything was sent to them."""
    ids = list(session.exec(select(Enrolment.id).where(col(Enrolment.lead_id).in_(lead_ids))))
    session.exec(delete(Step).where(col(Step.enrolment_id).in_(ids)))
    session.exec(delete(EnrolmentEvent).where(col(EnrolmentEvent.enrolment_id).in_(ids)))
    session.exec(delete(Enrolment).where(col(Enrolment.id).in_(ids)))
    session.flush()
