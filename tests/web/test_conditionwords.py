"""Conditions are told in words to people who read no code; what cannot be told so is left as it stands."""

import pytest

from crm.core.i18n import speaking
from crm.web.conditionwords import condition_text


@pytest.mark.parametrize(
    ("condition", "korean", "english"),
    [
        ('contact.country != "KR"', "나라: 한국 제외", "country: not South Korea"),
        ("lead.rating >= 4", "상담 평점: 4 이상", "rating of the talk: 4 or more"),
        ("lead.requests == []", "요청한 것: 없음", "asked for: nothing"),
        ('"sample" in lead.requests', "요청한 것: 샘플", "asked for: sample"),
        ('deal.stage in ["dormant"]', "거래 단계: 쉬는 중", "stage of the deal: Resting"),
        ("not happened.reply", "답장이 오지 않았음", "no answer has come"),
        (
            'contact.country == "JP" and lead.rating > 2 or lead.met',
            "나라: 일본, 그리고 상담 평점: 2 초과 또는 상담한 날을 앎",
            "country: Japan and rating of the talk: more than 2 or the day of the talk is known",
        ),
    ],
)
def test_a_condition_is_told_in_words(condition: str, korean: str, english: str) -> None:
    with speaking("ko"):
        assert condition_text(condition) == korean
    with speaking("en"):
        assert condition_text(condition) == english


@pytest.mark.parametrize(
    "condition",
    ["", '(lead.met or lead.rating > 2) and contact.city == ""', '"this or that" in lead.notes', "lead.rating + 1 > 2"],
)
def test_a_condition_that_is_too_involved_is_not_told(condition: str) -> None:
    assert condition_text(condition) == ""
