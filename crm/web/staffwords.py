"""Codes that only staff read, in words: fields of a contact, findings of an import, lines of the event log."""

from typing import Any

from crm.accounts.models import Role
from crm.campaigns import texts as campaign_texts
from crm.clearance import texts as clearance_texts
from crm.core.i18n import N_, _
from crm.delivery import texts as delivery_texts
from crm.web import naming

ROLES = {Role.STAFF: N_("Staff"), Role.ADVISOR: N_("Advisor"), Role.SME: N_("Exporter's staff")}

FIELDS = {
    "full_name": N_("Full name"),
    "family_name": N_("Family name"),
    "given_name": N_("Given name"),
    "middle_name": N_("Middle name"),
    "name_alt": N_("Name in another script"),
    "name_reading": N_("Reading of the name"),
    "prefix": N_("Form of address"),
    "suffix": N_("Suffix"),
    "gender": N_("Gender"),
    "company": N_("Company name"),
    "company_alt": N_("Company name in another script"),
    "company_reading": N_("Reading of the company name"),
    "department": N_("Department"),
    "title": N_("Job title"),
    "email": N_("E-mail"),
    "emails": N_("E-mail"),
    "email_other": N_("Another e-mail"),
    "mobile": N_("Mobile telephone"),
    "phone": N_("Telephone"),
    "other_phones": N_("Other telephones"),
    "fax": N_("Fax"),
    "website": N_("Website"),
    "country": N_("Country"),
    "region": N_("Region"),
    "city": N_("City"),
    "postal_code": N_("Postal code"),
    "address": N_("Postal address"),
    "language": N_("Language of letters"),
    "timezone": N_("Time zone"),
    "company_type": N_("Kind of company"),
    "industry": N_("Industry"),
    "company_size": N_("Size of the company"),
    "interests": N_("Interests"),
    "visit_purpose": N_("Purpose of the visit"),
    "timeframe": N_("Time of purchase"),
    "quantity": N_("Quantity wanted"),
    "decision_role": N_("Say in the purchase"),
    "visitor_type": N_("Kind of visitor"),
    "external_id": N_("Registration number"),
    "event_name": N_("Name of the exhibition"),
    "booth": N_("Booth"),
    "registered_at": N_("Registered on"),
    "met_at": N_("Met on"),
    "captured_by": N_("Written by"),
    "rating": N_("Rating"),
    "notes": N_("Notes"),
    "tags": N_("Groups"),
    "follow_up": N_("What was promised"),
    "consent_privacy": N_("Consent to data processing"),
    "consent_third_party": N_("Consent to sharing with exhibitors"),
    "consent_marketing": N_("Consent to advertising"),
    "consent_transfer": N_("Consent to transfer abroad"),
    "opt_out": N_("Opt-out"),
    "wechat": N_("WeChat"),
    "whatsapp": N_("WhatsApp"),
    "line": N_("LINE"),
    "kakao": N_("KakaoTalk"),
    "linkedin": N_("LinkedIn"),
    "messengers": N_("Messengers"),
    "exporter": N_("Exporter met"),
    "organisation_id": N_("Company name"),
    "leads": N_("Talks"),
    "seq": N_("Running number (not stored)"),
    "ignored": N_("Not needed (not stored)"),
    "sensitive": N_("Private data (never stored)"),
}

