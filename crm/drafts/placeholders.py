"""What a letter may say: the facts as plain values, and each placeholder as the language writes it.

A fact that is not known is None or empty. A template asks for it before it prints it, so that a letter without facts is
shorter and never has a blank. ``home`` is a letter between Koreans: no Incoterm, no customs code, prices in won.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote

from crm.core.i18n import N_
from crm.drafts import formats
from crm.drafts.language import AMERICAN_ENGLISH, LANGUAGES, language_name


class Request(StrEnum):
    """What a buyer may have asked for at the booth."""

    CATALOGUE = "catalogue"
    PRICE_LIST = "price_list"
    SAMPLE = "sample"
    QUOTATION = "quotation"
    MEETING = "meeting"
    CERTIFICATE = "certificate"


@dataclass(frozen=True)
class QuotedLine:
    """One line of a quotation; ``unit_price`` is for one ``unit`` in the quotation's currency."""

    item: str
    quantity: int
    unit: str
    unit_price: Decimal


@dataclass(frozen=True)
class Quoted:
    """A quotation as it was given. ``payment`` is one of PAYMENTS; ``packing`` is in the letter's language."""

    number: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    currency: str | None = None
    incoterm: str | None = None
    incoterm_place: str | None = None
    lead_time_days: int | None = None
    payment: str | None = None
    packing: str | None = None
    lines: tuple[QuotedLine, ...] = ()


@dataclass(frozen=True)
class Meeting:
    """A proposed meeting. ``slots`` are aware moments; ``zone`` is the buyer's (IANA)."""

    slots: tuple[datetime, ...] = ()
    minutes: int | None = None
    place: str | None = None
    online: bool = False
    zone: str | None = None


@dataclass(frozen=True)
class Negotiation:
    """Where a negotiation stands; the texts are in the letter's language."""

    agreed: tuple[str, ...] = ()
    open_points: tuple[str, ...] = ()
    proposals: tuple[str, ...] = ()
    until: date | None = None


@dataclass(frozen=True)
class Promise:
    """What a distributorship would be: ``territory`` are ISO 3166-1 codes, the minimum is what is bought every year.

    ``kind`` is ``exclusive``, ``sole`` or ``non_exclusive``.
    """

    territory: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    minimum_quantity: int | None = None
    minimum_unit: str | None = None
    minimum_amount: Decimal | None = None
    currency: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Facts:
    """Everything one letter in one language is written from. Texts are already in that language.

    ``met_on`` is None unless the talk took place; ``noted`` tells whether the buyer's interest in ``product`` was
    recorded, not assumed; ``price`` is for one ``moq_unit``; ``catalogue_language`` is set where it is another than the
    letter's; ``reply_by`` and ``promised_by`` are days in the reader's calendar; ``next_exhibition`` is the first one
    to come at which the exporter has a booth. ``attached``: the catalogue goes along as a file; ``catalogue_expires``:
    the link's last day. ``season`` is a code of ``seasons``, ``season_year`` the year it wishes well for.
    """

    greeting: str
    mention: str
    exhibition: str
    exhibition_short: str
    exporter: str
    exporter_short: str
    sender_name: str
    sender_email: str
    country: str | None = None
    met_on: date | None = None
    booth: str | None = None
    venue: str | None = None
    sender_title: str | None = None
    sender_phone: str | None = None
    website: str | None = None
    messenger: str | None = None
    product: str | None = None
    noted: bool = False
    interests: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()
    moq: int | None = None
    moq_unit: str | None = None
    lead_time_days: int | None = None
    incoterm: str | None = None
    incoterm_place: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    price_valid_until: date | None = None
    hs_code: str | None = None
    certificates: tuple[str, ...] = ()
    catalogue_url: str | None = None
    catalogue_language: str | None = None
    reply_by: date | None = None
    promised_by: date | None = None
    next_exhibition: str | None = None
    next_from: date | None = None
    next_booth: str | None = None
    rating: int | None = None
    attached: bool = False
    catalogue_expires: date | None = None
    quotation: Quoted | None = None
    meeting: Meeting | None = None
    negotiation: Negotiation | None = None
    contract: Promise | None = None
    season: str | None = None
    season_year: int | None = None


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


