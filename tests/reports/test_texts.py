"""Every number says in Korean what it counts."""

import pytest

from crm.core.i18n import _, speaking
from crm.reports import queries
from crm.reports.texts import GROUPS, STEPS


@pytest.mark.parametrize("text", [*(text for pair in STEPS.values() for text in pair), *GROUPS.values()])
def test_it_says_everything_in_korean(text: str) -> None:
    with speaking("ko"):
        assert _(text) != text


def test_it_explains_every_number() -> None:
    assert tuple(STEPS) == queries.COUNTS
