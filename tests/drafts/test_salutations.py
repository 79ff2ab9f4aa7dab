"""Walks salutations.yaml: how people and firms are addressed, each case with its reason."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from crm.drafts.names import NameParts, Salutation, salute, salute_all

CASES = YAML(typ="safe").load((Path(__file__).parent / "salutations.yaml").read_text(encoding="utf-8"))


def salutation(case) -> Salutation:
    known = case["known"]
    if isinstance(known, list):
        return salute_all([NameParts(**one) for one in known], case["language"])
    return salute(NameParts(**known), case["language"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['language']}: {case['reason']}")
def test_they_are_addressed_as_their_country_and_the_language_want(case):
    found = salutation(case)
    asked = {part: case[part] for part in ("greeting", "mention", "envelope") if part in case}
    assert {part: getattr(found, part) for part in asked} == asked, case["reason"]


def test_the_table_is_large_and_says_why():
    assert len(CASES) >= 150
    assert all(len(case["reason"].split()) > 1 for case in CASES)
    assert len({(case["language"], str(case["known"])) for case in CASES}) == len(CASES)


def test_people_addressed_at_the_same_time_keep_their_own_names():
    alone = [salutation(case) for case in CASES]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(salutation, CASES * 5)) == alone * 5
