from datetime import timedelta

import pytest
from sqlmodel import Session, select

from crm.accounts import queries, service
from crm.accounts.models import Role, User, WebSession
from crm.accounts.rules import Viewer, system_viewer
from crm.accounts.scope import only_visible
from crm.core.clock import FrozenClock
from crm.core.errors import BadInput, NotAllowed, NotFound, Refused
from crm.core.events import history
from crm.core.models import Event

PASSWORD = "늦가을 킨텍스 3홀"


def add(session: Session, clock: FrozenClock, email: str = "haewook@example.com", role: str = "advisor") -> User:
    return service.add_user(
        session, email=email, name="정해욱", role=role, now=clock.now(), by="system", password=PASSWORD
    )


def test_it_stores_addresses_in_lower_case(session: Session, clock: FrozenClock) -> None:
    assert add(session, clock, " Haewook@Example.com ").email == "haewook@example.com"


def test_it_never_stores_a_password(session: Session, clock: FrozenClock) -> None:
    stored = add(session, clock).password_hash
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_it_refuses_an_address_twice(session: Session, clock: FrozenClock) -> None:
    add(session, clock)
    with pytest.raises(Refused) as refused:
        add(session, clock, "HAEWOOK@example.com")
    assert refused.value.code == "email_taken"


def test_it_names_every_wrong_field_of_a_new_user(session: Session, clock: FrozenClock) -> None:
    with pytest.raises(BadInput) as bad:
        service.add_user(session, email="nobody", name=" ", role="boss", now=clock.now(), by="system")
    assert [problem.place.field for problem in bad.value.problems] == ["email", "name", "role"]


