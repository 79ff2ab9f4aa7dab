"""Letters in use: folder and desk, versions that campaigns keep, and no draft from a text that nobody approved."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.campaigns import letters as kept
from crm.campaigns import service as campaigns
from crm.campaigns.models import Campaign, CampaignLetter, LetterVersion
from crm.core import events
from crm.core.config import ROOT, Settings
from crm.core.errors import BadInput, NotAllowed, Refused, Stale
from crm.drafts import archive, blocks, desk, service
from crm.drafts.library import NotReady, desk_page, not_ready
from crm.drafts.models import Draft
from crm.drafts.readiness import State
from tests.drafts.world import NOW, World, build, meet, start

HANA = Viewer(1, "hana@example.com", "Hana", Role.STAFF, exporter_ids=None)
SOL = Viewer(2, "sol@example.com", "Sol", Role.ADVISOR, languages=("es", "en"))
DUE = NOW + timedelta(days=2)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings whose letters are a copy of the shipped ones."""
    shutil.copytree(ROOT / "templates" / "mail", tmp_path / "mail")
    return settings.model_copy(update={"templates_dir": str(tmp_path / "mail")})


@pytest.fixture
def world(session: Session) -> World:
    return build(session)


def files_with(session: Session, settings: Settings, language: str, closing: str) -> dict[str, str]:
    """Return the files of the thank-you letter with another closing in one language."""
    files = dict(kept.source_of(session, settings, "thank_you").files)
    written = blocks.split(files[f"{language}.md"])
    keys = [block.key for block in written.blocks]
    return {
        **files,
        f"{language}.md": blocks.rewritten(files[f"{language}.md"], keys, {**written.texts, "closing": closing}),
    }


def change(
    session: Session, settings: Settings, language: str = "en", closing: str = "Until soon,", viewer: Viewer = HANA
) -> None:
    files = files_with(session, settings, language, closing)
    based_on = kept.source_of(session, settings, "thank_you").sha256
    desk.save(session, settings, "thank_you", files, based_on=based_on, why="wording", viewer=viewer, now=NOW)


def approve(session: Session, settings: Settings, language: str = "en", viewer: Viewer = SOL) -> None:
    seen = desk.seen_of(kept.source_of(session, settings, "thank_you").files, language)
    if desk.page(session, settings, "thank_you").states[language].state == State.WRITING:
        desk.ask(session, settings, "thank_you", language, seen=seen, viewer=HANA, now=NOW)
    desk.approve(session, settings, "thank_you", language, seen=seen, viewer=viewer, now=NOW)


def drafted(session: Session, settings: Settings) -> list[Draft]:
    service.draft_due(session, settings, desk.letters_in_use(session, settings), now=DUE)
    return list(session.exec(select(Draft).order_by(Draft.id)))  # type: ignore[arg-type]


# ---- folder and desk


def test_the_shipped_letters_are_approved_in_every_language(session: Session, settings: Settings) -> None:
    for page in desk.pages(session, settings):
        written = {tongue: found.state for tongue, found in page.states.items() if found.state != State.NONE}
        assert set(written.values()) == {State.APPROVED}, (page.source.name, "run: python tools/letters.py")


def test_what_was_saved_stands_instead_of_the_file(session: Session, settings: Settings) -> None:
    change(session, settings)
    source = kept.source_of(session, settings, "thank_you")
    assert "Until soon," in source.files["en.md"]
    assert (source.differs, source.folder_is_newer) == (True, False)
    path = Path(settings.templates_dir) / "thank_you" / "ja.md"
    path.write_text(path.read_text("utf-8") + "\n", encoding="utf-8")
    assert kept.source_of(session, settings, "thank_you").folder_is_newer


def test_a_file_that_somebody_changes_in_the_folder_has_to_be_approved(session: Session, settings: Settings) -> None:
    path = Path(settings.templates_dir) / "thank_you" / "en.md"
    path.write_text(path.read_text("utf-8") + "PS\n", encoding="utf-8")
    assert desk.letters_in_use(session, settings).ready_in_use("thank_you", "en").state == State.WRITING


def test_every_version_stays_and_tells_its_letter(session: Session, settings: Settings) -> None:
    first = kept.source_of(session, settings, "thank_you")
    change(session, settings)
    second = kept.source_of(session, settings, "thank_you")
    assert {row.sha256 for row in session.exec(select(LetterVersion))} == {first.sha256, second.sha256}
    assert kept.files_of(session, [first.sha256])[first.sha256] == first.files


def test_a_version_has_the_hash_that_a_draft_names(session: Session, settings: Settings) -> None:
    for letter in desk.letters_in_use(session, settings).letters():
        assert letter.version == kept.source_of(session, settings, letter.name).sha256


def test_one_broken_letter_does_not_stop_the_others(session: Session, settings: Settings) -> None:
    (Path(settings.templates_dir) / "thank_you" / "ko.md").write_text("{% if", encoding="utf-8")
    shelf = desk.letters_in_use(session, settings)
    assert shelf.letter("catalogue").name == "catalogue"
    with pytest.raises(BadInput):
        shelf.letter("thank_you")
    with pytest.raises(NotReady):
        shelf.to_write("thank_you", "en")