FINDINGS = {
    "not_mailable": N_("No e-mail address"),
    "email_invalid": N_("E-mail address wrong"),
    "email_multiple": N_("Several e-mail addresses"),
    "email_legacy_exchange": N_("Internal Outlook address"),
    "email_from_hyperlink": N_("Address taken from a link"),
    "role_mailbox": N_("Shared mailbox"),
    "no_person_name": N_("No person's name"),
    "phone_unreadable": N_("Telephone number lost digits"),
    "phone_invalid": N_("Telephone number unreadable"),
    "phone_zero_restored": N_("Leading zero restored"),
    "phone_multiple": N_("Several telephone numbers"),
    "name_honorific_removed": N_("Courtesy title taken out"),
    "title_from_name": N_("Job title stood with the name"),
    "title_from_company": N_("Job title stood with the company"),
    "name_extra_removed": N_("“And others” taken out of the name"),
    "control_chars_removed": N_("Invisible characters removed"),
    "placeholder_char": N_("Broken character in the name"),
    "undecodable_text": N_("Text was cut off"),
    "formula_like": N_("Looks like a formula"),
    "cell_truncated": N_("Text too long"),
    "country_from_city": N_("Country taken from the city"),
    "country_unknown": N_("Country not recognised"),
    "rating_unreadable": N_("Rating not understood"),
    "language_unreadable": N_("Language not recognised"),
    "consent_unreadable": N_("Consent not understood"),
    "consent_privacy_missing": N_("Privacy consent is missing"),
    "merged_cell_filled": N_("Filled from a merged cell"),
    "hidden_row": N_("Hidden row"),
    "date_year_assumed": N_("Year taken from the exhibition"),
    "date_unreadable": N_("Date unreadable"),
    "sensitive_dropped": N_("Private data left out"),
    "exporter_unknown": N_("Exporter not known"),
    "exporter_missing": N_("No exporter named"),
    "suppressed": N_("Opted out or bounced before"),
    "kept_human_edit": N_("Edited by a person, kept"),
    "third_party_refused": N_("Sharing with exhibitors refused"),
    "ambiguous_person": N_("Perhaps known already"),
    "email_of_other": N_("Address of another person"),
    "unknown_request": N_("Request not understood"),
    "no_identity": N_("Nobody can be recognised"),
    "consent_privacy_refused": N_("Consent to data processing refused"),
    "row_shape": N_("More cells than headers"),
    "test_row": N_("Test entry"),
    "malformed_card": N_("Card incomplete"),
    "left_out": N_("Left out by hand"),
    "corrected": N_("Corrected by hand"),
    "consent_not_corrected": N_("Consent is not corrected by hand"),
}

