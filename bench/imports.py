"""What an import costs beside the bare path: read the file, clean a little, one upsert.

Both sides take 100,000 rows by 15 columns of which half are known already, into a fresh SQLite database, each in a
process of its own, in turn. Ours also merges, keeps every row with what was read out of it, finds duplicates and can be
taken back. Memory is the highest of the process (with its child that reads workbooks) above the same process idle.

``python -m bench imports`` runs all; ``python -m bench.imports ours list.csv known.csv seconds`` runs one side once.
"""

import csv
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

ROWS = 100_000
ROUNDS = 3
LIMIT, AIM = 6.0, 3.0
MEMORY = {"csv": 64, "xlsx": 250}
COLUMNS = (
    *("이름", "회사", "부서", "직급", "이메일", "휴대폰", "국가", "관심품목", "상담일시", "담당자", "등급", "예산"),
    *("상담메모", "수신동의", "유입경로"),
)
KEYS = (
    *("name", "company", "department", "title", "email", "phone", "country", "interests", "met_at", "advisor", "grade"),
    *("budget", "memo", "consent", "source"),
)

# Invented people

_FAMILY = "김이박최정강조윤장임한오서신권황안송류홍"
_GIVEN = "민서지현우준영수진하은도연재호석윤아람별솔찬혁경미선"
_JAPANESE = (
    ["佐藤", "鈴木", "高橋", "田中", "渡辺", "伊藤", "山本", "中村", "小林", "加藤", "吉田", "山田"],
    ["健一", "誠", "さくら", "花子", "ゆい", "大輔", "直樹"],
)
_CHINESE = ("王李张刘陈杨黄赵吴周徐孙", "小明伟芳秀英敏静丽强磊军洋勇艳杰娟涛超霞")
_LATIN = (
    ["Anna", "Tom", "José", "Zoë", "John", "Marie", "Luca", "Ines", "Omar", "Priya", "Duc", "Maria"],
    ["Weber", "Smith", "García", "Müller", "Rossi", "Tran", "Khan"],
)
_STEMS = "한빛솔미르누리가온별해오름담산들샘터길벗나래온새참맑고운동방서울남북중앙대한신성우진태양삼화"
_WORDS = ("Flow", "Metal", "Green", "Sensor", "Vision", "Food", "Robot", "Valve", "Pack", "Pet", "Bio", "Print")
_ENDS = ("정밀", "테크", "산업", "메디칼", "무역", "바이오", "시스템")


def person(number: int) -> list[str]:
    """Return the row of one visitor; the same number is always the same person."""
    r = Random(number)
    kind = number % 10
    if kind < 6:
        name, country = r.choice(_FAMILY) + r.choice(_GIVEN) + r.choice(_GIVEN), "한국"
        firm = "(주)" + "".join(r.choices(_STEMS, k=3)) + r.choice(_ENDS)
        phone = f"010-{number // 10_000:04d}-{number % 10_000:04d}"
    elif kind < 8:
        name, country = f"{r.choice(_JAPANESE[0])} {r.choice(_JAPANESE[1])}", "日本"
        firm, phone = (
            f"株式会社{''.join(r.choices(_CHINESE[1], k=3))}",
            f"+81 90 {number // 10_000:04d} {number % 10_000:04d}",
        )
    elif kind < 9:
        name, country = r.choice(_CHINESE[0]) + r.choice(_CHINESE[1]) + r.choice(_CHINESE[1]), "中国"
        firm, phone = (
            f"{''.join(r.choices(_CHINESE[1], k=3))}有限公司",
            f"+86 139 {number // 10_000:04d} {number % 10_000:04d}",
        )
    else:
        name, country = f"{r.choice(_LATIN[0])} {r.choice(_LATIN[1])}", "Germany"
        firm = f"{r.choice(_WORDS)}{r.choice(_WORDS)} {number % 977} GmbH"
        phone = f"+49 151 {number // 10_000:04d}{number % 10_000:04d}"
    email = f"visitor.{number}@example{number % 500}.test"
    return [
        name,
        firm,
        r.choice(("구매팀", "연구소", "営業部", "采购部", "Einkauf")),
        r.choice(("부장", "과장", "課長", "经理", "Manager")),
        f"  {email.title()}" if number % 7 == 0 else email,
        phone,
        country,
        "; ".join(r.sample(("센서", "로봇", "비전", "制御", "PLC", "驱动"), 2)),
        f"2026-11-{11 + number % 3:02d} {9 + number % 9:02d}:{number % 60:02d}",
        r.choice(("이수진", "박준호", "최하나")),
        r.choice("ABC"),
        str(r.randint(1, 500) * 100_000),
        r.choice(("견적 요청, 다음 주 연락", '데모 희망 "신제품"', "자료만 발송", "カタログ送付希望", "需要报价单")),
        r.choice(("Y", "N", "예")),
        r.choice(("부스", "초청장", "웹")),
    ]