REQUESTS: dict[str, dict[str, str]] = {
    "ko": {
        "catalogue": "카탈로그",
        "price_list": "단가표",
        "sample": "샘플",
        "quotation": "견적서",
        "meeting": "상담 일정",
        "certificate": "인증서",
    },
    "en": {
        "catalogue": "catalogue",
        "price_list": "price list",
        "sample": "sample",
        "quotation": "quotation",
        "meeting": "date for a meeting",
        "certificate": "certificates",
    },
    "zh-Hans": {
        "catalogue": "产品目录",
        "price_list": "价格表",
        "sample": "样品",
        "quotation": "报价单",
        "meeting": "洽谈时间",
        "certificate": "认证证书",
    },
    "zh-Hant": {
        "catalogue": "產品型錄",
        "price_list": "價目表",
        "sample": "樣品",
        "quotation": "報價單",
        "meeting": "洽談時間",
        "certificate": "認證證書",
    },
    "ja": {
        "catalogue": "カタログ",
        "price_list": "価格表",
        "sample": "サンプル",
        "quotation": "見積書",
        "meeting": "お打ち合わせの日程",
        "certificate": "認証書",
    },
    "es": {
        "catalogue": "catálogo",
        "price_list": "lista de precios",
        "sample": "muestra",
        "quotation": "cotización",
        "meeting": "fecha para una reunión",
        "certificate": "certificados",
    },
}


_REQUESTS_THERE: dict[tuple[str, str], dict[str, str]] = {
    ("es", "ES"): {"quotation": "oferta"},
    **{("en", land): {"catalogue": "catalog"} for land in AMERICAN_ENGLISH},
    **{("zh-Hant", land): {"catalogue": "產品目錄"} for land in ("HK", "MO")},
}
"""Where a country has another word for it."""


def _requested(facts: Facts, language: str) -> tuple[str, ...]:
    words = {**REQUESTS[language], **_REQUESTS_THERE.get((language, facts.country or ""), {})}
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


PAYMENTS: dict[str, dict[str, str]] = {
    "tt_advance": {
        "ko": "사전 송금(T/T) 100%",
        "en": "100% T/T in advance",
        "zh-Hans": "电汇预付100%",
        "zh-Hant": "電匯預付100%",
        "ja": "前払い電信送金（T/T）100%",
        "es": "transferencia anticipada (T/T) del 100 %",
    },
    "tt_30_70": {
        "ko": "T/T 계약금 30%, 선적 전 잔금 70%",
        "en": "T/T, 30% deposit and 70% before shipment",
        "zh-Hans": "电汇，定金30%，发货前付清70%",
        "zh-Hant": "電匯，訂金30%，出貨前付清70%",
        "ja": "電信送金（T/T）、前金30%・出荷前70%",
        "es": "transferencia (T/T), 30 % de anticipo y 70 % antes del embarque",
    },
    "lc_sight": {
        "ko": "일람불 신용장(L/C)",
        "en": "irrevocable letter of credit at sight",
        "zh-Hans": "不可撤销即期信用证",
        "zh-Hant": "不可撤銷即期信用狀",
        "ja": "取消不能一覧払信用状（L/C）",
        "es": "carta de crédito irrevocable a la vista",
    },
}
"""Terms of payment by code; any other code is none that a letter can say."""
_PAYMENTS_AT_HOME = {"tt_advance": "전액 선입금", "tt_30_70": "계약금 30%, 납품 전 잔금 70%"}


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


SEASON_NAMES: dict[str, dict[str, str]] = {
    "lunar_new_year": {
        "ko": "설",
        "en": "Lunar New Year",
        "zh-Hans": "春节",
        "zh-Hant": "春節",
        "ja": "旧正月",
        "es": "Año Nuevo Lunar",
    },
    "mid_autumn": {
        "ko": "추석",
        "en": "Mid-Autumn Festival",
        "zh-Hans": "中秋节",
        "zh-Hant": "中秋節",
        "ja": "中秋節",
        "es": "Festival de Medio Otoño",
    },
    "eid": {"ko": "이드", "en": "Eid", "zh-Hans": "开斋节", "zh-Hant": "開齋節", "ja": "イード", "es": "Eid"},
    "diwali": {
        "ko": "디왈리",
        "en": "Diwali",
        "zh-Hans": "排灯节",
        "zh-Hant": "排燈節",
        "ja": "ディワリ",
        "es": "Diwali",
    },
    "christmas": {
        "ko": "성탄절",
        "en": "Christmas",
        "zh-Hans": "圣诞节",
        "zh-Hant": "聖誕節",
        "ja": "クリスマス",
        "es": "Navidad",
    },
    "year_end": {
        "ko": "연말",
        "en": "the end of the year",
        "zh-Hans": "年末",
        "zh-Hant": "年末",
        "ja": "年末",
        "es": "fin de año",
    },
}


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
            _of_quotation(lambda q, _f, _g: _PAYMENTS_AT_HOME.get(q.payment or "")),
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

