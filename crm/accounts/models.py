"""Users, their sessions, invitations and failed sign-ins."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from crm.core.models import Versioned


class Role(StrEnum):
    STAFF = "staff"
    ADVISOR = "advisor"
    SME = "sme"


class User(Versioned, table=True):
    """A person who signs in. Which companies they may see is said by ``exporters`` (members, assignments)."""

    __tablename__ = "user_account"  # "user" is a reserved word on PostgreSQL

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(max_length=254, unique=True)
    name: str = Field(max_length=200)
    name_latin: str = Field(default="", max_length=200)
    role: str = Field(max_length=16, index=True)
    password_hash: str | None = Field(default=None, max_length=255)
    active: bool = True
    languages: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    sectors: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    weekly_capacity: int = 60
    absent_until: date | None = None
    ui_language: str = Field(default="ko", max_length=8)
    text_size: str = Field(default="normal", max_length=8)
    display_mode: str = Field(default="light", max_length=16)
    letter_keys: bool = False
    created_at: datetime
    last_seen_at: datetime | None = None


class WebSession(SQLModel, table=True):
    """One signed-in browser. Only the SHA-256 of the cookie's random token is stored."""

    __tablename__ = "web_session"

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="user_account.id", index=True, ondelete="CASCADE")
    csrf_token: str = Field(max_length=64)
    created_at: datetime
    expires_at: datetime = Field(index=True)


class Invitation(SQLModel, table=True):
    """An address asked to join; accepting sets the password. ``user_id`` is the prepared, still inactive user."""

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(max_length=64, unique=True)
    user_id: int = Field(foreign_key="user_account.id", index=True, ondelete="CASCADE")
    invited_by: str = Field(max_length=254)
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None


class SignInAttempt(SQLModel, table=True):
    """A sign-in that failed; counted in the database so that every web process sees it."""

    __tablename__ = "sign_in_attempt"

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(max_length=254, index=True)
    at: datetime = Field(index=True)
