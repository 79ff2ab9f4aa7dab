"""Checks a workflow file before it can run, and says of every mistake where it stands and what was probably meant."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from crm.campaigns.conditions import ConditionError, compile_condition
from crm.campaigns.definition import (
    EVENTS,
    EXIT_REASONS,
    HAPPENED,
    OTHERWISE,
    REQUIRED_EXITS,
    SHOW_CLOSE,
    TIMEOUT,
    Cap,
    Definition,
    OnBounce,
    OnOutOfOffice,
    OnReply,
    OnStage,
    SendWindow,
    Step,
    Title,
)
from crm.campaigns.language import LANGUAGES
from crm.campaigns.texts import hint_text, problem_text
from crm.core.errors import Place, Problem
from crm.pipeline.rules import WAY

MOST_CHARACTERS = 100_000
NULL_TAG = "tag:yaml.org,2002:null"
Path = tuple[str | int, ...]
PARTS: Mapping[str, type[BaseModel]] = {
    "title": Title,
    "send_window": SendWindow,
    "steps": Step,
    "dates": Title,
    "cap": Cap,
    "on_reply": OnReply,
    "on_bounce": OnBounce,
    "on_out_of_office": OnOutOfOffice,
    "on_stage": OnStage,
}


def check(text: str, filename: str, templates: Mapping[str, set[str]]) -> tuple[Definition | None, list[Problem]]:
    """Read a workflow file; return it with no problems, or None with every problem, in the order of the lines.

    ``filename`` is shown in places; ``templates`` are the letters there are, each with its languages.
    """
    file = _File(filename, text)
    data = file.read()
    definition = _validated(data, file) if data is not None else None
    if data is not None:
        _check_file_name(data, file)
        _check_steps(data, file)
        _check_letters(data, file, templates)
        _check_conditions(data, file)
        _check_exits_and_window(data, file)
    problems = sorted(file.problems, key=lambda problem: (problem.place.line or 0, problem.place.column or 0))
    return (None if problems else definition), problems


@dataclass
class _File:
    """A file while it is checked: where each key and value stands, and what was found wrong."""

    name: str
    text: str
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def read(self) -> dict[str, Any] | None:
        """Return the plain content, every scalar as text; None when there is nothing to go on with."""
        if len(self.text) > MOST_CHARACTERS:
            return self._fail("yaml_long", None, most=MOST_CHARACTERS)
        try:
            root = YAML().compose(self.text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else None
            return self._fail("yaml_syntax", place, error=error.problem or error.context or "")
        except YAMLError as error:
            return self._fail("yaml_syntax", None, error=str(error).splitlines()[0])
        if root is None:
            return self._fail("yaml_empty", (1, 1))
        if not isinstance(root, MappingNode):
            return self._fail("yaml_top", (1, 1))
        content: dict[str, Any] = self._plain(root, (), set())
        return content

    def _fail(self, code: str, place: tuple[int, int] | None, **params: object) -> dict[str, Any] | None:
        self._add(code, Place(self.name, *(place or ())), params)
        return None

    def _plain(self, node: Node, path: Path, seen: set[int]) -> Any:
        self.values[path] = _position(node)
        if id(node) in seen:
            self.say("yaml_alias", path)
            return None
        seen.add(id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path, seen)
        if isinstance(node, SequenceNode):
            return [self._plain(item, (*path, number), seen) for number, item in enumerate(node.value)]
        return None if isinstance(node, ScalarNode) and node.tag == NULL_TAG else str(node.value)

    def _mapping(self, node: MappingNode, path: Path, seen: set[int]) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            here = (*path, key)
            if key in content:
                place = Place(self.name, *_position(key_node), _dotted(here))
                self._add("key_twice", place, {"name": key, "line": self.keys[here][0]})
                continue
            self.keys[here] = _position(key_node)
            content[key] = self._plain(value_node, here, seen)
        return content

    def say(
        self,
        code: str,
        path: Path,
        params: Mapping[str, object] | None = None,
        *,
        at_key: bool = False,
        offset: int | None = None,
    ) -> None:
        """Note a problem at a value, at its key, or at an offset inside a value of one line."""
        table = self.keys if at_key and path in self.keys else self.values
        while path not in table and path:
            path = path[:-1]
        line, column = table.get(path, (1, 1))
        if offset is not None:
            column += self._offset(path, line, column, offset)
        self._add(code, Place(self.name, line, column, _dotted(path) or None), params or {})

    def _offset(self, path: Path, line: int, column: int, offset: int) -> int:
        shown = self.text.splitlines()[line - 1][column - 1 :]
        quoted = shown[:1] in ("'", '"')
        # Folded and escaped texts do not stand in the file as they are read; then the start must do.
        return 0 if shown[:1] in ("|", ">") or offset >= len(shown) else offset + quoted

    def _add(self, code: str, place: Place, params: Mapping[str, object]) -> None:
        self.problems.append(Problem(problem_text(code, **params), place, hint_text(code, **params), code))


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _dotted(path: Path) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _near(name: str, known: Iterable[str]) -> dict[str, object]:
    names = list(known)
    return {"near": next(iter(get_close_matches(name, names, n=1)), ""), "known": ", ".join(names)}


def _validated(data: dict[str, Any], file: _File) -> Definition | None:
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        for item in error.errors():
            _say_invalid(dict(item), file)
        return None


EXIT_NAMES: Mapping[str, tuple[str, ...]] = {
    "exit_stage": WAY, "exit_form": EXIT_REASONS, "event_unknown": EVENTS,
}  # fmt: skip
TYPE_CODES = {
    "string_type": "value_text",
    "list_type": "value_list",
    "model_type": "value_map",
    "dict_type": "value_map",
    "too_long": "value_long",
    "string_too_long": "value_long",
    "too_short": "value_empty",
    "string_too_short": "value_empty",
}


def _say_invalid(error: dict[str, Any], file: _File) -> None:
    path: Path = tuple(error["loc"])
    kind, name, value = error["type"], str(path[-1]) if path else "", error["input"]
    if kind == "extra_forbidden":
        file.say("key_unknown", path, {"name": name, **_near(name, _fields(path))}, at_key=True)
    elif kind == "missing":
        file.say("key_missing", path[:-1], {"name": name})
    elif kind == "literal_error":
        file.say("value_choice", path, {"value": value or name, **_near(str(value), _choices(path))})
    elif kind == "string_pattern_mismatch":
        file.say("value_name", path, {"value": value})
    elif name == "after" and kind in ("too_long", "too_short"):
        file.say("anchor_count", path)
    else:
        _say_value(kind, path, name, value, error.get("ctx", {}), file)


def _say_value(kind: str, path: Path, name: str, value: Any, ctx: dict[str, Any], file: _File) -> None:
    if value is None and kind in TYPE_CODES:
        file.say("value_empty", path, {"name": name}, at_key=True)
    elif kind in TYPE_CODES:
        file.say(TYPE_CODES[kind], path, {"name": name})
    elif kind in EXIT_NAMES:
        file.say(kind, path, {**ctx, "near": _near(str(ctx["value"]), EXIT_NAMES[kind])["near"]})
    elif ctx.get("value") is not None:
        file.say(kind, path, ctx)
    else:
        file.say("value_other", path, {"name": name, "value": value})


def _model(path: Path) -> type[BaseModel]:
    if "window" in path[:-1]:
        return SendWindow
    return PARTS.get(str(path[0]), Definition) if len(path) > 1 else Definition


def _fields(path: Path) -> list[str]:
    return list(_model(path).model_fields)


def _choices(path: Path) -> list[str]:
    name = next(str(part) for part in reversed(path) if not isinstance(part, int))
    return [str(choice) for choice in _literals(_model(path).model_fields[name].annotation)]


def _literals(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for inner in get_args(annotation):
            yield from _literals(inner)


def _check_file_name(data: dict[str, Any], file: _File) -> None:
    stem, name = PurePath(file.name).stem, data.get("workflow")
    if isinstance(name, str) and stem and name != stem:
        file.say("file_name", ("workflow",), {"file": PurePath(file.name).name, "name": name})


def _raw_steps(data: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """Return the steps that can be looked at, also of a file with other mistakes, so that all are told at once."""
    steps = data.get("steps")
    return [(i, step) for i, step in enumerate(steps if isinstance(steps, list) else []) if isinstance(step, dict)]


def _check_steps(data: dict[str, Any], file: _File) -> None:
    order: dict[str, int] = {}
    for number, step in _raw_steps(data):
        name = step.get("id")
        if not isinstance(name, str):
            continue
        if name == SHOW_CLOSE:
            file.say("step_reserved", ("steps", number, "id"), {"name": name})
        elif name in order:
            file.say("step_twice", ("steps", number, "id"), {"name": name})
        else:
            order[name] = number
    steps = dict(_raw_steps(data))
    outcomes = {f"{name}.{end}": name for name, number in order.items() for end in _outcomes(steps[number])}
    given = {*EVENTS, *(data["dates"] if isinstance(data.get("dates"), dict) else ())}
    anchors = {name: _anchor(steps[number]) for name, number in order.items()}
    anchors = {
        name: SHOW_CLOSE if anchor in given else outcomes.get(anchor, anchor) for name, anchor in anchors.items()
    }
    told: set[str] = set()
    for name, number in order.items():
        _check_anchor(name, number, order, anchors, told, file)


def _outcomes(step: dict[str, Any]) -> Iterable[str]:
    arms = step.get("branch")
    return arms if isinstance(arms, dict) else (HAPPENED, TIMEOUT) if "wait_for" in step else ()


def _anchor(step: dict[str, Any]) -> str:
    after = step.get("after") or step.get("before")
    return next(iter(after)) if isinstance(after, dict) and len(after) == 1 else SHOW_CLOSE


def _check_anchor(
    name: str, number: int, order: dict[str, int], anchors: dict[str, str], told: set[str], file: _File
) -> None:
    anchor = anchors[name]
    path: Path = ("steps", number, "after", anchor)
    if anchor == SHOW_CLOSE:
        return
    if anchor not in order:
        file.say("anchor_unknown", path, {"name": anchor, **_near(anchor, [SHOW_CLOSE, *order])}, at_key=True)
        told.add(name)
        return
    chain = _chain(name, anchors)
    if chain[-1] == name:
        if name not in told:
            file.say("anchor_circle", path, {"names": " → ".join(chain)}, at_key=True)
        told.update(chain)
    elif anchor in told or chain[-1] in chain[:-1]:
        file.say("step_unreachable", path, {"name": name, "anchor": anchor}, at_key=True)
        told.add(name)
    elif order[anchor] > number:
        file.say("anchor_below", path, {"name": name, "anchor": anchor}, at_key=True)


def _chain(name: str, anchors: dict[str, str]) -> list[str]:
    """Return the step and what it follows, and so on; the last one is the first that came twice, if any did."""
    chain = [name]
    while (anchor := anchors.get(chain[-1], SHOW_CLOSE)) in anchors:
        chain.append(anchor)
        if anchor in chain[:-1]:
            break
    return chain


def _check_letters(data: dict[str, Any], file: _File, templates: Mapping[str, set[str]]) -> None:
    for number, step in _raw_steps(data):
        letter, path = step.get("mail"), ("steps", number, "mail")
        if not isinstance(letter, str):
            continue
        if letter not in templates:
            file.say("template_unknown", path, {"name": letter, **_near(letter, sorted(templates))})
        elif missing := [language for language in LANGUAGES if language not in templates[letter]]:
            files = ", ".join(f"{letter}/{language}.md" for language in missing)
            file.say("template_languages", path, {"name": letter, "languages": ", ".join(missing), "files": files})


def _check_conditions(data: dict[str, Any], file: _File) -> None:
    if _constant(data.get("audience"), ("audience",), file) is False:
        file.say("audience_nobody", ("audience",))
    for number, step in _raw_steps(data):
        path = ("steps", number, "when")
        if _constant(step.get("when"), path, file) is False:
            file.say("step_never", path, {"name": step.get("id", "")})
        arms = step.get("branch")
        for name, text in (arms if isinstance(arms, dict) else {}).items():
            if text != OTHERWISE:
                _constant(text, ("steps", number, "branch", name), file)


def _constant(text: Any, path: Path, file: _File) -> bool | None:
    """Check one condition; return its answer if it is always the same."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return compile_condition(text).constant
    except ConditionError as error:
        file.say(error.code, path, error.params, offset=error.at)
        return None


def _check_exits_and_window(data: dict[str, Any], file: _File) -> None:
    exits = data.get("exit_when")
    for name in REQUIRED_EXITS:
        if isinstance(exits, list) and name not in exits:
            file.say("exit_required", ("exit_when",), {"name": name})
    window = data.get("send_window")
    days = window.get("days") if isinstance(window, dict) else None
    if isinstance(days, list) and days and set(map(str, days)) <= {"sat", "sun"}:
        file.say("window_weekend", ("send_window", "days"))