_SAMPLE_TEXTS: dict[str, dict[str, str]] = {
    "ko": {
        "greeting": "김민수 부장님께",
        "mention": "김민수 부장님",
        "exhibition": "2026 한빛국제산업전",
        "next_exhibition": "2027 한빛국제산업전",
        "exporter": "한빛밸브(주)",
        "exporter_short": "한빛밸브",
        "sender_name": "이서연",
        "sender_title": "해외영업팀장",
        "product": "액추에이터",
        "interest": "산업용 밸브",
        "moq_unit": "개",
    },
    "en": {
        "greeting": "Dear Ms Dela Cruz,",
        "mention": "Ms Dela Cruz",
        "exhibition": "Hanbit International Industry Fair 2026",
        "next_exhibition": "Hanbit International Industry Fair 2027",
        "exporter": "Hanbit Valve Co., Ltd.",
        "exporter_short": "Hanbit Valve",
        "sender_name": "Lee Seo-yeon",
        "sender_title": "Head of Overseas Sales",
        "product": "actuators",
        "interest": "industrial valves",
        "moq_unit": "pieces",
    },
    "zh-Hans": {
        "greeting": "尊敬的王总经理：",
        "mention": "王总经理",
        "exhibition": "2026韩光国际工业展",
        "next_exhibition": "2027韩光国际工业展",
        "exporter": "韩光阀门有限公司",
        "exporter_short": "韩光阀门",
        "sender_name": "Lee Seo-yeon",
        "sender_title": "海外销售主管",
        "product": "执行器",
        "interest": "工业阀门",
        "moq_unit": "件",
    },
    "zh-Hant": {
        "greeting": "王總經理 您好：",
        "mention": "王總經理",
        "exhibition": "2026韓光國際工業展",
        "next_exhibition": "2027韓光國際工業展",
        "exporter": "韓光閥門有限公司",
        "exporter_short": "韓光閥門",
        "sender_name": "Lee Seo-yeon",
        "sender_title": "海外業務主管",
        "product": "致動器",
        "interest": "工業閥門",
        "moq_unit": "件",
    },
    "ja": {
        "greeting": "株式会社花鳥舎商事\n商品企画課 主任\n吉田 修 様",
        "mention": "吉田様",
        "exhibition": "2026ハンビッ国際産業展",
        "next_exhibition": "2027ハンビッ国際産業展",
        "exporter": "ハンビッバルブ株式会社",
        "exporter_short": "ハンビッバルブ",
        "sender_name": "Lee Seo-yeon",
        "sender_title": "海外営業チーム長",
        "product": "アクチュエータ",
        "interest": "産業用バルブ",
        "moq_unit": "個",
    },
    "es": {
        "greeting": "Estimada Sra. Ibáñez Herrera:",
        "mention": "Sra. Ibáñez Herrera",
        "exhibition": "Feria Internacional de la Industria Hanbit 2026",
        "next_exhibition": "Feria Internacional de la Industria Hanbit 2027",
        "exporter": "Hanbit Valve Co., Ltd.",
        "exporter_short": "Hanbit Valve",
        "sender_name": "Lee Seo-yeon",
        "sender_title": "Responsable de Exportación",
        "product": "actuadores",
        "interest": "válvulas industriales",
        "moq_unit": "unidades",
    },
}
_SAMPLE_COUNTRY = {"ko": "US", "en": "SG", "zh-Hans": "CN", "zh-Hant": "TW", "ja": "JP", "es": "MX"}
"""Plain Korean is what stands beside a letter abroad; that between Koreans is ``home_sample``."""
_SAMPLE_ZONES = {
    "ko": "America/New_York",
    "en": "Asia/Singapore",
    "zh-Hans": "Asia/Shanghai",
    "zh-Hant": "Asia/Taipei",
    "ja": "Asia/Tokyo",
    "es": "America/Mexico_City",
}
_SAMPLE_HOURS = {"ko": 14, "es": 15}  # UTC
_SAMPLE_SEASONS = {
    "ko": "lunar_new_year",
    "en": "year_end",
    "zh-Hans": "lunar_new_year",
    "zh-Hant": "mid_autumn",
    "ja": "year_end",
    "es": "christmas",
}
_SAMPLE_PACKING = {
    "ko": "1카톤 20개, 수출용 팰릿 포장",
    "en": "20 pieces per carton, export pallets",
    "zh-Hans": "每箱20件，出口托盘包装",
    "zh-Hant": "每箱20件，出口棧板包裝",
    "ja": "1カートン20個、輸出用パレット梱包",
    "es": "20 unidades por caja, en palés de exportación",
}
_SAMPLE_PLACE = {
    "ko": "KINTEX 상담실",
    "en": "Meeting room 2, KINTEX",
    "zh-Hans": "KINTEX 2号洽谈室",
    "zh-Hant": "KINTEX 2號洽談室",
    "ja": "KINTEX 商談室2",
    "es": "Sala de reuniones 2, KINTEX",
}
_SAMPLE_POINTS = {
    "ko": (
        "첫 주문은 500개로 합니다.",
        "단가와 결제 조건을 정해야 합니다.",
        "1,000개부터는 단가를 3% 낮추어 드립니다.",
    ),
    "en": (
        "The first order is for 500 pieces.",
        "Unit price and terms of payment are to be settled.",
        "From 1,000 pieces we lower the unit price by 3%.",
    ),
    "zh-Hans": ("首批订单为500件。", "单价和付款条件有待确定。", "订购1,000件以上，单价降低3%。"),
    "zh-Hant": ("首批訂單為500件。", "單價和付款條件尚待確定。", "訂購1,000件以上，單價調降3%。"),
    "ja": (
        "初回のご注文は500個とする。",
        "単価と支払条件を決める必要がある。",
        "1,000個以上の場合、単価を3%引き下げる。",
    ),
    "es": (
        "El primer pedido es de 500 unidades.",
        "Quedan por acordar el precio unitario y las condiciones de pago.",
        "A partir de 1,000 unidades reducimos el precio unitario un 3 %.",
    ),
}


