"""What an import or an undo did, row by row, in words for people and in JSON for programs."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from crm.core.i18n import N_, _
from crm.imports.records import Issue, Profile
from crm.imports.texts import say

OUTCOMES = {
    "added": N_("added"),
    "merged": N_("merged"),
    "unchanged": N_("unchanged"),
    "refused": N_("refused"),
    "skipped": N_("skipped"),
}


TO_MEND = frozenset(
    {
        "ambiguous_person",
        "consent_not_corrected",
        "consent_privacy_missing",
        "consent_unreadable",
        "country_unknown",
        "date_unreadable",
        "email_invalid",
        "email_legacy_exchange",
        "email_of_other",
        "exporter_missing",
        "exporter_unknown",
        "language_unreadable",
        "name_extra_removed",
        "no_person_name",
        "not_mailable",
        "phone_invalid",
        "phone_unreadable",
        "placeholder_char",
        "rating_unreadable",
        "undecodable_text",
    }
)
"""Findings about imported rows that a person should look at; the others say what we did and need nothing."""
COUNTS = ("found", "added", "merged", "unchanged", "refused", "skipped")
SETTLED = frozenset({"exporter_ids", "basis_held"})
"""Facts that the import itself settled; they stand in no file."""
LINES_KEPT = 200
"""Of each kind of finding so many rows are kept for showing; all are counted."""


@dataclass(slots=True)
class RowReport:
    """One line of the file: what became of it and why. ``diff`` maps a changed field to (before, after).

    ``facts`` and ``line`` (its cells, as JSON) are those of the row as read; ``duplicate_of`` is (sheet, row) of the
    first row of the same person in the same file.
    """

    row: int
    sheet: str | None
    outcome: str
    name: str = ""
    contact_id: int | None = None
    issues: list[Issue] = field(default_factory=list)
    diff: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    line: str = "[]"
    duplicate_of: tuple[str | None, int] | None = None

    @property
    def raw(self) -> list[str]:
        """Return the cells of the line as they stood in the file; empty when nothing of it may be kept."""
        return list(orjson.loads(self.line))

    def messages(self) -> list[str]:
        """Return the findings as sentences in the viewer's language."""
        return [say(issue.code, self.row, issue.params) for issue in self.issues]

    def as_json(self) -> dict[str, Any]:
        """Return the row for a program: canonical fields, codes, and the sentences of the viewer's language.

        What is not known is left out; ``reason`` stands only with refused rows.
        """
        codes = list(dict.fromkeys(issue.code for issue in self.issues))
        refused = self.outcome == "refused"
        found: dict[str, Any] = {
            "row": self.row,
            "sheet": self.sheet,
            "outcome": self.outcome,
            "contact": self.contact_id,
            "reason": codes[0] if refused else None,
            "warnings": codes[1:] if refused else codes,
            "facts": {name: value for name, value in self.facts.items() if name not in SETTLED},
            "messages": self.messages(),
        }
        if self.duplicate_of:
            found["duplicate_of"] = {"row": self.duplicate_of[1], "sheet": self.duplicate_of[0]}
        return {name: value for name, value in found.items() if value not in (None, [], {}) or name == "sheet"}

    @property
    def place(self) -> str:
        return f"{self.sheet}:{self.row}" if self.sheet else str(self.row)


