"""The one place where it is decided whether a letter may go to a person now. Pure: time and facts are handed in."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from crm.clearance.composition import (
    Part,
    label_required,
    overlay_applies,
    plain,
    required_parts,
    rules_that_apply,
)
from crm.clearance.lawbook import BasisRule, CountryRule, Lawbook, QuietHours, lawbook
from crm.clearance.question import BasisRecord, LetterKind, Level, Question, Suppression, Verdict

__all__ = [
    "Verdict",
    "after_period",
    "basis_of",
    "blocked",
    "evaluate",
    "level",
    "lifted",
    "may_go_at",
    "next_allowed",
    "zone_of",
]

BASIS_PREFERENCE = ("express_optin", "transaction", "sale_soft_optin")
FORBIDDEN_SOURCES = frozenset({"harvested", "guessed", "bought"})
HEAD = 20
"""How far into a subject a misspelt label is looked for."""
INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a-\u202e\u2066-\u2069\uff08\uff09]")
REPLY_PREFIX = re.compile(r"^(re|fwd?|aw|rv|答复|回复|回覆|返信|답장|회신|전달)\s*[:：]", re.IGNORECASE)
LABEL_DOMAINS = ("kr", "cn", "vn", "pe", "il")
"""Mailboxes under these belong to countries with a compulsory label; elsewhere they are a sign of a wrong country."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ASKED_TO_STOP = (LetterKind.COMMERCIAL, LetterKind.REQUESTED)


def evaluate(question: Question, law: Lawbook | None = None) -> list[Verdict]:
    """Return every finding about the letter, blocks first, then checks, then what passed.

    All checks are asked, so that a letter with three faults names three. ``law`` defaults to the project's table.
    """
    law = law or lawbook()
    rules = rules_that_apply(question, law)
    basis = basis_of(question, law)
    found = [
        *_jurisdiction(question, rules),
        *_overlay(question, law),
        *_address(question),
        *_suppression(question),
        *_basis(question, rules),
        *_quiet_hours(question, rules),
        *_contact_cap(question, rules),
        *_exclusivity(question),
        *_subject(question, rules, basis, law),
        *_footer(question, basis, rules, law),
    ]
    order = (Level.BLOCK, Level.CHECK, Level.PASS)
    return sorted(found, key=lambda verdict: order.index(verdict.level))


