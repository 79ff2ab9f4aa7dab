"""The subject label and the legal footer that a letter needs, by the rule of the recipient's country.

``rules.evaluate`` looks for exactly the parts made here, so that one place says what a footer is.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from babel.dates import format_date

from crm.clearance import footer_texts as say
from crm.clearance.lawbook import CountryRule, Lawbook, SubjectLabel, lawbook
from crm.clearance.question import LetterKind, Question

KOREA = "KR"
BASELINE = (
    "sender_legal_name",
    "sender_postal_address",
    "sender_contact",
    "unsubscribe_statement",
    "unsubscribe_link",
)
"""What every commercial letter carries, whatever the country says (global rule G3 of the law table)."""
WITHOUT_REFUSAL = ("sender_legal_name", "sender_contact")
"""What a letter about an order, or a notice, carries: who writes."""
ORDER = (
    "on_behalf_of_name",
    "sender_legal_name",
    "sender_postal_address",
    "sender_street_address_not_po_box",
    "sender_email",
    "sender_phone",
    "sender_contact",
    "complaints_contact",
    "consumer_agency_contact",
    "advertisement_identification",
    "collection_source_notice",
    "privacy_notice_link",
    "right_to_object_notice",
    "unsubscribe_statement",
    "unsubscribe_link",
    "unsubscribe_email",
    "unsubscribe_free_of_charge",
    "statutory_text_ar",
)
WELCOME = ("on_behalf_of_name", "sender_email", "sender_phone", "collection_source_notice", "privacy_notice_link")
"""Shown wherever the facts are known, required only where a rule says so."""
PO_BOX = re.compile(r"\bp\.?\s*o\.?\s*box\b|사서함|信箱|私書箱|apartado", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """One item of the footer in one language: the line shown, and the text of which one must be found in a letter.

    No ``proofs`` means that a fact is missing, and the item cannot be made.
    """

    item: str
    language: str
    line: str
    proofs: tuple[str, ...]


@dataclass(frozen=True)
class Footer:
    """The footer as lines of text, in the order in which they stand."""

    parts: tuple[Part, ...]

    @property
    def lines(self) -> list[str]:
        return list(dict.fromkeys(part.line for part in self.parts if part.line))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)


def rules_that_apply(question: Question, law: Lawbook | None = None) -> tuple[CountryRule, ...]:
    """Return the rule of the recipient's country, and Korea's after it when the overlay is switched on."""
    law = law or lawbook()
    country = question.recipient.country
    if not country:
        return ()
    korean = (law.rule_for(KOREA),) if overlay_applies(question) and question.policy.korean_overlay == "on" else ()
    return (law.rule_for(country), *korean)


def overlay_applies(question: Question) -> bool:
    """Is this a commercial letter of a Korean sender to somebody abroad (Network Act Art. 50, see the law table)?"""
    return (
        question.sender.country == KOREA
        and question.recipient.country != KOREA
        and question.letter.kind is LetterKind.COMMERCIAL
    )


def label_required(label: SubjectLabel, basis: str | None, kind: LetterKind = LetterKind.COMMERCIAL) -> bool:
    """Say whether a subject needs the label. An answer that rests on the request itself is no advertising."""
    if kind in (LetterKind.TRANSACTIONAL, LetterKind.NOTICE) or label.required == "never":
        return False
    if kind is LetterKind.REQUESTED and basis == "requested_info":
        return False
    return label.required == "always" or basis not in label.unless_basis


def subject_label(
    country: str, basis: str | None, *, kind: LetterKind = LetterKind.COMMERCIAL, korean_overlay: bool = False
) -> str | None:
    """Return the label for a letter into ``country`` that rests on ``basis``, e.g. ``(광고)``, or None.

    With the overlay on, the Korean label follows directly after the country's own.
    """
    countries = [country, KOREA] if korean_overlay and country != KOREA else [country]
    labels = [lawbook().rule_for(one).subject_label for one in countries]
    texts = [label.text for label in labels if label.text and label_required(label, basis, kind)]
    return " ".join(texts) or None


def with_label(subject: str, label: str | None) -> str:
    """Put ``label`` and one space before ``subject``, unless it stands there already."""
    if not label or subject.startswith(f"{label} "):
        return subject
    return f"{label} {subject}"


def footer(question: Question, basis: str | None = None, law: Lawbook | None = None) -> Footer:
    """Compose the footer of a letter in its own language, with the other languages that a law names.

    ``basis`` is the code on which the letter rests (``rules.basis_of``). Parts whose facts are missing are left out
    here and blocked by ``rules.evaluate``.
    """
    required = required_parts(question, basis, law)
    welcome = [part for item in WELCOME for part in _parts(item, question, ()) if part.proofs]
    known = {(part.item, part.language, part.line): part for part in [*required, *welcome]}
    return Footer(tuple(sorted(known.values(), key=lambda part: ORDER.index(part.item))))


def required_parts(question: Question, basis: str | None, law: Lawbook | None = None) -> list[Part]:
    """Return the parts that must be found in the letter, or it does not go."""
    if question.letter.kind in (LetterKind.TRANSACTIONAL, LetterKind.NOTICE):
        return [part for item in WITHOUT_REFUSAL for part in _parts(item, question, ())]
    rules = rules_that_apply(question, law)
    items = {*BASELINE, *(item for rule in rules for item in _items(rule, basis))}
    return [part for item in ORDER if item in items for part in _parts(item, question, rules)]


def _items(rule: CountryRule, basis: str | None) -> list[str]:
    return [item for item in rule.footer_required if basis not in rule.footer_unless_basis.get(item, ())]


def footer_language(language: str) -> str:
    """Return the language the footer is written in: the letter's, or English where we have no sentences."""
    return language if language in say.LETTER_LANGUAGES else "en"