@dataclass
class Findings:
    """What was found in a file as a whole; of each kind of finding only the first rows are kept."""

    counts: dict[str, int] = field(default_factory=dict)
    """found = added + merged + unchanged + refused + skipped; leads, consents and suppressed beside them."""
    by_code: dict[str, int] = field(default_factory=dict)
    lines: dict[str, list[tuple[RowReport, Issue]]] = field(default_factory=dict)
    changes: list[RowReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = dict.fromkeys(COUNTS, 0) | self.counts

    def count(self, name: str) -> None:
        """Count one more; a line of the file counts in ``found`` too."""
        self.counts[name] = self.counts.get(name, 0) + 1
        if name in OUTCOMES:
            self.counts["found"] += 1

    def skip(self, lines: int) -> None:
        """Count lines that are no rows."""
        self.counts["skipped"] += lines
        self.counts["found"] += lines

    def add(self, row: RowReport) -> None:
        """Take in what became of one row."""
        self.count(row.outcome)
        if row.outcome == "merged" and row.diff and len(self.changes) < LINES_KEPT:
            self.changes.append(row)
        if not row.issues:
            return
        told = row.issues[:1] if row.outcome == "refused" else row.issues  # of a row that does not come in, only why
        firsts = {issue.code: issue for issue in reversed(told)} if len(told) > 1 else {told[0].code: told[0]}
        for code, issue in firsts.items():
            self.by_code[code] = self.by_code.get(code, 0) + 1
            lines = self.lines.setdefault(code, [])
            if len(lines) < LINES_KEPT:
                lines.append((row, issue))

    def codes(self) -> dict[str, int]:
        """Return how many rows have each finding, the most frequent first."""
        return dict(sorted(self.by_code.items(), key=lambda item: -item[1]))


@dataclass
class ImportReport:
    """What an import did, or (``batch_id`` None) what it would do. ``rows`` are kept only when they were asked for."""

    filename: str
    batch_id: int | None
    profile: Profile
    findings: Findings
    notes: list[Issue] = field(default_factory=list)
    rows: list[RowReport] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        return self.findings.counts

    @property
    def already_imported(self) -> bool:
        """Tell whether this very file had been imported before, so that nothing was done."""
        return any(note.code == "already_imported" for note in self.notes)

    def summary(self) -> str:
        """Return the whole in one sentence or two."""
        text = _(
            "{file}: {found} lines: {added} added, {merged} merged, {unchanged} unchanged, {refused} refused, "
            "{skipped} skipped; {leads} new leads.",
            file=self.filename,
            **{key: self.counts.get(key, 0) for key in (*COUNTS, "leads")},
        )
        if self.batch_id is not None and not self.already_imported:
            text += " " + _("Batch {n}.", n=self.batch_id)
        return " ".join([text, *self.note_sentences()])

    def note_sentences(self) -> list[str]:
        """Return what is to be said about the file as a whole."""
        return [say(note.code, None, note.params) for note in self.notes]

    def messages_for_people(self) -> Iterator[dict[str, Any]]:
        """Yield one line a finding: row, outcome and sentence, those of one kind together; at most 200 of a kind."""
        for code, lines in self.findings.lines.items():
            for row, issue in lines:
                sentence = say(code, row.row, issue.params)
                yield {"row": row.place, "outcome": _(OUTCOMES[row.outcome]), "message": sentence}
            more = self.findings.by_code[code] - len(lines)
            if more > 0:
                yield {"row": "…", "outcome": "", "message": _("{n} more rows of this kind.", n=more)}

    def warnings_by_code(self) -> dict[str, int]:
        """Return how many rows have each finding, the most frequent first."""
        return self.findings.codes()

    def as_json(self) -> dict[str, Any]:
        """Return the report for a program: codes, not sentences."""
        return {
            "file": self.filename,
            "batch": self.batch_id,
            "counts": self.counts,
            "profile": profile_json(self.profile),
            "notes": [issue_json(note) for note in self.notes],
            "findings": self.findings.codes(),
            **({"rows": [row.as_json() for row in self.rows]} if self.rows else {}),
        }


@dataclass(frozen=True)
class Kept:
    """Something an undo left in place: a contact or lead, and why (mailed, edited, in_use)."""

    target: str
    target_id: int
    name: str
    reason: str


KEPT_REASONS = {
    "mailed": N_("{name}: already written to, so kept."),
    "edited": N_("{name}: changed by a person since, so those values were kept."),
    "in_use": N_("{name}: used elsewhere since (a deal, a campaign, another list), so kept."),
}


@dataclass
class UndoReport:
    """What an undo took back and what it left, with reasons."""

    batch_id: int
    status: str
    removed: dict[str, int] = field(default_factory=dict)
    """Table → rows removed."""
    restored: int = 0
    kept: list[Kept] = field(default_factory=list)

    def summary(self) -> str:
        """Return what was done in one sentence, then every refusal."""
        text = _(
            "Batch {n}: {contacts} contacts and {leads} leads removed, {restored} values put back, {kept} kept.",
            n=self.batch_id,
            contacts=self.removed.get("contact", 0),
            leads=self.removed.get("lead", 0),
            restored=self.restored,
            kept=len(self.kept),
        )
        return "\n".join([text, *self.reasons()])

    def reasons(self) -> list[str]:
        return [_(KEPT_REASONS[kept.reason], name=kept.name) for kept in self.kept]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def issue_json(issue: Issue) -> dict[str, Any]:
    return {"code": issue.code, **{key: str(value) for key, value in issue.params.items()}}


def profile_json(profile: Profile) -> dict[str, Any]:
    """Return a reading profile as plain values, as stored with the batch."""
    found = asdict(profile) | {"notes": [issue_json(note) for note in profile.notes]}
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
