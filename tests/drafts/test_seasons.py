from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.drafts.language import LANGUAGES
from crm.drafts.placeholders import SEASON_NAMES
from crm.drafts.seasons import SEASONS, greeted_year, season_of


@pytest.mark.parametrize(
    ("day", "country", "language", "season"),
    [
        (date(2027, 1, 28), "CN", "zh-Hans", "lunar_new_year"),  # the new year is on 6 February
        (date(2027, 2, 6), "KR", "ko", "lunar_new_year"),
        (date(2027, 2, 7), "KR", "ko", None),
        (date(2027, 1, 22), "KR", "ko", None),
        (date(2027, 1, 28), "US", "zh-Hant", "lunar_new_year"),
        (date(2027, 1, 28), "US", "en", None),
        (date(2027, 1, 28), "JP", "ja", None),
        (date(2030, 2, 3), "VN", "en", None),  # Tết is a day before the Chinese new year then
        (date(2030, 2, 3), "CN", "zh-Hans", "lunar_new_year"),
        (date(2026, 9, 20), "KR", "ko", "mid_autumn"),
        (date(2026, 9, 25), "TW", "zh-Hant", "mid_autumn"),
        (date(2026, 9, 26), "TW", "zh-Hant", None),
        (date(2026, 9, 20), "VN", "en", None),
        (date(2027, 3, 9), "ID", "en", "eid"),
        (date(2027, 3, 12), "SA", "en", "eid"),
        (date(2027, 3, 9), "MY", "zh-Hans", None),
        (date(2027, 3, 9), "SG", "en", None),
        (date(2026, 11, 5), "IN", "en", "diwali"),
        (date(2026, 11, 9), "IN", "en", None),
        (date(2026, 12, 10), "MX", "es", "christmas"),
        (date(2026, 12, 10), "PH", "en", "christmas"),
        (date(2026, 12, 28), "MX", "es", "year_end"),
        (date(2026, 12, 10), "US", "en", "year_end"),
        (date(2026, 12, 10), "JP", "ja", "year_end"),
        (date(2026, 12, 10), None, "en", "year_end"),
        (date(2026, 12, 10), "SA", "en", None),
        (date(2033, 12, 22), "ID", "en", "eid"),  # Eid in December comes before the year's end
        (date(2026, 7, 1), "ES", "es", None),
    ],
)
def test_a_reader_is_greeted_by_the_custom_of_the_country(day, country, language, season):
    assert season_of(day, country, language) == season


@pytest.mark.parametrize(
    ("season", "day", "year"),
    [
        ("year_end", date(2026, 12, 10), 2027),
        ("christmas", date(2026, 12, 10), 2027),
        ("lunar_new_year", date(2027, 1, 28), 2027),
        ("mid_autumn", date(2026, 9, 20), 2026),
    ],
)
def test_a_greeting_in_december_wishes_well_for_the_coming_year(season, day, year):
    assert greeted_year(season, day) == year


@given(
    st.dates(date(2025, 1, 1), date(2039, 12, 31)),
    st.sampled_from(["KR", "CN", "TW", "SG", "VN", "ID", "SA", "IN", "MX", "JP", "US", "XX", ""]),
    st.sampled_from(LANGUAGES),
)
def test_every_season_has_a_name_in_every_language_and_is_over_within_weeks(day, country, language):
    season = season_of(day, country, language)
    assert season is None or SEASON_NAMES[season][language]
    assert season is None or season_of(day + timedelta(days=40), country, language) != season


def test_no_other_season_is_named():
    assert set(SEASON_NAMES) == set(SEASONS)
