"""What a letter may say: the facts as plain values, and each placeholder as the language writes it.

A fact that is not known is None or empty. A template asks for it before it prints it, so that a letter without facts is
shorter and never has a blank.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from urllib.parse import quote

from crm.core.i18n import N_
from crm.drafts import formats
from crm.drafts.language import LANGUAGES, language_name


class Request(StrEnum):
    """What a buyer may have asked for at the booth."""

    CATALOGUE = "catalogue"
    PRICE_LIST = "price_list"
    SAMPLE = "sample"
    QUOTATION = "quotation"
    MEETING = "meeting"
    CERTIFICATE = "certificate"


@dataclass(frozen=True)
class Facts:
    """Everything one letter in one language is written from. Texts are already in that language.

    ``met_on`` is None unless the talk took place; ``noted`` tells whether the buyer's interest in ``product`` was
    recorded, not assumed; ``price`` is for one ``moq_unit``; ``catalogue_language`` is set where it is another than the
    letter's; ``reply_by`` and ``promised_by`` are days in the reader's calendar; ``next_exhibition`` is the first one
    to come at which the exporter has a booth.
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


class Url(str):
    """An address for the reader's browser: percent-encoded where Markdown would read a sign."""

    __slots__ = ()


class Lines(str):
    """A text whose line breaks are wanted."""

    __slots__ = ()


Value = str | bool | tuple[str, ...] | None


@dataclass(frozen=True)
class Placeholder:
    """One name a template may use: what it stands for, of which kind, and how it is made from the facts."""

    name: str
    kind: str  # text, lines, date, url, list or flag
    about: str
    value: Callable[[Facts, str], Value]

    def sample(self, language: str) -> Value:
        """Return what the placeholder shows in a preview in ``language``."""
        return self.value(SAMPLES[language], language)


def values(facts: Facts, language: str) -> dict[str, Value]:
    """Return every placeholder's value as ``language`` writes it; None, '' or () where the fact is not known."""
    return {name: placeholder.value(facts, language) for name, placeholder in PLACEHOLDERS.items()}


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


def _requested(facts: Facts, language: str) -> tuple[str, ...]:
    return tuple(REQUESTS[language][code] for code in facts.requested if code in REQUESTS[language])


def _price(facts: Facts, language: str) -> str | None:
    """A price is only shown with its currency, unit, delivery terms and validity."""
    complete = facts.currency and facts.moq_unit and facts.price_valid_until and _delivery_terms(facts, language)
    if facts.price is None or not complete:
        return None
    return formats.unit_price(facts.price, str(facts.currency), str(facts.moq_unit), language, facts.country)


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


def _long(day: date | None, facts: Facts, language: str) -> str | None:
    return formats.long_date(day, language, facts.country) if day else None


def _deadline(day: date | None, facts: Facts, language: str) -> str | None:
    return formats.deadline(day, language, facts.country) if day else None


def _url(address: str | None) -> Url | None:
    if not address or not address.startswith(("https://", "http://")):
        return None
    return Url(quote(address, safe="%/:?#@!$&'+,;=-._~"))


def _other_language(facts: Facts, language: str) -> str | None:
    """Name the catalogue's language where it is not the letter's."""
    tongue = facts.catalogue_language
    return language_name(tongue, language) if tongue and tongue != language and facts.catalogue_url else None


def _asked(code: Request) -> Callable[[Facts, str], bool]:
    return lambda facts, _language: code in facts.requested


