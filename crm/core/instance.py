"""Which copy of the database this is. One copy sends; one that was restored elsewhere waits for a person."""

from datetime import datetime

from sqlmodel import Session

from crm.core import events
from crm.core.context import host_name, new_uid
from crm.core.i18n import _
from crm.core.models import Instance


def initialise(session: Session, *, now: datetime, demo: bool = False) -> Instance:
    """Make the instance row of a new database; an existing one is returned unchanged."""
    found = session.get(Instance, 1)
    if found is None:
        found = Instance(uid=new_uid(), host=host_name(), demo=demo, created_at=now)
        session.add(found)
        session.flush()
    return found


def check_host(session: Session, *, now: datetime, host: str | None = None) -> bool:
    """Pause sending when the database woke up on another machine than the one that was confirmed.

    Returns whether sending is allowed. A database that was never bound to a machine is bound to this one.
    """
    row = session.get_one(Instance, 1)
    here = host or host_name()
    if not row.host:
        row.host = here
    if row.host != here and not row.sending_paused:
        row.sending_paused = True
        row.paused_reason = _("This database was last used on {old}, this machine is {new}.", old=row.host, new=here)
        events.record(session, "sending_paused", "instance", 1, at=now, reason=row.paused_reason)
    return not row.sending_paused


def confirm(session: Session, *, by: str, now: datetime, host: str | None = None) -> None:
    """Let this copy send: a person says that no other copy does."""
    row = session.get_one(Instance, 1)
    row.host = host or host_name()
    row.sending_paused = False
    row.paused_reason = ""
    events.record(session, "sending_confirmed", "instance", 1, at=now, actor=by)


def pause(session: Session, *, by: str, now: datetime, reason: str) -> None:
    """Stop all sending at once; effective before the next letter."""
    row = session.get_one(Instance, 1)
    row.sending_paused = True
    row.paused_reason = reason
    events.record(session, "sending_paused", "instance", 1, at=now, actor=by, reason=reason)
