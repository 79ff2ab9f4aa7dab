"""Reading users and sessions."""

import hashlib
from datetime import datetime

from sqlmodel import Session, col, select

from crm.accounts.models import Invitation, User, WebSession
from crm.accounts.rules import Action, Viewer, require
from crm.core.errors import NotFound
from crm.core.i18n import _


def hash_token(token: str) -> str:
    """Return the SHA-256 under which a random token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def normal_email(text: str) -> str:
    """Return the address as it is stored: trimmed, lower case."""
    return text.strip().lower()


def user_by_email(session: Session, email: str) -> User | None:
    """Return the user with this address, active or not."""
    return session.exec(select(User).where(User.email == normal_email(email))).first()


def get_user(session: Session, user_id: int) -> User:
    """Return the user; raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(_("There is no such user."))
    return user


def list_users(session: Session, viewer: Viewer) -> list[User]:
    """Return all users by role and name; raises NotAllowed for anyone but staff."""
    require(viewer, Action.MANAGE_USERS)
    return list(session.exec(select(User).order_by(User.role, User.name)))


def open_session(session: Session, token: str, now: datetime) -> tuple[User, WebSession] | None:
    """Return the user and session of a browser's token, or None when it is unknown, over, or the user was removed."""
    found = session.exec(
        select(User, WebSession)
        .join(WebSession, col(WebSession.user_id) == col(User.id))
        .where(WebSession.token_hash == hash_token(token), WebSession.expires_at > now, col(User.active))
    ).first()
    return (found[0], found[1]) if found else None


def open_invitation(session: Session, token: str, now: datetime) -> tuple[Invitation, User]:
    """Return an invitation that can still be accepted and its user; raises NotFound."""
    found = session.exec(
        select(Invitation, User)
        .join(User, col(User.id) == col(Invitation.user_id))
        .where(
            Invitation.token_hash == hash_token(token),
            Invitation.expires_at > now,
            col(Invitation.accepted_at).is_(None),
        )
    ).first()
    if found is None:
        raise NotFound(_("This invitation is used or too old. Ask the staff for a new one."))
    return found[0], found[1]
