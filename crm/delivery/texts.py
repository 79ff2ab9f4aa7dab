"""What happened to a letter, in words."""

from crm.clearance import texts as clearance
from crm.core.i18n import N_, _

STATUSES = {
    "queued": N_("Waiting to leave"),
    "sending": N_("Leaving now"),
    "sent": N_("Sent"),
    "bounced": N_("Not delivered"),
    "withheld": N_("Held back"),
    "uncertain": N_("Not certain whether it arrived"),
    "cancelled": N_("Cancelled"),
}
REASONS = {
    "no_answer": N_("The mail server took the letter and did not answer."),
    "worker_stopped": N_("The program stopped while the letter was being handed over."),
    "relay_unreachable": N_("The mail server could not be reached. It is tried again."),
    "relay_sign_in": N_("The mail server refuses our sign-in. All letters wait; check [smtp] user and password."),
    "relay_quota": N_("The mail server takes no more letters now. All letters wait an hour."),
    "relay_relaying": N_("The mail server does not pass letters on for us. All letters wait; check [smtp]."),
    "relay_other": N_("The mail server refuses our sender address. All letters wait; check [mail] domain."),
    "refused_for_now": N_("The receiving server asked to try again later."),
    "given_up": N_("The receiving server refused it for now each time it was tried."),
    "no_such_address": N_("There is no such mailbox."),
    "refused_blocked": N_("The receiving server took it for unwanted mail or blocks the sender."),
    "refused_too_large": N_("The letter is too large for the receiving server."),
    "refused_mailbox_full": N_("The mailbox is full."),
    "refused_other": N_("The receiving server refused it."),
    "bounced": N_("It came back later."),
    "taken_back": N_("The approval was taken back."),
    "draft_cancelled": N_("The letter was cancelled before it left."),
    "changed": N_("The letter is not what was approved."),
    "campaign_paused": N_("The campaign is paused."),
    "campaign_stopped": N_("The campaign was stopped."),
    "enrolment_ended": N_("The follow-up of this buyer has ended."),
    "step_cancelled": N_("The step of the workflow was cancelled."),
    "out_of_office": N_("The buyer is away."),
    "window": N_("It waits for the next allowed time."),
    "internal_error": N_("Preparing it failed; it is tried again in an hour. See the log of the worker."),
    "settled_sent": N_("A person decided that it was sent."),
    "settled_not_sent": N_("A person decided that it was not sent."),
    "answered": N_("The buyer answered it, so it arrived."),
}


def status(code: str) -> str:
    """Return a status in the viewer's language."""
    return _(STATUSES[code]) if code in STATUSES else code


def reason(code: str) -> str:
    """Return a reason in the viewer's language; codes of clearance by their title."""
    if code in REASONS:
        return _(REASONS[code])
    return _(clearance.VERDICTS[code][0]) if code in clearance.VERDICTS else code
