"""Makes the demo's three contact lists, as a secretariat, a badge scanner and an export desk would deliver them.

``write_samples(folder, show_close)`` writes the same lists every time, dated so that the show ended on ``show_close``.
They are as untidy as real lists: title lines, several spellings of yes, repeated people, a test row, a total.
"""

import csv
import io
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

SHOW = "2026 한빛 소비재·산업전 (HANBIT EXPO 2026)"
DAYS = 4
SEED = 2026
SCANS, VISITORS, BUYERS = 62, 70, 48
Row = dict[str, str]


def write_samples(folder: Path, show_close: date) -> list[Path]:
    """Write badge-scans.csv, visitors-cp949.csv and buyers.xlsx into ``folder`` and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    random = Random(SEED)  # noqa: S311 - the same invented people every time
    first_day = show_close - timedelta(days=DAYS - 1)
    paths = [folder / "visitors-cp949.csv", folder / "badge-scans.csv", folder / "buyers.xlsx"]
    buyers = _foreigners(random, BUYERS)
    scanned = [*buyers[:8], *_foreigners(random, SCANS - 8, start=BUYERS)]  # eight were scanned and consulted
    paths[0].write_bytes(_visitors(random, first_day))
    paths[1].write_bytes(_scans(random, scanned, first_day))
    paths[2].write_bytes(_buyers(random, buyers, first_day))
    return paths


@cache
def _world() -> dict[str, Any]:
    path = Path(__file__).parent / "samples" / "people.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _cast(where: str) -> list[Row]:
    return [person for person in _world()["cast"] if where in person["in"]]


# People


def _foreigners(random: Random, count: int, start: int = 0) -> list[Row]:
    countries = _world()["country"]
    return [_foreigner(random, countries[number % len(countries)], number) for number in range(start, start + count)]


def _foreigner(random: Random, country: dict[str, Any], number: int) -> Row:
    world = _world()
    booth = random.choice(world["booth"])
    first, last = random.choice(country["given"]), random.choice(country["family"])
    firm = f"{world['firms']['stems'][number % 20]} {booth['trade']} {country['firm']}"
    domain = f"{_ascii(firm.split()[0])}{country['code'].lower()}{number}.example"
    return {
        "first": first,
        "last": last,
        "name": f"{last} {first}" if country["code"] == "VN" else f"{first} {last}",
        "title": random.choice(world["firms"]["titles"]),
        "company": firm,
        "email": "" if number % 17 == 9 else f"{_ascii(first)}.{_ascii(last)}@{domain}",
        "phone": _number(country["phone"], number),
        "country": country["name"],
        "city": country["city"],
        "booth": booth["number"],
        "day": str(random.randint(1, DAYS)),
        "rating": random.choice("ABBC"),
        "interests": random.choice(booth["interests"]),
        "follow_up": random.choice(("catalogue", "catalogue, price list", "sample", "quotation", "", "")),
        "language": {"ES": "Spanish", "MX": "Spanish", "PE": "Spanish"}.get(country["code"], ""),
        "consent": random.choice(("Yes",) * 12 + ("No", "")),
        "notes": random.choice(booth["notes"]),
    }


def _korean(random: Random, number: int) -> Row:
    korea, booth = _world()["korea"], random.choice(_world()["booth"])
    stem, kind = random.choice(korea["stems"]), random.choice(korea["kinds"])
    return {
        "name": random.choice(korea["family"]) + random.choice(korea["given"]),
        "company": random.choice(korea["forms"]).format(stem + kind),
        "department": random.choice(korea["departments"]),
        "title": random.choice(korea["titles"]),
        "phone": f"010-0000-{200 + number:04d}",
        "email": f"visitor{number:03d}@firm{number % 40:02d}.example",
        "country": random.choice(("대한민국", "한국", "South Korea", "KOR")),
        "interests": random.choice(booth["interests_ko"]),
        "booth": booth["number"],
        "day": str(random.randint(1, DAYS)),
        "follow_up": random.choice(("카탈로그", "샘플 요청", "견적", "", "", "")),
        "consent": random.choice(("Y", "동의", "예") * 4 + ("N", "")),
        "notes": "",
    }


def _number(pattern: str, number: int) -> str:
    return pattern.replace("##", f"{number % 100:02d}")


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("Đ", "D").replace("đ", "d"))
    return re.sub(r"[^a-z]", "", plain.encode("ascii", "ignore").decode().casefold())


# The registration list of the secretariat: Korean, cp949, titles above, groups of columns, a total below

VISITOR_HEADER = (
    "번호", "등록번호", "등록구분", "성명", "회사명(소속)", "부서", "직위/직책", "휴대폰", "이메일", "국가",
    "관심분야", "방문부스", "방문일시", "요청사항", "개인정보 수집·이용 동의", "제3자 제공 동의",
    "마케팅 수신 동의(Y/N)", "등록일시", "비고",
)  # fmt: skip


def _visitors(random: Random, first_day: date) -> bytes:
    people = [*_cast("visitors"), *(_korean(random, number) for number in range(VISITORS))]
    lines: list[list[str]] = [
        [f"{SHOW} 사전등록자 명단"],
        [f"출력일시 : {first_day - timedelta(days=1)} 09:12", "", "담당 : 전시운영팀"],
        [],
        ["", "", "", "기본정보", "", "", "", "연락처", "", "", "설문", "", "", "", "동의"],
        list(VISITOR_HEADER),
    ]
    for number, person in enumerate(people, 1):
        lines.append(_visitor(random, number, _untidy_visitor(person, number), first_day))
    lines += [["합계", f"{len(people)}명"], ["※ 본 명단은 전시 후속 상담 목적으로만 사용할 수 있습니다."]]
    return _csv(lines).encode("cp949")


def _untidy_visitor(person: Row, number: int) -> Row:
    """Damage some rows the way registration desks do."""
    changes = {
        9: {"name": " ".join(person["name"])},
        14: {"name": person["name"] + " 부장님", "title": ""},
        19: {"phone": person["phone"].replace("-", "").removeprefix("0")},
        24: {"email": person["email"].replace(".example", ",example")},
        29: {"email": ""},
        34: {"name": "테스트", "company": "테스트", "email": "test@example.com"},
        39: {"privacy": "N"},
        44: {"privacy": ""},
        49: {"third": "N"},
        54: {"name": person["name"] + " 외 2명"},
        59: {"email": person["email"].upper()},
    }
    return {**person, **changes.get(number, {})}


def _visitor(random: Random, number: int, person: Row, first_day: date) -> list[str]:
    registered = datetime.combine(first_day - timedelta(days=random.randint(5, 40)), time(9 + number % 9, number % 60))
    return [
        str(number), f"H26-{number:06d}", random.choice(("바이어", "일반", "업계관계자")), person["name"],
        person["company"], person.get("department", "구매팀"), person["title"], person["phone"], person["email"],
        person["country"], person["interests"], person["booth"],
        _moment(random, person, first_day).strftime("%Y-%m-%d %H:%M"), person["follow_up"],
        person.get("privacy", random.choice(("Y", "동의", "예"))), person.get("third", "Y"), person["consent"],
        registered.strftime("%Y-%m-%d %H:%M"), person["notes"],
    ]  # fmt: skip


# The badge scanners' export: English, UTF-8 with a byte order mark, several ways to rate

SCAN_HEADER = (
    "Scan ID", "Badge ID", "First Name", "Last Name", "Job Title", "Company", "Email", "Phone", "Country", "City",
    "Booth", "Lead Rating", "Interests", "Follow-up", "Notes", "Captured By", "Captured At", "Marketing Opt-In",
)  # fmt: skip
_STARS = {"A": ("5", "Hot", "★★★★★"), "B": ("3", "Warm", "★★★☆☆"), "C": ("1", "Cold", "★☆☆☆☆")}


def _scans(random: Random, people: list[Row], first_day: date) -> bytes:
    people = [*_cast("scans"), *people]
    last_day = first_day + timedelta(days=DAYS - 1)
    lines = [["Event: HANBIT2026 (KINTEX)"], [f"Exported: {last_day:%d %b %Y} 18:22 KST"], list(SCAN_HEADER)]
    lines += [_scan(random, number, person, first_day) for number, person in enumerate(people, 1)]
    lines.append(["S99999", *lines[5][1:]])  # the same badge, scanned twice
    return _csv(lines).encode("utf-8-sig")


def _scan(random: Random, number: int, person: Row, first_day: date) -> list[str]:
    return [
        f"S{number:05d}", f"B26-{20000 + number}", person["first"], person["last"], person["title"],
        person.get("company_latin", person["company"]), person["email"], person["phone"], person["country"],
        person["city"], person["booth"], random.choice(_STARS[person["rating"]]), person["interests"],
        person["follow_up"], person["notes"], random.choice(("J. Yoo", "Booth iPad 1", "Booth iPad 2")),
        _moment(random, person, first_day).strftime("%m/%d/%Y %I:%M %p"), person["consent"],
    ]  # fmt: skip


# The export desk's consultation list: a workbook, one sheet from the desk, one from the hall

BUYER_HEADER = (
    "No.", "Country", "Company", "Contact Person", "Position", "E-mail", "Mobile", "City", "Booth", "Items of Interest",
    "Meeting Date", "Grade", "Follow-up", "Preferred Language", "Marketing Consent", "Email Opt Out", "Remarks",
)  # fmt: skip


def _buyers(random: Random, people: list[Row], first_day: date) -> bytes:
    buffer = io.BytesIO()
    people = [*_cast("buyers"), *people]
    half = len(people) * 2 // 3
    # A fixed creation time: the same people give the same bytes.
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime.combine(first_day, time())})
        _sheet(book, random, "Overseas Buyers", people[:half], first_day)
        _sheet(book, random, "현장 추가", people[half:], first_day)
    return buffer.getvalue()


def _sheet(book: Any, random: Random, name: str, people: list[Row], first_day: date) -> None:
    sheet = book.add_worksheet(name)
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.merge_range(0, 0, 0, len(BUYER_HEADER) - 1, f"{SHOW} 수출상담회 바이어 명단", bold)
    sheet.write_string(1, 0, "※ Confidential – for exhibitors only")
    sheet.write_row(2, 0, BUYER_HEADER, bold)
    sheet.set_column(1, len(BUYER_HEADER) - 1, 18)
    for number, person in enumerate(people, 1):
        for column, value in enumerate(_buyer(number, person, first_day)):
            if isinstance(value, date):
                sheet.write_datetime(number + 2, column, datetime.combine(value, time()), day)
            else:
                sheet.write(number + 2, column, value)
    sheet.write_row(len(people) + 3, 0, ("Total", f"{len(people)} buyers"))


def _buyer(number: int, person: Row, first_day: date) -> Iterator[Any]:
    met = first_day + timedelta(days=int(person["day"]) - 1)
    yield from (number, person["country"], person["company"], _courteous(person, number), person["title"])
    yield from (person["email"], _as_typed(person["phone"], number), person["city"], person["booth"])
    yield from (person["interests"], met if number % 3 else f"{met:%d %B %Y}", person["rating"], person["follow_up"])
    yield from (person["language"], person["consent"], person.get("opt_out", ""), person["notes"])


def _courteous(person: Row, number: int) -> str:
    return f"Ms. {person['name']}" if number % 13 == 12 else person["name"]


def _as_typed(phone: str, number: int) -> Any:
    """Spreadsheets turn some numbers into figures."""
    return int(re.sub(r"\D", "", phone)) if number % 6 == 5 else phone


def _moment(random: Random, person: Row, first_day: date) -> datetime:
    """Return a time of the person's show day, between 10:00 and 17:59."""
    day = first_day + timedelta(days=int(person["day"]) - 1)
    return datetime.combine(day, time(random.randint(10, 17), random.randint(0, 59)))


def _csv(lines: list[list[str]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(lines)
    return buffer.getvalue()
