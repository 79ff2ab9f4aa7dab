"""Which days people work and which take letters: public holidays, make-up days, quiet seasons, days of our own."""

import re
from datetime import date, timedelta

import pytest
from dateutil.easter import easter
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.campaigns import days
from crm.campaigns.days import Calendar, DayOff, OwnDays, add_business_days

BUYERS = [
    "KR",
    "CN",
    "JP",
    "TW",
    "HK",
    "MO",
    "VN",
    "TH",
    "SG",
    "MY",
    "ID",
    "PH",
    "IN",
    "BD",
    "PK",
    "LK",
    "US",
    "CA",
    "MX",
    "BR",
    "AR",
    "CL",
    "CO",
    "PE",
    "EC",
    "PA",
    "CR",
    "GT",
    "DO",
    "UY",
    "PY",
    "BO",
    "ES",
    "DE",
    "FR",
    "GB",
    "IT",
    "NL",
    "BE",
    "AT",
    "CH",
    "PL",
    "CZ",
    "HU",
    "PT",
    "GR",
    "RO",
    "TR",
    "AE",
    "SA",
    "EG",
    "QA",
    "KW",
    "JO",
    "MA",
    "AU",
    "NZ",
    "KZ",
    "UZ",
    "MN",
    "RU",
    "ZA",
    "IL",
]
LAST_YEAR = 2040
calm = settings(deadline=None)


# ---------------------------------------------------------------- make-up working days


@pytest.mark.parametrize(
    ("country", "day"),
    [
        ("CN", date(2026, 9, 20)),
        ("CN", date(2026, 1, 4)),
        ("CN", date(2026, 10, 10)),
        ("VN", date(2026, 8, 22)),
        ("HU", date(2026, 8, 8)),
        ("TW", date(2025, 2, 8)),
    ],
)
def test_a_make_up_working_day_is_a_business_day_though_it_is_a_weekend(country: str, day: date) -> None:
    assert day.weekday() in days.weekend(country)
    assert Calendar(country).is_business_day(day)
    assert not Calendar(country).is_business_day(day + timedelta(days=7))


def test_business_days_count_a_make_up_sunday() -> None:
    friday = date(2026, 9, 18)
    assert add_business_days(friday, 1, Calendar("CN")) == date(2026, 9, 20)
    assert add_business_days(friday, 1, Calendar("TH")) == date(2026, 9, 21)


def test_a_make_up_day_in_the_weeks_of_the_lunar_new_year_takes_no_letters() -> None:
    saturday = date(2026, 2, 14)
    assert Calendar("CN").is_business_day(saturday)
    assert Calendar("CN").day_off(saturday) == DayOff("quiet_season", "Lunar New Year")


# ---------------------------------------------------------------- the centre's own days


def test_a_day_of_ones_own_is_free() -> None:
    day = date(2026, 11, 17)
    calendar = Calendar("KR", OwnDays(off=frozenset({day})))
    assert calendar.day_off(day) == DayOff("own")
    assert not calendar.is_business_day(day)


@pytest.mark.parametrize(
    ("country", "day"),
    [
        ("KR", date(2026, 9, 25)),  # Chuseok
        ("CN", date(2027, 2, 14)),  # a Sunday of the lunar new year
        ("ES", date(2026, 8, 10)),  # the August holidays
    ],
)
def test_a_working_day_of_ones_own_beats_the_calendar(country: str, day: date) -> None:
    assert not Calendar(country).takes_letters(day)
    assert Calendar(country, OwnDays(working=frozenset({day}))).takes_letters(day)


def test_own_days_of_one_country_leave_the_others_alone() -> None:
    day = date(2026, 11, 17)
    assert Calendar("JP").takes_letters(day)
    assert not Calendar("JP", OwnDays(off=frozenset({day}))).takes_letters(day)
    assert Calendar("JP").takes_letters(day)


# ---------------------------------------------------------------- counting


@calm
@given(
    st.dates(date(2025, 1, 1), date(2034, 3, 31)), st.integers(1, 250), st.sampled_from([*BUYERS, ""]), st.booleans()
)
def test_business_days_are_counted_one_by_one(day: date, count: int, country: str, backwards: bool) -> None:
    calendar = Calendar(country)
    end = add_business_days(day, -count if backwards else count, calendar)
    first, last = (end, day - timedelta(days=1)) if backwards else (day + timedelta(days=1), end)
    between = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    assert calendar.is_business_day(end)
    assert sum(calendar.is_business_day(each) for each in between) == count


def test_no_business_day_is_the_day_itself() -> None:
    assert add_business_days(date(2026, 9, 25), 0, Calendar("KR")) == date(2026, 9, 25)


# ---------------------------------------------------------------- seasons


