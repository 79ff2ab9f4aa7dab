"""What a letter may say: each placeholder as the language writes it, from the facts.

A template asks for a fact before it prints it, so that a letter without facts is shorter and never has a blank.
``home`` is a letter between Koreans: no Incoterm, no customs code, prices in won.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from urllib.parse import quote

from crm.core.i18n import N_
from crm.drafts import formats
from crm.drafts.known import Facts, Meeting, Negotiation, Promise, Quoted, QuotedLine, Request
from crm.drafts.language import language_name
from crm.drafts.samples import HOME_SAMPLE, SAMPLES
from crm.drafts.words import PAYMENTS, PAYMENTS_AT_HOME, REQUESTS, REQUESTS_THERE, SEASON_NAMES

__all__ = [
    "HOME_SAMPLE",
    "SAMPLES",
    "SEASON_NAMES",
    "Facts",
    "Meeting",
    "Negotiation",
    "Promise",
    "Quoted",
    "QuotedLine",
    "Request",
]


class Url(str):
    """An address for the reader's browser: percent-encoded where Markdown would read a sign."""

    __slots__ = ()


class Lines(str):
    """A text whose line breaks are wanted."""

    __slots__ = ()


Value = str | bool | tuple[str, ...] | None
Maker = Callable[[Facts, str], Value]

PLACES = (
    "contact",
    "lead",
    "exporter",
    "product",
    "exhibition",
    "deal",
    "quotation",
    "meeting",
    "negotiation",
    "contract",
    "campaign",
)
"""Where a fact is filled in: each is a page or a part of one."""


@dataclass(frozen=True)
class Placeholder:
    """One name a template may use: what it stands for, of which kind, how it is made, and where it is filled in.

    ``of`` are the facts it is made of, ``quotation.number`` being a part of one. ``home`` makes it for a letter between
    Koreans where that differs; ``abroad`` tells that such a letter never says it.
    """

    name: str
    kind: str  # text, lines, date, url, list or flag
    about: str
    where: str  # one of PLACES
    of: tuple[str, ...]
    value: Maker
    home: Maker | None = None

    @property
    def abroad(self) -> bool:
        return self.home is _never

    def sample(self, language: str) -> Value:
        """Return what the placeholder shows in a preview in ``language``."""
        return self.value(SAMPLES[language], language)


def values(facts: Facts, language: str, names: Iterable[str] | None = None, *, home: bool = False) -> dict[str, Value]:
    """Return the placeholders' values as ``language`` writes them; None, '' or () where the fact is not known.

    ``names`` are those that are wanted, else all; ``home`` is set for a letter between Koreans.
    """
    wanted = PLACEHOLDERS if names is None else names
    if home:
        return {name: (PLACEHOLDERS[name].home or PLACEHOLDERS[name].value)(facts, language) for name in wanted}
    return {name: PLACEHOLDERS[name].value(facts, language) for name in wanted}


def _never(_facts: Facts, _language: str) -> Value:
    return None


def _requested(facts: Facts, language: str) -> tuple[str, ...]:
    words = {**REQUESTS[language], **REQUESTS_THERE.get((language, facts.country or ""), {})}
    return tuple(words[code] for code in facts.requested if code in words)


def _price(facts: Facts, language: str) -> str | None:
    """A price is only shown with its currency, unit, delivery terms and validity."""
    return _priced(facts, language) if _delivery_terms(facts, language) else None


def _price_at_home(facts: Facts, language: str) -> str | None:
    """Between Koreans a price is in won and needs no Incoterm."""
    return _priced(facts, language) if facts.currency == "KRW" else None


def _priced(facts: Facts, language: str) -> str | None:
    if facts.price is None or not (facts.currency and facts.moq_unit and facts.price_valid_until):
        return None
    return formats.unit_price(facts.price, facts.currency, facts.moq_unit, language, facts.country)


def _delivery_terms(facts: Facts, _language: str) -> str | None:
    if not (facts.incoterm and facts.incoterm_place):
        return None
    return formats.delivery_terms(facts.incoterm, facts.incoterm_place)


