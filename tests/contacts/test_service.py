"""What happens to people, addresses and consents."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from crm.contacts import service
from crm.contacts.models import Consent, Suppression
from crm.core.errors import BadInput
from crm.core.events import history
from tests.conftest import NOW
from tests.contacts.conftest import MakeContact


def _suppress(session: Session, exporter_id: int | None = None, address: str = "Ana@Flores.example") -> Suppression:
    return service.suppress(
        session, address, exporter_id=exporter_id, reason="opt_out", source="mail", evidence={}, now=NOW, by="x"
    )


def test_suppressing_twice_changes_nothing(session: Session) -> None:
    assert _suppress(session).id == _suppress(session).id
    assert session.exec(select(Suppression)).one().address == "ana@flores.example"


def test_a_refusal_that_is_repeated_counts_from_its_latest_day(session: Session) -> None:
    first = _suppress(session)
    later = NOW + timedelta(days=30)
    again = service.suppress(
        session, "ana@flores.example", exporter_id=None, reason="complaint", source="staff", evidence={}, now=later,
        by="x",
    )  # fmt: skip
    assert (again.id, again.at, again.reason) == (first.id, later, "complaint")


def test_a_bounce_neither_renews_a_refusal_nor_hides_a_later_one(session: Session) -> None:
    def stop(reason: str, day: int) -> Suppression:
        return service.suppress(
            session, "ana@flores.example", exporter_id=None, reason=reason, source="x", evidence={},
            now=NOW + timedelta(days=day), by="x",
        )  # fmt: skip

    stop("hard_bounce", 0)
    assert stop("opt_out", 1).reason == "opt_out"
    assert stop("hard_bounce", 2).at == NOW + timedelta(days=1)


def test_a_later_refusal_of_one_exporter_is_kept_beside_that_of_all(
    session: Session, exporters: dict[str, int]
) -> None:
    _suppress(session)
    later = NOW + timedelta(days=30)
    narrow = service.suppress(
        session, "ana@flores.example", exporter_id=exporters["GAON"], reason="opt_out", source="x", evidence={},
        now=later, by="x",
    )  # fmt: skip
    assert (narrow.exporter_key, narrow.at) == (exporters["GAON"], later)


def test_a_stop_for_everyone_covers_every_exporter(session: Session, exporters: dict[str, int]) -> None:
    widest = _suppress(session)
    assert _suppress(session, exporters["GAON"]).id == widest.id
    assert service.is_suppressed(session, "ANA@flores.example", exporters["SEOLAK"]) is not None


def test_a_stop_for_one_exporter_can_be_widened(session: Session, exporters: dict[str, int]) -> None:
    _suppress(session, exporters["GAON"])
    assert service.is_suppressed(session, "ana@flores.example", exporters["SEOLAK"]) is None
    _suppress(session)
    found = service.suppressions_for(session, ["ana@flores.example"], exporters["GAON"])
    assert found["ana@flores.example"].exporter_key == 0


def test_the_same_consent_is_kept_once(session: Session, make_contact: MakeContact, exporters: dict[str, int]) -> None:
    contact = make_contact("Ana López")
    for _time in range(2):
        service.record_consent(
            session, contact.id or 0, exporter_id=exporters["GAON"], basis="express_optin", given_at=NOW,
            source="form", evidence={"form": 1}, now=NOW, by="x",
        )  # fmt: skip
    assert len(list(session.exec(select(Consent)))) == 1
    assert len(service.consents_of(session, contact.id or 0, exporters["GAON"])) == 1
    assert service.consents_of(session, contact.id or 0, exporters["SEOLAK"]) == []


def test_a_bounced_address_gives_way_to_the_next(session: Session, make_contact: MakeContact) -> None:
    contact = make_contact("Ana López", "ana@flores.example")
    service.mark_bounced(session, "ANA@flores.example", "5.1.1 unknown", now=NOW)
    primary = service.primary_email(session, contact.id or 0)
    assert primary is not None
    assert (primary.status, primary.status_reason) == ("bounced", "5.1.1 unknown")


def test_an_address_with_a_plus_tag_is_found(session: Session, make_contact: MakeContact) -> None:
    contact = make_contact("Ana López", "ana@flores.example")
    found = service.contact_by_address(session, "Ana+show@flores.example")
    assert found is not None
    assert found.id == contact.id


def test_an_edit_is_remembered_field_by_field(session: Session, make_contact: MakeContact) -> None:
    contact = make_contact("Ana López")
    service.edit_contact(
        session, contact, {"title": "Owner", "full_name": "Ana López"}, now=NOW, by="staff@ieum.example"
    )
    assert contact.edited == {"title": NOW.isoformat()}
    [event] = history(session, "contact", contact.id or 0)
    assert (event.actor, event.data) == ("staff@ieum.example", {"title": ["", "Owner"]})


def test_only_a_contacts_own_fields_can_be_edited(session: Session, make_contact: MakeContact) -> None:
    contact = make_contact("Ana López")
    with pytest.raises(BadInput, match="organisation_id"):
        service.edit_contact(session, contact, {"organisation_id": "7"}, now=NOW, by="x")
