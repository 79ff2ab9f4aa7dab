"""The second pass over a table: every line becomes one row, accepted, refused or skipped, in the order of the file.

Every value is cleaned, every change and doubt told. No more than one row is held at a time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from crm.imports import lines, mapping
from crm.imports.records import Cell, Facts, Issue, ReadRow
from crm.imports.survey import CONSENTS, Survey
from crm.imports.takers import Line, Plan
from crm.imports.text import cell_text, folded, one_line, shown
from crm.imports.words import words

TEST_WORDS = frozenset(folded(word) for word in words("test"))
_LONGEST_TEST = 12
_TESTED = ("full_name", "family_name", "given_name", "company")
_CARD_STATES = {"malformed_card": "refused", "group_card": "skipped"}


@dataclass
class TableCleaner:
    """Cleans the rows of one table. ``home`` is the file's home country, empty for none.

    ``corrections`` and ``left_out`` are those of this table, by row number. ``keeps_shape``: a row cannot have too many
    cells (workbooks). ``first_number`` is the number of record index 0.
    """

    of: Survey
    home: str = ""
    corrections: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    left_out: Collection[int] = frozenset()
    keeps_shape: bool = False
    first_number: int = 1

    def __post_init__(self) -> None:
        survey = self.of
        self.sheet = survey.table.sheet
        self.labels = _labels(survey.headers)
        self.plan = Plan(survey.columns, self.labels, self.home, survey.dates, survey.crosses)
        self.fixed = {column.index for column in survey.columns if column.field in (*CONSENTS, "sensitive")}
        self.secret = [column.index for column in survey.columns if column.field == "sensitive"]
        states = (column.index for column in survey.columns if column.field == mapping.CARD_STATE)
        self.card_state = next(states, None)
        self.kinds = lines.Kinds(survey.head, {column.index: column for column in survey.columns})
        self.links: dict[int, dict[int, str]] = defaultdict(dict)
        for (row, place), address in survey.table.links.items():
            self.links[row][place] = address
        self.filled: dict[int, set[int]] = defaultdict(set)
        for row, place in survey.table.filled:
            self.filled[row].add(place)

    def lines(self) -> Iterator[ReadRow]:
        """Yield every line but that of the header."""
        head = self.of.head
        for index, cells in enumerate(self.of.table.records()):
            if index >= head.first:
                yield self._row(index, cells)
            elif index != head.index and self.first_number:
                yield ReadRow(index + self.first_number, self.sheet, "skipped", self.kinds.above(index, cells))

    def _row(self, index: int, cells: list[Cell]) -> ReadRow:
        number = index + self.first_number
        texts = [cell if type(cell) is str else cell_text(cell) for cell in cells]
        raw = self._raw(texts)
        corrected = self._corrected(number, texts, cells) if number in self.corrections else []
        kind = self.kinds.of(texts, self.filled.get(index, ()))
        if kind:
            return ReadRow(number, self.sheet, "skipped", kind)
        if not self.keeps_shape and len(texts) > self.of.width:
            return ReadRow(number, self.sheet, "refused", "row_shape", raw=raw)
        wanted = len(self.labels)
        if len(texts) < wanted:
            texts += [""] * (wanted - len(texts))
        row = ReadRow(number, self.sheet, "accepted", "", {}, corrected, raw)
        self._clean(index, Line(texts, cells, row.facts, row.issues, self.links.get(index, {})))
        self._judge(row, texts)
        return row

    def _raw(self, texts: Sequence[str]) -> list[str]:
        raw = list(texts)
        for place in self.secret:
            if place < len(raw):
                raw[place] = ""
        while raw and not raw[-1]:
            raw.pop()
        return raw

    def _corrected(self, number: int, texts: list[str], cells: list[Cell]) -> list[Issue]:
        """Put corrections in place. What a visitor consented to is proven by the file and cannot be corrected here."""
        issues = []
        for place, text in sorted(self.corrections[number].items()):
            if not 0 <= place < len(self.labels) or place in self.fixed:
                continue
            missing = [""] * (place + 1 - len(texts))
            texts += missing
            cells += missing
            was, texts[place], cells[place] = texts[place], text, text
            if text != was:
                params = {"column": self.labels[place], "v": shown(was), "now": shown(text)}
                issues.append(Issue("corrected", params))
        return issues

    def _clean(self, index: int, line: Line) -> None:
        if index in self.of.table.hidden_rows:
            line.say("hidden_row")
        merged = sorted(place for place in self.filled.get(index, ()) if place < len(self.labels))
        for place in merged[:1]:
            line.say("merged_cell_filled", column=self.labels[place], v=shown(line.texts[place]))
        texts, facts, issues = line.texts, line.facts, line.issues
        for place, take in self.plan.takes:
            text = texts[place]
            if text:
                take(text, facts, issues)
        for step in self.plan.steps:
            step(line)
        for place in range(len(self.labels), len(texts)):
            text = one_line(texts[place])
            if text:
                facts.setdefault("extra", {})[f"#{place + 1}"] = text

    def _judge(self, row: ReadRow, texts: Sequence[str]) -> None:
        code = self._card_refusal(row, texts) or _refusal(row.facts)
        if (
            code == "consent_privacy_refused"
        ):  # what was refused for lack of consent may not be kept, not even as raw cells
            row.raw, row.issues = [], []
        if row.number in self.left_out and row.outcome != "skipped":
            code = "left_out"
        if code:
            row.code, row.facts = code, {}
            if row.outcome == "accepted":
                row.outcome = "refused"

    def _card_refusal(self, row: ReadRow, texts: Sequence[str]) -> str:
        if self.card_state is None or texts[self.card_state] not in _CARD_STATES:
            return ""
        row.outcome = _CARD_STATES[texts[self.card_state]]
        return texts[self.card_state]


def _refusal(facts: Facts) -> str:
    if facts.get("consent_privacy") is False:
        return "consent_privacy_refused"
    for name in _TESTED:
        text = facts.get(name)
        if text and len(text) <= _LONGEST_TEST and folded(text) in TEST_WORDS:
            return "test_row"
    if "emails" in facts or "mobile" in facts or "phone" in facts or "other_phones" in facts:
        return ""
    return "" if "full_name" in facts and "company" in facts else "no_identity"


def _labels(headers: Sequence[str]) -> list[str]:
    """Return a label for every column, as written; blank and repeated headers get their column's number."""
    labels: list[str] = []
    for number, header in enumerate(headers, 1):
        text = one_line(header)
        labels.append(text if text and text not in labels else f"{text} #{number}".strip())
    return labels