def blocked(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the verdicts that forbid the letter."""
    return [verdict for verdict in verdicts if verdict.level == Level.BLOCK]


def level(verdicts: Iterable[Verdict]) -> Level:
    """Return the gravest level among the verdicts; no verdict at all is a block."""
    levels = {verdict.level for verdict in verdicts}
    return next((one for one in (Level.BLOCK, Level.CHECK, Level.PASS) if one in levels), Level.BLOCK)


def may_go_at(verdicts: Iterable[Verdict]) -> datetime | None:
    """Return when waiting alone would clear every block, or None when it would not or nothing blocks."""
    times = [verdict.until for verdict in blocked(verdicts)]
    known = [at for at in times if at is not None]
    return max(known) if known and len(known) == len(times) else None


# Who is written to


def _jurisdiction(question: Question, rules: Sequence[CountryRule]) -> list[Verdict]:
    country = question.recipient.country
    if not rules:
        return [Verdict(Level.BLOCK, "LAW_JURISDICTION_UNKNOWN", resolves="SET_COUNTRY")]
    found = [Verdict(Level.PASS, "COUNTRY_KNOWN", {"country": country}, rules[0].article)]
    other = _other_country(question)
    if other:
        params = {"country": country, "other_country": other}
        found.append(Verdict(Level.CHECK, "LAW_JURISDICTION_CONFLICT", params, resolves="SET_COUNTRY"))
    if rules[0].confidence == "low" and question.letter.kind is LetterKind.COMMERCIAL:
        code = "LAW_DEFAULT_RULE" if rules[0].is_default else "LAW_HUMAN_REVIEW_REQUIRED"
        found.append(Verdict(Level.CHECK, code, {"country": country}, rules[0].article, "CONFIRM_RULE"))
    return found


def _other_country(question: Question) -> str | None:
    """Another country that the company or the mailbox points to; the mailbox only where a label is compulsory."""
    country, company = question.recipient.country, question.recipient.company_country
    if company and company != country:
        return company
    ending = question.recipient.address.rpartition(".")[2].lower()
    return ending.upper() if ending in LABEL_DOMAINS and ending.upper() != country else None


def _overlay(question: Question, law: Lawbook) -> list[Verdict]:
    if not overlay_applies(question):
        return []
    choice = question.policy.korean_overlay
    article = law.rule_for("KR").article
    if choice not in ("on", "off"):
        return [Verdict(Level.BLOCK, "LAW_SENDER_OVERLAY_UNDECIDED", {}, article, "CHOOSE_OVERLAY")]
    return [Verdict(Level.PASS, "OVERLAY_ON" if choice == "on" else "OVERLAY_OFF", {}, article)]


def _address(question: Question) -> list[Verdict]:
    address = question.recipient.address
    if not address:
        return [Verdict(Level.BLOCK, "NO_ADDRESS", resolves="CORRECT_ADDRESS")]
    if question.recipient.hard_bounced:
        return [Verdict(Level.BLOCK, "PROTO_HARD_BOUNCED", {"address": address}, resolves="CORRECT_ADDRESS")]
    return [Verdict(Level.PASS, "ADDRESS_OK", {"address": address})]


def _suppression(question: Question) -> list[Verdict]:
    if question.letter.kind not in ASKED_TO_STOP:
        return []
    widest = standing_refusal(question.suppressions, question.basis, question.sender.exporter_id)
    if widest is None:
        return [Verdict(Level.PASS, "NOT_SUPPRESSED")]
    params = {"at": widest.at, "refusal": widest.reason}
    return [Verdict(Level.BLOCK, refusal_code(widest), params, resolves="RECORD_NEW_OPT_IN")]


def standing_refusal(
    suppressions: Sequence[Suppression], basis: Sequence[BasisRecord], exporter_id: int
) -> Suppression | None:
    """Return the widest refusal that concerns this exporter and that no later opt-in lifted, or None."""
    concerning = [one for one in suppressions if one.exporter_id in (None, exporter_id)]
    standing = [one for one in concerning if not lifted(one, basis, exporter_id)]
    return min(standing, key=lambda one: (one.exporter_id is not None, one.at), default=None)


def refusal_code(refusal: Suppression) -> str:
    """Return the code of the verdict that a standing refusal makes."""
    return "LAW_SUPPRESSED_EVERYWHERE" if refusal.exporter_id is None else "LAW_SUPPRESSED"


def lifted(suppression: Suppression, basis: Iterable[BasisRecord], exporter_id: int) -> bool:
    """Only an express opt-in given after the refusal, to this exporter by name, lifts it (global rule G2).

    What an imported list states is no such opt-in: a list can be old, or wrong, or name a day of its own.
    """
    return suppression.reason != "hard_bounce" and any(
        one.code == "express_optin"
        and one.given_at > suppression.at
        and one.source
        and one.exporter_id == exporter_id
        and not one.from_list
        for one in basis
    )


# Why they may be written to


def basis_of(question: Question, law: Lawbook | None = None) -> str | None:
    """Return the code of the basis on which the letter would rest under the recipient's country, or None."""
    rules = rules_that_apply(question, law)
    if not rules:
        return None
    verdict = _basis_under(question, rules[0])
    return str(verdict.params["basis"]) if verdict.level is Level.PASS and "basis" in verdict.params else None


def _basis(question: Question, rules: Sequence[CountryRule]) -> list[Verdict]:
    if question.letter.kind in (LetterKind.TRANSACTIONAL, LetterKind.NOTICE):
        return []
    return [_basis_under(question, rule) for rule in rules]


def _basis_under(question: Question, rule: CountryRule) -> Verdict:
    if question.letter.is_reply and question.letter.kind is not LetterKind.COMMERCIAL:
        return Verdict(Level.PASS, "BASIS_REPLY", {"basis": "requested_info"}, rule.article)
    records = _covering(question)
    if any(one.code in FORBIDDEN_SOURCES for one in records):
        return Verdict(Level.BLOCK, "LAW_SOURCE_FORBIDDEN", {}, rule.article, "RECORD_OPT_IN")
    usable = [one for one in records if _accepted(question, rule, one.code)]
    standing = [one for one in usable if _today(question) <= _last_day(question, one, rule)]
    if standing:
        record = min(standing, key=lambda one: _preference(question, one))
        return Verdict(Level.PASS, "BASIS_FOUND", _evidence(question, record, rule), rule.article)
    if rule.basis_rule("opt_out_regime"):
        return Verdict(Level.PASS, "BASIS_NOT_NEEDED", {"basis": "opt_out_regime", "country": rule.code}, rule.article)
    return _no_basis(question, rule, usable)


def _no_basis(question: Question, rule: CountryRule, usable: Sequence[BasisRecord]) -> Verdict:
    """Say the most useful thing: what has run out, what was given to somebody else, or that there is nothing."""
    if usable:
        record = max(usable, key=lambda one: _last_day(question, one, rule))
        params = _evidence(question, record, rule)
        return Verdict(Level.BLOCK, "LAW_BASIS_EXPIRED", params, rule.article, "RECORD_OPT_IN")
    accepted = tuple(one.code for one in rule.basis if _accepted(question, rule, one.code))
    params = {
        "country": question.recipient.country,
        "accepted": accepted,
        "had": tuple(dict.fromkeys(one.code for one in _covering(question))),
    }
    strangers = [one for one in question.basis if one.source and one not in _covering(question)]
    if any(_accepted(question, rule, one.code) for one in strangers):
        return Verdict(Level.BLOCK, "LAW_BASIS_WRONG_SENDER", params, rule.article, "RECORD_OPT_IN")
    code = "LAW_BASIS_NOT_ENOUGH" if params["had"] else "LAW_NO_BASIS"
    return Verdict(Level.BLOCK, code, params, rule.article, "RECORD_OPT_IN")


def _covering(question: Question) -> list[BasisRecord]:
    """The records that name this exporter or all of them, and that prove something."""
    mine = (None, question.sender.exporter_id)
    return [one for one in question.basis if one.source and one.exporter_id in mine]


def _accepted(question: Question, rule: CountryRule, code: str) -> BasisRule | None:
    """A request is a basis only for the answer to it, never for advertising."""
    if code == "requested_info" and question.letter.kind is LetterKind.COMMERCIAL:
        return None
    return rule.basis_rule(code)


def _preference(question: Question, record: BasisRecord) -> tuple[int, float]:
    wanted: tuple[str, ...] = BASIS_PREFERENCE
    if question.letter.kind is LetterKind.REQUESTED:
        wanted = ("requested_info", *wanted)
    place = wanted.index(record.code) if record.code in wanted else len(wanted)
    return place, -record.given_at.timestamp()


def _evidence(question: Question, record: BasisRecord, rule: CountryRule) -> dict[str, object]:
    last = _last_day(question, record, rule)
    found = rule.basis_rule(record.code)
    return {
        "basis": record.code,
        "given_at": record.given_at,
        "source": record.source,
        "expires": None if last == date.max else last,
        "conditions": found.conditions if found else (),
    }


def _zone(question: Question) -> ZoneInfo | None:
    return zone_of(question.recipient.timezone)


@lru_cache(maxsize=512)
def zone_of(name: str | None) -> ZoneInfo | None:
    """Return the IANA zone, or None when the name is missing or unknown."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


def _today(question: Question) -> date:
    return question.moment.astimezone(_zone(question) or UTC).date()


def _last_day(question: Question, record: BasisRecord, rule: CountryRule) -> date:
    """The last day on which the record still counts, in the recipient's calendar; the earliest bound wins."""
    zone = _zone(question) or UTC
    given = record.given_at.astimezone(zone).date()
    found = rule.basis_rule(record.code)
    ends = [date.max]
    if found and found.expires_days:
        ends.append(given + timedelta(days=found.expires_days))
    if found and found.expires_iso:
        ends.append(after_period(given, found.expires_iso))
    if record.expires_at:
        ends.append(record.expires_at.astimezone(zone).date())
    if record.code == "express_optin" and rule.reconfirm_after_days:
        ends.append(given + timedelta(days=rule.reconfirm_after_days))
    return min(ends)


def after_period(start: date, period: str) -> date:
    """Return ``start`` plus an ISO 8601 period of one unit (``P30D``, ``P6M``, ``P2Y``); months end on time."""
    count, unit = int(period[1:-1]), period[-1]
    if unit == "D":
        return start + timedelta(days=count)
    months = start.year * 12 + start.month - 1 + count * (12 if unit == "Y" else 1)
    first = date(months // 12, months % 12 + 1, 1)
    length = (date(first.year + first.month // 12, first.month % 12 + 1, 1) - first).days
    return first.replace(day=min(start.day, length))


# When they may be written to


def _quiet_hours(question: Question, rules: Sequence[CountryRule]) -> list[Verdict]:
    found = []
    for rule in rules:
        if rule.quiet_hours is None or question.letter.kind is not LetterKind.COMMERCIAL:
            continue
        zone = _zone(question)
        if zone is None:
            found.append(Verdict(Level.BLOCK, "LAW_TIMEZONE_UNKNOWN", {"country": rule.code}, resolves="SET_COUNTRY"))
            continue
        free = next_allowed(rule.quiet_hours, rule.code, zone, question.moment)
        params = {"country": rule.code, "until": free, "zone": zone.key}
        if free > question.moment:
            found.append(Verdict(Level.BLOCK, "LAW_QUIET_HOURS", params, rule.article, "WAIT", until=free))
        else:
            found.append(Verdict(Level.PASS, "HOURS_OK", params, rule.article))
    return found


def next_allowed(hours: QuietHours, country: str, zone: ZoneInfo, moment: datetime) -> datetime:
    """Return ``moment`` or the first moment (UTC) after it at which ``hours`` permit a letter."""
    local = moment.astimezone(zone)
    for ahead in range(32):
        day = local.date() + timedelta(days=ahead)
        window = _window(hours, country, day)
        if window is None:
            continue
        opens, closes = (datetime.combine(day, at, zone) for at in window)
        if local < closes + timedelta(minutes=1):
            return max(opens, local).astimezone(UTC)
    raise ValueError(f"the hours of {country} never open")


def _window(hours: QuietHours, country: str, day: date) -> tuple[time, time] | None:
    if hours.holidays == "forbidden" and day in _holidays(country, day.year):
        return None
    for days, (opens, closes) in hours.allowed.items():
        first, _, last = days.partition("-")
        if DAYS.index(first) <= day.weekday() <= DAYS.index(last or first):
            return time.fromisoformat(opens), time.fromisoformat(closes)
    return None


@lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


def _contact_cap(question: Question, rules: Sequence[CountryRule]) -> list[Verdict]:
    if question.letter.kind is not LetterKind.COMMERCIAL:
        return []
    blocks = [verdict for rule in rules if (verdict := _law_cap(question, rule))]
    days = question.policy.contact_cap_days
    past = [at for at in question.last_letters if at <= question.moment]
    last = max(past, default=None)
    if last and last + timedelta(days=days) > question.moment:
        until = last + timedelta(days=days)
        params = {"days": days, "last": last, "until": until}
        blocks.append(Verdict(Level.BLOCK, "CONTACT_CAP", params, resolves="WAIT", until=until))
    return blocks or [Verdict(Level.PASS, "CONTACT_CAP_KEPT" if last else "FIRST_LETTER", {"days": days, "last": last})]


def _law_cap(question: Question, rule: CountryRule) -> Verdict | None:
    cap = rule.frequency_cap
    if cap is None:
        return None
    span = timedelta(hours=cap.per_hours)
    recent = sorted(at for at in question.last_letters if question.moment - span < at <= question.moment)
    if len(recent) < cap.max:
        return None
    until = recent[-cap.max] + span
    params = {"country": rule.code, "max": cap.max, "hours": cap.per_hours, "until": until}
    return Verdict(Level.BLOCK, "LAW_FREQUENCY_CAP", params, rule.article, "WAIT", until=until)


# What they may be offered


def _exclusivity(question: Question) -> list[Verdict]:
    if not question.claims:
        return [Verdict(Level.PASS, "EXCLUSIVITY_NONE")]
    return [
        Verdict(
            Level(claim.level),
            claim.code,
            {
                "partner": claim.partner,
                "line": claim.line,
                "countries": claim.countries,
                "start": claim.start,
                "end": claim.end,
                "reserved_until": claim.reserved_until,
                "country": question.recipient.country,
                "contract_id": claim.contract_id,
            },
            resolves="SET_COUNTRY" if claim.code == "EXCLUSIVITY_COUNTRY_UNKNOWN" else "REFER_TO_PARTNER",
        )
        for claim in question.claims
    ]


# What the letter must say


def _subject(question: Question, rules: Sequence[CountryRule], basis: str | None, law: Lawbook) -> list[Verdict]:
    if question.letter.subject is None or not rules:
        return []
    subject = unicodedata.normalize("NFC", question.letter.subject)
    if not subject.strip():
        return [Verdict(Level.BLOCK, "SUBJECT_EMPTY", resolves="EDIT_SUBJECT")]
    found, rest = _labels(subject, question, rules, basis, law)
    if REPLY_PREFIX.match(rest.strip()) and not question.letter.is_reply:
        found.append(Verdict(Level.BLOCK, "LAW_SUBJECT_MISLEADING", {"subject": subject}, resolves="EDIT_SUBJECT"))
    return found


def _labels(
    subject: str, question: Question, rules: Sequence[CountryRule], basis: str | None, law: Lawbook
) -> tuple[list[Verdict], str]:
    """Return the findings about labels, and the subject without those that stand in their place."""
    found: list[Verdict] = []
    rest = subject
    for rule in rules:
        label = rule.subject_label
        standing = next((one for one in label.accepted if rest.startswith(f"{one}{label.separator}")), None)
        if standing:
            rest = rest[len(standing) + len(label.separator or "") :]
        if not label_required(label, basis, question.letter.kind):
            continue
        params = {"country": rule.code, "label": label.text}
        code = "LABEL_OK" if standing and not INVISIBLE.search(subject[:HEAD]) else _label_fault(subject, rule)
        if code == "LABEL_OK":
            found.append(Verdict(Level.PASS, code, params, rule.article))
        else:
            found.append(Verdict(Level.BLOCK, code, params, rule.article, "PUT_LABEL"))
    foreign = _foreign_label(rest, rules, law)
    if foreign:
        params = {"country": question.recipient.country, "label": foreign}
        found.append(Verdict(Level.BLOCK, "LAW_LABEL_FORBIDDEN", params, rules[0].article, "EDIT_SUBJECT"))
    return found, rest


def _label_fault(subject: str, rule: CountryRule) -> str:
    head = subject[:HEAD]
    if any(_stands_in(head, one) and not head.startswith(one) for one in rule.subject_label.accepted):
        return "LAW_LABEL_POSITION"
    altered = (*rule.subject_label.forbidden_variants, *rule.subject_label.accepted)
    if INVISIBLE.search(head) or any(_stands_in(head, one) for one in altered):
        return "LAW_LABEL_ALTERED"
    return "LAW_LABEL_MISSING"


def _foreign_label(rest: str, rules: Sequence[CountryRule], law: Lawbook) -> str | None:
    """A label that this country does not know, or has abolished, misleads."""
    forbidden = [one for rule in rules if not rule.subject_label.text for one in rule.subject_label.forbidden_variants]
    own = {one for rule in rules for one in rule.subject_label.accepted}
    others = [one.subject_label.text for one in law.countries.values() if one.subject_label.text]
    starts = next((one for one in others if one not in own and rest.startswith(f"{one} ")), None)
    return starts or next((one for one in forbidden if _stands_in(rest[:HEAD], one)), None)


def _stands_in(head: str, mark: str) -> bool:
    """Find a mark; one of Latin letters only as a word of its own, so that "ad" is not seen in "load"."""
    if mark.isascii() and mark.replace(" ", "").isalpha():
        return re.search(rf"(?<!\w){re.escape(mark)}(?!\w)", head) is not None
    return mark in head


def _footer(question: Question, basis: str | None, rules: Sequence[CountryRule], law: Lawbook) -> list[Verdict]:
    if not rules:
        return []
    parts = required_parts(question, basis, law)
    text = None if question.letter.text is None else plain(question.letter.text)
    faults = [fault for part in parts if (fault := _part_fault(part, question, text, rules[0]))]
    if faults or text is None:
        return faults
    items = tuple(dict.fromkeys(part.item for part in parts))
    return [Verdict(Level.PASS, "FOOTER_OK", {"items": items}, rules[0].article)]


def _part_fault(part: Part, question: Question, text: str | None, rule: CountryRule) -> Verdict | None:
    params = {"item": part.item, "language": part.language, "country": question.recipient.country}
    if not part.proofs:
        return Verdict(Level.BLOCK, "LAW_FOOTER_FACT_UNKNOWN", params, rule.article, "COMPLETE_FACTS")
    if text is None or any(plain(proof) in text for proof in part.proofs):
        return None
    own = part.language == question.letter.language or part.item == "statutory_text_ar"
    code = "LAW_FOOTER_MISSING" if own else "LAW_FOOTER_LANGUAGE"
    return Verdict(Level.BLOCK, code, params, rule.article, "USE_COMPOSED_FOOTER")
