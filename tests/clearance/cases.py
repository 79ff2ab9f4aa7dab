"""A complete, lawful letter to each country, from which the tests take things away."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from crm.clearance.composition import footer, subject_label, with_label
from crm.clearance.question import (
    BasisRecord,
    Letter,
    LetterKind,
    Meeting,
    Policy,
    Question,
    Recipient,
    Sender,
    Verdict,
)
from crm.clearance.rules import basis_of, evaluate

NOW = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Korea
EXPORTER, OTHER = 7, 8
LANGUAGE = {"KR": "ko", "JP": "ja", "CN": "zh-Hans", "TW": "zh-Hant", "ES": "es", "AR": "es", "CO": "es", "MX": "es"}
ZONE = {"KR": "Asia/Seoul", "CO": "America/Bogota", "VN": "Asia/Ho_Chi_Minh", "CA": "America/Toronto"}

SENDER = Sender(
    exporter_id=EXPORTER,
    legal_name="Hanbit Valve Co., Ltd.",
    country="KR",
    postal_address="12 Hanbit-ro, Goyang-si, Republic of Korea",
    email="sales@hanbit.example",
    phone="+82 31 000 0000",
    operator_name="KINTEX Post-Show Desk",
    unsubscribe_email="unsubscribe+t1@ieum.example",
    privacy_url="https://hanbit.example/privacy",
)


def basis(code: str = "express_optin", *, days_ago: int = 4, exporter_id: int | None = EXPORTER) -> BasisRecord:
    return BasisRecord(code, NOW - timedelta(days=days_ago), "leads.xlsx, row 12", exporter_id)


def question(country: str | None, *records: BasisRecord, **changes: object) -> Question:
    """A commercial letter to ``country``, not written yet."""
    code = country or ""
    asked = Question(
        letter=Letter(LetterKind.COMMERCIAL, LANGUAGE.get(code, "en"), unsubscribe_url="https://ieum.example/u/t1"),
        recipient=Recipient("buyer@buyer.example", country, ZONE.get(code, "UTC")),
        sender=SENDER,
        moment=NOW,
        basis=records,
        meeting=Meeting("Food Expo 2026", date(2026, 11, 14), "B-12"),
        policy=Policy(korean_overlay="off"),
    )
    return replace(asked, **changes)


def written(asked: Question, *, subject: str = "Catalogue from Hanbit Valve", body: str = "Dear buyer,") -> Question:
    """The same question with the composed label and footer under a body."""
    rests_on = basis_of(asked)
    label = subject_label(asked.recipient.country or "", rests_on, kind=asked.letter.kind)
    text = f"{body}\n\n{footer(asked, rests_on).text}\n"
    return replace(asked, letter=replace(asked.letter, subject=with_label(subject, label), text=text))


def with_subject(asked: Question, subject: str) -> Question:
    return replace(asked, letter=replace(asked.letter, subject=subject))


def blocks(asked: Question) -> set[str]:
    return {verdict.code for verdict in evaluate(asked) if verdict.level == "block"}


def codes(asked: Question) -> set[str]:
    return {verdict.code for verdict in evaluate(asked)}


def one(asked: Question, code: str) -> Verdict:
    (found,) = [verdict for verdict in evaluate(asked) if verdict.code == code]
    return found
