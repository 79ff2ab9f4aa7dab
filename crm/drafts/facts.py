"""Gathers what a letter says from what ``subjects`` has read of a lead, its exporter and its exhibition."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from crm.campaigns.rules import Calendar, add_business_days
from crm.core.clock import KST
from crm.drafts import formats
from crm.drafts.enclosures import Parcel
from crm.drafts.language import KOREAN
from crm.drafts.names import NameParts, Salutation, salute
from crm.drafts.packing import NOTHING
from crm.drafts.papers import paper_facts
from crm.drafts.placeholders import Facts, Quoted
from crm.drafts.rules import in_writing_of
from crm.drafts.scripts import native
from crm.drafts.seasons import greeted_year, season_of
from crm.drafts.subjects import Sources, Subject, subject_of
from crm.exporters.models import Exhibition, Exporter, ProductLine
from crm.exporters.rules import in_language

__all__ = ["ANSWER_DAYS", "Sources", "Subject", "facts_of", "korean_rendering", "subject_of"]

ANSWER_DAYS = 10
"""Working days of the buyer's country that a letter leaves for an answer."""
SHORT_NAME = 20
_LEGAL_FORM = re.compile(
    r"\(주\)|㈜|주식회사|\(株\)|株式会社|股份有限公司|有限公司|,?\s*\b(?:Co\.?,?\s*Ltd|Ltd|Inc|Corp|Corporation|LLC)\b\.?",
    re.IGNORECASE,
)


def facts_of(about: Subject, language: str, *, now: datetime, parcel: Parcel = NOTHING) -> Facts:
    """Return the facts of a letter in ``language`` that is to leave about ``now``, with ``parcel`` going along."""
    return Facts(**{**_found(about, language, now), **_papers(about, language, now), **parcel.facts(language)})


def korean_rendering(about: Subject, facts: Facts, *, now: datetime) -> Facts:
    """Return ``facts`` for the Korean version beside a letter: Korean words, but the letter's own values.

    What the letter does not say, because its reader could not read it, the Korean does not say either.
    """
    salutation = _salute(about.addressee, KOREAN)
    korean = {
        **_house(about, KOREAN),
        **_offer(about, KOREAN, now),
        **_next(about, KOREAN, now.astimezone(KST).date()),
        "greeting": salutation.greeting,
        "mention": salutation.mention,
        "product": said(about.line.names, KOREAN) if about.line else None,
    }
    found = dict(vars(facts))
    found |= {name: value for name, value in korean.items() if value and found[name] and name not in _ITS_OWN}
    papers = _papers(about, KOREAN, now)
    if papers:
        found |= {**papers, "meeting": facts.meeting, "contract": facts.contract}
    found["quotation"] = _packed_in_korean(papers.get("quotation"), facts.quotation)
    return Facts(**found)


_ITS_OWN = frozenset({"catalogue_url", "catalogue_language"})
"""What the Korean version shows as the letter has it."""


def _packed_in_korean(korean: Quoted | None, letter: Quoted | None) -> Quoted | None:
    """The letter's own items and figures; packing that was not written in Korean is shown as the letter says it."""
    if letter is None or korean is None:
        return letter
    return replace(letter, packing=(korean.packing or letter.packing) if letter.packing else None)


def _papers(about: Subject, language: str, now: datetime) -> dict[str, Any]:
    papers = about.sources.papers(about.lead, now)
    return paper_facts(papers, language, zone=about.zone) if papers else {}


def _found(about: Subject, language: str, now: datetime) -> dict[str, Any]:
    salutation = _salute(about.addressee, language)
    today = now.astimezone(KST).date()
    return {
        **_house(about, language),
        "greeting": salutation.greeting,
        "mention": salutation.mention,
        "country": about.card.country or None,
        **_talk(about, language, today),
        **_offer(about, language, now),
        **_next(about, language, today),
        **_season(about, language, today),
    }


def said(names: Mapping[str, str], language: str) -> str:
    """Return the name for a letter in ``language``: its own, else English, else any that its reader can read, else ''.

    Names are in another language only where they are in the letter's writing: no Korean in a Spanish letter, and no
    Taiwanese characters in one to Shanghai.
    """
    order = dict.fromkeys((language, "en", "ko", *names))
    known = (names.get(one, "") for one in order)
    return next((name for name in known if name and in_writing_of(name, language)), "")


def _known(text: str, language: str) -> str | None:
    return text if text and in_writing_of(text, language) else None


