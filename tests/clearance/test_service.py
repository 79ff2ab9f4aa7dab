"""Clearance on real rows: what is on record decides, and the composed letter passes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session

from crm.clearance import service
from crm.clearance.rules import blocked, level
from crm.contacts import service as contacts
from crm.contacts.models import Contact, EmailAddress, Lead
from crm.core import events
from crm.core.config import Settings
from crm.core.i18n import speaking
from crm.exporters.models import Exporter
from crm.pipeline import service as pipeline
from tests.pipeline.world import ADVISOR, NOW, World, build, buyer, deal_of

LINK, MAILBOX = "http://127.0.0.1:8000/u/abc", "unsubscribe+abc@ieum.example"


@pytest.fixture
def world(session: Session) -> World:
    return build(session)


def consent(session: Session, lead: Lead, basis: str = "express_optin", **facts: object) -> None:
    contacts.record_consent(
        session,
        lead.contact_id,
        **{  # type: ignore[arg-type]
            "exporter_id": lead.exporter_id,
            "basis": basis,
            "given_at": NOW - timedelta(days=4),
            "source": "import",
            "evidence": {"file": "leads.xlsx", "row": 12},
            "now": NOW,
            "by": ADVISOR,
            **facts,
        },
    )


def codes(session: Session, settings: Settings, lead: Lead, **facts: object) -> set[str]:
    return {verdict.code for verdict in blocked(ask(session, settings, lead, **facts))}


def ask(session: Session, settings: Settings, lead: Lead, **facts: object) -> list[service.Verdict]:
    contact = session.get_one(Contact, lead.contact_id)
    return service.verdicts(
        session,
        settings,
        **{  # type: ignore[arg-type]
            "lead_id": lead.id,
            "recipient": f"{contact.full_name.lower()}@buyer.example",
            "language": "en",
            "product_line_id": lead.product_line_id,
            "moment": NOW,
            **facts,
        },
    )


BASES = [
    ("KR", "ko", "express_optin"),
    ("JP", "ja", "card_handed"),
    ("US", "en", "card_handed"),
    ("SG", "en", "badge_scanned"),
    ("SG", "zh-Hans", "card_handed"),
    ("CN", "zh-Hans", "express_optin"),
    ("TW", "zh-Hant", "card_handed"),
    ("ES", "es", "express_optin"),
    ("DE", "en", "express_optin"),
    ("KE", "en", "express_optin"),
]


@pytest.mark.parametrize(
    ("country", "language", "basis", "overlay"),
    [
        *((*case, "off") for case in BASES),
        *((*case, "on") for case in BASES if case[2] == "express_optin"),
    ],
)
def test_it_composes_what_it_then_lets_pass(
    session: Session, settings: Settings, world: World, country: str, language: str, basis: str, overlay: str
) -> None:
    settings = settings.model_copy(
        update={"clearance": settings.clearance.model_copy(update={"korean_sender_overlay": overlay})}
    )
    lead = buyer(session, world, "Anna", country=country)
    consent(session, lead, basis)
    legal = service.compose_legal(
        session,
        settings,
        lead_id=lead.id or 0,
        language=language,
        product_line_id=None,
        unsubscribe_url=LINK,
        unsubscribe_email=MAILBOX,
    )
    text = f"Hello\n\n{legal.footer.text}\n"

    found = ask(session, settings, lead, language=language, subject=f"{legal.label or ''}Catalogue", text=text)
    assert not blocked(found)
    assert "FOOTER_OK" in {verdict.code for verdict in found}
    assert "FOOTER_OK" not in {verdict.code for verdict in ask(session, settings, lead, subject="x", text="Hello")}


def test_it_shows_where_the_consent_was_found(session: Session, settings: Settings, world: World) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead)

    with speaking("ko"):
        (found,) = [one for one in ask(session, settings, lead) if one.code == "BASIS_FOUND"]
    assert found.params["source"] == "가져오기, 파일 leads.xlsx, 12행"


def test_it_does_not_count_a_withdrawn_consent(session: Session, settings: Settings, world: World) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead)
    for row in contacts.consents_of(session, lead.contact_id, lead.exporter_id):
        row.withdrawn_at = NOW
    session.flush()

    assert codes(session, settings, lead) == {"LAW_NO_BASIS"}


def test_it_does_not_count_a_consent_given_to_another_exporter(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead, exporter_id=world.toys)

    assert codes(session, settings, lead) == {"LAW_BASIS_WRONG_SENDER"}


def test_it_stops_everything_after_an_opt_out_and_survives_a_repeated_import(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead)
    assert codes(session, settings, lead) == set()

    service.opt_out(session, "ANNA@buyer.example ", exporter_id=None, source="link", evidence={}, now=NOW, by="system")
    consent(session, lead)
    consent(session, lead, "requested_info")
    assert codes(session, settings, lead) == {"LAW_SUPPRESSED_EVERYWHERE"}
    assert "contact_opted_out" in [event.verb for event in events.history(session, "contact", lead.contact_id)]


def test_it_keeps_an_opt_out_from_one_exporter_from_stopping_another(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead)
    service.opt_out(
        session, "anna@buyer.example", exporter_id=world.toys, source="link", evidence={}, now=NOW, by="system"
    )

    assert codes(session, settings, lead) == set()


def test_it_counts_a_second_opt_out_from_its_own_day(session: Session, settings: Settings, world: World) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead, given_at=NOW - timedelta(days=2))
    for days_ago in (3, 1):
        service.opt_out(
            session,
            "anna@buyer.example",
            exporter_id=world.valves,
            source="reply",
            evidence={},
            now=NOW - timedelta(days=days_ago),
            by="system",
        )

    assert codes(session, settings, lead) == {"LAW_SUPPRESSED"}


def test_it_takes_a_refusal_sent_from_another_address_of_the_person(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead)
    session.add(EmailAddress(contact_id=lead.contact_id, address="anna@home.example", position=1))
    session.flush()
    service.opt_out(session, "anna@home.example", exporter_id=None, source="reply", evidence={}, now=NOW, by="system")

    assert codes(session, settings, lead) == {"LAW_SUPPRESSED_EVERYWHERE"}


def test_it_writes_to_a_corrected_address_after_the_old_one_bounced(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead)
    session.add(EmailAddress(contact_id=lead.contact_id, address="anna@new.example", position=1))
    contacts.mark_bounced(session, "anna@buyer.example", "550 no such user", now=NOW)
    contacts.suppress(
        session,
        "anna@buyer.example",
        exporter_id=None,
        reason="hard_bounce",
        source="bounce",
        evidence={},
        now=NOW,
        by="system",
    )

    assert codes(session, settings, lead) == {"PROTO_HARD_BOUNCED", "LAW_SUPPRESSED_EVERYWHERE"}
    assert codes(session, settings, lead, recipient="anna@new.example") == set()


def test_it_lets_the_companys_country_stand_in_for_a_missing_one_and_asks_when_they_differ(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna", country="DE")
    consent(session, lead)
    contact = session.get_one(Contact, lead.contact_id)

    contact.country = None
    assert level(ask(session, settings, lead)) == "pass"
    contact.country = "ES"
    assert "LAW_JURISDICTION_CONFLICT" in {verdict.code for verdict in ask(session, settings, lead)}


def test_it_blocks_a_buyer_of_whom_no_country_is_known(session: Session, settings: Settings, world: World) -> None:
    lead = buyer(session, world, "Anna", country=None)

    assert "LAW_JURISDICTION_UNKNOWN" in codes(session, settings, lead)


def test_it_blocks_at_planning_when_the_exporters_facts_are_incomplete(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead)
    session.get_one(Exporter, world.valves).privacy_url = ""

    assert codes(session, settings, lead) == {"LAW_FOOTER_FACT_UNKNOWN"}


def test_it_holds_the_second_buyer_of_an_exclusive_territory(
    session: Session, settings: Settings, world: World
) -> None:
    first = buyer(session, world, "Anna", country="SG", line_id=world.actuators)
    second = buyer(session, world, "Boris", country="SG", line_id=world.actuators)
    for lead in (first, second):
        consent(session, lead)
    pipeline.sign_exclusive(
        session,
        deal_of(session, first),
        territory=["SG"],
        product_line_id=world.actuators,
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 11, 30),
        by=ADVISOR,
        now=NOW,
    )

    (verdict,) = blocked(ask(session, settings, second))
    assert (verdict.code, verdict.params["partner"]) == ("EXCLUSIVITY_SIGNED", "Anna Trading")
    assert codes(session, settings, first) == set()


def test_it_knows_the_local_time_of_a_country_with_a_single_zone(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna", country="CO")
    consent(session, lead)
    sunday = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)

    (verdict,) = blocked(ask(session, settings, lead, moment=sunday, language="es"))
    assert (verdict.code, verdict.until) == ("LAW_QUIET_HOURS", datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    assert service.only_zone("US") is None
    assert service.only_zone(None) is None


def test_it_lets_the_answer_to_a_request_go_where_advertising_may_not(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead, "requested_info")

    assert codes(session, settings, lead) == {"LAW_BASIS_NOT_ENOUGH"}
    assert codes(session, settings, lead, commercial=False) == set()


def test_it_keeps_the_distance_to_letters_the_caller_knows_of(
    session: Session, settings: Settings, world: World
) -> None:
    lead = buyer(session, world, "Anna")
    consent(session, lead)

    (verdict,) = blocked(ask(session, settings, lead, last_letters=[NOW - timedelta(days=1)]))
    assert (verdict.code, verdict.until) == ("CONTACT_CAP", NOW + timedelta(days=2))
