"""The verbs: add, invite, accept, sign in, sign out, remove, change what a page looks like."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email
from sqlmodel import Session, col, delete, select

from crm.accounts import passwords, queries, rules, texts
from crm.accounts.models import Invitation, Role, SignInAttempt, User, WebSession
from crm.core.errors import BadInput, Place, Problem, Refused
from crm.core.events import record
from crm.core.i18n import UI_LANGUAGES, _

TEXT_SIZES = ("normal", "large", "xlarge")
DISPLAY_MODES = ("light", "contrast")


def add_user(
    session: Session,
    *,
    email: str,
    name: str,
    role: str,
    now: datetime,
    by: str,
    password: str | None = None,
    name_latin: str = "",
    languages: Sequence[str] = (),
    sectors: Sequence[str] = (),
    ui_language: str = "ko",
) -> User:
    """Add a user and return it. Without a password the user cannot sign in before accepting an invitation.

    Raises BadInput (address, name, role, password) and Refused when the address is taken.
    """
    address = queries.normal_email(email)
    _check_person(address, name, role)
    if queries.user_by_email(session, address):
        raise Refused(_("{email} is a user already.", email=address), code="email_taken")
    user = User(
        email=address,
        name=name.strip(),
        name_latin=name_latin.strip(),
        role=role,
        active=password is not None,
        languages=list(languages),
        sectors=list(sectors),
        ui_language=ui_language,
        created_at=now,
    )
    if password is not None:
        user.password_hash = _hashed(password, address)
    session.add(user)
    session.flush()
    record(session, "user_added", "user_account", user.id, at=now, actor=by, data={"email": address, "role": role})
    return user


def invite(
    session: Session, *, email: str, name: str, role: str, now: datetime, by: str, languages: Sequence[str] = ()
) -> tuple[User, str]:
    """Prepare a user and return it with the token of the invitation's link; the token is shown once, never stored.

    An address that was invited and has not accepted is invited anew. Raises as ``add_user`` does.
    """
    user = queries.user_by_email(session, email)
    if user is None or user.active or user.password_hash:
        user = add_user(session, email=email, name=name, role=role, now=now, by=by, languages=languages)
    assert user.id is not None
    _withdraw_invitations(session, user.id)
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        token_hash=queries.hash_token(token),
        user_id=user.id,
        invited_by=by,
        created_at=now,
        expires_at=now + timedelta(days=rules.INVITATION_DAYS),
    )
    session.add(invitation)
    record(session, "user_invited", "user_account", user.id, at=now, actor=by)
    return user, token


def accept_invitation(session: Session, token: str, password: str, now: datetime) -> User:
    """Set the password and let the user in. Raises NotFound (unknown, used, too old) and BadInput (password)."""
    invitation, user = queries.open_invitation(session, token, now)
    user.password_hash = _hashed(password, user.email)
    user.active = True
    invitation.accepted_at = now
    session.add_all([user, invitation])
    record(session, "invitation_accepted", "user_account", user.id, at=now, actor=user.email)
    session.flush()
    return user


def sign_in(session: Session, email: str, password: str, now: datetime) -> User | None:
    """Return the user, or None when address or password is wrong (the failure is counted).

    Raises Refused(code="wait") while the address has to wait after too many failures. What was counted must be
    committed, so a failure is a return value.
    """
    address = queries.normal_email(email)[:254]
    failures = session.exec(select(SignInAttempt.at).where(SignInAttempt.email == address)).all()
    if rules.wait_until(failures, now):
        raise Refused(_("Too many tries. Wait one minute and try again."), code="wait")
    user = queries.user_by_email(session, address)
    if not passwords.verify(password, user.password_hash if user and user.active else None) or user is None:
        session.add(SignInAttempt(email=address, at=now))
        return None
    session.exec(delete(SignInAttempt).where(col(SignInAttempt.email) == address))
    user.last_seen_at = now
    session.add(user)
    return user


def start_session(session: Session, user: User, now: datetime, hours: int) -> str:
    """Open a session for a signed-in user and return the token for the cookie. Sessions that are over are removed."""
    session.exec(delete(WebSession).where(col(WebSession.expires_at) <= now))
    token = secrets.token_urlsafe(32)
    assert user.id is not None
    row = WebSession(
        token_hash=queries.hash_token(token),
        user_id=user.id,
        csrf_token=secrets.token_urlsafe(32),
        created_at=now,
        expires_at=now + timedelta(hours=hours),
    )
    session.add(row)
    record(session, "signed_in", "user_account", user.id, at=now, actor=user.email)
    return token


def extend_session(session: Session, token_hash: str, now: datetime, hours: int) -> None:
    """Let a session run ``hours`` from now."""
    row = session.get(WebSession, token_hash)
    if row:
        row.expires_at = now + timedelta(hours=hours)
        session.add(row)


def end_session(session: Session, token_hash: str) -> None:
    """Sign one browser out."""
    session.exec(delete(WebSession).where(col(WebSession.token_hash) == token_hash))


def end_sessions(session: Session, user_id: int, keep: str | None = None) -> None:
    """Sign a user out everywhere, but for the session with the token hash ``keep``."""
    session.exec(delete(WebSession).where(col(WebSession.user_id) == user_id, col(WebSession.token_hash) != keep))


def change_password(
    session: Session, user_id: int, old: str, new: str, now: datetime, *, keep: str | None = None
) -> None:
    """Change a password and sign the user out everywhere else. Raises BadInput naming the field."""
    user = queries.get_user(session, user_id)
    if not passwords.verify(old, user.password_hash):
        raise BadInput([Problem(_("This is not your present password."), Place(field="old"))])
    user.password_hash = _hashed(new, user.email)
    session.add(user)
    end_sessions(session, user_id, keep)
    record(session, "password_changed", "user_account", user_id, at=now, actor=user.email)


def deactivate_user(session: Session, user_id: int, now: datetime, by: str) -> User:
    """Take a user's access away at once. Raises NotFound, and Refused for the last member of staff."""
    user = queries.get_user(session, user_id)
    staff = select(User.id).where(User.role == Role.STAFF, col(User.active), User.id != user_id)
    if user.role == Role.STAFF and session.exec(staff).first() is None:
        raise Refused(_("The last member of staff cannot be removed."), code="last_staff")
    user.active = False
    session.add(user)
    end_sessions(session, user_id)
    _withdraw_invitations(session, user_id)
    record(session, "user_removed", "user_account", user_id, at=now, actor=by)
    return user