def earlier(number: int) -> list[str]:
    """Return what an older list knew of the same person: met earlier, every third with another title and remark."""
    row = person(number)
    row[8] = row[8].replace("2026-11-1", "2026-11-0")
    if number % 3 == 0:
        row[3], row[12] = "대리", "첫 방문"
    return row


def make(folder: Path) -> dict[str, Path]:
    """Write the list as CSV and XLSX, and the older list of half the people."""
    import xlsxwriter

    rows = [list(COLUMNS), *map(person, range(ROWS))]
    paths = {"csv": folder / "list.csv", "xlsx": folder / "list.xlsx", "known": folder / "known.csv"}
    for path, listed in ((paths["csv"], rows), (paths["known"], [list(COLUMNS), *map(earlier, range(0, ROWS, 2))])):
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(listed)
    with xlsxwriter.Workbook(paths["xlsx"], {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate(rows):
            for column, text in enumerate(row):
                sheet.write_string(line, column, text)
    return paths


# The bare path

_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)+")
_NO_DIGIT = re.compile(r"[^\d+]")
_UPSERT = (
    f"INSERT INTO contact ({','.join(KEYS)}) VALUES ({','.join('?' * len(KEYS))}) ON CONFLICT (email) DO UPDATE SET "
    + ",".join(f"{key}=excluded.{key}" for key in KEYS if key != "email")
)


def _cleaned(row: list[str]) -> list[Any] | None:
    texts: list[Any] = [
        text if text.isascii() or unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
        for text in map(str.strip, row)
    ]
    texts[4] = texts[4].lower()
    if not _EMAIL.fullmatch(texts[4]):
        return None
    texts[5] = _NO_DIGIT.sub("", texts[5])
    texts[8] = datetime.fromisoformat(texts[8]).isoformat()
    texts[11], texts[13] = int(texts[11]), texts[13] in ("Y", "예")
    return texts


def _rows_of(path: Path) -> Iterator[list[str]]:
    if path.suffix == ".xlsx":
        from python_calamine import CalamineWorkbook

        yield from CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).iter_rows()  # type: ignore[misc]
        return
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def bare(path: Path, known: Path, folder: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return what readies the database and what is measured."""
    db = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute(f"CREATE TABLE contact (id INTEGER PRIMARY KEY, {', '.join(KEYS)})")
    db.execute("CREATE UNIQUE INDEX contact_email ON contact (email)")
    db.execute("CREATE INDEX contact_company ON contact (company)")
    db.execute("CREATE INDEX contact_met ON contact (met_at)")

    def take(source: Path) -> None:
        rows = _rows_of(source)
        next(rows)
        db.execute("BEGIN")
        db.executemany(_UPSERT, (row for line in rows if (row := _cleaned(line))))
        db.execute("COMMIT")

    return (lambda: take(known)), (lambda: take(path))


# Ours


def ours(path: Path, known: Path, folder: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return what readies the database and what is measured."""
    from crm import migrations
    from crm.core.db import Database
    from crm.exporters.models import Exhibition
    from crm.imports import service

    db = Database(f"sqlite:///{folder / 'ours.sqlite3'}")
    migrations.upgrade(db)
    with db.writing() as session:
        days = {"starts_on": date(2026, 11, 11), "ends_on": date(2026, 11, 14)}
        session.add(Exhibition(code="SHOW", names={"en": "Show"}, **days))

    def take(source: Path) -> None:
        now = datetime.now(UTC)
        with db.writing() as session:
            show = session.get_one(Exhibition, 1)
            report = service.import_file(
                session, source.read_bytes(), source.name, service.Purpose(show), now=now, by="bench"
            )
        if report.counts["added"] + report.counts["merged"] + report.counts["unchanged"] != report.counts["found"]:
            raise SystemExit(f"not every row was taken: {report.counts}")

    return (lambda: take(known)), (lambda: take(path))


def reading(path: Path, known: Path, folder: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return the share of ours that only reads and cleans."""
    from crm.imports.contactlist import open_list
    from crm.imports.records import EventDates

    def take() -> None:
        found = open_list(path.read_bytes(), path.name, None, EventDates(date(2026, 11, 11), date(2026, 11, 14)))
        for _line in found.lines():
            pass

    return (lambda: None), take


SIDES = {"bare": bare, "ours": ours, "reading": reading}


def once(side: str, path: Path, known: Path, what: str) -> None:
    """Print the seconds of one run of one side, or (``what`` is memory) the MiB above idle."""
    with tempfile.TemporaryDirectory() as folder:
        ready, measured = SIDES[side](path, known, Path(folder))
        # The older list is taken in by a process of its own, so that what it needs does not count as idle.
        pid = os.fork()
        if pid == 0:
            ready()
            os._exit(0)
        if os.waitpid(pid, 0)[1]:
            raise SystemExit("the older list could not be taken in")
        if what == "memory":
            with Watch() as watch:
                measured()
            sys.stdout.write(f"{watch.highest:.1f}\n")
            return
        begun = time.perf_counter()
        measured()
        sys.stdout.write(f"{time.perf_counter() - begun:.3f}\n")


class Watch:
    """The highest memory of this process and its children above what it was at first, looked at every 5 ms, in MiB."""

    def __enter__(self) -> "Watch":
        self.idle, self.highest = self._now(), 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.005):
            self.highest = max(self.highest, self._now() - self.idle)

    def _now(self) -> float:
        """Memory of this process and its children; a page that several share counts for each its part (PSS)."""
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return sum(_resident(pid) for pid in ("self", *children))


def _resident(pid: str) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # the child has ended meanwhile
        return 0.0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024


def _run(side: str, path: Path, known: Path, what: str) -> float:
    command = [sys.executable, "-m", "bench.imports", side, str(path), str(known), what]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Run all sides in turn and print rows a second, the ratio to the bare path of the same round, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        paths = make(Path(folder))
        for kind in ("csv", "xlsx"):
            _compare(kind, paths)


def _compare(kind: str, paths: dict[str, Path]) -> None:
    found: dict[str, list[float]] = {side: [] for side in SIDES}
    for _round in range(ROUNDS):
        for side in SIDES:
            found[side].append(_run(side, paths[kind], paths["known"], "seconds"))
    for side, runs in found.items():
        memory = _run(side, paths[kind], paths["known"], "memory")
        ratio = statistics.median(mine / base for mine, base in zip(runs, found["bare"], strict=True))
        rate = ROWS / statistics.median(runs)
        sys.stdout.write(f"{kind:5} {side:8} {rate:9,.0f} rows/s  {ratio:5.2f} x bare  {memory:5.0f} MiB above idle\n")
        if side == "ours":
            verdict = "holds" if ratio <= LIMIT and memory <= MEMORY[kind] else "does not hold"
            sys.stdout.write(f"      limit {LIMIT} x bare (aim {AIM}) and {MEMORY[kind]} MiB: {verdict}\n")


if __name__ == "__main__":
    once(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