def _sample(language: str) -> Facts:
    texts = dict(_SAMPLE_TEXTS[language])
    interest = texts.pop("interest")
    agreed, open_point, proposal = _SAMPLE_POINTS[language]
    return Facts(
        **texts,  # type: ignore[arg-type]
        exhibition_short="HIFEX 2026",
        country=_SAMPLE_COUNTRY[language],
        venue="KINTEX",
        met_on=date(2026, 4, 14),
        booth="7B-123",
        sender_email="sales@hanbit.example",
        sender_phone="+82 31-000-0101",
        website="https://hanbit.example",
        noted=True,
        interests=(interest, texts["product"]),
        requested=tuple(Request),
        moq=500,
        lead_time_days=30,
        incoterm="FOB",
        incoterm_place="Busan, Korea",
        price=Decimal("12.50"),
        currency="USD",
        price_valid_until=date(2026, 6, 30),
        hs_code="8481.80",
        certificates=("CE", "ISO 9001"),
        catalogue_url="https://hanbit.example/catalogue/en.pdf",
        catalogue_language="en",
        reply_by=date(2026, 4, 24),
        promised_by=date(2026, 4, 20),
        next_from=date(2027, 4, 13),
        next_booth="5A-210",
        rating=5,
        catalogue_expires=date(2026, 5, 31),
        quotation=Quoted(
            number="HV-2026-041",
            issued_on=date(2026, 4, 22),
            valid_until=date(2026, 5, 22),
            currency="USD",
            incoterm="FOB",
            incoterm_place="Busan, Korea",
            lead_time_days=30,
            payment="tt_30_70",
            packing=_SAMPLE_PACKING[language],
            lines=(
                QuotedLine(f"{texts['product']} DN50", 500, texts["moq_unit"], Decimal("12.50")),
                QuotedLine(f"{texts['product']} DN80", 200, texts["moq_unit"], Decimal("18.00")),
            ),
        ),
        meeting=Meeting(
            slots=tuple(datetime(2026, 4, day, _SAMPLE_HOURS.get(language, 1), tzinfo=UTC) for day in (28, 29)),
            minutes=30,
            place=_SAMPLE_PLACE[language],
            online=True,
            zone=_SAMPLE_ZONES[language],
        ),
        negotiation=Negotiation((agreed,), (open_point,), (proposal,), date(2026, 5, 15)),
        contract=Promise(
            territory=("MY", "ID"),
            starts_on=date(2026, 7, 1),
            ends_on=date(2027, 6, 30),
            minimum_quantity=5000,
            minimum_unit=texts["moq_unit"],
            minimum_amount=Decimal(60000),
            currency="USD",
            kind="exclusive",
        ),
        season=_SAMPLE_SEASONS[language],
        season_year=2027,
    )


SAMPLES: Mapping[str, Facts] = {language: _sample(language) for language in LANGUAGES}


def _home_sample(facts: Facts) -> Facts:
    assert facts.quotation is not None
    assert facts.meeting is not None
    assert facts.contract is not None
    lines = tuple(replace(line, unit_price=line.unit_price * 1320) for line in facts.quotation.lines)
    return replace(
        facts,
        country="KR",
        price=Decimal(16500),
        currency="KRW",
        catalogue_url="https://hanbit.example/catalogue/ko.pdf",
        catalogue_language=None,
        quotation=replace(
            facts.quotation, currency="KRW", incoterm=None, incoterm_place=None, packing="1상자 20개", lines=lines
        ),
        meeting=replace(
            SAMPLES["ja"].meeting or facts.meeting, zone="Asia/Seoul", place=facts.meeting.place, online=False
        ),
        contract=replace(facts.contract, territory=("KR",), minimum_amount=Decimal(80_000_000), currency="KRW"),
    )


HOME_SAMPLE: Facts = _home_sample(SAMPLES["ko"])
"""What a letter between Koreans is tried out and shown with."""

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
