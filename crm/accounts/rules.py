"""Decisions about people: who may do what, when a sign-in must wait, which password is good enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crm.accounts.models import Role
from crm.core.errors import NotAllowed
from crm.core.i18n import _

TRIES = 5
TRIES_WITHIN = timedelta(minutes=15)
WAIT = timedelta(minutes=1)
PASSWORD_MIN = 10
PASSWORD_MAX = 200
INVITATION_DAYS = 14


@dataclass(frozen=True)
class Viewer:
    """The person for whom something is read or done. ``exporter_ids`` None: all companies (staff)."""

    user_id: int
    email: str
    name: str
    role: Role
    languages: tuple[str, ...] = ()
    exporter_ids: frozenset[int] | None = frozenset()

    @property
    def is_staff(self) -> bool:
        return self.role == Role.STAFF

    @property
    def is_advisor(self) -> bool:
        return self.role == Role.ADVISOR

    @property
    def is_sme(self) -> bool:
        return self.role == Role.SME

    def sees(self, exporter_id: int | None) -> bool:
        """Tell whether rows of this company exist for the viewer; rows of no company are staff's."""
        return self.exporter_ids is None or exporter_id in self.exporter_ids


def system_viewer() -> Viewer:
    """Return the viewer that jobs and the command line act as: sees and may do what staff may."""
    return Viewer(user_id=0, email="system", name="system", role=Role.STAFF, exporter_ids=None)


class Action(StrEnum):
    """What a person may be allowed to do. Reading is bounded by ``exporter_ids``, these bound the verbs."""

    REVIEW = "review"
    ANSWER_REPLIES = "answer_replies"
    MOVE_DEALS = "move_deals"
    SIGN_CONTRACTS = "sign_contracts"
    FINISH_TASKS = "finish_tasks"
    EDIT_PRODUCTS = "edit_products"
    EDIT_CONTACTS = "edit_contacts"
    EXPORT_CONTACTS = "export_contacts"
    EXPORT_LEADS = "export_leads"
    IMPORT = "import"
    RUN_CAMPAIGNS = "run_campaigns"
    EDIT_LETTERS = "edit_letters"
    SUPPRESS = "suppress"
    SETTLE_UNCERTAIN = "settle_uncertain"
    SEE_REPORTS = "see_reports"
    SEE_AUDIT = "see_audit"
    MANAGE_USERS = "manage_users"


# Staff may stand in for an advisor who is ill; nobody else approves a letter.
ALLOWED: dict[Role, frozenset[Action]] = {
    Role.STAFF: frozenset(Action),
    Role.ADVISOR: frozenset(
        {
            Action.REVIEW,
            Action.ANSWER_REPLIES,
            Action.MOVE_DEALS,
            Action.SIGN_CONTRACTS,
            Action.FINISH_TASKS,
            Action.EDIT_PRODUCTS,
            Action.EDIT_CONTACTS,
            Action.EXPORT_CONTACTS,
            Action.EXPORT_LEADS,
            Action.SUPPRESS,
            Action.EDIT_LETTERS,
        }
    ),
    Role.SME: frozenset({Action.FINISH_TASKS, Action.EDIT_PRODUCTS, Action.EXPORT_LEADS}),
}


def may(viewer: Viewer, action: Action) -> bool:
    """Tell whether the viewer's role permits the action at all; on which rows is a matter of ``exporter_ids``."""
    return action in ALLOWED[viewer.role]


def require(viewer: Viewer, action: Action) -> None:
    """Raise NotAllowed unless the viewer's role permits the action."""
    if not may(viewer, action):
        raise NotAllowed(_("Your role does not permit this."))


def wait_until(failures: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when the next sign-in may be tried, or None for now.

    ``failures`` are the times of failed tries; five within a quarter of an hour cost one minute after the last.
    """
    recent = [at for at in failures if now - at <= TRIES_WITHIN]
    if len(recent) < TRIES:
        return None
    until = max(recent) + WAIT
    return until if until > now else None


def password_fault(password: str, email: str) -> str | None:
    """Return a code of ``accounts.texts`` if the password will not do, else None.

    Length is what counts; no rule asks for signs or digits (NIST SP 800-63B, section 5.1.1.2).
    """
    if len(password) < PASSWORD_MIN:
        return "password_short"
    if len(password) > PASSWORD_MAX:
        return "password_long"
    name = email.partition("@")[0]
    if password.casefold() in (email.casefold(), name.casefold()) or len(set(password)) < 4:
        return "password_weak"
    return None