PLACEHOLDERS: Mapping[str, Placeholder] = {
    item.name: item
    for item in (
        Placeholder("greeting", "lines", N_("salutation of the addressee"), lambda f, _: Lines(f.greeting)),
        Placeholder("mention", "text", N_("the addressee in running text"), lambda f, _: f.mention),
        Placeholder("exhibition", "text", N_("name of the exhibition"), lambda f, _: f.exhibition),
        Placeholder("exhibition_short", "text", N_("short name of the exhibition"), lambda f, _: f.exhibition_short),
        Placeholder("venue", "text", N_("where the exhibition took place"), lambda f, _: f.venue),
        Placeholder("booth", "text", N_("the exporter's booth"), lambda f, _: f.booth),
        Placeholder("met_on", "date", N_("day of the talk"), lambda f, lang: _long(f.met_on, f, lang)),
        Placeholder("exporter", "text", N_("the exporter's name"), lambda f, _: f.exporter),
        Placeholder(
            "exporter_short", "text", N_("the exporter's name without legal form"), lambda f, _: f.exporter_short
        ),
        Placeholder("sender_name", "text", N_("who signs"), lambda f, _: f.sender_name),
        Placeholder("sender_title", "text", N_("title of who signs"), lambda f, _: f.sender_title),
        Placeholder("sender_phone", "text", N_("telephone of who signs"), lambda f, _: f.sender_phone),
        Placeholder("sender_email", "text", N_("e-mail address of who signs"), lambda f, _: f.sender_email),
        Placeholder("website", "url", N_("the exporter's web site"), lambda f, _: _url(f.website)),
        Placeholder("messenger", "text", N_("messenger name the buyer may use"), lambda f, _: f.messenger),
        Placeholder("product", "text", N_("product line"), lambda f, _: f.product),
        Placeholder("noted", "flag", N_("the buyer's interest in the product line was noted"), lambda f, _: f.noted),
        Placeholder("interests", "list", N_("the buyer's fields of interest"), lambda f, _: f.interests),
        Placeholder(
            "interest_list",
            "text",
            N_("the buyer's fields of interest in one phrase"),
            lambda f, lang: formats.listing(f.interests, lang, f.country),
        ),
        Placeholder("requested", "list", N_("what the buyer asked for"), _requested),
        Placeholder(
            "requested_list",
            "text",
            N_("what the buyer asked for in one phrase"),
            lambda f, lang: formats.listing(_requested(f, lang), lang, f.country),
        ),
        Placeholder("asked_sample", "flag", N_("the buyer asked for a sample"), _asked(Request.SAMPLE)),
        Placeholder("asked_price", "flag", N_("the buyer asked for a price list"), _asked(Request.PRICE_LIST)),
        Placeholder("terms", "flag", N_("at least one trade term is known"), _terms),
        Placeholder("price", "text", N_("indicative price with currency and unit"), _price),
        Placeholder(
            "price_valid_until",
            "date",
            N_("last day the price is valid"),
            lambda f, lang: _long(f.price_valid_until, f, lang),
        ),
        Placeholder("delivery_terms", "text", N_("Incoterm with place and version"), _delivery_terms),
        Placeholder("moq", "text", N_("minimum order quantity with unit"), _moq),
        Placeholder("lead_time", "text", N_("lead time after the order"), _lead_time),
        Placeholder("hs_code", "text", N_("HS code, six digits"), lambda f, _: f.hs_code),
        Placeholder(
            "certificates",
            "text",
            N_("certificates"),
            lambda f, lang: formats.listing(f.certificates, lang, f.country),
        ),
        Placeholder("catalogue_url", "url", N_("link to the catalogue"), lambda f, _: _url(f.catalogue_url)),
        Placeholder("catalogue_language", "text", N_("the catalogue's language, if another"), _other_language),
        Placeholder(
            "reply_by", "date", N_("day by which we ask for an answer"), lambda f, g: _deadline(f.reply_by, f, g)
        ),
        Placeholder(
            "promised_by",
            "date",
            N_("day by which the material was promised"),
            lambda f, g: _deadline(f.promised_by, f, g),
        ),
        Placeholder(
            "next_exhibition",
            "text",
            N_("name of the exporter's next exhibition"),
            lambda f, _: f.next_exhibition,
        ),
        Placeholder(
            "next_from",
            "date",
            N_("first day of the exporter's next exhibition"),
            lambda f, lang: _long(f.next_from, f, lang),
        ),
        Placeholder("next_booth", "text", N_("the exporter's booth there"), lambda f, _: f.next_booth),
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
_SAMPLE_COUNTRY = {"ko": "KR", "en": "SG", "zh-Hans": "CN", "zh-Hant": "TW", "ja": "JP", "es": "MX"}


def _sample(language: str) -> Facts:
    texts = dict(_SAMPLE_TEXTS[language])
    interest = texts.pop("interest")
    return Facts(
        **texts,
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
        requested=(Request.CATALOGUE, Request.PRICE_LIST, Request.SAMPLE),
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
    )


SAMPLES: Mapping[str, Facts] = {language: _sample(language) for language in LANGUAGES}


def least(facts: Facts) -> Facts:
    """Return only what every letter has: addressee, exhibition, exporter and who signs."""
    return Facts(
        greeting=facts.greeting,
        mention=facts.mention,
        exhibition=facts.exhibition,
        exhibition_short=facts.exhibition_short,
        exporter=facts.exporter,
        exporter_short=facts.exporter_short,
        sender_name=facts.sender_name,
        sender_email=facts.sender_email,
        country=facts.country,
    )
