"""Every code has its sentence, in Korean and in English."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm.clearance import rules
from crm.clearance.question import Level, Suppression, Verdict
from crm.clearance.rules import evaluate
from crm.clearance.texts import BASES, EVIDENCE, ITEMS, LISTS, REFUSALS, REMEDIES, VERDICTS, evidence, remedy, say
from crm.core.i18n import _, speaking
from crm.pipeline import rules as pipeline
from tests.clearance.cases import NOW, basis, question, with_subject, written

CODE = re.compile(r'"((?:LAW|EXCLUSIVITY|BASIS|PROTO|OVERLAY|CONTACT)_[A-Z_]+|[A-Z]+_OK|NO_ADDRESS|SUBJECT_EMPTY)"')
EVERY_TEXT = [
    *(text for pair in VERDICTS.values() for text in pair),
    *REMEDIES.values(),
    *BASES.values(),
    *ITEMS.values(),
    *REFUSALS.values(),
    *EVIDENCE.values(),
    *LISTS.values(),
]


def test_it_has_a_sentence_for_every_code_in_the_rules() -> None:
    sources = [Path(module.__file__).read_text(encoding="utf-8") for module in (rules, pipeline)]
    used = {code for source in sources for code in CODE.findall(source)}

    assert len(used) > 30
    assert used <= set(VERDICTS)


@pytest.mark.parametrize("text", EVERY_TEXT)
def test_it_says_everything_in_korean_with_the_same_placeholders(text: str) -> None:
    with speaking("ko"):
        korean = _(text)

    assert korean != text
    assert sorted(re.findall(r"{\w+}", korean)) == sorted(re.findall(r"{\w+}", text))
    assert "!" not in korean


@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_fills_in_every_placeholder_of_what_the_rules_find(language: str) -> None:
    refusal = Suppression(NOW - timedelta(days=1), "opt_out", None)
    cases = [
        question(None),
        question("KR", suppressions=(refusal,), last_letters=(NOW,)),
        with_subject(question("DE", basis("card_handed")), "(광고) Re: x"),
        question("DE", basis(exporter_id=8)),
        question("CO", basis(), moment=NOW.replace(hour=3)),
        replace(written(question("SG", basis())), moment=NOW + timedelta(days=2)),
    ]
    with speaking(language):
        said = [say(verdict) for asked in cases for verdict in evaluate(asked)]

    assert all(title and sentence for title, sentence in said)
    assert not [sentence for _title, sentence in said if "{" in sentence]


def test_it_shows_countries_bases_and_times_in_words() -> None:
    until = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    verdict = Verdict(Level.BLOCK, "LAW_QUIET_HOURS", {"country": "CO", "until": until}, resolves="WAIT")

    with speaking("ko"):
        assert say(verdict) == (
            "보낼 수 없는 시간",
            "콜롬비아에서는 이 시간에 보낼 수 없습니다. 다음에 보낼 수 있는 때는 11월 24일(화) 23:00입니다.",
        )
        assert remedy(verdict) == "다음에 보낼 수 있는 때에 저절로 나갑니다."


def test_it_shows_an_unknown_code_as_it_is() -> None:
    assert say(Verdict(Level.CHECK, "SOMETHING_ELSE", {"a": 1})) == ("SOMETHING_ELSE", "")
    assert remedy(Verdict(Level.CHECK, "SOMETHING_ELSE")) == ""


def test_it_shows_the_evidence_of_a_consent_in_words_and_never_as_it_is_stored() -> None:
    facts = {
        "file": "visitors.csv",
        "row": 6,
        "day": "2026-11-18T17:18",
        "statements": [{"column": "제3자 제공 동의", "cell": "Y"}, {"column": "마케팅 수신 동의", "cell": "Y"}],
        "follow_up": "카탈로그, 견적",
        "requests": ["catalogue", "quotation"],
        "captured_by": "",
    }

    with speaking("ko"):
        korean = evidence("registration", facts)

    assert korean == (
        "사전 등록 명단, 파일 visitors.csv, 6행, 2026년 11월 18일 17:18, "
        "동의 표시 ‘제3자 제공 동의: Y, 마케팅 수신 동의: Y’, 요청 카탈로그, 견적"
    )