def test_a_language_with_mistakes_keeps_the_others_from_nothing(session: Session, settings: Settings) -> None:
    path = Path(settings.templates_dir) / "thank_you" / "es.md"
    path.write_text(path.read_text("utf-8") + "{{ nobody }}", encoding="utf-8")
    shelf = desk.letters_in_use(session, settings)
    assert shelf.to_write("thank_you", "ja").name == "thank_you"
    assert shelf.ready_in_use("thank_you", "es").state == State.WRITING
    assert "es" in desk.page(session, settings, "thank_you").checked.faulty


def test_saving_refuses_mistakes_with_their_line(session: Session, settings: Settings) -> None:
    files = files_with(session, settings, "en", "{{ exporterr }}")
    based_on = kept.source_of(session, settings, "thank_you").sha256
    with pytest.raises(BadInput) as error:
        desk.save(session, settings, "thank_you", files, based_on=based_on, why="x", viewer=HANA, now=NOW)
    [problem] = error.value.problems
    line = files["en.md"][: files["en.md"].index("exporterr")].count("\n") + 1
    assert (problem.place.file, problem.place.line) == ("en.md", line)
    assert "exporter" in problem.hint


def test_who_is_slower_is_told(session: Session, settings: Settings) -> None:
    files = files_with(session, settings, "en", "Best regards,")
    based_on = kept.source_of(session, settings, "thank_you").sha256
    change(session, settings)
    with pytest.raises(Stale):
        desk.save(session, settings, "thank_you", files, based_on=based_on, why="x", viewer=HANA, now=NOW)


def test_an_advisor_saves_only_what_he_reads(session: Session, settings: Settings) -> None:
    change(session, settings, "es", "Saludos cordiales,", viewer=SOL)
    with pytest.raises(NotAllowed):
        change(session, settings, "ko", "고맙습니다.", viewer=SOL)


# ---- approval holds and releases


def test_no_letter_is_drafted_from_a_text_that_nobody_approved(
    session: Session, settings: Settings, world: World
) -> None:
    meet(session, world, "Lena Vogt", country="DE")
    change(session, settings)
    start(session, settings, world)
    [draft] = drafted(session, settings)
    assert (draft.status, draft.blocks) == ("held", [])
    [reason] = draft.held_for
    assert (reason["letter"], reason["tongue"], reason["state"]) == ("thank_you", "en", "writing")
    assert desk_page(reason["letter"], reason["tongue"]) == "/letters/thank_you?language=en"
    assert not_ready(reason["letter"], reason["tongue"], reason["state"])


def test_a_held_letter_is_written_once_its_text_is_approved(session: Session, settings: Settings, world: World) -> None:
    meet(session, world, "Lena Vogt", country="DE")
    change(session, settings)
    start(session, settings, world)
    drafted(session, settings)
    approve(session, settings)
    assert service.write_held(session, settings, desk.letters_in_use(session, settings), now=DUE) == 1
    [draft] = session.exec(select(Draft))
    assert draft.status == "waiting"
    assert any("Until soon," in block["text"] for block in draft.blocks)


def test_a_changed_korean_text_holds_every_other_language_until_somebody_confirms_it(
    session: Session, settings: Settings
) -> None:
    change(session, settings, "ko", "고맙습니다.")
    shelf = desk.letters_in_use(session, settings)
    for language in ("en", "zh-Hans", "zh-Hant", "ja", "es"):
        assert shelf.ready_in_use("thank_you", language).state == State.AGAIN
    with pytest.raises(NotReady):
        shelf.to_write("thank_you", "en", "DE")
    approve(session, settings)
    assert desk.letters_in_use(session, settings).to_write("thank_you", "en", "DE").name == "thank_you"


def test_who_wrote_it_does_not_approve_it(session: Session, settings: Settings) -> None:
    change(session, settings, viewer=SOL)
    with pytest.raises(NotAllowed):
        approve(session, settings)
    english = Viewer(3, "else@example.com", "Else", Role.ADVISOR, languages=("en",))
    approve(session, settings, viewer=english)
    assert desk.letters_in_use(session, settings).ready_in_use("thank_you", "en")


def test_nobody_approves_a_language_he_does_not_read(session: Session, settings: Settings) -> None:
    change(session, settings, "ja", "敬白")
    with pytest.raises(NotAllowed):
        approve(session, settings, "ja")


# ---- what campaigns keep


def test_a_campaign_keeps_the_letters_it_was_started_with(session: Session, settings: Settings, world: World) -> None:
    meet(session, world, "Lena Vogt", country="DE")
    campaign = start(session, settings, world)
    assert desk.keep_letters(session, settings, now=NOW) > 0
    change(session, settings)
    [draft] = drafted(session, settings)
    assert draft.status == "waiting"
    assert draft.letter_version == kept.kept_by(session)[campaign.id or 0]["thank_you"]
    assert not any("Until soon," in block["text"] for block in draft.blocks)


