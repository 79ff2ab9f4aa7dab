"""The steps of the funnel: what each is called, and exactly what is counted."""

from crm.core.i18n import N_

STEPS: dict[str, tuple[str, str]] = {
    "listed": (N_("Listed"), N_("Buyers met at a booth: one person at one exporter at one exhibition.")),
    "sent": (N_("Sent"), N_("Of these, buyers to whom at least one letter was sent.")),
    "replied": (N_("Replied"), N_("Buyers whose deal has reached the reply or a later stage, whatever came of it.")),
    "quoted": (N_("Quotation and sample"), N_("Buyers whose deal has reached quotation or sample, or a later stage.")),
    "negotiating": (N_("Negotiating"), N_("Buyers whose deal has reached the negotiation of terms, or a later stage.")),
    "exclusive": (N_("Exclusive contract"), N_("Buyers whose deal has reached an exclusive contract.")),
}

GROUPS: dict[str, str] = {
    "exhibition": N_("By exhibition"),
    "exporter": N_("By company"),
    "country": N_("By country"),
}
