from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.accounts.models import Role
from crm.accounts.rules import Action, Viewer, may, password_fault, require, system_viewer, wait_until
from crm.core.errors import NotAllowed

NOW = datetime(2026, 11, 23, 0, 10, tzinfo=UTC)


def viewer(role: Role, exporter_ids: frozenset[int] | None = frozenset({1})) -> Viewer:
    return Viewer(user_id=1, email="a@example.com", name="A", role=role, exporter_ids=exporter_ids)


@pytest.mark.parametrize("action", list(Action))
def test_staff_may_do_everything(action: Action) -> None:
    assert may(viewer(Role.STAFF, None), action)


@pytest.mark.parametrize("action", [Action.IMPORT, Action.RUN_CAMPAIGNS, Action.MANAGE_USERS, Action.SEE_AUDIT])
@pytest.mark.parametrize("role", [Role.ADVISOR, Role.SME])
def test_only_staff_run_the_house(role: Role, action: Action) -> None:
    assert not may(viewer(role), action)


@pytest.mark.parametrize("action", [Action.REVIEW, Action.MOVE_DEALS, Action.SIGN_CONTRACTS])
def test_an_sme_neither_approves_nor_moves_deals(action: Action) -> None:
    assert may(viewer(Role.ADVISOR), action)
    assert not may(viewer(Role.SME), action)


def test_an_sme_exports_its_talks_and_no_list_of_people() -> None:
    assert may(viewer(Role.ADVISOR), Action.EXPORT_CONTACTS)
    assert may(viewer(Role.SME), Action.EXPORT_LEADS)
    assert not may(viewer(Role.SME), Action.EXPORT_CONTACTS)


def test_what_a_role_does_not_permit_is_refused() -> None:
    require(viewer(Role.ADVISOR), Action.REVIEW)
    with pytest.raises(NotAllowed):
        require(viewer(Role.SME), Action.REVIEW)


def test_a_viewer_has_one_role() -> None:
    for role in Role:
        one = viewer(role)
        assert [one.is_staff, one.is_advisor, one.is_sme].count(True) == 1


def test_a_viewer_sees_only_their_companies() -> None:
    mina = viewer(Role.SME, frozenset({7}))
    assert mina.sees(7)
    assert not mina.sees(8)
    assert not mina.sees(None)


def test_the_system_sees_all_companies() -> None:
    assert system_viewer().sees(8)
    assert system_viewer().sees(None)


def test_four_failures_cost_nothing() -> None:
    assert wait_until([NOW] * 4, NOW) is None


def test_the_fifth_failure_costs_a_minute() -> None:
    failures = [NOW - timedelta(seconds=10 * n) for n in range(5)]
    assert wait_until(failures, NOW) == NOW + timedelta(minutes=1)
    assert wait_until(failures, NOW + timedelta(minutes=1)) is None


def test_failures_of_an_hour_ago_are_forgotten() -> None:
    assert wait_until([NOW - timedelta(hours=1)] * 9, NOW) is None


@given(st.lists(st.integers(0, 3600), max_size=20))
def test_nobody_waits_longer_than_a_minute(seconds: list[int]) -> None:
    until = wait_until([NOW - timedelta(seconds=s) for s in seconds], NOW)
    assert until is None or NOW < until <= NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("짧다", "password_short"),
        ("a" * 201, "password_long"),
        ("aaaaaaaaaaaa", "password_weak"),
        ("haewook@example.com", "password_weak"),
        ("늦가을 킨텍스 3홀", None),
    ],
)
def test_it_says_what_is_wrong_with_a_password(password: str, code: str | None) -> None:
    assert password_fault(password, "haewook@example.com") == code
