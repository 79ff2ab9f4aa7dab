"""What the pages of the import wizard show of an upload: read from its preview, in the viewer's language."""

from collections.abc import Iterable
from typing import Any

from crm.core.i18n import N_, _
from crm.exporters.models import Exhibition, Exporter
from crm.imports import aliases, mending, texts, undoing, uploads
from crm.imports.models import ImportBatch, Upload
from crm.web import staffwords, words
from crm.web.visits import Visit

ENCODINGS = (
    "utf-8", "cp949", "shift_jis", "euc_jp", "iso2022_jp", "gb18030", "big5", "windows-1252", "utf-16",
)  # fmt: skip
DELIMITERS = {",": N_("Comma"), ";": N_("Semicolon"), "\t": N_("Tab"), "|": N_("Vertical line")}
SHOWN_AS_COLUMNS = frozenset({"unknown_columns", "guessed_columns", "columns_by_value", "columns_not_as_named"})
FIXED = frozenset(
    {"consent_privacy", "consent_third_party", "consent_marketing", "consent_transfer", "opt_out", "sensitive"}
)
"""What a visitor consented to is proven by the file; it cannot be corrected by us."""
LINES_SHOWN = 25
SELECTS = 14
"""With so many columns each can be changed at once; with more, those that are sure are changed one by one."""


def step(visit: Visit, upload: Upload) -> dict[str, Any]:
    """Return what every step shows above its own."""
    exporter = visit.db.get(Exporter, upload.exporter_id) if upload.exporter_id else None
    preview = upload.options["preview"]
    notes = [note for note in preview["notes"] if note["code"] not in SHOWN_AS_COLUMNS]
    return {
        "upload": upload,
        "show": visit.db.get_one(Exhibition, upload.exhibition_id),
        "exporter": exporter,
        "preview": preview,
        "seen": uploads.version(upload),
        "notes": [_note(note) for note in notes],
    }


def _note(note: dict[str, Any]) -> str:
    params = {**note, "country": words.country(note["country"])} if "country" in note else note
    return texts.say(note["code"], None, params)


def way_back(batch: ImportBatch) -> dict[str, Any]:
    """Return what a page says of taking an import back: until when, and why not later."""
    return {"undo_until": undoing.deadline(batch), "undo_late": undoing.late_sentence(batch)}


# ---- columns


def columns(visit: Visit, upload: Upload, change: int = -1) -> dict[str, Any]:
    """Return what the page of the columns shows; ``change`` is the column that is to be changed though it is sure."""
    preview = upload.options["preview"]
    profile = preview["profile"]
    found = [_column(number, one, preview, change) for number, one in enumerate(headers(profile["sheets"]))]
    filled = [column for column in found if not column["empty"]]
    few = len(filled) <= SELECTS
    options = [(code, staffwords.field_name(code)) for code in aliases.fields() if code in staffwords.FIELDS]
    return {
        **step(visit, upload),
        "columns": [{**column, "select": few or column["select"]} for column in filled],
        "empty": [column["header"] for column in found if column["empty"]],
        "fields": [("", _("Not a field of ours")), *sorted(options, key=lambda one: one[1])],
        "encodings": encodings(upload),
        "delimiters": [(sign, _(name)) for sign, name in DELIMITERS.items()],
        "sheets": sheets(upload),
        "first": _first(preview),
        "head": _head(preview),
        "asks": uploads.asks_for_header(upload),
        "is_text": profile["format"] == "csv",
        "reads_letters": bool(profile["encoding"]),
    }