def set_display(session: Session, user_id: int, *, text_size: str, display_mode: str) -> None:
    """Keep the text size and the colour mode; unknown values are refused with BadInput."""
    if text_size not in TEXT_SIZES or display_mode not in DISPLAY_MODES:
        raise BadInput(_("Choose one of the listed values."))
    user = queries.get_user(session, user_id)
    user.text_size, user.display_mode = text_size, display_mode
    session.add(user)


def set_language(session: Session, user_id: int, language: str) -> None:
    """Keep the language of the pages, ``ko`` or ``en``."""
    if language not in UI_LANGUAGES:
        raise BadInput(_("Choose one of the listed values."))
    user = queries.get_user(session, user_id)
    user.ui_language = language
    session.add(user)


def set_letter_keys(session: Session, user_id: int, on: bool) -> None:
    """Switch the one-letter shortcuts on or off (KWCAG 2.2, 6.1.4: off until asked for)."""
    user = queries.get_user(session, user_id)
    user.letter_keys = on
    session.add(user)


def _withdraw_invitations(session: Session, user_id: int) -> None:
    open_ones = col(Invitation.accepted_at).is_(None)
    session.exec(delete(Invitation).where(col(Invitation.user_id) == user_id, open_ones))


def _check_person(address: str, name: str, role: str) -> None:
    problems = []
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        message = _("{text} is not an e-mail address.", text=address or "''")
        problems.append(Problem(message, Place(field="email"), _("Write it as name@example.com.")))
    if not name.strip():
        problems.append(Problem(_("The name is missing."), Place(field="name")))
    if role not in list(Role):
        message = _("There is no role {role}.", role=role)
        problems.append(Problem(message, Place(field="role"), _("Known: {names}.", names=", ".join(Role))))
    if problems:
        raise BadInput(problems)


def _hashed(password: str, email: str) -> str:
    code = rules.password_fault(password, email)
    if code:
        raise BadInput([Problem(texts.fault(code), Place(field="password"), code=code)])
    return passwords.hash_password(password)
