"""Writes docs/workflows.md and docs/workflow.schema.json from the models, so that neither can tell anything else.

``python -m crm.campaigns.manual`` writes both; a test compares them and checks every example.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crm.campaigns.conditions import LENGTH, VOCABULARY
from crm.campaigns.definition import (
    EXIT_REASONS,
    Cap,
    Definition,
    ExitRule,
    Hours,
    OnBounce,
    OnOutOfOffice,
    OnReply,
    OnStage,
    SendWindow,
    Step,
    Title,
    json_schema,
)
from crm.campaigns.engine import LAST_STEP_OPEN
from crm.campaigns.language import LANGUAGES
from crm.campaigns.rules import Delay
from crm.pipeline.rules import WAY

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


class Example(NamedTuple):
    """A feature, what it does, and the keys of a workflow file that show it."""

    title: str
    text: str
    snippet: str


BASE = """\
workflow: example
title: {ko: 예시, en: Example}
audience: contact.country != "KR"
send_window: {days: [tue, wed, thu], hours: 09:30-11:30}
exit_when: [replied, opted_out, hard_bounced]
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you}
"""
EXAMPLES = (
    Example("The smallest workflow", "One letter, one business day after the end of the exhibition.", BASE),
    Example(
        "Letters that follow each other",
        "A step counts from the end of the show or from any step above it: when that letter left, or, when the step "
        "was skipped, when it was due. Nothing is planned after a letter that has not left.",
        """\
steps:
  - {id: thanks,    after: {show_close: 1 business day}, mail: thank_you}
  - {id: catalogue, after: {thanks: 4 business days},    mail: catalogue}
  - {id: reminder,  after: {thanks: 30 days},            mail: reminder}
""",
    ),
    Example(
        "Lengths of time",
        "Business days leave out weekends and holidays of the buyer's country; days are calendar days; both end as "
        "the buyer's day begins, and the letter takes the next window. Hours are counted exactly.",
        """\
steps:
  - {id: thanks, after: {show_close: 36 hours},    mail: thank_you}
  - {id: second, after: {thanks: 7 days},          mail: catalogue}
  - {id: third,  after: {second: 5 business days}, mail: reminder}
""",
    ),
    Example(
        "Tasks",
        "A task appears in the advisor's list in Korean office hours. Steps may follow it; it counts as done when it "
        "is made.",
        """\
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you}
  - {id: call,   after: {thanks: 3 business days},    task: call}
""",
    ),
    Example(
        "Conditions",
        "`audience` decides who is followed up, `when` whether a step happens; it is asked when the step's letter is "
        "to be written. A step whose condition is false is skipped and the next ones go on.",
        """\
audience: contact.country in ["JP", "CN", "TW"] and lead.interest >= 2
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you}
  - {id: sample, after: {thanks: 10 business days}, when: '"sample" in lead.requests', mail: sample_offer}
  - {id: call,   after: {thanks: 5 business days}, when: lead.rating >= 4 and not contact.city == "", task: call}
""",
    ),
    Example(
        "The send window",
        "Days and hours on the buyer's clock, or on Korea's. Weekends of the buyer's country are always left out, "
        "public holidays and quiet seasons (August in Spain, Christmas in Spanish America, Obon) unless `holidays` is "
        "`none`.",
        """\
send_window: {days: [mon, tue, wed, thu, fri], hours: 10:00-16:00, clock: korea, holidays: none}
""",
    ),
    Example(
        "What ends the follow-up",
        "An answer, an opt-out, a letter that came back, or a stage of the deal. Every file must name opt-outs "
        "and returned letters, since the law asks for it. A lost deal always ends it.",
        """\
exit_when: [replied, stage >= negotiation, opted_out, hard_bounced]
""",
    ),
    Example(
        "Links to the catalogue",
        "The letter links to the catalogue in the buyer's language, or in English where there is none.",
        """\
steps:
  - {id: catalogue, after: {show_close: 5 business days}, mail: catalogue, attach: catalogue}
""",
    ),
    Example(
        "When the buyer answers",
        "The deal moves and the advisor gets a task with its time.",
        """\
on_reply: {move: replied, task: answer, within: 1 business day}
""",
    ),
    Example(
        "Leads that come late",
        "`start_at_first_open_step` begins with the letter whose time came last (the last letter stays open for "
        f"{LAST_STEP_OPEN.days} days), `skip_missed` leaves out everything that was due, `start_from_beginning` counts "
        "from the day the lead came.",
        """\