VERBS = {
    "address_bounced": N_("address bounced"),
    "address_suppressed": N_("address suppressed"),
    "campaign_copied": N_("campaign copied for another exhibition"),
    "campaign_created": N_("campaign made"),
    "campaign_dated": N_("dates of the campaign set"),
    "campaign_dates_set": N_("dates of the campaign set"),
    "campaign_discarded": N_("campaign thrown away before its start"),
    "campaign_migrated": N_("buyers moved to another version of the workflow"),
    "campaign_paused": N_("campaign paused"),
    "campaign_resumed": N_("campaign resumed"),
    "campaign_started": N_("campaign started"),
    "campaign_stopped": N_("campaign stopped"),
    "campaign_workflow_chosen": N_("workflow of the campaign chosen"),
    "consent_recorded": N_("consent recorded"),
    "contacts_exported": N_("buyers downloaded"),
    "contact_edited": N_("contact edited"),
    "contacts_merged": N_("two buyers made one"),
    "contacts_parted": N_("merge taken back"),
    "duplicate_asked": N_("two buyers compared"),
    "duplicate_decided": N_("answered whether two buyers are one"),
    "contact_opted_out": N_("buyer opted out"),
    "contract_ended": N_("contract ended"),
    "contract_offered": N_("contract offered"),
    "contract_signed": N_("contract signed"),
    "deal_moved": N_("deal moved"),
    "deal_opened": N_("deal opened"),
    "exhibition_added": N_("exhibition added"),
    "exhibition_changed": N_("exhibition changed"),
    "exporter_added": N_("company added"),
    "exporter_changed": N_("company changed"),
    "booth_set": N_("booth entered"),
    "follow_up_ended": N_("follow-up ended"),
    "follow_up_held": N_("follow-up held"),
    "import_undone": N_("import undone"),
    "invitation_accepted": N_("invitation accepted"),
    "lead_enrolled": N_("buyer taken into the campaign"),
    "letter_approved": N_("letter approved"),
    "letter_bounced": N_("letter not delivered"),
    "letter_cancelled": N_("letter cancelled"),
    "letter_drafted": N_("letter drafted"),
    "letter_edited": N_("letter edited"),
    "letter_postponed": N_("letter put off"),
    "letter_returned": N_("letter returned"),
    "letter_sent": N_("letter sent"),
    "letter_settled": N_("decided whether it arrived"),
    "letter_taken_back": N_("approval taken back"),
    "letter_approvals_imported": N_("approvals of a letter template taken in"),
    "letter_saved": N_("letter template saved"),
    "letter_text_approved": N_("text of a letter template approved"),
    "letter_text_asked": N_("approval of a letter template asked for"),
    "letter_text_returned": N_("text of a letter template given back"),
    "letters_moved": N_("campaign moved to newer letter templates"),
    "letter_uncertain": N_("arrival not certain"),
    "letter_withheld": N_("letter held back"),
    "list_imported": N_("list imported"),
    "mail_handled": N_("mail dealt with"),
    "mail_reply": N_("reply came"),
    "mail_auto_reply": N_("automatic reply came"),
    "mail_out_of_office": N_("out-of-office mail came"),
    "mail_bounce": N_("bounce came"),
    "mail_complaint": N_("complaint came"),
    "mail_opt_out": N_("opt-out came by mail"),
    "mail_other": N_("other mail came"),
    "original_downloaded": N_("original file downloaded"),
    "password_changed": N_("password changed"),
    "plan_agreed": N_("plan agreed to"),
    "quotation_sent": N_("quotation sent"),
    "sample_delivered": N_("sample arrived"),
    "sample_sent": N_("sample sent"),
    "sending_confirmed": N_("sending confirmed"),
    "sending_paused": N_("sending paused"),
    "signed_in": N_("signed in"),
    "step_skipped": N_("step left out"),
    "steps_moved": N_("steps moved to other times"),
    "task_added": N_("task added"),
    "task_finished": N_("task done"),
    "upload_discarded": N_("uploaded file thrown away"),
    "user_added": N_("user added"),
    "user_assigned": N_("company assigned"),
    "user_invited": N_("user invited"),
    "user_removed": N_("user removed"),
    "workflow_saved": N_("workflow saved"),
}

SUBJECTS = {
    "campaign": N_("campaign"),
    "contact": N_("buyer"),
    "deal": N_("deal"),
    "draft": N_("letter"),
    "exhibition": N_("exhibition"),
    "export": N_("downloaded file"),
    "exporter": N_("company"),
    "import_batch": N_("import"),
    "inbox_message": N_("received mail"),
    "instance": N_("program"),
    "lead": N_("talk"),
    "letter_decision": N_("letter template"),
    "letter_save": N_("letter template"),
    "suppression": N_("suppression list"),
    "task": N_("task"),
    "upload": N_("uploaded file"),
    "user_account": N_("user"),
    "workflow_save": N_("workflow"),
}

SUPPRESSION_REASONS = {
    "opt_out": N_("does not want mail"),
    "hard_bounce": N_("address does not exist"),
    "complaint": N_("complained"),
    "manual": N_("entered by hand"),
}

SOURCES = {
    "staff": N_("entered by staff"),
    "delivery": N_("refused by the mail server"),
    "inbox": N_("a bounce was read"),
    "reply": N_("asked in a reply"),
    "complaint": N_("complaint of the mail provider"),
    "import": N_("imported list"),
    "link": N_("unsubscribe link"),
}

ATTEMPTS = {
    "accepted": N_("accepted by the mail server"),
    "temporary": N_("refused for now"),
    "permanent": N_("refused for good"),
    "not_offered": N_("not handed over"),
    "uncertain": N_("handed over, no answer"),
}

STEP_STATES = {
    "waiting": N_("waiting"),
    "taken": N_("being reviewed"),
    "done": N_("done"),
    "skipped": N_("left out"),
    "cancelled": N_("cancelled"),
}

