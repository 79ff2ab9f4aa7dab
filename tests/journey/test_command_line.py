"""One buyer the whole way over the command line: from a file to a sent letter, an answer and an exclusive contract."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlmodel import Session, select

from crm.accounts import service as accounts
from crm.cli.app import run
from crm.core.clock import KST
from crm.core.config import load
from crm.core.context import InstanceClock
from crm.core.db import Database
from crm.core.models import Event, Instance
from crm.demo import clock as demo_clock
from crm.demo.buyer import answer_as_buyer, hand_in
from crm.demo.mailserver import DemoMailServer
from crm.exporters import service as exporters

ADVISOR = "advisor@ieum.example"
BUYER = "lucia.fernandez@iberia-belleza.example"
COMPANIES = """
[[exporters]]
code = "GAON"
names = { ko = "가온코스메틱", en = "Gaon Cosmetics" }
address_en = "123 Hallyu World-ro, Goyang-si, Republic of Korea"
phone = "+82310000101"
website = "https://gaon.example"
privacy_url = "https://gaon.example/privacy"
contact_name_ko = "김서연"
contact_name_latin = "Kim Seo-yeon"
contact_titles = { ko = "수출담당", en = "Export Manager", es = "Responsable de Exportación" }
sender_email = "seoyeon.kim@ieum.example"
[[exporters.lines]]
code = "CICA"
names = { ko = "시카 라인", en = "Cica line", es = "línea Cica" }
keywords = ["cica"]
catalogues = [{ language = "en", title = "Cica", url = "https://gaon.example/cica/en.pdf" }]
[[exhibitions]]
code = "SHOW"
names = { ko = "2026 전시회", en = "Expo 2026", es = "Expo 2026" }
starts_on = %s
ends_on = %s
booths = { "7B-101" = "GAON" }
"""
LIST = (
    "전시회 상담 명단\n\n성명,회사명,직책,이메일,국가,언어,부스번호,관심품목,후속조치,마케팅 수신 동의,상담일,비고\n"
    f"Lucía Fernández,Iberia Belleza S.L.,Compradora,{BUYER},Spain,es,7B-101,Cica,catalogue; sample,Y,%s,독점 관심\n"
    "이름만,,,,,,,,,,,\n"
)


class Desk:
    """Somebody at the terminal: runs commands, reads what they print, and can let time pass."""

    def __init__(self, db: Database, capsys: pytest.CaptureFixture[str], smtp_port: int, rack: object) -> None:
        self.db, self.capsys, self.smtp_port, self.rack = db, capsys, smtp_port, rack

    def crm(self, *words: str, code: int = 0) -> str:
        self.capsys.readouterr()
        found = run(list(words))
        printed = self.capsys.readouterr()
        assert found == code, printed.out + printed.err
        return printed.out + printed.err

    def data(self, *words: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.crm(*words, "--json").splitlines() if line.startswith("{")]

    def wait_for_next(self) -> None:
        """Let time pass until the engine has something to do, then let the worker do it."""
        with self.db.writing() as session:
            now = InstanceClock(self.db).now()
            due = demo_clock.next_due(session, load(None), now)
            assert due is not None
            demo_clock.move(session, due - now)
        self.crm("worker", "--once")


@pytest.fixture
def desk(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    server = DemoMailServer(tmp_path / "mail", "ieum.example")
    ports = server.start()
    environ = {
        "DATABASE__URL": db.url, "WEB__SECRET": "s" * 40, "SMTP__PORT": str(ports.smtp), "SMTP__SECURITY": "none",
        "IMAP__HOST": "127.0.0.1", "IMAP__PORT": str(ports.imap), "IMAP__SECURITY": "none", "IMAP__USER": "inbox",
        "IMAP__PASSWORD": "any", "MAIL__DOMAIN": "ieum.example", "CLEARANCE__KOREAN_SENDER_OVERLAY": "off",
        "DEMO__ENABLED": "true", "CAMPAIGNS__DRAFT_AHEAD_HOURS": "168",
    }  # fmt: skip
    for name, value in environ.items():
        monkeypatch.setenv(f"IEUM_{name}", value)
    monkeypatch.chdir(tmp_path)
    yield Desk(db, capsys, ports.smtp, server.rack)
    server.stop()


@pytest.fixture
def lists(tmp_path: Path, db: Database) -> Callable[[], None]:
    """Write the files of a show that closed two days ago."""
    closed = (InstanceClock(db).now().astimezone(KST) - timedelta(days=2)).date()

    def write() -> None:
        text = COMPANIES % (closed - timedelta(days=3), closed)
        (tmp_path / "companies.toml").write_text(text, "utf-8")
        (tmp_path / "list.csv").write_text(LIST % closed, "utf-8-sig")

    return write


def invite_advisor(session: Session) -> None:
    instance = session.exec(select(Instance)).one()
    user = accounts.add_user(
        session, email=ADVISOR, name="정해욱", role="advisor", password="long-enough-pass", languages=("es",),
        now=instance.created_at, by="test",
    )  # fmt: skip
    exporters.assign(session, user, exporters.exporter_by_code(session, "GAON"), now=instance.created_at, by="test")


@pytest.mark.timeout(180)
def test_one_buyer_goes_the_whole_way(desk: Desk, lists: Callable[[], None]) -> None:
    lists()
    desk.crm("init")
    desk.crm("exporters", "load", "companies.toml")
    with desk.db.writing() as session:
        invite_advisor(session)

    desk.crm("import", "list.csv", "--exhibition", "SHOW", "--dry-run")
    assert desk.data("contacts", "list") == []
    desk.crm("import", "list.csv", "--exhibition", "SHOW")
    [buyer] = [row for row in desk.data("contacts", "list") if row.get("emails") == [BUYER]]
    assert (buyer["country"], buyer["language"], buyer["company"]) == ("ES", "es", "Iberia Belleza S.L.")

    assert len(desk.data("campaign", "rehearse", "overseas-buyer", "--exhibition", "SHOW")) >= 3
    desk.crm("campaign", "start", "overseas-buyer", "--exhibition", "SHOW")
    desk.crm("worker", "--once")
    [draft] = desk.data("drafts", "list")
    assert (draft["language"], draft["letter"]) == ("es", "thank_you")

    desk.crm("drafts", "approve", str(draft["id"]), "--by", ADVISOR)
    desk.crm("drafts", "take-back", str(draft["id"]), "--by", ADVISOR)
    desk.crm("drafts", "approve", str(draft["id"]), "--by", ADVISOR)
    desk.crm("worker", "--once")
    assert [row["status"] for row in desk.data("outbox", "list")] == ["queued"]
    desk.wait_for_next()
    assert [row["status"] for row in desk.data("outbox", "list")] == ["sent"]
    [letter] = desk.rack.mails(BUYER)  # type: ignore[attr-defined]

    answer = answer_as_buyer(letter.read(), "reply", now=InstanceClock(desk.db).now())
    hand_in(answer, host="127.0.0.1", port=desk.smtp_port)
    desk.crm("worker", "--once")
    [deal] = desk.data("pipeline", "show")
    assert deal["stage"] == "replied"
    assert desk.data("drafts", "list") == [], "an answer ends the follow-up"

    desk.crm("pipeline", "move", str(deal["id"]), "negotiation", "--by", ADVISOR, "--reason", "조건을 제시했습니다")
    [deal] = desk.data("pipeline", "show")
    assert deal["stage"] == "negotiation"
    assert desk.data("report", "funnel")[0]["replied"] == 1
    desk.crm("export", "contacts", "--to", "contacts.xlsx")


def test_a_wrong_file_is_named_with_exit_code_2(desk: Desk) -> None:
    desk.crm("init")
    assert "nothing.csv" in desk.crm("import", "nothing.csv", "--exhibition", "SHOW", code=2)
    assert "SHOW" in desk.crm("campaign", "rehearse", "overseas-buyer", "--exhibition", "SHOW", code=1)


def test_a_rehearsal_is_written_as_a_file(desk: Desk, lists: Callable[[], None], tmp_path: Path) -> None:
    lists()
    desk.crm("init")
    desk.crm("exporters", "load", "companies.toml")
    desk.crm("import", "list.csv", "--exhibition", "SHOW")
    words = ("campaign", "rehearse", "overseas-buyer", "--exhibition", "SHOW")
    said = desk.crm(*words, "--xlsx", "plan.xlsx")
    planned = desk.data(*words)
    letters = load_workbook(tmp_path / "plan.xlsx").worksheets[0]
    assert [row[2].value for row in letters.iter_rows(min_row=2)] == [row["contact"] for row in planned]
    assert "plan.xlsx" in said
    assert "nowhere/plan.xlsx" in desk.crm(*words, "--xlsx", "nowhere/plan.xlsx", code=2)
    assert desk.data("campaign", "list") == []


def test_an_import_can_be_taken_back(desk: Desk, lists: Callable[[], None]) -> None:
    lists()
    desk.crm("init")
    desk.crm("exporters", "load", "companies.toml")
    [report] = desk.data("import", "list.csv", "--exhibition", "SHOW")
    assert len(desk.data("contacts", "list")) >= 1
    desk.crm("import", "undo", str(report["batch"]))
    assert desk.data("contacts", "list") == []


def test_the_doctor_says_what_is_wrong(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.crm("init")
    assert "failed" not in desk.crm("doctor")
    monkeypatch.setenv("IEUM_SMTP__PORT", "1")
    printed = desk.crm("doctor", code=1)
    assert "SMTP" in printed
    assert "[smtp]" in printed


def test_wrong_arguments_end_with_2(desk: Desk) -> None:
    desk.crm("drafts", "approve", "x", code=2)
    desk.crm("nonsense", code=2)


def test_contacts_and_talks_are_written_to_files(desk: Desk, lists: Callable[[], None], tmp_path: Path) -> None:
    lists()
    desk.crm("init")
    desk.crm("exporters", "load", "companies.toml")
    desk.crm("import", "list.csv", "--exhibition", "SHOW")
    for form, begin in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("vcf", b"BEGIN:VCARD\r\n")):
        said = desk.crm("contacts", "export", "--format", form, "--exhibition", "SHOW", "--output", f"out.{form}")
        assert f"out.{form}" in said
        assert Path(f"out.{form}").read_bytes().startswith(begin)
    printed = desk.crm(
        "contacts", "export", "--format", "csv", "--kind", "leads", "--exporter", "GAON", "--output", "-"
    )
    assert BUYER in printed
    verbs = [event.data["rows"] for event in _exports(desk)]
    assert verbs == [1, 1, 1, 1]


def _exports(desk: Desk) -> list[Event]:
    with desk.db.reading() as session:
        return list(session.exec(select(Event).where(Event.verb == "contacts_exported")))


def test_an_export_that_cannot_be_written_is_said_and_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.crm("init")
    assert "no/where.csv" in desk.crm("contacts", "export", "--format", "csv", "--output", "no/where.csv", code=2)
    Path("folder").mkdir()
    assert "folder" in desk.crm("contacts", "export", "--output", "folder", code=2)
    assert "pdf" in desk.crm("contacts", "export", "--format", "pdf", "--output", "a.pdf", code=2)
    assert "deals" in desk.crm("contacts", "export", "--kind", "deals", "--output", "a.xlsx", code=2)
    assert list(Path().glob("a.*")) == list(Path().glob("*.part")) == []
    assert _exports(desk) == []