def _house(about: Subject, language: str) -> dict[str, Any]:
    """Return what all letters of an exporter after an exhibition say alike in a language; made once for many."""
    key = ("house", about.lead.exporter_id, about.lead.exhibition_id, language)
    return about.sources.once(key, lambda: _new_house(about, language))


def _new_house(about: Subject, language: str) -> dict[str, Any]:
    exporter = said(about.exporter.names, language)
    return {
        "exhibition": said(about.exhibition.names, language),
        "exhibition_short": _known(_short_show(about.exhibition), language) or "",
        "venue": _known(about.exhibition.venue, language),
        "exporter": exporter,
        "exporter_short": _LEGAL_FORM.sub("", exporter).strip(" ,") or exporter,
        "sender_name": _known(_sender_name(about.exporter, language), language) or "",
        "sender_email": about.exporter.sender_email,
        "sender_title": _known(about.exporter.contact_titles.get(language, ""), language),
        "sender_phone": formats.phone(about.exporter.phone) or None,
        "website": about.exporter.website or None,
    }


@lru_cache(maxsize=4096)
def _salute(parts: NameParts, language: str) -> Salutation:
    """A letter's salutation is asked for by each of its forms, and by the next letter to the same person."""
    return salute(parts, language)


def _short_show(show: Exhibition) -> str:
    """Return ``HIFEX 2026`` for a show: its English name if that is short, else its code."""
    name = show.names.get("en", "")
    return name if name and len(name) <= SHORT_NAME else re.sub(r"(?<=[A-Za-z])(?=\d)", " ", show.code)


def _sender_name(exporter: Exporter, language: str) -> str:
    latin = exporter.contact_name_latin or said(exporter.names, "en")
    return exporter.contact_name_ko or latin if language == KOREAN else latin


def _talk(about: Subject, language: str, today: date) -> dict[str, Any]:
    lead = about.lead
    return {
        "met_on": lead.met_at.astimezone(KST).date() if lead.met_at else None,
        "booth": lead.booth or None,
        "product": said(about.line.names, language) or None if about.line else None,
        "noted": lead.product_line_id is not None,
        "interests": tuple(word for word in lead.interests if language != "es" and native(word, language)),
        "requested": tuple(lead.requests),
        "rating": lead.rating,
        "reply_by": _ten_days_on(today, about.card.country),
    }


@lru_cache(maxsize=1024)
def _ten_days_on(today: date, country: str) -> date:
    return add_business_days(today, ANSWER_DAYS, Calendar(country))


def _next(about: Subject, language: str, today: date) -> dict[str, Any]:
    show = about.sources.next_show(about.lead.exporter_id, today)
    if show is None:
        return {}
    return {
        "next_exhibition": said(show.names, language) or None,
        "next_from": show.starts_on,
        "next_booth": show.booth or None,
    }


def _season(about: Subject, language: str, today: date) -> dict[str, Any]:
    season = season_of(today, about.card.country or None, language)
    return {"season": season, "season_year": greeted_year(season, today)} if season else {}


def _offer(about: Subject, language: str, now: datetime) -> dict[str, Any]:
    """Return what the exporter says of its product line in a language; made once for many."""
    line = about.line
    if line is None or line.id is None:
        return {}
    key = ("offer", line.id, language, now.date())
    return about.sources.once(key, lambda: _new_offer(about.sources, line, language, now.date()))


def _new_offer(sources: Sources, line: ProductLine, language: str, today: date) -> dict[str, Any]:
    catalogue = sources.catalogue(line.id or 0, language)
    holds = line.price_valid_until is not None and line.price_valid_until > today + timedelta(days=ANSWER_DAYS)
    return {
        "moq": line.moq,
        "moq_unit": _unit(line.moq_units, language),
        "lead_time_days": line.lead_time_days,
        "incoterm": line.incoterm or None,
        "incoterm_place": _known(line.incoterm_place, language),
        "price": line.price_from if holds else None,
        "currency": line.currency or None,
        "price_valid_until": line.price_valid_until if holds else None,
        "hs_code": line.hs_code or None,
        "certificates": tuple(name for name in line.certificates if in_writing_of(name, language)),
        "catalogue_url": catalogue.url if catalogue else None,
        "catalogue_language": catalogue.language if catalogue and catalogue.language != language else None,
    }


def _unit(units: Mapping[str, str], language: str) -> str | None:
    """Return the unit of the minimum order; one that the letter's language has a word for may stand in any other."""
    unit = in_language(units, language)
    return unit if unit and in_writing_of(formats.unit_name(unit, language), language) else None
