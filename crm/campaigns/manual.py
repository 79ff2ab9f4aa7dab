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
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crm.campaigns.casefile import Buyer, Case, Expect, Happens, Moment, TestFile
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
from crm.campaigns.examples import BASE, EXAMPLES, TESTS
from crm.campaigns.language import LANGUAGES
from crm.campaigns.rules import Delay
from crm.pipeline.rules import WAY

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"

Parts = tuple[tuple[str, type[BaseModel]], ...]
PARTS: Parts = (
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
TEST_PARTS: Parts = (
    ("A file of tests", TestFile),
    ("`tests`", Case),
    ("`buyer`", Buyer),
    ("`happens`", Happens),
    ("`expect`", Expect),
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
    return "\n".join([*_opening(), *_reference(PARTS), *_vocabulary(), *_examples(), *_tests()]) + "\n"


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


def _reference(parts: Parts, level: str = "##") -> Iterator[str]:
    for title, model in parts:
        yield from ("", f"{level} {title}", "")
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
    Moment: "a day, or a day and a time, `2026-10-19 09:30`",
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


def _tests() -> Iterator[str]:
    yield from ("", "## Tests of a workflow", "")
    yield (
        "`workflows/tests/<name>.yaml` states what a workflow must do: a made-up buyer, what happens to it, and every "
        "letter, task, move and notice that must come of it. `crm campaign test` runs them all, `crm campaign test "
        "FILE` one file; it takes no more than a moment, writes nothing, and says what came in place of what was "
        "expected. Every letter counts as approved and sent in its slot."
    )
    yield from ("", "```yaml", TESTS.rstrip(), "```")
    yield from _reference(TEST_PARTS, "###")


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