DETAILS = {
    "added": N_("added"),
    "consent": N_("consent records"),
    "consents": N_("consent records"),
    "contact": N_("buyers"),
    "contract_id": N_("contract number"),
    "email_address": N_("addresses"),
    "inbox_message": N_("received mail"),
    "note": N_("note"),
    "organisation": N_("companies"),
    "answer": N_("answer"),
    "booth": N_("booth"),
    "campaign": N_("campaign"),
    "checks": N_("checks"),
    "email": N_("e-mail"),
    "evidence": N_("evidence"),
    "file": N_("file"),
    "found": N_("lines"),
    "from": N_("from"),
    "kept": N_("kept"),
    "kind": N_("kind"),
    "language": N_("language"),
    "lead": N_("talk"),
    "letter_decision": N_("letter template"),
    "letter_save": N_("letter template"),
    "leads": N_("talks"),
    "letter": N_("letter"),
    "matched_by": N_("recognised by"),
    "merged": N_("merged"),
    "outbox": N_("letter in the outbox"),
    "recipient": N_("receiver"),
    "refused": N_("refused"),
    "removed": N_("taken out"),
    "restored": N_("put back"),
    "role": N_("role"),
    "send_at": N_("leaves at"),
    "skipped": N_("skipped"),
    "step": N_("step"),
    "territory": N_("territory"),
    "to": N_("to"),
    "unchanged": N_("unchanged"),
    "until": N_("until"),
    "was_sent": N_("arrived"),
    "workflow": N_("workflow"),
}

_REASONS = (campaign_texts.ENDINGS, delivery_texts.REASONS, SUPPRESSION_REASONS, clearance_texts.BASES)

UNITS = {"business days": N_("business days"), "days": N_("days"), "hours": N_("hours")}


def role_name(code: str) -> str:
    """Return a role in words."""
    return _(ROLES[Role(code)])


def field_name(code: str) -> str:
    """Return a field of a contact list in words; one that is not ours stands as it is."""
    return _(FIELDS[code]) if code in FIELDS else code


def value_text(value: Any) -> str:
    """Return a value of a contact as one text."""
    if isinstance(value, dict):
        return ", ".join(f"{field_name(key)}: {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")


WHY = {
    "name": N_("Same name, firms that read alike"),
    "mailbox": N_("Same mailbox, different names"),
    "mobile": N_("Same mobile number, different names"),
    "hand": N_("Compared by hand"),
}


def why_name(code: str) -> str:
    """Return why two people may be one."""
    return _(WHY[code]) if code in WHY else code


PAIR_STATES = {
    "open": N_("not answered"),
    "later": N_("put off"),
    "different": N_("two people"),
    "merged": N_("made one"),
}


def pair_state(code: str) -> str:
    """Return what was answered about two people."""
    return _(PAIR_STATES[code]) if code in PAIR_STATES else code


def finding_name(code: str) -> str:
    """Return a short name for a finding of an import."""
    return _(FINDINGS[code]) if code in FINDINGS else code


def verb_name(code: str) -> str:
    """Return what a line of the event log says was done."""
    return _(VERBS[code]) if code in VERBS else code.replace("_", " ")


def subject_name(code: str) -> str:
    """Return what kind of row a line of the event log is about."""
    return _(SUBJECTS.get(code, code))


def suppression_reason(code: str) -> str:
    """Return why an address is not written to."""
    return _(SUPPRESSION_REASONS.get(code, code))


def source_name(code: str) -> str:
    """Return where a suppression came from."""
    return _(SOURCES[code]) if code in SOURCES else code


def attempt_name(code: str) -> str:
    """Return what came of one attempt to send."""
    return _(ATTEMPTS.get(code, code))


def step_state(code: str) -> str:
    """Return the state of a step."""
    return _(STEP_STATES.get(code, code))


def reason_name(text: str) -> str:
    """Return the reason of a line of the event log: a code in words, what a person wrote as it stands."""
    return next((_(codes[text]) for codes in _REASONS if text in codes), naming.move_reason(text))


def detail_name(code: str) -> str:
    """Return the name of a value that a line of the event log carries; fields of a contact by their own names."""
    return _(DETAILS[code]) if code in DETAILS else field_name(code)
