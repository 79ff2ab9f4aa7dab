"""Gathers what a letter says from what ``subjects`` has read of a lead, its exporter and its exhibition."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from crm.campaigns.rules import Calendar, add_business_days
from crm.core.clock import KST
from crm.drafts import formats
from crm.drafts.language import KOREAN
from crm.drafts.names import NameParts, Salutation, salute
from crm.drafts.placeholders import Facts
from crm.drafts.scripts import native
from crm.drafts.subjects import Sources, Subject, subject_of
from crm.exporters.models import Exhibition, Exporter
from crm.exporters.rules import in_language

__all__ = ["ANSWER_DAYS", "Sources", "Subject", "facts_of", "korean_rendering", "subject_of"]

ANSWER_DAYS = 10
"""Working days of the buyer's country that a letter leaves for an answer."""
SHORT_NAME = 20
_LEGAL_FORM = re.compile(
    r"\(주\)|㈜|주식회사|\(株\)|株式会社|股份有限公司|有限公司|,?\s*\b(?:Co\.?,?\s*Ltd|Ltd|Inc|Corp|Corporation|LLC)\b\.?",
    re.IGNORECASE,
)


def facts_of(about: Subject, language: str, *, now: datetime) -> Facts:
    """Return the facts of a letter in ``language`` that is to leave about ``now``."""
    found = {
        **_fixed(about, language),
        **_talk(about, language, now),
        **_offer(about, language, now),
        **_next(about, language, now),
    }
    return Facts(**found)  # type: ignore[arg-type]


def korean_rendering(about: Subject, facts: Facts, *, now: datetime) -> Facts:
    """Return ``facts`` for the Korean version beside a letter: Korean words, but the letter's own values."""
    return replace(
        facts_of(about, KOREAN, now=now),
        interests=facts.interests,
        catalogue_url=facts.catalogue_url,
        catalogue_language=facts.catalogue_language,
        sender_title=about.exporter.contact_titles.get(KOREAN) if facts.sender_title else None,
    )


def _fixed(about: Subject, language: str) -> dict[str, object]:
    salutation = _salute(about.addressee, language)
    exporter = in_language(about.exporter.names, language)
    return {
        "greeting": salutation.greeting,
        "mention": salutation.mention,
        "exhibition": in_language(about.exhibition.names, language),
        "exhibition_short": _short_show(about.exhibition),
        "exporter": exporter,
        "exporter_short": _short_firm(exporter),
        "sender_name": _sender_name(about.exporter, language),
        "sender_email": about.exporter.sender_email,
        "country": about.card.country or None,
        "sender_title": about.exporter.contact_titles.get(language),
        "sender_phone": _phone(about.exporter.phone) or None,
        "website": about.exporter.website or None,
    }


@lru_cache(maxsize=4096)
def _salute(parts: NameParts, language: str) -> Salutation:
    """A letter's salutation is asked for by each of its forms, and by the next letter to the same person."""
    return salute(parts, language)


@lru_cache(maxsize=1024)
def _short_firm(name: str) -> str:
    return _LEGAL_FORM.sub("", name).strip(" ,") or name


@lru_cache(maxsize=1024)
def _phone(number: str) -> str:
    return formats.phone(number)


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
        "reply_by": _ten_days_on(now.astimezone(KST).date(), about.card.country),
    }


@lru_cache(maxsize=1024)
def _ten_days_on(today: date, country: str) -> date:
    return add_business_days(today, ANSWER_DAYS, Calendar(country))


def _next(about: Subject, language: str, now: datetime) -> dict[str, object]:
    show = about.sources.next_show(about.lead.exporter_id, now.astimezone(KST).date())
    if show is None:
        return {}
    return {
        "next_exhibition": in_language(show.names, language),
        "next_from": show.starts_on,
        "next_booth": show.booth or None,
    }


def _offer(about: Subject, language: str, now: datetime) -> dict[str, object]:
    line = about.line
    if line is None or line.id is None:
        return {}
    catalogue = about.sources.catalogue(line.id, language)
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
