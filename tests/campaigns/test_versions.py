"""Workflows saved in the browser: which text is in use, who changed it and why, and two people at once."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from crm.campaigns import service, workflows
from crm.core import events
from crm.core.config import Settings
from crm.core.db import Database
from crm.core.errors import BadInput, NotFound, Refused, Stale
from tests.campaigns.conftest import STAFF, WORKFLOW, World
from tests.conftest import NOW

LATER = WORKFLOW.replace("4 business days", "6 business days")
LATEST = WORKFLOW.replace("4 business days", "8 business days")


@pytest.fixture
def save(session: Session, settings: Settings) -> Callable[..., Any]:
    """Save a text of the workflow ``example``, over the version in use unless told otherwise."""

    def do(text: str = LATER, **changes: Any) -> Any:
        based_on = workflows.source_of(session, settings, "example").sha256
        facts = {"based_on": based_on, "why": "손님이 많아서", "by": STAFF, "now": NOW, **changes}
        return workflows.save_workflow(session, settings, "example", text, **facts)

    return do


def test_without_a_saved_version_the_file_is_in_use(session: Session, settings: Settings) -> None:
    source = workflows.source_of(session, settings, "example")
    assert (source.text, source.save, source.differs) == (WORKFLOW, None, False)


def test_what_was_saved_wins_over_the_file_and_says_so(
    session: Session, settings: Settings, save: Callable[..., Any]
) -> None:
    save()
    source = workflows.source_of(session, settings, "example")
    assert (source.text, source.file_text, source.differs, source.file_is_newer) == (LATER, WORKFLOW, True, False)
    delays = {
        step.id: step.delay.count for step in service.load_workflows(settings, session)["example"].definition.steps
    }
    assert delays["catalogue"] == 6


def test_a_file_changed_after_the_saving_is_told(
    session: Session, settings: Settings, save: Callable[..., Any]
) -> None:
    save()
    (Path(settings.workflows_dir) / "example.yaml").write_text(LATEST, encoding="utf-8")
    assert workflows.source_of(session, settings, "example").file_is_newer


def test_a_saved_version_tells_who_and_why(session: Session, save: Callable[..., Any]) -> None:
    saved = save()
    [line] = events.history(session, "workflow_save", saved.id)
    assert (saved.number, saved.saved_by, saved.why, line.actor, line.reason) == (
        1,
        STAFF,
        "손님이 많아서",
        STAFF,
        "손님이 많아서",
    )


def test_a_version_is_not_saved_without_a_reason(save: Callable[..., Any]) -> None:
    with pytest.raises(BadInput) as refused:
        save(why="  ")
    assert [problem.place.field for problem in refused.value.problems] == ["why"]


def test_a_text_with_mistakes_is_not_saved_and_every_mistake_has_its_line(
    session: Session, settings: Settings, save: Callable[..., Any]
) -> None:
    with pytest.raises(BadInput) as refused:
        save(WORKFLOW.replace("mail: reminder", "mail: remainder").replace("4 business days", "4 weekdays"))
    assert [problem.place.line for problem in refused.value.problems] == [8, 11]
    assert workflows.saves_of(session, "example") == []


def test_of_two_who_edit_at_once_the_second_is_told(save: Callable[..., Any]) -> None:
    seen = workflows.sha256_of(WORKFLOW)
    save(LATER, based_on=seen)
    with pytest.raises(Stale):
        save(LATEST, based_on=seen)


def test_saving_what_is_there_already_is_refused(save: Callable[..., Any]) -> None:
    with pytest.raises(Refused):
        save(WORKFLOW)


def test_an_older_version_is_restored_by_saving_it_again(
    session: Session, settings: Settings, save: Callable[..., Any]
) -> None:
    save(LATER)
    save(LATEST)
    save(LATER, why="2판이 낫지 않음")
    assert [(one.number, text) for one, text in workflows.saves_of(session, "example")] == [
        (3, LATER), (2, LATEST), (1, LATER),
    ]  # fmt: skip
    assert workflows.source_of(session, settings, "example").text == LATER


def test_a_campaign_that_was_made_keeps_its_version(world: World, save: Callable[..., Any]) -> None:
    campaign = world.campaign()
    save(LATER)
    assert workflows.definition_of(world.session, campaign.workflow_sha256).steps[1].delay.count == 4


def test_a_new_campaign_takes_the_saved_version(world: World, save: Callable[..., Any]) -> None:
    save(LATER)
    campaign = world.campaign()
    assert campaign.workflow_sha256 == workflows.sha256_of(LATER)


def test_a_workflow_without_a_file_can_be_saved(session: Session, settings: Settings) -> None:
    text = WORKFLOW.replace("workflow: example", "workflow: second")
    workflows.save_workflow(session, settings, "second", text, based_on="", why="새로", by=STAFF, now=NOW)
    assert set(service.load_workflows(settings, session)) == {"example", "second"}
    assert set(service.load_workflows(settings)) == {"example"}


def test_a_new_workflow_never_replaces_one_of_the_same_name(save: Callable[..., Any]) -> None:
    with pytest.raises(Stale):
        save(LATER, based_on="")


def test_the_line_ends_of_a_form_make_no_new_version(save: Callable[..., Any]) -> None:
    with pytest.raises(Refused):
        save(WORKFLOW.replace("\n", "\r\n"))


def test_an_unknown_workflow_is_not_found(session: Session, settings: Settings) -> None:
    with pytest.raises(NotFound):
        workflows.source_of(session, settings, "nothing")


def test_of_two_transactions_that_save_at_the_same_moment_one_stands(db: Database, settings: Settings) -> None:
    seen = workflows.sha256_of(WORKFLOW)
    outcomes: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        try:
            with db.writing() as session:
                workflows.save_workflow(
                    session, settings, "example", LATEST, based_on=seen, why="둘", by=STAFF, now=NOW
                )
            outcomes.append("saved")
        except Stale:
            outcomes.append("stale")

    other = threading.Thread(target=second)
    with db.writing() as first:
        workflows.save_workflow(first, settings, "example", LATER, based_on=seen, why="하나", by=STAFF, now=NOW)
        other.start()
        begun.wait()
    other.join()
    assert outcomes == ["stale"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("workflow: a-b\n", "a-b"),
        ("# x\r\nworkflow: b\r\n", "b"),
        ("# x\nworkflow: 'b'  # name\n", "b"),
        ("workflow: Ä\n", ""),
        ("steps: []\n", ""),
    ],
)
def test_the_name_is_read_from_a_text_with_mistakes(text: str, name: str) -> None:
    assert workflows.name_in(text) == name
