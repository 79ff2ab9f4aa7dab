"""What each verdict says to a person: a title, one plain sentence with the evidence, and what would resolve it."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_datetime

from crm.clearance.question import Verdict
from crm.core.clock import KST
from crm.core.i18n import N_, _, language

VERDICTS: dict[str, tuple[str, str]] = {
    "LAW_JURISDICTION_UNKNOWN": (
        N_("Country unknown"),
        N_("Nobody recorded the buyer's country, so it is not known which law applies."),
    ),
    "COUNTRY_KNOWN": (N_("Country"), N_("The rules of {country} apply.")),
    "LAW_JURISDICTION_CONFLICT": (
        N_("Country to be checked"),
        N_("The buyer is recorded in {country}, but company or mailbox point to {other_country}."),
    ),
    "LAW_DEFAULT_RULE": (
        N_("No rule of its own"),
        N_("Nobody has read the law of {country} yet. The strictest common rule is used."),
    ),
    "LAW_HUMAN_REVIEW_REQUIRED": (
        N_("Rule not confirmed"),
        N_("The rule of {country} rests on a single source and has not been confirmed by a lawyer."),
    ),
    "LAW_SENDER_OVERLAY_UNDECIDED": (
        N_("Korean advertising rule undecided"),
        N_("It has not been decided whether the Korean rules also apply to letters sent abroad."),
    ),
    "OVERLAY_ON": (N_("Korean advertising rule"), N_("The Korean rules are applied as well, as decided.")),
    "OVERLAY_OFF": (
        N_("Korean advertising rule"),
        N_("The Korean rules are not applied to letters abroad, as decided."),
    ),
    "NO_ADDRESS": (N_("No address"), N_("The buyer has no e-mail address.")),
    "PROTO_HARD_BOUNCED": (N_("Address does not exist"), N_("A letter to {address} came back for good.")),
    "ADDRESS_OK": (N_("Address"), N_("Nothing has come back from {address}.")),
    "LAW_SUPPRESSED": (
        N_("Opted out"),
        N_("The buyer has not wanted mail from this company since {at} ({refusal})."),
    ),
    "LAW_SUPPRESSED_EVERYWHERE": (
        N_("Opted out of everything"),
        N_("The buyer has not wanted mail from any company since {at} ({refusal})."),
    ),
    "NOT_SUPPRESSED": (N_("Opt-out"), N_("The buyer has not opted out.")),
    "BASIS_FOUND": (N_("Consent record"), N_("{basis}, {given_at}. Evidence: {source}.")),
    "BASIS_REPLY": (N_("Consent record"), N_("The letter answers the buyer's own mail.")),
    "BASIS_NOT_NEEDED": (
        N_("Consent record"),
        N_("{country} allows a business letter without earlier consent, as long as nobody opted out."),
    ),
    "LAW_SOURCE_FORBIDDEN": (
        N_("Forbidden source"),
        N_("The address was collected by a program, guessed or bought. No country allows that."),
    ),
    "LAW_BASIS_EXPIRED": (
        N_("Consent has run out"),
        N_("{basis} of {given_at} counted until {expires}. Evidence: {source}."),
    ),
    "LAW_BASIS_WRONG_SENDER": (
        N_("Consent given to another"),
        N_("The buyer gave consent, but not to this company."),
    ),
    "LAW_BASIS_NOT_ENOUGH": (
        N_("Consent not sufficient"),
        N_("On record: {had}. {country} asks for one of these: {accepted}."),
    ),
    "LAW_NO_BASIS": (
        N_("No consent record"),
        N_("Nothing is on record. {country} asks for one of these: {accepted}."),
    ),
    "LAW_TIMEZONE_UNKNOWN": (
        N_("Local time unknown"),
        N_("{country} allows letters only at certain hours, and the buyer's local time is not known."),
    ),
    "LAW_QUIET_HOURS": (
        N_("Outside the allowed hours"),
        N_("{country} does not allow letters at this hour. The next allowed time is {until}."),
    ),
    "HOURS_OK": (N_("Allowed hours"), N_("{country} allows letters at this hour.")),
    "CONTACT_CAP": (
        N_("Too soon after the last letter"),
        N_("The buyer received a letter on {last}. At least {days} days must lie between, so from {until}."),
    ),
    "LAW_FREQUENCY_CAP": (
        N_("Too many letters"),
        N_("{country} allows {max} letters in {hours} hours. The next may go from {until}."),
    ),
    "CONTACT_CAP_KEPT": (N_("Distance between letters"), N_("The last letter was on {last}.")),
    "FIRST_LETTER": (N_("Distance between letters"), N_("This is the first letter to the buyer.")),
    "EXCLUSIVITY_SIGNED": (
        N_("Exclusive territory"),
        N_("{line} is exclusive to {partner} in {countries} ({start} to {end}). It cannot be offered to this buyer."),
    ),
    "EXCLUSIVITY_COUNTRY_UNKNOWN": (
        N_("Country of sale unknown"),
        N_("{line} is exclusive to {partner} in {countries}. First find out where this buyer sells."),
    ),
    "EXCLUSIVITY_OFFERED": (
        N_("Exclusivity on offer"),
        N_("{line} in {countries} has been offered to {partner}. Do not offer exclusivity to anyone else meanwhile."),
    ),
    "EXCLUSIVITY_PARTLY": (
        N_("Exclusive in part"),
        N_("{line} is exclusive to {partner} in {countries}. The letter must name the other countries only."),
    ),
    "EXCLUSIVITY_ASK_TERRITORY": (
        N_("Where will the buyer sell"),
        N_("{line} is exclusive to {partner} in {countries}. The buyer sits there but is said to sell elsewhere."),
    ),
    "EXCLUSIVITY_SOLE_END_USER": (
        N_("Sole distributor"),
        N_("{partner} is sole distributor of {line} in {countries}. A direct sale to an end user is allowed."),
    ),
    "EXCLUSIVITY_PART_OF_LINE": (
        N_("Part of the product line"),
        N_("A part of this line, {line}, is exclusive to {partner} in {countries}. Leave that part out."),
    ),
    "EXCLUSIVITY_ENDED": (
        N_("Exclusivity has ended"),
        N_("{line} was exclusive to {partner} in {countries} until {end}. Decide whether to write now."),
    ),
    "EXCLUSIVITY_NONE": (N_("Exclusive territory"), N_("No exclusive contract stands in the way.")),
    "SUBJECT_EMPTY": (N_("No subject"), N_("The letter has no subject.")),
    "LAW_SUBJECT_MISLEADING": (
        N_("Misleading subject"),
        N_("The subject looks like an answer, but there is no mail that it answers: {subject}"),
    ),
    "LABEL_OK": (N_("Advertising label"), N_("The subject begins with {label}, as {country} asks.")),
    "LAW_LABEL_MISSING": (
        N_("Advertising label missing"),
        N_("In {country} the subject of such a letter must begin with {label}."),
    ),
    "LAW_LABEL_POSITION": (
        N_("Advertising label in the wrong place"),
        N_("In {country} the subject must begin with {label}; nothing may stand before it."),
    ),
    "LAW_LABEL_ALTERED": (
        N_("Advertising label altered"),
        N_("{country} asks for exactly {label} at the start of the subject. Another spelling counts as evasion."),
    ),
    "LAW_LABEL_FORBIDDEN": (
        N_("Wrong advertising label"),
        N_("The label {label} must not stand in a letter to {country}."),
    ),
    "FOOTER_OK": (N_("Legal footer"), N_("Everything required is there: {items}.")),
    "LAW_FOOTER_MISSING": (N_("Legal footer incomplete"), N_("In a letter to {country} this is missing: {item}.")),
    "LAW_FOOTER_LANGUAGE": (
        N_("Legal footer in one language too few"),
        N_("In a letter to {country} this must also stand in {language}: {item}."),
    ),
    "LAW_FOOTER_FACT_UNKNOWN": (
        N_("Fact for the footer unknown"),
        N_("A letter to {country} needs this, and it is not recorded: {item}."),
    ),
}

REMEDIES: dict[str, str] = {
    "SET_COUNTRY": N_("Record the buyer's country."),
    "CONFIRM_RULE": N_("Approve only if you are sure that the letter is allowed there."),
    "CHOOSE_OVERLAY": N_("An administrator decides: korean_sender_overlay under [clearance] in the settings."),
    "CORRECT_ADDRESS": N_("Record another address."),
    "RECORD_NEW_OPT_IN": N_("Only a new opt-in given after that day lifts it."),
    "RECORD_OPT_IN": N_("Record the opt-in if there is one. Do not ask for it by e-mail."),
    "WAIT": N_("It goes at the next allowed time by itself."),
    "REFER_TO_PARTNER": N_("Introduce the buyer to the partner, or offer another product line."),
    "EDIT_SUBJECT": N_("Correct the subject."),
    "PUT_LABEL": N_("Take the label out of your own text; it is put in front by itself."),
    "COMPLETE_FACTS": N_("Complete the company's facts."),
    "USE_COMPOSED_FOOTER": N_("Take the footer as it was composed."),
}

BASES: dict[str, str] = {
    "express_optin": N_("explicit opt-in"),
    "requested_info": N_("a request for information"),
    "transaction": N_("a completed purchase"),
    "sale_soft_optin": N_("contact data from a sale, with the chance to object"),
    "inquiry": N_("an inquiry"),
    "negotiation": N_("negotiations about a purchase"),
    "card_handed": N_("a business card handed over"),
    "badge_scanned": N_("a scanned badge"),
    "published_address": N_("a published business address"),
    "corporate_recipient": N_("a company mailbox"),
    "generic_company_address": N_("a general company address"),
    "role_relevant_b2b": N_("business mail that fits the person's job, announced at the booth"),
    "legitimate_interest": N_("a documented weighing of interests"),
    "merchant_registry": N_("an entry in the merchants' register"),
    "one_time_business_invitation": N_("a single request for consent"),
    "opt_out_regime": N_("no consent needed"),
}

ITEMS: dict[str, str] = {
    "sender_legal_name": N_("name of the company"),
    "on_behalf_of_name": N_("who sends on the company's behalf"),
    "sender_postal_address": N_("postal address"),
    "sender_street_address_not_po_box": N_("street address, not a post-office box"),
    "sender_email": N_("e-mail address"),
    "sender_phone": N_("telephone number"),
    "sender_contact": N_("telephone number or e-mail address"),
    "complaints_contact": N_("contact for complaints"),
    "unsubscribe_statement": N_("sentence about opting out"),
    "unsubscribe_link": N_("opt-out link"),
    "unsubscribe_email": N_("opt-out e-mail address"),
    "unsubscribe_free_of_charge": N_("sentence that opting out is free"),
    "advertisement_identification": N_("sentence that this is an advertisement"),
    "collection_source_notice": N_("where the address was obtained"),
    "privacy_notice_link": N_("link to the privacy notice"),
    "right_to_object_notice": N_("right to object"),
    "consumer_agency_contact": N_("contact of the consumer agency"),
    "statutory_text_ar": N_("statutory text of Argentina"),
}

REFUSALS: dict[str, str] = {
    "opt_out": N_("opted out"),
    "hard_bounce": N_("mail came back for good"),
    "complaint": N_("complained"),
    "manual": N_("entered by hand"),
}

EVIDENCE: dict[str, str] = {
    "file": N_("file {value}"),
    "sheet": N_("sheet {value}"),
    "row": N_("row {value}"),
    "column": N_("column {value}"),
    "wording": N_("wording “{value}”"),
    "exhibition": N_("exhibition {value}"),
    "day": N_("on {value}"),
    "statements": N_("statement {value}"),
    "follow_up": N_("asked for {value}"),
    "badge": N_("badge {value}"),
    "captured_by": N_("written by {value}"),
}

LISTS: dict[str, str] = {
    "registration": N_("registration list"),
    "badge_scan": N_("scanned badges"),
    "card": N_("business cards"),
    "list": N_("contact list"),
}
"""Kinds of lists that consents were imported from."""


_ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?")


def say(verdict: Verdict) -> tuple[str, str]:
    """Return title and sentence of a verdict in the viewer's language; an unknown code is shown as it is."""
    if verdict.code not in VERDICTS:
        return verdict.code, ""
    title, sentence = VERDICTS[verdict.code]
    return _(title), _(sentence, **shown(verdict.params)) if verdict.params else _(sentence)


