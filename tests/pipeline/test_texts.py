"""Every stage, reason and refusal has its words in Korean."""

import re

import pytest

from crm.core.i18n import _, speaking
from crm.pipeline import rules, texts

EVERY_TEXT = [
    *texts.STAGES.values(),
    *(text for pair in texts.PLAIN_STAGES.values() for text in pair),
    *texts.TURNS.values(),
    *texts.LOST_REASONS.values(),
    *texts.CONTRACT_KINDS.values(),
    *texts.CONTRACT_STATUSES.values(),
    *texts.TASK_KINDS.values(),
    *texts.REFUSALS.values(),
]


@pytest.mark.parametrize("text", EVERY_TEXT)
def test_it_says_everything_in_korean_with_the_same_placeholders(text: str) -> None:
    with speaking("ko"):
        korean = _(text)

    assert korean != text
    assert sorted(re.findall(r"{\w+}", korean)) == sorted(re.findall(r"{\w+}", text))


def test_it_has_words_for_every_code() -> None:
    assert set(texts.STAGES) == set(rules.Stage)
    assert set(texts.LOST_REASONS) == set(rules.LostReason)
    assert set(texts.CONTRACT_KINDS) == set(rules.ContractKind)
    assert set(texts.CONTRACT_STATUSES) == set(rules.ContractStatus)
    assert set(texts.PLAIN_STAGES) == {plain.code for plain in (*rules.PLAIN_STAGES, rules.RESTING)}
