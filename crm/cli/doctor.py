"""The checks behind ``crm doctor``. Each finds one thing out and names the cure."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crm.cli import common
from crm.core.config import Settings
from crm.core.errors import CrmError
from crm.core.i18n import _


@dataclass(frozen=True)
class Finding:
    """What one check found out."""

    name: str
    ok: bool
    detail: str
    cure: str = ""


def checks() -> Sequence[Callable[[], Finding]]:
    """Return the checks in the order in which failures should be mended."""
    return (configuration, secret, database, letters, workflows, smtp, imap)


def configuration() -> Finding:
    """Is the configuration readable?"""
    try:
        common.load_settings()
    except CrmError as error:
        return Finding(_("configuration"), False, error.message, _("Correct what is named on the left."))
    return Finding(_("configuration"), True, _("every key is known"))


def _settings() -> Settings | None:
    try:
        return common.load_settings()
    except CrmError:
        return None


def _without_settings(name: str) -> Finding:
    return Finding(name, False, _("not looked at"), _("Mend the configuration first."))


def secret() -> Finding:
    """Is the secret that signs links long enough?"""
    settings = _settings()
    if settings is None:
        return _without_settings(_("secret"))
    ok = len(settings.web.secret.get_secret_value()) >= 32
    cure = "" if ok else _("Set IEUM_WEB__SECRET to 32 or more random characters.")
    return Finding(_("secret"), ok, _("set") if ok else _("missing or short"), cure)


def database() -> Finding:
    """Can the database be reached, and is it at the newest version?"""
    from crm import migrations
    from crm.core.db import Database

    settings = _settings()
    if settings is None:
        return _without_settings(_("database"))
    db = Database(settings.database.url)
    try:
        version = migrations.current(db)
    except Exception as error:
        cure = _("Start the database server and correct [database] url.")
        return Finding(_("database"), False, str(error).splitlines()[0], cure)
    finally:
        db.close()
    if version != migrations.newest():
        return Finding(_("database"), False, _("not set up for this version"), _("Run: crm init"))
    return Finding(_("database"), True, _("version {version}", version=version))


def letters() -> Finding:
    """Are all letters complete in all languages?"""
    from crm.jobs import library

    settings = _settings()
    if settings is None:
        return _without_settings(_("letters"))
    try:
        found = library(settings.templates_dir)
    except CrmError as error:
        return Finding(_("letters"), False, error.message, _("Correct the files named on the left."))
    return Finding(_("letters"), True, ", ".join(sorted(found.languages())))


def workflows() -> Finding:
    """Are all workflow files in order?"""
    from crm.campaigns.service import load_workflows

    settings = _settings()
    if settings is None:
        return _without_settings(_("workflows"))
    try:
        found = load_workflows(settings)
    except CrmError as error:
        return Finding(_("workflows"), False, error.message, _("Correct the files named on the left."))
    return Finding(_("workflows"), True, ", ".join(sorted(found)))


def smtp() -> Finding:
    """Does the mail server answer, encrypt and accept the sign-in?"""
    from crm.mail.smtp import probe

    settings = _settings()
    if settings is None:
        return _without_settings("SMTP")
    server = f"{settings.smtp.host}:{settings.smtp.port}"
    try:
        asyncio.run(probe(settings.smtp))
    except Exception as error:
        cure = _("Correct [smtp] host, port and security, and IEUM_SMTP__PASSWORD.")
        return Finding("SMTP", False, f"{server}: {error}", cure)
    return Finding("SMTP", True, server)


def imap() -> Finding:
    """Does the mailbox open?"""
    from crm.mail.imap import probe

    settings = _settings()
    if settings is None:
        return _without_settings("IMAP")
    if not settings.imap.host:
        return Finding("IMAP", True, _("no mailbox is read ([imap] host is empty)"))
    server = f"{settings.imap.host}:{settings.imap.port}"
    try:
        probe(settings.imap)
    except Exception as error:
        cure = _("Correct [imap] host, port, security and user, and IEUM_IMAP__PASSWORD.")
        return Finding("IMAP", False, f"{server}: {error}", cure)
    return Finding("IMAP", True, server)