late_import: skip_missed
""",
    ),
)
PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", Definition),
    ("`title`", Title),
    ("`send_window`", SendWindow),
    ("`steps`", Step),
    ("`cap`", Cap),
    ("`on_reply`", OnReply),
    ("`on_bounce`", OnBounce),
    ("`on_out_of_office`", OnOutOfOffice),
    ("`on_stage`", OnStage),
)


def with_snippet(snippet: str) -> str:
    """Return the smallest workflow with the keys of ``snippet`` put in."""
    blocks = _blocks(BASE) | _blocks(snippet)
    return "".join(blocks.values())


def _blocks(text: str) -> dict[str, str]:
    starts = [*(found.start() for found in re.finditer(r"(?m)^\w", text)), len(text)]
    parts = [text[start:end] for start, end in pairwise(starts)]
    return {part.partition(":")[0]: part for part in parts}


def manual() -> str:
    """Return the text of docs/workflows.md."""
    return "\n".join([*_opening(), *_reference(), *_vocabulary(), *_examples()]) + "\n"


def _opening() -> Iterator[str]:
    yield "# Workflow files"
    yield ""
    yield "<!-- Written by python -m crm.campaigns.manual from the models. Change those, not this page. -->"
    yield ""
    yield (
        "A workflow file in `workflows/` says who is followed up after an exhibition, with which letters, and when. "
        "`crm campaign check FILE` reads it and names every mistake with line and column; `crm campaign rehearse` "
        "plays it and lists who would get what, when and in which language. A campaign keeps the text it started "
        "with: a later change of the file does not touch leads on their way. Editors complete and check the keys with "
        "`workflow.schema.json`."
    )
    yield ""
    letters = "`templates/mail/<letter>/<language>.md`"
    yield f"Every letter must exist in all languages ({', '.join(LANGUAGES)}) as {letters}."


def _reference() -> Iterator[str]:
    for title, model in PARTS:
        yield from ("", f"## {title}", "")
        if model is not Definition and model.__doc__:
            yield from (" ".join(model.__doc__.split()), "")
        yield "| key | value | must be there | meaning |"
        yield "| --- | --- | --- | --- |"
        for name, field in model.model_fields.items():
            yield f"| `{name}` | {_kind(field.annotation)} | {_need(field)} | {_cell(field.description or '')} |"


def _need(field: FieldInfo) -> str:
    if field.is_required():
        return "yes"
    return f"no, `{field.default}`" if isinstance(field.default, str | Delay) else "no"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


WORDS: dict[Any, str] = {
    str: "text",
    bool: "`true` or `false`",
    int: "a number",
    date: "a day, `2026-12-10`",
    Hours: "hours, `09:30-11:30`",
    ExitRule: "a reason",
    Delay: "length of time, `5 business days`",
}


def _kind(annotation: Any) -> str:
    origin, inner = get_origin(annotation), [part for part in get_args(annotation) if part is not NoneType]
    if annotation in WORDS:
        return WORDS[annotation]
    if origin is Literal:
        return " ".join(f"`{choice}`" for choice in inner)
    if origin is list:
        return f"list of: {_kind(inner[0])}"
    if origin is dict:
        return f"keys with: {_kind(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "keys with values, see below"
    if origin is UnionType or inner:
        return _kind(inner[0])
    return "text"


def _vocabulary() -> Iterator[str]:
    yield from ("", "## Conditions", "")
    yield (
        f"At most {LENGTH} characters of names, texts in quotes, numbers, `==` `!=` `<` `>` `<=` `>=` `in` `and` `or` "
        "`not` and brackets. Patterns, functions and arithmetic are refused. Texts have no order. What is not known is "
        'an empty text `""` or `0`. Names and values are checked before anything runs.'
    )
    yield from ("", "| name | kind | meaning | values |", "| --- | --- | --- | --- |")
    for owner, words in VOCABULARY.items():
        for name, word in words.items():
            values = sorted(word.values()) if word.values else []
            shown = "" if not values or len(values) > 20 else " ".join(f"`{value}`" for value in values)
            kind = {"STRING": "text", "FLOAT": "number", "BOOLEAN": "yes or no", "ARRAY": "list of texts"}
            yield f"| `{owner}.{name}` | {kind[word.type.name]} | {word.meaning} | {shown} |"
    yield from ("", "## Reasons to stop", "")
    yield ", ".join(f"`{reason}`" for reason in EXIT_REASONS) + ", and `stage >= …` with one of"
    yield ", ".join(f"`{stage}`" for stage in WAY[1:]) + "."


def _examples() -> Iterator[str]:
    yield from ("", "## Examples", "", "Each shows only the keys it is about; the others are those of the first.")
    for example in EXAMPLES:
        yield from ("", f"### {example.title}", "", example.text, "", "```yaml", example.snippet.rstrip(), "```")


def schema() -> str:
    """Return the text of docs/workflow.schema.json."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


PAGES = {"workflows.md": manual, "workflow.schema.json": schema}


def main() -> None:
    """Write both pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