def headers(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return every header of the file once, as sheets of one workbook mostly share them."""
    known: dict[str, dict[str, Any]] = {}
    for sheet in found:
        for column in sheet["columns"]:
            if column["header"]:
                known.setdefault(column["header"], column)
    return list(known.values())


def _column(number: int, column: dict[str, Any], preview: dict[str, Any], change: int) -> dict[str, Any]:
    recalled = (preview["recalled"] or {}).get("headers", ())
    certainty = "saved" if column["header"] in recalled else column["certainty"]
    ours = mending.is_ours(column["header"])
    return {
        "number": number,
        "header": column["header"],
        "field": column["field"] or "",
        "field_name": staffwords.field_name(column["field"]) if column["field"] else _("Not a field of ours"),
        "samples": column["samples"],
        "certainty": certainty,
        "select": number == change or certainty in ("guessed", "unmapped"),
        "empty": ours or not (column["samples"] or column["field"] == "sensitive"),
    }


def encodings(upload: Upload) -> list[str]:
    """Return the encodings to choose from, that of the file among them."""
    present = upload.options["preview"]["profile"]["encoding"] or ""
    return list(ENCODINGS) if not present or present in ENCODINGS else [present, *ENCODINGS]


def sheets(upload: Upload) -> list[dict[str, Any]]:
    """Return all sheets of the file: those that are read, those left out, those on which no table was found."""
    preview = upload.options["preview"]
    found = [
        {"name": sheet["name"] or "", "read": True, "header_row": sheet["header_row"], "records": sheet["records"]}
        for sheet in preview["profile"]["sheets"]
    ]
    left = list(upload.options.get("skipped_sheets") or ())
    empty = [note["sheet"] for note in preview["notes"] if note["code"] == "sheet_skipped"]
    missing = [name for name in dict.fromkeys([*left, *empty]) if name not in {sheet["name"] for sheet in found}]
    chosen = upload.options.get("header_rows") or {}
    return [
        *found,
        *(
            {"name": name, "read": name not in left, "header_row": chosen.get(name, ""), "records": 0}
            for name in missing
        ),
    ]


def _first(preview: dict[str, Any]) -> dict[str, Any]:
    """Return the first rows as read, under the headers of their sheet."""
    rows = preview["first"]
    sheet = next(
        (one for one in preview["profile"]["sheets"] if rows and (one["name"] or "") == rows[0]["sheet"]), None
    )
    rows = [row for row in rows if row["sheet"] == rows[0]["sheet"]]
    width = max((len(row["cells"]) for row in rows), default=0)
    heads = [column["header"] for column in sheet["columns"]][:width] if sheet else []
    cells = [[*row["cells"], *[""] * (width - len(row["cells"]))] for row in rows]
    return {
        "heads": [*heads, *[""] * (width - len(heads))],
        "rows": [(row["row"], line) for row, line in zip(rows, cells, strict=True)],
    }


def _head(preview: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines to point at with a label for each; looks of older versions kept none."""
    rows = preview.get("head", ())
    return [{"row": row["row"], "text": " · ".join(cell for cell in row["cells"] if cell)} for row in rows]


# ---- problems


def problems(visit: Visit, upload: Upload, code: str, after: int) -> dict[str, Any]:
    """Return what the page of the problems shows: every kind of finding, and the rows of one of them."""
    values = step(visit, upload)
    found = values["preview"]["problems"]
    groups = [_group(one) for one in found if one["code"] != "left_out"]
    codes = [group["code"] for group in groups]
    chosen = code if code in codes else next(iter(codes), "")
    problem = next((one for one in found if one["code"] == chosen), None)
    lines = problem["lines"][after : after + LINES_SHOWN] if problem else []
    more = bool(problem) and after + LINES_SHOWN < len(problem["lines"] if problem else ())
    return {
        **values,
        "groups": [group for group in groups if group["mends"]],
        "settled": [group for group in groups if not group["mends"]],
        "to_mend": sum(group["count"] for group in groups if group["mends"]),
        "group": next((group for group in groups if group["code"] == chosen), None),
        "lines": [_line(upload, values["preview"], chosen, line) for line in lines],
        "after": after,
        "next": after + LINES_SHOWN if more else 0,
        "unseen": problem["count"] - len(problem["lines"]) if problem else 0,
        "left_out": len(uploads.left_out(upload)),
    }


def _group(problem: dict[str, Any]) -> dict[str, Any]:
    code = problem["code"]
    return {
        "code": code,
        "title": staffwords.finding_name(code),
        "count": problem["count"],
        "refused": code in texts.ROW_REFUSALS,
        "mends": uploads.mends(code),
    }


def _line(upload: Upload, preview: dict[str, Any], code: str, line: dict[str, Any]) -> dict[str, Any]:
    names = [sheet["name"] for sheet in preview["sheets"]]
    number = names.index(line["sheet"]) if line["sheet"] in names else 0
    place = (line["sheet"], line["row"])
    columns = preview["profile"]["sheets"][number]["columns"]
    return {
        "where": f"{line['sheet']} {line['row']}".strip(),
        "key": f"{number}.{line['row']}",
        "name": line["name"],
        "text": sentence(code, line),
        "cells": [
            _cell(upload, place, columns[index], index, text) for index, text in line["cells"] if index < len(columns)
        ],
    }


def _cell(upload: Upload, place: uploads.Place, column: dict[str, Any], index: int, text: str) -> dict[str, Any]:
    put = uploads.corrected(upload, place, index)
    return {
        "column": index,
        "header": column["header"] or f"#{index + 1}",
        "text": text if put is None else put,
        "fixed": column["field"] in FIXED,
    }


def sentence(code: str, line: dict[str, Any]) -> str:
    """Return the sentence of one finding about one row."""
    params = {**line, "field": staffwords.field_name(line["field"])} if "field" in line else line
    return texts.say(code, line["row"], params)


# ---- confirm


def confirm(visit: Visit, upload: Upload) -> dict[str, Any]:
    """Return what the page before the import shows: the changes, who may be known already, who refused mail."""
    values = step(visit, upload)
    changes = values["preview"]["changes"]
    found = {problem["code"]: problem for problem in values["preview"]["problems"]}
    return {
        **values,
        "changes": [_change(one) for one in changes[:LINES_SHOWN]],
        "more": max(0, len(changes) - LINES_SHOWN),
        "pairs": _some(found, "ambiguous_person"),
        "stopped": _some(found, "suppressed"),
        "to_mend": sum(one["count"] for code, one in found.items() if uploads.mends(code)),
        "left_out": len(uploads.left_out(upload)),
    }


def _change(change: dict[str, Any]) -> dict[str, Any]:
    """Return a change as it is shown; of what only grows (a list of addresses), the part that is added."""
    before, after = change["before"], change["after"]
    grows = bool(before) and after.startswith(f"{before}, ")
    shown = after[len(before) + 2 :] if grows else after
    return {**change, "field": staffwords.field_name(change["field"]), "after": shown, "grows": grows}


def _some(found: dict[str, dict[str, Any]], code: str) -> dict[str, Any]:
    problem = found.get(code) or {"count": 0, "lines": []}
    lines = [
        {**line, "other": line.get("other", ""), "where": f"{line['sheet']} {line['row']}".strip()}
        for line in problem["lines"][:LINES_SHOWN]
    ]
    return {"count": problem["count"], "lines": lines, "more": problem["count"] - len(lines)}
