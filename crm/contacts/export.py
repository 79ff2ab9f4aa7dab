"""Contacts and talks as CSV, XLSX and vCard. A file that is imported again changes nothing.

The headers are names our importer surely knows, and every cell is written as it will be read back. What must not be
learned from a file of our own is not said in words the importer takes: consents are left out, since an export proves
none; what was asked for and the exhibition stand in columns for reference only; the badge number is left out, for
with it the list would look like a scanner's and prove a scan. Everything is read and written in pages, so that
200,000 people take no more memory than 500.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from babel import Locale
from sqlmodel import Session

from crm.accounts.rules import Viewer
from crm.contacts import cards, roster
from crm.contacts.cells import BYTE_ORDER_MARK, cut, holdable, in_csv
from crm.contacts.queries import sees_details
from crm.contacts.roster import CONTACTS, LEADS, Person, Selection
from crm.contacts.rules import script
from crm.core import events
from crm.core.clock import KST
from crm.core.errors import BadInput
from crm.core.i18n import _
from crm.core.i18n import language as ui_language

__all__ = [
    "CONTACTS",
    "FORMATS",
    "LEADS",
    "Selection",
    "count_of",
    "csv_of",
    "export",
    "record",
    "vcards_of",
    "xlsx_of",
]

LAST_ROW = 1_048_576
_CHUNK = 1 << 16
_XLSX = {
    "constant_memory": True,
    "use_zip64": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@dataclass(frozen=True)
class Column:
    """One column: its header in Korean and English (each an alias of aliases.json), its width, whose eyes it is for.

    ``detail``: only for who sees addresses and numbers. ``talk``: only in the list of talks. ``plain``: written by us
    in a form Excel may take for a number or a date without harm.
    """

    name: str
    ko: str
    en: str
    width: int = 14
    detail: bool = False
    talk: bool = False
    plain: bool = False

    def header(self, language: str) -> str:
        return self.en if language == "en" else self.ko


COLUMNS = (
    # The first column is always filled: no row may look like a remark or a total of three cells.
    Column("number", "번호", "No.", 8, plain=True),
    Column("full_name", "성명", "Full Name", 22),
    Column("family_name", "성", "Last Name", 12),
    Column("given_name", "이름(First Name)", "First Name", 16),
    Column("name_alt", "영문성명", "English Name", 20),
    Column("name_reading", "이름 발음", "Phonetic Name", 16),
    Column("gender", "성별", "Gender", 7),
    Column("company", "회사명", "Company", 28),
    Column("company_alt", "회사명(영문)", "Company (English)", 24),
    Column("department", "부서", "Department", 16),
    Column("title", "직위", "Job Title", 16),
    Column("email", "이메일", "E-mail", 28, detail=True),
    Column("email_more", "이메일2", "Email 2", 24, detail=True),
    Column("opt_out", "수신거부", "Email Opt Out", 14),
    Column("mobile", "휴대폰", "Mobile", 18, detail=True),
    Column("phone", "전화", "Phone", 18, detail=True),
    Column("phone_more", "전화2", "Phone 2", 18, detail=True),
    Column("fax", "팩스", "Fax", 18, detail=True),
    Column("website", "홈페이지", "Website", 26, detail=True),
    Column("country", "국가", "Country", 14),
    Column("region", "시/도", "State/Province", 14, detail=True),
    Column("city", "도시", "City", 14),
    Column("address", "주소", "Address", 36, detail=True),
    Column("postal_code", "우편번호", "Postal Code", 12, detail=True),
    Column("language", "언어", "Language", 12),
    Column("wechat", "위챗", "WeChat", 16, detail=True),
    Column("whatsapp", "왓츠앱", "WhatsApp", 16, detail=True),
    Column("line", "라인ID", "LINE ID", 16, detail=True),
    Column("kakao", "카카오톡", "KakaoTalk", 16, detail=True),
    Column("linkedin", "링크드인", "LinkedIn", 20, detail=True),
    Column("tags", "태그", "Tags", 20),
    Column("company_type", "업태", "Company Type", 14, detail=True),
    Column("industry", "업종", "Industry", 14, detail=True),
    Column("company_size", "회사규모", "Company Size", 14, detail=True),
    Column("visitor_type", "등록구분", "Registration Type", 14, detail=True),
    Column("visit_purpose", "방문목적", "Purpose of Visit", 18, detail=True),
    Column("timeframe", "구매시기", "Purchase Timeframe", 14, detail=True),
    Column("quantity", "희망수량", "Quantity", 14, detail=True),
    Column("decision_role", "구매결정권", "Buying Role", 14, detail=True),
    Column("exhibition", "전시회 코드(참고용)", "Exhibition Code (for reference)", 18, talk=True),
    Column("exporter", "참가업체 코드", "Exporter Code", 14, talk=True),
    Column("met_at", "상담일시 (KST)", "Meeting Date (KST)", 18, talk=True, plain=True),
    Column("rating", "등급", "Rating", 8, talk=True),
    Column("interests", "관심품목", "Interests", 28, talk=True),
    Column("requests", "요청 내용(참고용)", "Requests (for reference)", 24, talk=True),
    Column("notes", "상담내용", "Notes", 48, talk=True),
    Column("captured_by", "상담자", "Captured By", 14, talk=True),
)
# Read off the bag of what a list said beyond the fields of its own.
_MORE = (
    "region", "linkedin", "company_type", "industry", "company_size", "visitor_type", "visit_purpose", "timeframe",
    "quantity", "decision_role",
)  # fmt: skip
_SAME = ("name_alt", "name_reading", "department", "title", "city")
_SAME_DETAILS = ("website", "address", "postal_code")
# Words; the importer reads those of values back as the very same value.
WORDS: dict[str, dict[str, dict[str, str]]] = {
    "sheet": {"ko": {CONTACTS: "바이어", LEADS: "상담"}, "en": {CONTACTS: "Buyers", LEADS: "Talks"}},
    "gender": {"ko": {"m": "남", "f": "여"}, "en": {"m": "M", "f": "F"}},
    "rating": {"ko": {"5": "상", "3": "중", "1": "하"}, "en": {"5": "Hot", "3": "Warm", "1": "Cold"}},
    "language": {
        "ko": {
            "ko": "한국어", "en": "영어", "ja": "일본어", "zh": "중국어", "zh-Hans": "중국어(간체)",
            "zh-Hant": "중국어(번체)", "es": "스페인어", "vi": "베트남어", "th": "태국어", "id": "인도네시아어",
            "ru": "러시아어", "ar": "아랍어", "fr": "프랑스어", "de": "독일어", "pt": "포르투갈어",
        },
        "en": {
            "ko": "Korean", "en": "English", "ja": "Japanese", "zh": "Chinese", "zh-Hans": "Chinese (Simplified)",
            "zh-Hant": "Chinese (Traditional)", "es": "Spanish", "vi": "Vietnamese", "th": "Thai", "id": "Indonesian",
            "ru": "Russian", "ar": "Arabic", "fr": "French", "de": "German", "pt": "Portuguese",
        },
    },
    # Said outright, for a blank cell would get the home country of the file.
    "no_country": {"ko": {"": "미상"}, "en": {"": "Unknown"}},
    # Only a refusal of all mail to all addresses is a word the importer takes for one; the others say less.
    "opt_out": {
        "ko": {
            "all": "Y", "addresses": "일부 주소", "company": "이 업체", "companies": "일부 업체",
            "bounced": "반송됨",
        },
        "en": {
            "all": "Y", "addresses": "some addresses", "company": "this company", "companies": "some companies",
            "bounced": "bounced",
        },
    },
    "requests": {
        "ko": {
            "catalogue": "카탈로그", "price_list": "가격표", "sample": "샘플", "quotation": "견적", "meeting": "미팅",
            "certificate": "인증서",
        },
        "en": {
            "catalogue": "catalogue", "price_list": "price list", "sample": "sample", "quotation": "quotation",
            "meeting": "meeting", "certificate": "certificate",
        },
    },
}  # fmt: skip


def count_of(session: Session, viewer: Viewer, selection: Selection, form: str) -> int:
    """Return how many rows or cards an export in this format has. Raises what ``export`` raises."""
    _known_format(form)
    return roster.count(session, viewer, selection, persons=form == "vcf")


def export(
    session: Session,
    viewer: Viewer,
    selection: Selection,
    form: str,
    *,
    language: str | None = None,
    card_version: str = cards.NEWEST,
) -> Iterator[bytes]:
    """Return the bytes of an export in a format of ``FORMATS``, piece by piece.

    ``language`` (ko or en) is that of headers and words; None is the present viewer's. Raises BadInput for a kind,
    format or vCard version there is not, NotAllowed for what is not for the viewer's role, both before the first byte.
    """
    _known_format(form)
    if form == "vcf":
        return vcards_of(session, viewer, selection, version=card_version)
    return FORMATS[form](session, viewer, selection, language)


def record(
    session: Session,
    viewer: Viewer,
    selection: Selection,
    form: str,
    *,
    rows: int,
    now: datetime,
    by: str | None = None,
) -> None:
    """Write into the event log who exported how many rows of what: the file holds personal data."""
    scope = viewer.exporter_ids or frozenset()
    events.record(
        session,
        "contacts_exported",
        "export",
        0,
        at=now,
        actor=by or viewer.email,
        exporter_id=selection.exporter_id or (next(iter(scope)) if len(scope) == 1 else None),
        data={"kind": selection.kind, "format": form, "rows": rows, **selection.filters},
    )
    session.flush()


def _known_format(form: str) -> None:
    if form not in FORMATS:
        raise BadInput(_("There is no format {name}. Known: {names}.", name=form, names=", ".join(FORMATS)))


# CSV and XLSX


def csv_of(session: Session, viewer: Viewer, selection: Selection, language: str | None = None) -> Iterator[bytes]:
    """Return a CSV that Excel opens at a double click: UTF-8 with byte order mark, commas, CRLF, nothing to compute."""
    roster.check(viewer, selection)
    return _csv(roster.pages(session, viewer, selection), _columns(viewer, selection), language or ui_language())


def _csv(pages: Iterator[list[Person]], columns: tuple[Column, ...], language: str) -> Iterator[bytes]:
    yield BYTE_ORDER_MARK + _csv_lines([[column.header(language) for column in columns]])
    for page in pages:
        yield _csv_lines([_csv_row(person, columns, language) for person in page])


def _csv_row(person: Person, columns: tuple[Column, ...], language: str) -> list[str]:
    texts = texts_of(person, language)
    return [texts[column.name] if column.plain else in_csv(texts.get(column.name, "")) for column in columns]


def _csv_lines(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()


def xlsx_of(session: Session, viewer: Viewer, selection: Selection, language: str | None = None) -> Iterator[bytes]:
    """Return a workbook of one sheet in which every cell but the running number is text and none is a formula."""
    roster.check(viewer, selection)
    said = language or ui_language()
    title = _word("sheet", said, selection.kind)
    return _xlsx(roster.pages(session, viewer, selection), _columns(viewer, selection), title, said)


def _xlsx(pages: Iterator[list[Person]], columns: tuple[Column, ...], title: str, language: str) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, _XLSX) as book:
            sheet = book.add_worksheet(title)
            head = book.add_format({"bold": True, "bg_color": "#E8EEF4"})
            sheet.freeze_panes(1, 2)
            for place, column in enumerate(columns):
                sheet.set_column(place, place, column.width)
                sheet.write_string(0, place, column.header(language), head)
            for line, person in enumerate((person for page in pages for person in page), start=1):
                _write_line(sheet, line, texts_of(person, language), columns)
        file.seek(0)
        while piece := file.read(_CHUNK):
            yield piece


def _write_line(sheet: Any, line: int, texts: dict[str, str], columns: tuple[Column, ...]) -> None:
    if line >= LAST_ROW:
        raise BadInput(_("An Excel sheet holds at most {n} rows. Export as CSV, or a part.", n=LAST_ROW))
    for place, column in enumerate(columns):
        text = texts.get(column.name, "")
        if column.name == "number":
            sheet.write_number(line, place, int(text))
        elif text:
            sheet.write_string(line, place, cut(holdable(text)))


def _columns(viewer: Viewer, selection: Selection) -> tuple[Column, ...]:
    details, talks = sees_details(viewer), selection.kind == LEADS
    return tuple(column for column in COLUMNS if (details or not column.detail) and (talks or not column.talk))


# What stands in the cells


def texts_of(person: Person, language: str) -> dict[str, str]:
    """Return column → text of one row, in words of the language; columns of what is unknown may be missing."""
    facts = person.facts
    texts = {name: facts[name] or "" for name in _SAME}
    texts |= {
        "number": str(facts["id"]),
        **_names(facts),
        "company": person.company,
        "company_alt": person.company_alt,
        "gender": _word("gender", language, facts["gender"]),
        "country": _country(facts["country"], language) or _word("no_country", language, ""),
        "language": _word("language", language, facts["language"]),
        "tags": "; ".join(facts["tags"] or ()),
        "opt_out": _word("opt_out", language, stopped(person)),
    }
    if "mobile" in facts:
        texts |= _details(person)
    if person.lead is not None:
        texts |= _talk(person.lead, language)
    return texts


def _word(table: str, language: str, value: str, other: str = "") -> str:
    return WORDS[table]["en" if language == "en" else "ko"].get(value, other)


def _names(facts: Any) -> dict[str, str]:
    """Give a surname of two letters that stands alone its courtesy again, or it would be read as surname and name."""
    full, family, given = (facts[name] or "" for name in ("full_name", "family_name", "given_name"))
    if full == family and not given and len(full) == 2 and script(full) == "native":
        courtesy = " 님" if "가" <= full[0] <= "힣" else {"m": "先生", "f": "女士"}.get(facts["gender"], "様")
        full, family = full + courtesy, ""
    return {"full_name": full, "family_name": family, "given_name": given}


def _details(person: Person) -> dict[str, str]:
    facts = person.facts
    more = (facts["extra"] or {}).get("more") or {}
    return {
        **{name: facts[name] or "" for name in _SAME_DETAILS},
        **{name: str(more.get(name, "")) for name in _MORE},
        **{name: str(text) for name, text in (facts["messengers"] or {}).items()},
        "email": person.emails[0] if person.emails else "",
        "email_more": "; ".join(person.emails[1:]),
        **_numbers(facts),
    }


def _numbers(facts: Any) -> dict[str, str]:
    """Further numbers stand where the importer puts them back: behind the telephone, or behind a lone mobile."""
    mobile, phone, fax = (_spoken(facts[name] or "") for name in ("mobile", "phone", "fax"))
    others = " / ".join(_spoken(number) for number in facts["other_phones"] or ())
    if others and mobile and not phone:
        mobile, others = f"{mobile} / {others}", ""
    return {"mobile": mobile, "phone": phone, "phone_more": others, "fax": fax}


def _spoken(number: str) -> str:
    """Write an extension as people do; a semicolon would part two numbers."""
    return number.replace(";ext=", " ext. ")


def _talk(lead: Any, language: str) -> dict[str, str]:
    rating = str(lead["rating"] or "")
    return {
        "exhibition": lead["exhibition"],
        "exporter": lead["exporter"],
        "met_at": _moment(lead["met_at"], timed=lead["met_time_known"]),
        "rating": _word("rating", language, rating, rating),
        "interests": "; ".join(lead["interests"] or ()),
        "requests": "; ".join(_word("requests", language, kind, kind) for kind in lead["requests"] or ()),
        "notes": lead["notes"] or "",
        "captured_by": lead["captured_by"] or "",
    }


def _moment(at: datetime | None, *, timed: bool) -> str:
    if at is None:
        return ""
    return f"{at.astimezone(KST):%Y-%m-%d %H:%M}" if timed else f"{at.astimezone(KST):%Y-%m-%d}"


def stopped(person: Person) -> str:
    """Say where mail is stopped: all, addresses (some), company (of this talk), companies, bounced or empty."""
    refused = [stop for stop in person.stops if stop[2] != "hard_bounce"]
    everywhere = {address for address, exporter_key, _reason in refused if exporter_key == 0}
    if everywhere:
        return "all" if len(everywhere) == person.addresses else "addresses"
    if person.lead is not None and any(key == person.lead["exporter_id"] for _address, key, _reason in refused):
        return "company"
    if refused:
        return "companies"
    return "bounced" if person.stops else ""


def _country(code: str | None, language: str) -> str:
    return _territories(language).get(code, code) if code else ""


@cache
def _territories(language: str) -> dict[str, str]:
    return {code: str(name) for code, name in Locale.parse(language).territories.items()}


# vCard


def vcards_of(
    session: Session, viewer: Viewer, selection: Selection, *, version: str = cards.NEWEST
) -> Iterator[bytes]:
    """Return a vCard a person (also when talks are selected). ``version``: 4.0, or 3.0 for older telephones."""
    roster.check(viewer, selection)
    if version not in cards.VERSIONS:
        names = ", ".join(cards.VERSIONS)
        raise BadInput(_("There is no vCard version {name}. Known: {names}.", name=version, names=names))
    return _vcards(roster.pages(session, viewer, selection, persons=True), version)


def _vcards(pages: Iterator[list[Person]], version: str) -> Iterator[bytes]:
    for page in pages:
        yield b"".join(cards.card(_holder(person), version) for person in page)


def _holder(person: Person) -> cards.Holder:
    facts = person.facts
    texts = {name: text for name, text in texts_of(person, "en").items() if name in cards.SINGLE}
    holder = cards.Holder(texts | {"country": _country(facts["country"], "en")}, list(facts["tags"] or ()))
    if "mobile" in facts:
        holder.emails = person.emails
        holder.phones = _typed_numbers(facts)
        holder.messengers = facts["messengers"] or {}
    return holder


def _typed_numbers(facts: Any) -> list[tuple[str, str]]:
    numbers = [(kind, _spoken(facts[name])) for name, kind in _KINDS if facts[name]]
    further = "cell" if facts["mobile"] and not facts["phone"] else "work"
    return numbers + [(further, _spoken(number)) for number in facts["other_phones"] or ()]


_KINDS = (("mobile", "cell"), ("phone", "work"), ("fax", "fax"))
FORMATS: dict[str, Callable[..., Iterator[bytes]]] = {"xlsx": xlsx_of, "csv": csv_of, "vcf": vcards_of}