def test_the_log_says_who_added_whom(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    assert user.id is not None
    session.flush()
    assert [(event.verb, event.actor) for event in history(session, "user_account", user.id)] == [
        ("user_added", "system")
    ]


def test_it_signs_in_with_the_right_password_only(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    assert service.sign_in(session, "HAEWOOK@example.com", "wrong", clock.now()) is None
    assert service.sign_in(session, "haewook@example.com", PASSWORD, clock.now()) is user


def test_it_signs_in_nobody_it_does_not_know(session: Session, clock: FrozenClock) -> None:
    assert service.sign_in(session, "stranger@example.com", PASSWORD, clock.now()) is None


def test_after_five_failures_even_the_right_password_waits_a_minute(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    for _try in range(5):
        service.sign_in(session, user.email, "wrong", clock.now())
    with pytest.raises(Refused) as refused:
        service.sign_in(session, user.email, PASSWORD, clock.now())
    assert refused.value.code == "wait"
    clock.advance(timedelta(minutes=1))
    assert service.sign_in(session, user.email, PASSWORD, clock.now()) is user


def test_a_success_forgets_the_failures(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    for _try in range(4):
        service.sign_in(session, user.email, "wrong", clock.now())
    service.sign_in(session, user.email, PASSWORD, clock.now())
    service.sign_in(session, user.email, "wrong", clock.now())
    assert service.sign_in(session, user.email, PASSWORD, clock.now()) is user


def test_failures_of_one_address_do_not_stop_another(session: Session, clock: FrozenClock) -> None:
    add(session, clock)
    other = add(session, clock, "munho@example.com")
    for _try in range(5):
        service.sign_in(session, "haewook@example.com", "wrong", clock.now())
    assert service.sign_in(session, other.email, PASSWORD, clock.now()) is other


def test_a_session_is_found_by_its_token_until_it_is_over(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    token = service.start_session(session, user, clock.now(), hours=12)
    found = queries.open_session(session, token, clock.now())
    assert found is not None
    assert found[0] is user
    assert queries.open_session(session, "another", clock.now()) is None
    assert queries.open_session(session, token, clock.now() + timedelta(hours=12)) is None


def test_only_the_hash_of_a_session_is_stored(session: Session, clock: FrozenClock) -> None:
    token = service.start_session(session, add(session, clock), clock.now(), hours=12)
    row = session.exec(select(WebSession)).one()
    assert token not in (row.token_hash, row.csrf_token)


def test_signing_out_ends_one_browser_only(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    here = service.start_session(session, user, clock.now(), hours=12)
    there = service.start_session(session, user, clock.now(), hours=12)
    service.end_session(session, queries.hash_token(here))
    assert queries.open_session(session, here, clock.now()) is None
    assert queries.open_session(session, there, clock.now()) is not None


def test_an_extended_session_outlives_its_first_end(session: Session, clock: FrozenClock) -> None:
    token = service.start_session(session, add(session, clock), clock.now(), hours=12)
    clock.advance(timedelta(hours=11))
    service.extend_session(session, queries.hash_token(token), clock.now(), hours=12)
    clock.advance(timedelta(hours=2))
    assert queries.open_session(session, token, clock.now()) is not None


def test_a_removed_user_is_out_at_once(session: Session, clock: FrozenClock) -> None:
    add(session, clock, "hana@example.com", "staff")
    user = add(session, clock)
    token = service.start_session(session, user, clock.now(), hours=12)
    assert user.id is not None
    service.deactivate_user(session, user.id, clock.now(), by="hana@example.com")
    assert queries.open_session(session, token, clock.now()) is None
    assert service.sign_in(session, user.email, PASSWORD, clock.now()) is None


def test_the_last_member_of_staff_stays(session: Session, clock: FrozenClock) -> None:
    hana = add(session, clock, "hana@example.com", "staff")
    assert hana.id is not None
    with pytest.raises(Refused) as refused:
        service.deactivate_user(session, hana.id, clock.now(), by=hana.email)
    assert refused.value.code == "last_staff"


def test_a_new_password_signs_out_every_other_browser(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    here = service.start_session(session, user, clock.now(), hours=12)
    there = service.start_session(session, user, clock.now(), hours=12)
    assert user.id is not None
    service.change_password(
        session, user.id, PASSWORD, "이른 봄 부산항 2부두", clock.now(), keep=queries.hash_token(here)
    )
    assert queries.open_session(session, here, clock.now()) is not None
    assert queries.open_session(session, there, clock.now()) is None


def test_changing_a_password_needs_the_old_one(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    assert user.id is not None
    with pytest.raises(BadInput) as bad:
        service.change_password(session, user.id, "wrong", "이른 봄 부산항 2부두", clock.now())
    assert bad.value.problems[0].place.field == "old"


def invite(session: Session, clock: FrozenClock) -> tuple[User, str]:
    return service.invite(
        session, email="mina@example.com", name="한미나", role="sme", now=clock.now(), by="hana@example.com"
    )


def test_an_invited_user_cannot_sign_in_before_accepting(session: Session, clock: FrozenClock) -> None:
    invite(session, clock)
    assert service.sign_in(session, "mina@example.com", "", clock.now()) is None


def test_accepting_an_invitation_sets_the_password_once(session: Session, clock: FrozenClock) -> None:
    user, token = invite(session, clock)
    service.accept_invitation(session, token, PASSWORD, clock.now())
    assert service.sign_in(session, "mina@example.com", PASSWORD, clock.now()) is user
    with pytest.raises(NotFound):
        service.accept_invitation(session, token, "another password", clock.now())


def test_an_invitation_ends_after_two_weeks(session: Session, clock: FrozenClock) -> None:
    _user, token = invite(session, clock)
    with pytest.raises(NotFound):
        service.accept_invitation(session, token, PASSWORD, clock.now() + timedelta(days=14))


def test_a_weak_password_does_not_use_the_invitation_up(session: Session, clock: FrozenClock) -> None:
    _user, token = invite(session, clock)
    with pytest.raises(BadInput):
        service.accept_invitation(session, token, "short", clock.now())
    assert queries.open_invitation(session, token, clock.now())


def test_somebody_who_has_not_answered_can_be_invited_again(session: Session, clock: FrozenClock) -> None:
    first, _token = invite(session, clock)
    again, token = invite(session, clock)
    assert again is first
    assert service.accept_invitation(session, token, PASSWORD, clock.now()) is first


def test_a_second_invitation_voids_the_first(session: Session, clock: FrozenClock) -> None:
    _user, first = invite(session, clock)
    invite(session, clock)
    with pytest.raises(NotFound):
        service.accept_invitation(session, first, PASSWORD, clock.now())


def test_an_invitation_dies_with_its_user(session: Session, clock: FrozenClock) -> None:
    add(session, clock, "hana@example.com", "staff")
    user, token = invite(session, clock)
    assert user.id is not None
    service.deactivate_user(session, user.id, clock.now(), by="hana@example.com")
    with pytest.raises(NotFound):
        service.accept_invitation(session, token, PASSWORD, clock.now())


def test_somebody_who_was_removed_cannot_come_back_by_invitation(session: Session, clock: FrozenClock) -> None:
    user, token = invite(session, clock)
    service.accept_invitation(session, token, PASSWORD, clock.now())
    assert user.id is not None
    service.deactivate_user(session, user.id, clock.now(), by="hana@example.com")
    with pytest.raises(Refused):
        invite(session, clock)


def test_only_staff_list_users(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    assert queries.list_users(session, system_viewer()) == [user]
    with pytest.raises(NotAllowed):
        queries.list_users(session, Viewer(user_id=1, email=user.email, name=user.name, role=Role.ADVISOR))


def test_display_settings_take_known_values_only(session: Session, clock: FrozenClock) -> None:
    user = add(session, clock)
    assert user.id is not None
    service.set_display(session, user.id, text_size="xlarge", display_mode="contrast")
    assert (user.text_size, user.display_mode) == ("xlarge", "contrast")
    with pytest.raises(BadInput):
        service.set_display(session, user.id, text_size="tiny", display_mode="light")
    with pytest.raises(BadInput):
        service.set_language(session, user.id, "tlh")


def test_queries_are_narrowed_to_the_viewers_companies(session: Session, clock: FrozenClock) -> None:
    for exporter_id in (1, 2, None):
        session.add(Event(at=clock.now(), actor="a", verb="v", subject="s", subject_id=1, exporter_id=exporter_id))
    mina = Viewer(user_id=9, email="mina@example.com", name="한미나", role=Role.SME, exporter_ids=frozenset({2}))
    nobody = Viewer(user_id=9, email="mina@example.com", name="한미나", role=Role.SME)

    def seen(viewer: Viewer) -> list[int | None]:
        return [
            event.exporter_id for event in session.exec(only_visible(select(Event), viewer, Event.exporter_id)).all()
        ]

    assert seen(mina) == [2]
    assert seen(nobody) == []
    assert seen(system_viewer()) == [1, 2, None]