def _parts(item: str, question: Question, rules: tuple[CountryRule, ...]) -> list[Part]:
    own = footer_language(question.letter.language)
    if item in ("unsubscribe_statement", "unsubscribe_free_of_charge"):
        sentences = say.UNSUBSCRIBE if item == "unsubscribe_statement" else say.FREE_OF_CHARGE
        others = [one for rule in rules for one in rule.footer_languages.compulsory]
        return [_worded(item, one, sentences.get(one, "")) for one in dict.fromkeys([own, *others])]
    if item == "statutory_text_ar":
        return [Part(item, "es", text, (text,)) for rule in rules for text in rule.footer_verbatim]
    return [_part(item, own, question)]


def _part(item: str, language: str, question: Question) -> Part:
    sender = question.sender
    line = ""
    match item:
        case "sender_legal_name":
            return _sentence(item, language, sender.legal_name)
        case "sender_postal_address":
            return _fact(item, language, say.POSTAL_ADDRESS, sender.postal_address)
        case "sender_street_address_not_po_box":
            street = "" if PO_BOX.search(sender.postal_address) else sender.postal_address
            return _fact(item, language, say.POSTAL_ADDRESS, street)
        case "sender_email":
            return _fact(item, language, say.EMAIL, sender.email)
        case "sender_phone":
            return _fact(item, language, say.PHONE, sender.phone)
        case "sender_contact":
            template, value = (say.EMAIL, sender.email) if sender.email else (say.PHONE, sender.phone)
            made = _fact(item, language, template, value)
            return Part(item, language, made.line, tuple(one for one in (sender.email, sender.phone) if one))
        case "complaints_contact":
            return _whole(item, language, say.COMPLAINTS, sender.phone or sender.email)
        case "consumer_agency_contact":
            return _sentence(item, language, say.CONSUMER_AGENCY)
        case "privacy_notice_link":
            return _fact(item, language, say.PRIVACY, sender.privacy_url)
        case "right_to_object_notice":
            return _sentence(item, language, say.RIGHT_TO_OBJECT[language])
        case "unsubscribe_link":
            return _sentence(item, language, question.letter.unsubscribe_url)
        case "unsubscribe_email":
            return _fact(item, language, say.UNSUBSCRIBE_EMAIL, sender.unsubscribe_email)
        case "collection_source_notice":
            line = _source_notice(language, question)
        case "advertisement_identification" if sender.legal_name:
            line = say.ADVERTISEMENT[language].format(exporter=sender.legal_name)
        case "on_behalf_of_name" if sender.operator_name:
            line = say.ON_BEHALF[language].format(operator=sender.operator_name, exporter=sender.legal_name)
    return _sentence(item, language, line)


def _source_notice(language: str, question: Question) -> str:
    meeting = question.meeting
    if meeting is None:
        return ""
    where = say.BOOTH[language].format(fair=meeting.fair, booth=meeting.booth) if meeting.booth else meeting.fair
    shown = format_date(meeting.on, "long", locale=language.replace("-", "_"))
    return say.SOURCE_NOTICE[language].format(where=where, date=shown)


def _fact(item: str, language: str, template: dict[str, str], value: str) -> Part:
    """A fact that proves itself wherever it stands in the letter."""
    return Part(item, language, template[language].format(value=value) if value else "", (value,) if value else ())


def _whole(item: str, language: str, template: dict[str, str], value: str) -> Part:
    """A fact that counts only together with what it is said to be for."""
    return _sentence(item, language, template[language].format(value=value) if value else "")


def _sentence(item: str, language: str, text: str) -> Part:
    return Part(item, language, text, (text,) if text else ())


def _worded(item: str, language: str, text: str) -> Part:
    """A sentence that also proves itself in words that letters approved by an older program carry."""
    part = _sentence(item, language, text)
    return replace(part, proofs=(*part.proofs, *say.EARLIER.get((item, language), ()))) if text else part


def plain(text: str) -> str:
    """Normalise a text for comparison: NFC, and every run of white space one space (lines may have been folded)."""
    return " ".join(unicodedata.normalize("NFC", text).split())
