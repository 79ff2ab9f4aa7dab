from datetime import UTC, date, datetime

import pytest

from crm.core.i18n import speaking
from crm.web import words

AT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "korean", "english"),
    [
        ("", "11월 24일(화) 23:00", "Tue 24 Nov 23:00"),
        ("Asia/Tokyo", "11월 24일(화) 23:00", "Tue 24 Nov 23:00"),
        ("America/New_York", "11월 24일(화) 23:00 (현지 09:00)", "Tue 24 Nov 23:00 (local 09:00)"),
        (
            "Pacific/Auckland",
            "11월 24일(화) 23:00 (현지 11월 25일(수) 03:00)",
            "Tue 24 Nov 23:00 (local Wed 25 Nov 03:00)",
        ),
    ],
)
def test_a_moment_is_told_in_korean_time_and_theirs(zone: str, korean: str, english: str) -> None:
    with speaking("ko"):
        assert words.moment(AT, zone) == korean
    with speaking("en"):
        assert words.moment(AT, zone) == english


def test_the_year_is_told_when_it_is_another() -> None:
    with speaking("ko"):
        assert words.day(date(2027, 1, 5), now=AT) == "2027년 1월 5일(화)"
        assert words.day(date(2026, 12, 31), now=AT) == "12월 31일(목)"


def test_a_day_is_that_of_korea() -> None:
    with speaking("ko"):
        assert words.day(datetime(2026, 11, 23, 15, 0, tzinfo=UTC)) == "11월 24일(화)"


def test_days_between_are_korean_calendar_days() -> None:
    assert (
        words.days_between(datetime(2026, 11, 23, 14, 59, tzinfo=UTC), datetime(2026, 11, 23, 15, 0, tzinfo=UTC)) == 1
    )


@pytest.mark.parametrize(
    ("code", "korean", "english"),
    [("ES", "스페인", "Spain"), ("HK", "홍콩", "Hong Kong"), ("", "", ""), (None, "", ""), ("ZZZ", "ZZZ", "ZZZ")],
)
def test_countries_have_short_names(code: str | None, korean: str, english: str) -> None:
    with speaking("ko"):
        assert words.country(code) == korean
    with speaking("en"):
        assert words.country(code) == english


@pytest.mark.parametrize(
    ("code", "korean", "english"),
    [("zh-Hans", "중국어(간체)", "Simplified Chinese"), ("es", "스페인어", "Spanish"), ("ko", "한국어", "Korean")],
)
def test_languages_have_the_names_people_use(code: str, korean: str, english: str) -> None:
    with speaking("ko"):
        assert words.tongue(code) == korean
    with speaking("en"):
        assert words.tongue(code) == english
