"""Reads a list given as text or bytes, all rows at once, for tests that look at single values."""

from dataclasses import dataclass, field
from typing import Any

from crm.imports.contactlist import open_list
from crm.imports.records import EventDates, Issue, Profile, ReadOptions, ReadRow

LISTS = frozenset({"emails", "other_phones", "interests", "tags", "consents"})
MAPS = frozenset({"messengers", "more", "extra"})
ANSWERS = frozenset({"consent_privacy", "consent_third_party", "consent_marketing", "opt_out"})


class Row:
    """One accepted row; facts are attributes, those not stated are blank."""

    def __init__(self, line: ReadRow, headers: list[str]) -> None:
        self.row, self.sheet, self.facts, self.issues = line.number, line.sheet, line.facts, line.issues
        self.raw = {
            headers[place] if place < len(headers) else f"#{place + 1}": text
            for place, text in enumerate(line.raw)
            if text
        }

    def __getattr__(self, name: str) -> Any:
        if name in self.facts:
            return self.facts[name]
        if name in LISTS:
            return []
        return {} if name in MAPS else None if name in ANSWERS else ""

    @property
    def warnings(self) -> list[str]:
        """Codes of the findings, each once, in the order found."""
        return list(dict.fromkeys(issue.code for issue in self.issues))

    def as_json(self) -> dict[str, Any]:
        return {"row": self.row, "sheet": self.sheet, "warnings": self.warnings, **self.facts}


@dataclass
class Line:
    """A refused or skipped line."""

    row: int
    sheet: str | None
    code: str
    issues: list[Issue]
    raw: list[str]


@dataclass
class Read:
    """A whole file."""

    profile: Profile
    rows: list[Row] = field(default_factory=list)
    refused: list[Line] = field(default_factory=list)
    skipped: list[Line] = field(default_factory=list)


def read(data: str | bytes, filename: str = "list.csv", *, event: EventDates | None = None, **options: Any) -> Read:
    """Read a whole list; ``options`` are those of ``ReadOptions``."""
    data = data.encode() if isinstance(data, str) else data
    found = open_list(data, filename, ReadOptions(**options), event)
    headers = {sheet.name: [column.header for column in sheet.columns] for sheet in found.profile.sheets}
    whole = Read(found.profile)
    for line in found.lines():
        if line.outcome == "accepted":
            whole.rows.append(Row(line, headers[line.sheet]))
        else:
            heap = whole.refused if line.outcome == "refused" else whole.skipped
            heap.append(Line(line.number, line.sheet, line.code, line.issues, line.raw))
    return whole
