"""The law table ``mail-rules.yaml`` as typed, checked values.

Add a country by adding an entry to the file; no code changes. Every key is checked on loading, and a mistake is named
with the entry and the field.
"""

import hashlib
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _

RULES_FILE = Path(__file__).with_name("mail-rules.yaml")

BasisCode = Literal[
    "express_optin",
    "requested_info",
    "transaction",
    "sale_soft_optin",
    "inquiry",
    "negotiation",
    "card_handed",
    "badge_scanned",
    "published_address",
    "corporate_recipient",
    "generic_company_address",
    "role_relevant_b2b",
    "legitimate_interest",
    "merchant_registry",
    "one_time_business_invitation",
    "opt_out_regime",
]
FooterItem = Literal[
    "sender_legal_name",
    "on_behalf_of_name",
    "sender_postal_address",
    "sender_street_address_not_po_box",
    "sender_email",
    "sender_phone",
    "sender_contact",
    "complaints_contact",
    "unsubscribe_statement",
    "unsubscribe_link",
    "unsubscribe_email",
    "unsubscribe_free_of_charge",
    "advertisement_identification",
    "collection_source_notice",
    "privacy_notice_link",
    "right_to_object_notice",
    "consumer_agency_contact",
    "statutory_text_ar",
]
Days = tuple[str, str]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BasisRule(Entry):
    """One ground on which a commercial letter may rest, and how long it lasts from its anchor date."""

    code: BasisCode
    expires_days: int | None = Field(ge=1)
    expires_iso: str | None = Field(pattern=r"^P\d+[DMY]$")
    anchor: Literal["consent_date", "request_date", "transaction_end", "collection_date"]
    conditions: tuple[str, ...]


class SubjectLabel(Entry):
    """The mark that a subject must begin with, e.g. ``(광고)``, followed by one separator."""

    required: Literal["always", "conditional", "never"]
    text: str | None
    alternatives: tuple[str, ...]
    position: Literal["start"] | None
    separator: str | None
    condition: str | None
    unless_basis: tuple[BasisCode, ...] = ()
    forbidden_variants: tuple[str, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.required != "never" and not (self.text and self.separator):
            raise ValueError("a required label needs text and separator")
        return self

    @property
    def accepted(self) -> tuple[str, ...]:
        return (self.text, *self.alternatives) if self.text else ()


class FooterLanguages(Entry):
    mode: Literal["recipient_language", "fixed", "fixed_unless_recipient_indicated", "must_include"]
    languages: tuple[str, ...]

    @property
    def compulsory(self) -> tuple[str, ...]:
        """Languages the refusal notice must stand in, whatever the letter's language."""
        return () if self.mode == "recipient_language" else self.languages


class QuietHours(Entry):
    """Local windows in which sending is permitted. Days are keys like ``mon-fri`` or ``sat``."""

    timezone: Literal["recipient"]
    enforcement: Literal["mandatory", "precaution"]
    allowed: dict[str, Days]
    holidays: Literal["forbidden", "same"]
    note: str


class FrequencyCap(Entry):
    max: int = Field(ge=1)
    per_hours: int = Field(ge=1)
    scope: str


class Confirmation(Entry):
    within_days: int
    applies_to: tuple[str, ...]
    must_state: tuple[str, ...]
    must_not_contain: tuple[str, ...]


class CountryRule(Entry):
    """All that one country asks. ``code`` is ISO 3166-1 alpha-2, or ``""`` for the entry of unlisted countries."""

    code: str = ""
    name: str
    regime: Literal["opt_in", "opt_in_with_implied", "opt_out", "mixed"]
    trade_fair_contact: Literal["allow", "allow_with_conditions", "refuse"]
    basis: tuple[BasisRule, ...]
    subject_label: SubjectLabel
    footer_required: tuple[FooterItem, ...]
    footer_unless_basis: dict[FooterItem, tuple[BasisCode, ...]] = Field(default_factory=dict)
    footer_languages: FooterLanguages
    footer_verbatim: tuple[str, ...]
    quiet_hours: QuietHours | None
    frequency_cap: FrequencyCap | None
    unsubscribe_within_days: int
    unsubscribe_day_type: Literal["calendar", "business"]
    unsubscribe_mechanism_valid_days: int | None
    unsubscribe_confirmation: Confirmation | None
    reconfirm_after_days: int | None
    record_keeping_days: int
    record_keeping_note: str
    penalty: str | None
    source: tuple[str, ...] = Field(min_length=1)
    confidence: Literal["high", "medium", "low"]
    unconfirmed: tuple[str, ...]
    extra: dict[str, object] = Field(default_factory=dict)

    @property
    def article(self) -> str:
        """The first source named: the law itself, before regulations and guidance."""
        return self.source[0]

    @property
    def is_default(self) -> bool:
        return not self.code

    def basis_rule(self, code: str) -> BasisRule | None:
        return next((basis for basis in self.basis if basis.code == code), None)


class Lawbook(Entry):
    """The whole table. ``digest`` is the SHA-256 of the file, kept with every verdict that is stored."""

    edition: str
    digest: str
    default: CountryRule
    countries: dict[str, CountryRule]

    def rule_for(self, country: str) -> CountryRule:
        """Return the rule of a known country (ISO 3166-1 alpha-2); unlisted ones are served by the default.

        An unknown country has no rule: ask ``rules.evaluate``, which blocks it. Raises ``ValueError`` for no code.
        """
        if not country:
            raise ValueError("an unknown country has no rule")
        return self.countries.get(country.upper(), self.default)


def parse_lawbook(text: str, file: str = RULES_FILE.name) -> Lawbook:
    """Check the text of a law table and return it. Raises ``BadInput`` naming entry and field of every mistake."""
    try:
        data = YAML(typ="safe").load(StringIO(text))
    except YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise BadInput([Problem(_("This is not valid YAML."), Place(file=file, line=line or None))]) from error
    if not isinstance(data, dict) or data.get("schema") != "mail-rules/1":
        raise BadInput([Problem(_("The file must say: schema: mail-rules/1"), Place(file=file, field="schema"))])
    countries = data.get("countries") or {}
    try:
        return Lawbook.model_validate(
            {
                "edition": str(data.get("as_of", "")),
                "digest": hashlib.sha256(text.encode()).hexdigest(),
                "default": data.get("default"),
                "countries": {code: {**entry, "code": code} for code, entry in countries.items()},
            }
        )
    except ValidationError as error:
        raise BadInput([_problem(file, one["loc"], one["msg"]) for one in error.errors()]) from error


def _problem(file: str, where: tuple[int | str, ...], message: str) -> Problem:
    return Problem(
        _("The rule cannot be used: {message}", message=message), Place(file=file, field=".".join(map(str, where)))
    )


@cache
def lawbook() -> Lawbook:
    """Return the project's law table, read once a process."""
    return parse_lawbook(RULES_FILE.read_text(encoding="utf-8"))


def rule_for(country: str) -> CountryRule:
    """Return the rule of a known country from the project's law table."""
    return lawbook().rule_for(country)
