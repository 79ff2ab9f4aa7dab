"""Gathers what a letter says from the rows of a lead, its exporter and its exhibition."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from crm.campaigns.leads import LeadCard, load
from crm.campaigns.rules import Calendar, add_business_days
from crm.contacts.models import Contact, Lead, Organisation
from crm.core.clock import KST
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.drafts import formats
from crm.drafts.language import KOREAN
from crm.drafts.names import NameParts, Salutation, clean, salute
from crm.drafts.placeholders import Facts
from crm.drafts.scripts import native
from crm.exporters import service as exporters
from crm.exporters.models import Exhibition, Exporter, ProductLine
from crm.exporters.rules import in_language

ANSWER_DAYS = 10
"""Working days of the buyer's country that a letter leaves for an answer."""
SHORT_NAME = 20
_LEGAL_FORM = re.compile(
    r"\(주\)|㈜|주식회사|\(株\)|株式会社|股份有限公司|有限公司|,?\s*\b(?:Co\.?,?\s*Ltd|Ltd|Inc|Corp|Corporation|LLC)\b\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Subject:
    """Everything that one letter is about: the lead, whom it is to, who writes, what is offered."""

    lead: Lead
    card: LeadCard
    addressee: NameParts
    exporter: Exporter
    exhibition: Exhibition
    line: ProductLine | None
    names: tuple[str, ...]

    @property
    def recipient_name(self) -> str:
        """Return the name for the To field: the person, else the firm, as they write it; never a form of address."""
        return clean(self.addressee.full_name) or clean(self.addressee.name_alt) or clean(self.addressee.company)


def subject_of(
    session: Session,
    lead_id: int,
    language: str | None = None,
    product_line_id: int | None = None,
    *,
    card: LeadCard | None = None,
) -> Subject:
    """Load what a letter to a lead is about, in the buyer's language unless another is given.

    Without ``product_line_id`` the lead's line is taken, else its deal's. ``card`` spares a look-up to who has it.
    Raises NotFound for an unknown lead.
    """
    card = card or load(session, [lead_id]).get(lead_id)
    if card is None:
        raise NotFound(_("There is no such contact at this exhibition."))
    lead = session.get_one(Lead, lead_id)
    contact = session.get_one(Contact, lead.contact_id)
    firm = session.get(Organisation, contact.organisation_id) if contact.organisation_id else None
    line_id = product_line_id or card.product_line_id
    return Subject(
        lead=lead,
        card=card,
        addressee=_addressee(contact, firm, card.country, language or card.language),
        exporter=session.get_one(Exporter, lead.exporter_id),
        exhibition=session.get_one(Exhibition, lead.exhibition_id),
        line=session.get(ProductLine, line_id) if line_id else None,
        names=_names(contact, firm),
    )


def _addressee(contact: Contact, firm: Organisation | None, country: str, language: str) -> NameParts:
    company = firm.name if firm else ""
    if firm and firm.name_alt and native(firm.name_alt, language) and not native(firm.name, language):
        company = firm.name_alt
    return NameParts(
        full_name=contact.full_name,
        family_name=contact.family_name,
        given_name=contact.given_name,
        name_alt=contact.name_alt,
        gender=contact.gender,
        title=contact.title,
        department=contact.department,
        company=company,
        country=country,
    )


def _names(contact: Contact, firm: Organisation | None) -> tuple[str, ...]:
    found = (contact.full_name, contact.name_alt, firm.name if firm else "", firm.name_alt if firm else "")
    return tuple(filter(None, found))


def facts_of(session: Session, about: Subject, language: str, *, now: datetime) -> Facts:
    """Return the facts of a letter in ``language`` that is to leave about ``now``."""
    found = {
        **_talk(about, language, now),
        **_offer(session, about, language, now),
        **_next(session, about, language, now),
    }
    return replace(_fixed(about, language), **found)  # type: ignore[arg-type]


def korean_rendering(session: Session, about: Subject, facts: Facts, *, now: datetime) -> Facts:
    """Return ``facts`` for the Korean version beside a letter: Korean words, but the letter's own values."""
    return replace(
        facts_of(session, about, KOREAN, now=now),
        interests=facts.interests,
        catalogue_url=facts.catalogue_url,
        catalogue_language=facts.catalogue_language,
        sender_title=about.exporter.contact_titles.get(KOREAN) if facts.sender_title else None,
    )


def _fixed(about: Subject, language: str) -> Facts:
    salutation: Salutation = salute(about.addressee, language)
    exporter = in_language(about.exporter.names, language)
    return Facts(
        greeting=salutation.greeting,
        mention=salutation.mention,
        exhibition=in_language(about.exhibition.names, language),
        exhibition_short=_short_show(about.exhibition),
        exporter=exporter,
        exporter_short=_LEGAL_FORM.sub("", exporter).strip(" ,") or exporter,
        sender_name=_sender_name(about.exporter, language),
        sender_email=about.exporter.sender_email,
        country=about.card.country or None,
        sender_title=about.exporter.contact_titles.get(language),
        sender_phone=formats.phone(about.exporter.phone) or None,
        website=about.exporter.website or None,
    )


def _short_show(show: Exhibition) -> str:
    """Return ``HIFEX 2026`` for a show: its English name if that is short, else its code."""
    name = show.names.get("en", "")
    return name if name and len(name) <= SHORT_NAME else re.sub(r"(?<=[A-Za-z])(?=\d)", " ", show.code)


def _sender_name(exporter: Exporter, language: str) -> str:
    latin = exporter.contact_name_latin or in_language(exporter.names, "en")
    return exporter.contact_name_ko or latin if language == KOREAN else latin


def _talk(about: Subject, language: str, now: datetime) -> dict[str, object]:
    lead = about.lead
    return {
        "met_on": lead.met_at.astimezone(KST).date() if lead.met_at else None,
        "booth": lead.booth or None,
        "venue": about.exhibition.venue or None,
        "product": in_language(about.line.names, language) or None if about.line else None,
        "noted": lead.product_line_id is not None,
        "interests": tuple(word for word in lead.interests if language != "es" and native(word, language)),
        "requested": tuple(lead.requests),
        "reply_by": _reply_by(now, about.card.country),
    }


def _reply_by(now: datetime, country: str) -> date:
    return add_business_days(now.astimezone(KST).date(), ANSWER_DAYS, Calendar(country))


def _next(session: Session, about: Subject, language: str, now: datetime) -> dict[str, object]:
    found = exporters.next_booth(session, about.exporter, now.astimezone(KST).date())
    if found is None:
        return {}
    booth, show = found
    return {
        "next_exhibition": in_language(show.names, language),
        "next_from": show.starts_on,
        "next_booth": booth.number or None,
    }


def _offer(session: Session, about: Subject, language: str, now: datetime) -> dict[str, object]:
    line = about.line
    if line is None or line.id is None:
        return {}
    catalogue = exporters.catalogue_for(session, line.id, language)
    holds = line.price_valid_until is not None and line.price_valid_until > now.date() + timedelta(days=ANSWER_DAYS)
    return {
        "moq": line.moq,
        "moq_unit": in_language(line.moq_units, language) or None,
        "lead_time_days": line.lead_time_days,
        "incoterm": line.incoterm or None,
        "incoterm_place": line.incoterm_place or None,
        "price": line.price_from if holds else None,
        "currency": line.currency or None,
        "price_valid_until": line.price_valid_until if holds else None,
        "hs_code": line.hs_code or None,
        "certificates": tuple(line.certificates),
        "catalogue_url": catalogue.url if catalogue else None,
        "catalogue_language": catalogue.language if catalogue and catalogue.language != language else None,
    }
