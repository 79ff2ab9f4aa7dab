"""Kinds of mail and ways of matching, in words."""

from crm.core.i18n import N_, _

KINDS = {
    "reply": N_("Reply"),
    "auto_reply": N_("Automatic reply"),
    "out_of_office": N_("Out of office"),
    "bounce": N_("Not delivered"),
    "complaint": N_("Complaint"),
    "opt_out": N_("No more mail, please"),
    "other": N_("Other mail"),
}
MATCHES = {
    "token": N_("by the return address of the letter"),
    "message_id": N_("by the letter it answers"),
    "address": N_("by the sender's address"),
    "": N_("belongs to no letter"),
}


def kind(code: str) -> str:
    """Return a kind in the viewer's language."""
    return _(KINDS[code]) if code in KINDS else code


def matched_by(code: str) -> str:
    """Return how a mail was matched, in the viewer's language."""
    return _(MATCHES[code]) if code in MATCHES else code
