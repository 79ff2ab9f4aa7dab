"""The sentences behind the codes of ``accounts.rules``."""

from crm.accounts import rules
from crm.core.i18n import N_, _

FAULTS = {
    "password_short": N_("The password needs at least {least} characters."),
    "password_long": N_("The password may have at most {most} characters."),
    "password_weak": N_("This password is too easy to guess."),
}


def fault(code: str) -> str:
    """Return the sentence of a code in the viewer's language."""
    return _(FAULTS[code], least=rules.PASSWORD_MIN, most=rules.PASSWORD_MAX)
