"""Invented facts in every language: what a letter is tried out with and shown with in previews."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from crm.drafts.known import Facts, Meeting, Negotiation, Promise, Quoted, QuotedLine, Request
from crm.drafts.language import LANGUAGES

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
_SAMPLE_PORT = {"es": "Busan, Corea"}
_SAMPLE_PACKING = {
    "ko": "1카톤 20개, 수출용 팰릿 포장",
    "en": "20 pieces per carton, export pallets",
    "zh-Hans": "每箱20件，出口托盘",
    "zh-Hant": "每箱20件，出口棧板",
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
        incoterm_place=_SAMPLE_PORT.get(language, "Busan, Korea"),
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
            incoterm_place=_SAMPLE_PORT.get(language, "Busan, Korea"),
            lead_time_days=30,
            payment="tt_30_70",
            packing=_SAMPLE_PACKING[language],
            lines=(
                QuotedLine(f"{texts['product']} DN50", 500, texts["moq_unit"], Decimal("12.50")),
                QuotedLine(f"{texts['product']} DN80", 200, texts["moq_unit"], Decimal("18.00")),
            ),
        ),
        quotation_attached=True,
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
