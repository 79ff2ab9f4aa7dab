"""The main menu of each role."""

from dataclasses import dataclass

from crm.accounts.models import Role
from crm.core.i18n import N_


@dataclass(frozen=True)
class Item:
    """One entry: where it leads, what it is called (a message id)."""

    path: str
    label: str


HOME = {Role.STAFF: "/staff", Role.ADVISOR: "/review", Role.SME: "/"}

MENUS = {
    Role.ADVISOR: (
        Item("/review", N_("Review queue")),
        Item("/replies", N_("Replies")),
        Item("/tasks", N_("Tasks")),
        Item("/buyers", N_("Buyers")),
        Item("/sent", N_("Sent mail")),
        Item("/letters", N_("Letter templates")),
        Item("/products", N_("Documents")),
        Item("/help", N_("Help")),
    ),
    Role.SME: (
        Item("/", N_("Pipeline")),
        Item("/buyers", N_("Buyers")),
        Item("/contracts", N_("Contracts")),
        Item("/products", N_("Documents")),
        Item("/help", N_("Help")),
    ),
    Role.STAFF: (
        Item("/staff", N_("Home")),
        Item("/exhibitions", N_("Exhibitions")),
        Item("/import", N_("Import")),
        Item("/contacts", N_("Buyers")),
        Item("/contacts/duplicates", N_("Duplicates")),
        Item("/campaigns", N_("Campaigns")),
        Item("/workflows", N_("Workflows")),
        Item("/letters", N_("Letter templates")),
        Item("/products", N_("Documents")),
        Item("/outbox", N_("Outbox")),
        Item("/suppression", N_("Suppression list")),
        Item("/reports", N_("Reports")),
        Item("/users", N_("Users")),
        Item("/audit", N_("Audit log")),
        Item("/help", N_("Help")),
    ),
}


def current(items: tuple[Item, ...], path: str) -> str:
    """Return the path of the entry that a page belongs to, or an empty text."""
    fitting = [item.path for item in items if path == item.path or path.startswith(f"{item.path.rstrip('/')}/")]
    return max((path for path in fitting if path != "/" or len(fitting) == 1), key=len, default="")