def test_keeping_twice_changes_nothing(session: Session, settings: Settings, world: World) -> None:
    campaign = start(session, settings, world)
    desk.keep_letters(session, settings, now=NOW)
    before = kept.kept_by(session)
    change(session, settings)
    assert desk.keep_letters(session, settings, now=NOW) == 0
    assert kept.kept_by(session) == before == kept.kept_by(session, [campaign.id or 0])


def test_a_campaign_goes_on_with_the_newest_letters_when_a_person_says_so(
    session: Session, settings: Settings, world: World
) -> None:
    meet(session, world, "Lena Vogt", country="DE")
    campaign = start(session, settings, world)
    desk.keep_letters(session, settings, now=NOW)
    change(session, settings)
    approve(session, settings)
    [name] = newer = kept.newer_letters(session, settings, campaign)
    seen = {name: newer[name][1].sha256}
    kept.move_to_newest(session, settings, campaign, seen, reason="price", by="hana@example.com", now=NOW)
    [draft] = drafted(session, settings)
    assert any("Until soon," in block["text"] for block in draft.blocks)
    [moved] = [one for one in events.history(session, "campaign", campaign.id or 0) if one.verb == "letters_moved"]
    assert moved.reason == "price"
    assert kept.newer_letters(session, settings, campaign) == {}


def test_letters_that_changed_since_they_were_looked_at_are_not_moved(
    session: Session, settings: Settings, world: World
) -> None:
    campaign = start(session, settings, world)
    desk.keep_letters(session, settings, now=NOW)
    change(session, settings)
    seen = {name: found[1].sha256 for name, found in kept.newer_letters(session, settings, campaign).items()}
    change(session, settings, "en", "Best regards,")
    with pytest.raises(Stale):
        kept.move_to_newest(session, settings, campaign, seen, reason="x", by="a", now=NOW)
    with pytest.raises(Refused):
        kept.move_to_newest(session, settings, campaign, seen, reason=" ", by="a", now=NOW)


def test_an_agreed_plan_does_not_differ_because_a_letter_was_changed_on_the_desk(
    session: Session, settings: Settings, world: World
) -> None:
    campaign = start(session, settings, world)
    desk.keep_letters(session, settings, now=NOW)
    before = kept.wordings_of(session, settings, campaign)
    change(session, settings)
    assert kept.wordings_of(session, settings, campaign) == before != kept.wordings_of(session, settings)


def test_a_stopped_campaign_keeps_nothing_alive(session: Session, settings: Settings, world: World) -> None:
    campaign = start(session, settings, world)
    desk.keep_letters(session, settings, now=NOW)
    campaigns.stop(session, campaign, by="a", now=NOW)
    assert kept.kept_by(session) == {}
    assert session.exec(select(CampaignLetter)).first() is not None
    assert session.get_one(Campaign, campaign.id).status == "stopped"


# ---- out and in


def test_desk_and_folder_are_the_same_thing(session: Session, settings: Settings, tmp_path: Path) -> None:
    change(session, settings, "ko", "고맙습니다.")
    approve(session, settings)
    left = desk.exported(session, settings, "thank_you")
    folder = Path(settings.templates_dir) / "thank_you"
    for name, text in archive.everything(left.files, left.approvals).items():
        (folder / name).write_bytes(text.encode())
    written = kept.folder_at(folder)
    assert archive.Letter("thank_you", dict(written.files), written.approvals) == left
    states = desk.page(session, settings, "thank_you").states
    alone = kept.Source("thank_you", written.files, None, written.files, written.approvals)
    fresh = desk.states_of(alone.files, desk.checked("thank_you", alone.files), desk._listed(alone.approvals))
    assert {tongue: one.state for tongue, one in fresh.items()} == {tongue: one.state for tongue, one in states.items()}


def test_a_letter_from_elsewhere_comes_in_with_its_approvals(session: Session, settings: Settings) -> None:
    change(session, settings)
    approve(session, settings)
    left = desk.exported(session, settings, "thank_you")
    change(session, settings, "en", "Best regards,")
    saved = desk.take_in(session, settings, left, why="back", viewer=HANA, now=NOW)
    assert saved is not None
    assert desk.letters_in_use(session, settings).ready_in_use("thank_you", "en")
    assert desk.take_in(session, settings, left, why="again", viewer=HANA, now=NOW) is None


def test_a_new_letter_comes_in_and_workflows_know_it(session: Session, settings: Settings) -> None:
    left = desk.exported(session, settings, "thank_you")._replace(name="second_thanks")
    desk.take_in(session, settings, left, why="new", viewer=HANA, now=NOW)
    assert "second_thanks" in kept.languages_in_use(session, settings)
    assert "second_thanks" not in kept.languages_in_use(None, settings)
    assert desk.letters_in_use(session, settings).ready_in_use("second_thanks", "ja")


def test_a_letter_that_cannot_be_read_does_not_come_in(session: Session, settings: Settings) -> None:
    left = desk.exported(session, settings, "thank_you")
    broken = left._replace(files={**left.files, "ko.md": "{% if"})
    with pytest.raises(BadInput):
        desk.take_in(session, settings, broken, why="x", viewer=HANA, now=NOW)
    with pytest.raises(NotAllowed):
        desk.take_in(session, settings, left, why="x", viewer=SOL, now=NOW)
