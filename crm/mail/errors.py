"""What can go wrong between this machine and a mail server, as a sentence for the person who runs it."""

from crm.core.errors import CrmError


class Unreachable(CrmError):
    """A mail server cannot be reached, trusted or signed in to; the sentence says what to check."""