def remedy(verdict: Verdict) -> str:
    """Return what a person can do about the verdict, or an empty text."""
    return _(REMEDIES[verdict.resolves]) if verdict.resolves in REMEDIES else ""


def evidence(source: str, facts: Mapping[str, object]) -> str:
    """Return in one line what proves a consent: where it comes from, and what was kept of it."""
    # What was asked for is shown in the buyer's own words, not a second time by its codes.
    kept = {key: value for key, value in facts.items() if value and not (key == "requests" and facts.get("follow_up"))}
    words = [_(EVIDENCE[key], value=_proof(value)) if key in EVIDENCE else _proof(value) for key, value in kept.items()]
    return ", ".join([*([_(LISTS.get(source, source))] if source else []), *words])


def _proof(value: object) -> str:
    """Return a kept fact as a person reads it: several in a row, what a cell says behind its column, times in words."""
    if isinstance(value, list | tuple):
        return ", ".join(_proof(one) for one in value)
    if isinstance(value, Mapping):
        column, cell = value.get("column"), value.get("cell")
        return f"{column}: {cell}" if column else ", ".join(_proof(one) for one in value.values())
    text = str(value)
    return _time(text) if _ISO.fullmatch(text) else text


def _time(text: str) -> str:
    """Return a local time as it stood in the list (``2026-11-18T17:18`` or the day alone) in words."""
    at = datetime.fromisoformat(text)
    day = _day(at.date(), language())
    return f"{day} {at:%H:%M}" if "T" in text else day


@lru_cache(maxsize=512)
def _day(day: date, locale: str) -> str:
    return format_date(day, "long", locale=locale)


def shown(params: Mapping[str, object]) -> dict[str, str]:
    """Turn codes, days and times into words of the viewer's language."""
    return {name: _word(name, value) for name, value in params.items()}


def _word(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_word(name, one) for one in value)
    if isinstance(value, datetime):
        return format_datetime(value.astimezone(KST), _("MMM d (EEE) HH:mm"), locale=language())
    if isinstance(value, date):
        return format_date(value, "long", locale=language())
    known = _WORDS.get(name, {}).get(str(value))
    if known:
        return _(known)
    names = _NAMES.get(name)
    return str(getattr(Locale(language()), names).get(str(value).replace("-", "_"), value)) if names else str(value)


_WORDS = {"basis": BASES, "accepted": BASES, "had": BASES, "item": ITEMS, "items": ITEMS, "refusal": REFUSALS}
_NAMES = {
    "country": "territories",
    "countries": "territories",
    "other_country": "territories",
    "language": "languages",
}