def _moq(facts: Facts, language: str) -> str | None:
    return (
        formats.quantity(facts.moq, facts.moq_unit, language, facts.country) if facts.moq and facts.moq_unit else None
    )


def _lead_time(facts: Facts, language: str) -> str | None:
    return formats.days(facts.lead_time_days, language) if facts.lead_time_days else None


def _terms(facts: Facts, language: str) -> bool:
    known = (_moq(facts, language), _lead_time(facts, language), _delivery_terms(facts, language))
    return any(known) or bool(facts.hs_code or facts.certificates)


def _terms_at_home(facts: Facts, language: str) -> bool:
    known = (_price_at_home(facts, language), _moq(facts, language), _lead_time(facts, language))
    return any(known) or bool(facts.certificates)


def _long(day: date | None, facts: Facts, language: str) -> str | None:
    return formats.long_date(day, language, facts.country) if day else None


def _deadline(day: date | None, facts: Facts, language: str) -> str | None:
    return formats.deadline(day, language, facts.country) if day else None


@lru_cache(maxsize=1024)
def _url(address: str | None) -> Url | None:
    if not address or not address.startswith(("https://", "http://")):
        return None
    return Url(quote(address, safe="%/:?#@!$&'+,;=-._~"))


def _other_language(facts: Facts, language: str) -> str | None:
    """Name the catalogue's language where it is not the letter's."""
    tongue = facts.catalogue_language
    known = facts.catalogue_url or facts.attached
    return language_name(tongue, language) if tongue and tongue != language and known else None


def _of_quotation(make: Callable[[Quoted, Facts, str], Value]) -> Maker:
    return lambda facts, language: make(facts.quotation, facts, language) if facts.quotation else None


def _quoted_lines(quoted: Quoted, facts: Facts, language: str) -> tuple[str, ...]:
    if not quoted.currency:
        return ()
    return tuple(
        formats.price_line(
            line.item, line.quantity, line.unit, line.unit_price, quoted.currency, language, facts.country
        )
        for line in quoted.lines
    )


def _quoted_total(quoted: Quoted, facts: Facts, language: str) -> str | None:
    if not (quoted.currency and quoted.lines):
        return None
    total = sum((line.unit_price * line.quantity for line in quoted.lines), Decimal(0))
    return formats.money(total, quoted.currency, language, facts.country)


def _quoted_terms(quoted: Quoted, _facts: Facts, _language: str) -> str | None:
    if not (quoted.incoterm and quoted.incoterm_place):
        return None
    return formats.delivery_terms(quoted.incoterm, quoted.incoterm_place)


def _of_meeting(make: Callable[[Meeting, Facts, str], Value]) -> Maker:
    return lambda facts, language: make(facts.meeting, facts, language) if facts.meeting else None


def _slots(meeting: Meeting, facts: Facts, language: str) -> tuple[str, ...]:
    zone = meeting.zone
    if not zone:
        return ()
    return tuple(formats.meeting_time(slot, zone, language, facts.country) for slot in meeting.slots)


def _of_negotiation(make: Callable[[Negotiation, Facts, str], Value]) -> Maker:
    return lambda facts, language: make(facts.negotiation, facts, language) if facts.negotiation else None


def _of_contract(make: Callable[[Promise, Facts, str], Value]) -> Maker:
    return lambda facts, language: make(facts.contract, facts, language) if facts.contract else None


def _minimum(promise: Promise, facts: Facts, language: str) -> str | None:
    """The yearly minimum: the quantity, and the amount in brackets where both are known."""
    goods = amount = None
    if promise.minimum_quantity and promise.minimum_unit:
        goods = formats.quantity(promise.minimum_quantity, promise.minimum_unit, language, facts.country)
    if promise.minimum_amount and promise.currency:
        amount = formats.money(promise.minimum_amount, promise.currency, language, facts.country)
    if goods and amount:
        return formats.per_year(formats.in_brackets(goods, amount, language), language)
    much = goods or amount
    return formats.per_year(much, language) if much else None


def _season(facts: Facts, language: str) -> str | None:
    return SEASON_NAMES.get(facts.season or "", {}).get(language)