@pytest.mark.parametrize(
    ("country", "day", "name"),
    [
        ("CN", date(2027, 2, 12), "춘절"),
        ("CN", date(2033, 2, 9), "춘절"),
        ("VN", date(2030, 1, 29), "뗏(베트남 설)"),
        ("TW", date(2028, 1, 24), "음력설"),
        ("CN", date(2029, 10, 8), "국경절 연휴"),
        ("JP", date(2027, 4, 30), "골든위크"),
        ("JP", date(2026, 8, 14), "오봉"),
        ("JP", date(2026, 12, 30), "연말연시 휴무"),
        ("TH", date(2028, 4, 12), "송끄란"),
        ("ES", date(2027, 3, 22), "성주간"),
        ("CO", date(2035, 3, 19), "성주간"),
        ("BR", date(2027, 2, 9), "카니발"),
        ("ES", date(2026, 8, 10), "8월 휴가철"),
        ("MX", date(2026, 12, 22), "성탄·연말연시 휴가철"),
        ("CL", date(2028, 1, 6), "성탄·연말연시 휴가철"),
        ("SA", date(2027, 3, 8), "라마단 말·이드 알피트르"),
        ("AE", date(2033, 1, 5), "라마단 말·이드 알피트르"),
        ("QA", date(2032, 12, 30), "라마단 말·이드 알피트르"),
        ("ID", date(2027, 3, 15), "르바란(이드 알피트르)"),
        ("TR", date(2028, 5, 4), "이드 알아드하"),
        ("IN", date(2027, 10, 28), "디왈리"),
    ],
)
def test_a_quiet_season_stops_letters_and_is_named(country: str, day: date, name: str) -> None:
    assert days.quiet_season(country, day, "ko") == DayOff("quiet_season", name)
    assert not Calendar(country).takes_letters(day)


def test_a_season_is_over_when_it_is_over() -> None:
    assert days.quiet_season("MX", date(2027, 1, 7)) is None
    assert days.quiet_season("MX", date(2026, 12, 14)) is None
    assert days.quiet_season("CN", date(2027, 2, 17)) is None
    assert days.quiet_season("DE", date(2026, 8, 10)) is None


@pytest.mark.parametrize(
    "feast", ["lunar_new_year", "tet", "easter", "ramadan", "eid_al_fitr", "eid_al_adha", "diwali"]
)
def test_every_moving_feast_is_known_through_2040(feast: str) -> None:
    assert {day.year for day in days.feasts(feast)} == set(range(2024, LAST_YEAR + 1))
    assert list(days.feasts(feast)) == sorted(days.feasts(feast))


def test_the_table_of_easter_is_that_of_the_rule() -> None:
    assert list(days.feasts("easter")) == [easter(year) for year in range(2024, LAST_YEAR + 1)]


@pytest.mark.parametrize(
    ("feast", "country", "holiday", "last"),
    [
        ("lunar_new_year", "CN", "Chinese New Year (Spring Festival)", LAST_YEAR),
        ("tet", "VN", "Lunar New Year", LAST_YEAR),
        ("eid_al_fitr", "AE", "Eid al-Fitr", LAST_YEAR),
        ("eid_al_adha", "AE", "Eid al-Adha", LAST_YEAR),
        ("diwali", "IN", "Diwali", 2035),
    ],
)
def test_the_tables_of_feasts_agree_with_the_public_holidays(feast: str, country: str, holiday: str, last: int) -> None:
    for day in days.feasts(feast):
        if day.year <= last:
            near = [day + timedelta(days=number) for number in (-1, 0, 1)]
            found = " ".join(days.holidays_of(country, each.year).get(each, "") for each in near)
            assert holiday in found, day


def test_ramadan_lasts_a_month() -> None:
    for first, last in zip(days.feasts("ramadan"), days.feasts("eid_al_fitr"), strict=True):
        assert 29 <= (last - first).days <= 30


# ---------------------------------------------------------------- the day before


@pytest.mark.parametrize(
    ("country", "day", "holiday"),
    [
        ("KR", date(2026, 9, 23), date(2026, 9, 24)),  # Chuseok, Thursday to Sunday
        ("KR", date(2026, 10, 8), date(2026, 10, 9)),  # a Friday makes three days off
        ("KR", date(2026, 9, 22), None),  # another working day comes first
        ("DE", date(2026, 5, 13), None),  # Ascension Day is one day in the week
        ("DE", date(2026, 5, 15), None),  # a common weekend
        ("DE", date(2026, 4, 2), date(2026, 4, 3)),  # Good Friday to Easter Monday
        ("KR", date(2026, 9, 25), None),  # no working day itself
    ],
)
def test_the_last_working_day_before_three_days_off_is_known(country: str, day: date, holiday: date | None) -> None:
    assert Calendar(country).before_holiday(day) == holiday


# ---------------------------------------------------------------- names


def test_holidays_of_all_our_buyers_countries_have_korean_names() -> None:
    english = {
        (country, name)
        for country in BUYERS
        for year in range(2025, 2031)
        for name in days.holidays_of(country, year, "ko").values()
        if re.search("[A-Za-z]{2}", name)
    }
    assert english == set()


@pytest.mark.parametrize(
    ("country", "day", "ko", "en"),
    [
        ("KR", date(2026, 9, 25), "추석", "Chuseok"),
        ("US", date(2026, 11, 26), "추수감사절", "Thanksgiving Day"),
        ("JP", date(2026, 11, 23), "근로감사의 날", "Labor Thanksgiving Day"),
        ("NZ", date(2026, 4, 27), "안작 데이 대체 휴일", "Anzac Day (observed)"),
        ("VN", date(2026, 8, 31), "조정 휴무(2026-08-22)", "day off for working on 2026-08-22"),
    ],
)
def test_a_holiday_has_a_name_in_both_languages(country: str, day: date, ko: str, en: str) -> None:
    calendar = Calendar(country)
    assert [calendar.day_off(day, language) for language in ("ko", "en")] == [
        DayOff("holiday", ko),
        DayOff("holiday", en),
    ]
