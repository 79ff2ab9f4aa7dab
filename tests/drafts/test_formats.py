from datetime import date
from decimal import Decimal

import pytest

from crm.drafts import formats

DAY = date(2026, 4, 24)


@pytest.mark.parametrize(
    ("language", "country", "long", "deadline"),
    [
        ("ko", "KR", "2026년 4월 24일", "2026년 4월 24일(금)"),
        ("en", "US", "April 24, 2026", "Friday, April 24, 2026"),
        ("en", "SG", "24 April 2026", "Friday 24 April 2026"),
        ("zh-Hans", "CN", "2026年4月24日", "2026年4月24日（周五）"),
        ("zh-Hant", "TW", "2026年4月24日", "2026年4月24日（週五）"),
        ("ja", "JP", "2026年4月24日", "2026年4月24日（金）"),
        ("es", "MX", "24 de abril de 2026", "viernes 24 de abril de 2026"),
    ],
)
def test_dates_are_long_and_deadlines_name_the_weekday(language, country, long, deadline):
    assert formats.long_date(DAY, language, country) == long
    assert formats.deadline(DAY, language, country) == deadline


@pytest.mark.parametrize(
    ("language", "country", "expected"),
    [
        ("en", "DE", "USD 12,500.50"),
        ("en", "IN", "USD 12,500.50"),
        ("es", "ES", "USD 12.500,50"),
        ("es", "CL", "USD 12.500,50"),
        ("es", "MX", "USD 12,500.50"),
        ("ja", "JP", "USD 12,500.50"),
        ("zh-Hant", "TW", "USD 12,500.50"),
    ],
)
def test_money_is_the_code_a_space_and_the_figure_as_the_reader_groups_it(language, country, expected):
    assert formats.money(Decimal("12500.5"), "USD", language, country) == expected


@pytest.mark.parametrize("currency", ["KRW", "JPY"])
def test_currencies_without_a_small_unit_have_no_decimals(currency):
    assert formats.money(Decimal(1250000), currency, "en") == f"{currency} 1,250,000"


@pytest.mark.parametrize(
    ("count", "unit", "language", "expected"),
    [
        (1500, "pcs", "en", "1,500 pieces"),
        (1, "pcs", "en", "1 piece"),
        (500, "개", "ko", "500개"),
        (200, "套", "zh-Hans", "200套"),
        (500, "unidades", "es", "500 unidades"),
        (20, "kg", "ja", "20 kg"),
    ],
)
def test_a_quantity_carries_its_unit_in_the_readers_language(count, unit, language, expected):
    assert formats.quantity(count, unit, language) == expected


@pytest.mark.parametrize(
    ("unit", "language", "expected"),
    [
        ("unidades", "es", "USD 4.20 por unidad"),
        ("cartons", "en", "USD 4.20 per carton"),
        ("세트", "ko", "1세트당 USD 4.20"),
        ("個", "ja", "USD 4.20（1個当たり）"),
        ("套", "zh-Hans", "USD 4.20 / 套"),
    ],
)
def test_a_price_says_what_it_is_for(unit, language, expected):
    assert formats.unit_price(Decimal("4.20"), "USD", unit, language, None) == expected


def test_a_list_is_joined_as_the_language_does():
    assert formats.listing(("CE", "ISO 9001"), "es") == "CE e ISO 9001"
    assert formats.listing(("CE", "KC"), "es") == "CE y KC"
    assert formats.listing((), "es") == ""