def _in_season(code: str) -> Maker:
    return lambda facts, _language: facts.season == code


def _asked(code: Request) -> Callable[[Facts, str], bool]:
    return lambda facts, _language: code in facts.requested


HOT = 4

PLACEHOLDERS: Mapping[str, Placeholder] = {
    item.name: item
    for item in (
        Placeholder(
            "greeting",
            "lines",
            N_("salutation of the addressee"),
            "contact",
            ("greeting",),
            lambda f, _: Lines(f.greeting),
        ),
        Placeholder(
            "mention", "text", N_("the addressee in running text"), "contact", ("mention",), lambda f, _: f.mention
        ),
        Placeholder(
            "exhibition", "text", N_("name of the exhibition"), "exhibition", ("exhibition",), lambda f, _: f.exhibition
        ),
        Placeholder(
            "exhibition_short",
            "text",
            N_("short name of the exhibition"),
            "exhibition",
            ("exhibition_short",),
            lambda f, _: f.exhibition_short,
        ),
        Placeholder(
            "venue", "text", N_("where the exhibition took place"), "exhibition", ("venue",), lambda f, _: f.venue
        ),
        Placeholder("booth", "text", N_("the exporter's booth"), "lead", ("booth",), lambda f, _: f.booth),
        Placeholder("met_on", "date", N_("day of the talk"), "lead", ("met_on",), lambda f, g: _long(f.met_on, f, g)),
        Placeholder("exporter", "text", N_("the exporter's name"), "exporter", ("exporter",), lambda f, _: f.exporter),
        Placeholder(
            "exporter_short",
            "text",
            N_("the exporter's name without legal form"),
            "exporter",
            ("exporter_short",),
            lambda f, _: f.exporter_short,
        ),
        Placeholder("sender_name", "text", N_("who signs"), "exporter", ("sender_name",), lambda f, _: f.sender_name),
        Placeholder(
            "sender_title", "text", N_("title of who signs"), "exporter", ("sender_title",), lambda f, _: f.sender_title
        ),
        Placeholder(
            "sender_phone",
            "text",
            N_("telephone of who signs"),
            "exporter",
            ("sender_phone",),
            lambda f, _: f.sender_phone,
        ),
        Placeholder(
            "sender_email",
            "text",
            N_("e-mail address of who signs"),
            "exporter",
            ("sender_email",),
            lambda f, _: f.sender_email,
        ),
        Placeholder(
            "website", "url", N_("the exporter's web site"), "exporter", ("website",), lambda f, _: _url(f.website)
        ),
        Placeholder(
            "messenger",
            "text",
            N_("messenger name the buyer may use"),
            "exporter",
            ("messenger",),
            lambda f, _: f.messenger,
        ),
        Placeholder("product", "text", N_("product line"), "product", ("product",), lambda f, _: f.product),
        Placeholder(
            "noted",
            "flag",
            N_("the buyer's interest in the product line was noted"),
            "lead",
            ("noted",),
            lambda f, _: f.noted,
        ),
        Placeholder("rated", "flag", N_("the talk was rated"), "lead", ("rating",), lambda f, _: f.rating is not None),
        Placeholder(
            "hot", "flag", N_("the talk was rated 4 or 5"), "lead", ("rating",), lambda f, _: (f.rating or 0) >= HOT
        ),
        Placeholder(
            "interests", "list", N_("the buyer's fields of interest"), "lead", ("interests",), lambda f, _: f.interests
        ),
        Placeholder(
            "interest_list",
            "text",
            N_("the buyer's fields of interest in one phrase"),
            "lead",
            ("interests",),
            lambda f, g: formats.listing(f.interests, g, f.country),
        ),
        Placeholder("requested", "list", N_("what the buyer asked for"), "lead", ("requested",), _requested),
        Placeholder(
            "requested_list",
            "text",
            N_("what the buyer asked for in one phrase"),
            "lead",
            ("requested",),
            lambda f, g: formats.listing(_requested(f, g), g, f.country),
        ),
        Placeholder(
            "asked_catalogue",
            "flag",
            N_("the buyer asked for a catalogue"),
            "lead",
            ("requested",),
            _asked(Request.CATALOGUE),
        ),
        Placeholder(
            "asked_price",
            "flag",
            N_("the buyer asked for a price list"),
            "lead",
            ("requested",),
            _asked(Request.PRICE_LIST),
        ),
        Placeholder(
            "asked_sample", "flag", N_("the buyer asked for a sample"), "lead", ("requested",), _asked(Request.SAMPLE)
        ),
        Placeholder(
            "asked_quotation",
            "flag",
            N_("the buyer asked for a quotation"),
            "lead",
            ("requested",),
            _asked(Request.QUOTATION),
        ),
        Placeholder(
            "asked_meeting",
            "flag",
            N_("the buyer asked for a meeting"),
            "lead",
            ("requested",),
            _asked(Request.MEETING),
        ),
        Placeholder(
            "asked_certificate",
            "flag",
            N_("the buyer asked for certificates"),
            "lead",
            ("requested",),
            _asked(Request.CERTIFICATE),
        ),
        Placeholder(
            "terms",
            "flag",
            N_("at least one trade term is known"),
            "product",
            ("moq", "moq_unit", "lead_time_days", "incoterm", "incoterm_place", "hs_code", "certificates"),
            _terms,
            _terms_at_home,
        ),
        Placeholder(
            "price",
            "text",
            N_("indicative price with currency and unit"),
            "product",
            ("price", "currency", "moq_unit", "price_valid_until", "incoterm", "incoterm_place"),
            _price,
            _price_at_home,
        ),
        Placeholder(
            "price_valid_until",
            "date",
            N_("last day the price is valid"),
            "product",
            ("price_valid_until",),
            lambda f, g: _long(f.price_valid_until, f, g),
        ),
        Placeholder(
            "delivery_terms",
            "text",
            N_("Incoterm with place and version"),
            "product",
            ("incoterm", "incoterm_place"),
            _delivery_terms,
            _never,
        ),
        Placeholder("moq", "text", N_("minimum order quantity with unit"), "product", ("moq", "moq_unit"), _moq),
        Placeholder("lead_time", "text", N_("lead time after the order"), "product", ("lead_time_days",), _lead_time),
        Placeholder(
            "hs_code", "text", N_("HS code, six digits"), "product", ("hs_code",), lambda f, _: f.hs_code, _never
        ),
        Placeholder(
            "certificates",
            "text",
            N_("certificates"),
            "product",
            ("certificates",),
            lambda f, g: formats.listing(f.certificates, g, f.country),
        ),
        Placeholder(
            "catalogue_url",
            "url",
            N_("link to the catalogue"),
            "product",
            ("catalogue_url",),
            lambda f, _: _url(f.catalogue_url),
        ),
        Placeholder(
            "catalogue_language",
            "text",
            N_("the catalogue's language, if another"),
            "product",
            ("catalogue_url", "catalogue_language"),
            _other_language,
        ),
        Placeholder(
            "attached",
            "flag",
            N_("the catalogue goes along as a file"),
            "product",
            ("attached",),
            lambda f, _: f.attached,
        ),
        Placeholder(
            "catalogue_expires",
            "date",
            N_("last day of the link to the catalogue"),
            "product",
            ("catalogue_expires",),
            lambda f, g: _long(f.catalogue_expires, f, g),
        ),
        Placeholder(
            "reply_by",
            "date",
            N_("day by which we ask for an answer"),
            "campaign",
            ("reply_by",),
            lambda f, g: _deadline(f.reply_by, f, g),
        ),
        Placeholder(
            "promised_by",
            "date",
            N_("day by which the material was promised"),
            "lead",
            ("promised_by",),
            lambda f, g: _deadline(f.promised_by, f, g),
        ),
        Placeholder(
            "next_exhibition",
            "text",
            N_("name of the exporter's next exhibition"),
            "exhibition",
            ("next_exhibition",),
            lambda f, _: f.next_exhibition,
        ),
        Placeholder(
            "next_from",
            "date",
            N_("first day of the exporter's next exhibition"),
            "exhibition",
            ("next_from",),
            lambda f, g: _long(f.next_from, f, g),
        ),
        Placeholder(
            "next_booth",
            "text",
            N_("the exporter's booth there"),
            "exhibition",
            ("next_booth",),
            lambda f, _: f.next_booth,
        ),
        Placeholder(
            "quotation_number",
            "text",
            N_("number of the quotation"),
            "quotation",
            ("quotation.number",),
            _of_quotation(lambda q, _f, _g: q.number),
        ),
        Placeholder(
            "quotation_date",
            "date",
            N_("day of the quotation"),
            "quotation",
            ("quotation.issued_on",),
            _of_quotation(lambda q, f, g: _long(q.issued_on, f, g)),
        ),
        Placeholder(
            "quotation_valid_until",
            "date",
            N_("last day the quotation is valid"),
            "quotation",
            ("quotation.valid_until",),
            _of_quotation(lambda q, f, g: _deadline(q.valid_until, f, g)),
        ),
        Placeholder(
            "quotation_lines",
            "list",
            N_("items, quantities and prices of the quotation"),
            "quotation",
            ("quotation.lines", "quotation.currency"),
            _of_quotation(_quoted_lines),
        ),
        Placeholder(
            "quotation_total",
            "text",
            N_("total of the quotation"),
            "quotation",
            ("quotation.lines", "quotation.currency"),
            _of_quotation(_quoted_total),
        ),
        Placeholder(
            "quotation_attached",
            "flag",
            N_("the quotation goes along as a file"),
            "quotation",
            ("quotation_attached",),
            lambda f, _: f.quotation_attached,
        ),
        Placeholder(
            "quotation_terms",
            "text",
            N_("Incoterm of the quotation with place and version"),
            "quotation",
            ("quotation.incoterm", "quotation.incoterm_place"),
            _of_quotation(_quoted_terms),
            _never,
        ),
        Placeholder(
            "quotation_lead_time",
            "text",
            N_("lead time of the quotation after the order"),
            "quotation",
            ("quotation.lead_time_days",),
            _of_quotation(lambda q, _f, g: formats.days(q.lead_time_days, g) if q.lead_time_days else None),
        ),
        Placeholder(
            "payment_terms",
            "text",
            N_("terms of payment"),
            "quotation",
            ("quotation.payment",),
            _of_quotation(lambda q, _f, g: PAYMENTS.get(q.payment or "", {}).get(g)),
            _of_quotation(lambda q, _f, _g: PAYMENTS_AT_HOME.get(q.payment or "")),
        ),
        Placeholder(
            "packing",
            "text",
            N_("packing"),
            "quotation",
            ("quotation.packing",),
            _of_quotation(lambda q, _f, _g: q.packing),
        ),
        Placeholder(
            "meeting_slots",
            "list",
            N_("proposed times on the buyer's clock and on Korea's"),
            "meeting",
            ("meeting.slots", "meeting.zone"),
            _of_meeting(_slots),
        ),
        Placeholder(
            "meeting_length",
            "text",
            N_("how long the meeting takes"),
            "meeting",
            ("meeting.minutes",),
            _of_meeting(lambda m, _f, g: formats.minutes(m.minutes, g) if m.minutes else None),
        ),
        Placeholder(
            "meeting_place",
            "text",
            N_("where the meeting is"),
            "meeting",
            ("meeting.place",),
            _of_meeting(lambda m, _f, _g: m.place),
        ),
        Placeholder(
            "meeting_online",
            "flag",
            N_("the meeting is a video call"),
            "meeting",
            ("meeting.online",),
            _of_meeting(lambda m, _f, _g: m.online),
        ),
        Placeholder(
            "agreed",
            "list",
            N_("what is agreed"),
            "negotiation",
            ("negotiation.agreed",),
            _of_negotiation(lambda n, _f, _g: n.agreed),
        ),
        Placeholder(
            "open_points",
            "list",
            N_("what is still open"),
            "negotiation",
            ("negotiation.open_points",),
            _of_negotiation(lambda n, _f, _g: n.open_points),
        ),
        Placeholder(
            "proposals",
            "list",
            N_("our proposal for each open point"),
            "negotiation",
            ("negotiation.proposals",),
            _of_negotiation(lambda n, _f, _g: n.proposals),
        ),
        Placeholder(
            "proposals_until",
            "date",
            N_("last day the proposals hold"),
            "negotiation",
            ("negotiation.until",),
            _of_negotiation(lambda n, f, g: _deadline(n.until, f, g)),
        ),
        Placeholder(
            "territory",
            "text",
            N_("countries of the distributorship"),
            "contract",
            ("contract.territory",),
            _of_contract(lambda c, f, g: formats.country_names(c.territory, g, f.country)),
        ),
        Placeholder(
            "term_from",
            "date",
            N_("first day of the contract"),
            "contract",
            ("contract.starts_on",),
            _of_contract(lambda c, f, g: _long(c.starts_on, f, g)),
        ),
        Placeholder(
            "term_until",
            "date",
            N_("last day of the contract"),
            "contract",
            ("contract.ends_on",),
            _of_contract(lambda c, f, g: _long(c.ends_on, f, g)),
        ),
        Placeholder(
            "minimum_purchase",
            "text",
            N_("what is bought at least every year"),
            "contract",
            ("contract.minimum_quantity", "contract.minimum_unit", "contract.minimum_amount", "contract.currency"),
            _of_contract(_minimum),
        ),
        Placeholder(
            "exclusive",
            "flag",
            N_("the distributorship is exclusive"),
            "contract",
            ("contract.kind",),
            _of_contract(lambda c, _f, _g: c.kind == "exclusive"),
        ),
        Placeholder("season", "text", N_("name of the season's feast"), "campaign", ("season",), _season),
        Placeholder(
            "season_year_end",
            "flag",
            N_("the greeting is for the end of the year"),
            "campaign",
            ("season",),
            _in_season("year_end"),
        ),
        Placeholder(
            "season_lunar_new_year",
            "flag",
            N_("the greeting is for the lunar new year"),
            "campaign",
            ("season",),
            _in_season("lunar_new_year"),
        ),
        Placeholder(
            "season_mid_autumn",
            "flag",
            N_("the greeting is for the Mid-Autumn Festival"),
            "campaign",
            ("season",),
            _in_season("mid_autumn"),
        ),
        Placeholder("season_eid", "flag", N_("the greeting is for Eid"), "campaign", ("season",), _in_season("eid")),
        Placeholder(
            "season_diwali", "flag", N_("the greeting is for Diwali"), "campaign", ("season",), _in_season("diwali")
        ),
        Placeholder(
            "season_christmas",
            "flag",
            N_("the greeting is for Christmas"),
            "campaign",
            ("season",),
            _in_season("christmas"),
        ),
        Placeholder(
            "season_year",
            "text",
            N_("the year that the greeting wishes well for"),
            "campaign",
            ("season_year",),
            lambda f, _: str(f.season_year) if f.season_year else None,
        ),
    )
}

_ALWAYS = (
    "greeting",
    "mention",
    "exhibition",
    "exhibition_short",
    "exporter",
    "exporter_short",
    "sender_name",
    "sender_email",
    "country",
)


def least(facts: Facts, needs: Collection[str] = ()) -> Facts:
    """Return only what every letter has: addressee, exhibition, exporter and who signs, and what ``needs`` is made of.

    ``needs`` are names of placeholders; of a quotation, say, only the parts they are made of are kept.
    """
    kept = [path.partition(".") for name in needs for path in PLACEHOLDERS[name].of]
    found = {name: getattr(facts, name) for name in (*_ALWAYS, *(name for name, _dot, part in kept if not part))}
    for whole in {name for name, _dot, part in kept if part}:
        parts = {part for name, _dot, part in kept if name == whole}
        found[whole] = _only(getattr(facts, whole), parts)
    return Facts(**found)


def _only(whole: Quoted | Meeting | Negotiation | Promise | None, parts: Collection[str]) -> object:
    return type(whole)(**{part: getattr(whole, part) for part in parts}) if whole else None
