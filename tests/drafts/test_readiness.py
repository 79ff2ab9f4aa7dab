"""How ready a language is, from nothing but who decided what about which two texts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.core.errors import BadInput
from crm.drafts import approvals
from crm.drafts.readiness import (
    APPROVED,
    ASKED,
    RETURNED,
    Authors,
    Decision,
    Readiness,
    State,
    may_edit,
    readiness,
    reads,
    writer_of_what_is_new,
)

NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
TEXTS = {"ko": "k2", "es": "e1", "es-ES": "v1"}


def said(kind: str, text: str = "e1", korean: str = "k2", tongue: str = "es", by: str = "a") -> Decision:
    return Decision(tongue, text, korean, kind, by, NOW)


@pytest.mark.parametrize(
    ("decisions", "state"),
    [
        ([], State.WRITING),
        ([said(ASKED)], State.REVIEW),
        ([said(ASKED), said(APPROVED)], State.APPROVED),
        ([said(ASKED), said(RETURNED)], State.WRITING),
        ([said(APPROVED, korean="k1")], State.AGAIN),
        ([said(APPROVED, korean="k1"), said(APPROVED)], State.APPROVED),
        ([said(APPROVED, korean="k1"), said(ASKED)], State.REVIEW),
        ([said(APPROVED, text="e0")], State.WRITING),
        ([said(ASKED, korean="k1")], State.WRITING),
        ([said(APPROVED, tongue="ja")], State.WRITING),
    ],
)
def test_the_state_of_a_language_follows_from_the_decisions(decisions: list[Decision], state: State) -> None:
    assert readiness(["es"], TEXTS, (), decisions)["es"].state == state


def test_a_language_without_a_text_is_not_written() -> None:
    assert readiness(["ja"], TEXTS, (), [])["ja"].state == State.NONE


def test_an_approved_text_that_cannot_be_read_any_more_is_being_written() -> None:
    assert readiness(["es"], TEXTS, {"es"}, [said(APPROVED)])["es"].state == State.WRITING


def test_going_back_to_an_approved_pair_of_texts_needs_no_new_approval() -> None:
    decisions = [said(APPROVED, korean="k1"), said(APPROVED, korean="k2")]
    for korean in ("k1", "k2"):
        assert readiness(["es"], {**TEXTS, "ko": korean}, (), decisions)["es"].approved


def test_who_changed_the_korean_does_not_confirm_the_other_languages() -> None:
    authors = Authors(text="translator", korean="master")
    assert writer_of_what_is_new(authors, Readiness(State.AGAIN)) == "master"
    assert writer_of_what_is_new(authors, Readiness(State.REVIEW)) == "translator"


def viewer(role: Role, *languages: str) -> Viewer:
    return Viewer(1, "a@example.com", "a", role, languages=languages, exporter_ids=None)


@pytest.mark.parametrize(
    ("who", "tongue", "edits", "approves"),
    [
        (viewer(Role.STAFF), "ko", True, True),
        (viewer(Role.STAFF), "ko-KR", True, True),
        (viewer(Role.STAFF), "es", True, False),
        (viewer(Role.STAFF, "es"), "es-ES", True, True),
        (viewer(Role.ADVISOR, "es"), "es", True, True),
        (viewer(Role.ADVISOR, "es"), "ko", False, False),
        (viewer(Role.ADVISOR, "zh-Hant"), "zh-Hant-HK", True, True),
        (viewer(Role.ADVISOR, "zh-Hant"), "zh-Hans", False, False),
        (viewer(Role.SME, "es"), "es", False, False),
    ],
)
def test_who_may_edit_and_who_reads_a_language(who: Viewer, tongue: str, edits: bool, approves: bool) -> None:
    assert (may_edit(who, tongue), reads(who, tongue)) == (edits, approves)


HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
DECISIONS = st.builds(
    Decision,
    st.sampled_from(["ko", "en", "zh-Hans", "zh-Hant", "ja", "es", "ko-KR", "es-ES"]),
    HASHES,
    HASHES,
    st.sampled_from([ASKED, APPROVED, RETURNED]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip),
    st.datetimes(timezones=st.just(UTC)),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30),
)


@given(st.lists(DECISIONS, unique_by=lambda one: one.tongue))
def test_a_list_of_approvals_is_read_as_it_was_written(decisions: list[Decision]) -> None:
    states = {one.tongue: Readiness(State.APPROVED, one) for one in decisions}
    text = approvals.written(states)
    assert sorted(approvals.read(text), key=lambda one: one.tongue) == sorted(decisions, key=lambda one: one.tongue)
    again = {one.tongue: Readiness(State.APPROVED, one) for one in approvals.read(text)}
    assert approvals.written(again) == text


@pytest.mark.parametrize(
    "text",
    [
        "es: [",
        "- es",
        "es: approved",
        "es: {kind: liked, text: a, korean: b, by: c, at: 2026-01-01T00:00:00+00:00}",
        'es: {"kind": "approved", "text": "' + "a" * 64 + '", "korean": "' + "b" * 64 + '", "by": "c", "at": "soon"}',
        'xx: {"kind": "approved"}',
        "&a [*a]",
        "es: !!python/object:os.system {}",
        "#" * 60_000,
    ],
)
def test_a_list_that_is_none_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadInput) as error:
        approvals.read(text)
    assert all(problem.place.file == "approvals.yaml" and problem.hint for problem in error.value.problems)


def test_no_list_is_no_approval() -> None:
    assert approvals.read("") == approvals.read("# nothing yet\n") == []


def test_a_later_moment_is_not_needed_to_overrule() -> None:
    later = Decision("es", "e1", "k2", RETURNED, "b", NOW - timedelta(days=1))
    assert readiness(["es"], TEXTS, (), [said(APPROVED), later])["es"].state == State.WRITING
