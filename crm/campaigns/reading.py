"""Reads YAML files that people write, remembers where everything stands, and says what is wrong in plain sentences.

Workflow files and their tests are read the same way: every scalar as text, then given to a model, whose complaints come
back with line, column and what was probably meant.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from crm.campaigns import meant
from crm.campaigns.definition import EVENTS, EXIT_REASONS
from crm.campaigns.slips import WIDE_SIGNS, find_slip
from crm.campaigns.texts import EXAMPLES, PROBLEMS, hint_text, problem_text
from crm.core.errors import Place, Problem
from crm.pipeline.rules import Stage

MOST_CHARACTERS = 100_000
STANDARD, NULL_TAG = "tag:yaml.org,2002:", "tag:yaml.org,2002:null"
Path = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass
class YamlFile:
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
        except ReaderError as error:
            return self._fail("yaml_character", _line_and_column(self.text, int(error.position)))
        except MarkedYAMLError as error:
            return self._slipped(error)
        except YAMLError:
            return self._fail("yaml_other", (1, 1))
        if root is None:
            return self._fail("yaml_empty", (1, 1))
        if not isinstance(root, MappingNode):
            return self._fail("yaml_top", (1, 1))
        content: dict[str, Any] = self._plain(root, (), set())
        return content

    def sorted_problems(self) -> list[Problem]:
        """Return what was found wrong, in the order of the lines."""
        return sorted(self.problems, key=lambda problem: (problem.place.line or 0, problem.place.column or 0))

    def _slipped(self, error: MarkedYAMLError) -> dict[str, Any] | None:
        slip = find_slip(self.text)
        mark = error.problem_mark or error.context_mark
        if slip is not None and (mark is None or slip.line <= mark.line + 1):
            return self._fail(slip.code, (slip.line, slip.column), **slip.params)
        code = "yaml_escape" if "unknown escape" in (error.problem or "") else "yaml_other"
        return self._fail(code, (mark.line + 1, mark.column + 1) if mark else (1, 1))

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
        if not str(node.tag).startswith(STANDARD):
            self.say("yaml_sign_start", path, {"sign": "!", "quoted": f"'{node.tag} {node.value}'"})
        return None if isinstance(node, ScalarNode) and node.tag == NULL_TAG else str(node.value)

    def _mapping(self, node: MappingNode, path: Path, seen: set[int]) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._add("key_nameless", Place(self.name, *_position(key_node), _dotted(path) or None), {})
                continue
            key = str(key_node.value)
            value = self._plain(value_node, (*path, key), seen)
            if value is None and (mended := self._without_colon(key, key_node)):
                key, value = mended
                self.values[(*path, key)] = _position(value_node)
            here = (*path, key)
            if key in content:
                place = Place(self.name, *_position(key_node), _dotted(here))
                self._add("key_twice", place, {"name": key, "line": self.keys[here][0]})
                continue
            self.keys[here] = _position(key_node)
            content[key] = value
        return content

    def _without_colon(self, text: str, node: Node) -> tuple[str, str] | None:
        """Say that ``{id:thanks}`` and ``{id thanks}`` lack a space or a colon; return what they are meant to be."""
        for sign, code in ((":", "yaml_colon_space"), ("\N{FULLWIDTH COLON}", "yaml_wide_sign"), (" ", "yaml_colon")):
            name, found, value = text.partition(sign)
            if found and value.strip() and name.isidentifier():
                line, column = _position(node)
                place = Place(self.name, line, column + (0 if sign == " " else len(name)))
                self._add(code, place, {"name": name, "sign": sign, "meant": ":"})
                return name, value.strip()
        return None

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
            column += self._offset(line, column, offset)
        self._add(code, Place(self.name, line, column, _dotted(path) or None), params or {})

    def _offset(self, line: int, column: int, offset: int) -> int:
        shown = self.text.splitlines()[line - 1][column - 1 :]
        quoted = shown[:1] in ("'", '"')
        # Folded and escaped texts do not stand in the file as they are read; then the start must do.
        return 0 if shown[:1] in ("|", ">") or offset >= len(shown) else offset + quoted

    def _add(self, code: str, place: Place, params: Mapping[str, object]) -> None:
        problem = Problem(problem_text(code, **params), place, hint_text(code, **params), code)
        if problem not in self.problems:
            self.problems.append(problem)


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")


def _dotted(path: Path) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def near(name: str, known: Iterable[str]) -> dict[str, object]:
    """Return the values of a hint: the near name (or an empty text) and all names."""
    names = list(known)
    return {"near": meant.near(name, names), "known": ", ".join(names)}


# ---------------------------------------------------------------- what the models say

TYPE_CODES = {
    "string_type": "value_text",
    "list_type": "value_list",
    "model_type": "value_map",
    "model_attributes_type": "value_map",
    "dict_type": "value_map",
    "too_long": "value_long",
    "string_too_long": "value_long",
    "too_short": "value_empty",
    "string_too_short": "value_empty",
    "int_parsing": "value_number",
    "int_type": "value_number",
    "bool_parsing": "value_yes_no",
    "bool_type": "value_yes_no",
    "greater_than_equal": "value_other",
    "less_than_equal": "value_other",
}
ONE_KEY = ("after", "before")
MEANT: Mapping[str, Callable[[str], str]] = {
    "delay_form": meant.delay,
    "hours_form": meant.hours,
    "exit_form": lambda text: meant.near(text, EXIT_REASONS),
    "exit_stage": lambda text: meant.near(text, list(Stage)),
    "event_unknown": lambda text: meant.near(text, EVENTS),
    "date_form": meant.day,
    "moment_form": meant.moment,
}


def validated(model: type[Model], data: Mapping[str, Any], file: YamlFile) -> Model | None:
    """Return the content as ``model``, or None after noting every complaint in ``file``."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found: list[dict[str, Any]] = [dict(item) for item in error.errors()]
        meant_for = {_meant_path(model, item) for item in found if item["type"] == "extra_forbidden"}
        for item in found:
            # Who wrote day: for days: made one mistake and is told of one.
            if item["type"] != "missing" or _path(item["loc"]) not in meant_for:
                _say_invalid(model, item, file)
        return None


def _meant_path(model: type[BaseModel], error: Mapping[str, Any]) -> Path:
    path = _path(error["loc"])
    return (*path[:-1], str(near(str(path[-1]), fields(model, path[:-1]))["near"]))


def _say_invalid(model: type[BaseModel], error: dict[str, Any], file: YamlFile) -> None:
    path = _path(error["loc"])
    kind, name, value = error["type"], str(path[-1]) if path else "", error["input"]
    if kind == "extra_forbidden":
        _say_unknown_key(model, path, name, file)
    elif kind == "missing":
        file.say("key_missing", path[:-1], {"name": name, "example": EXAMPLES.get(name, "…")})
    elif kind == "literal_error":
        _say_choice(model, path, name, value, file)
    elif kind == "string_pattern_mismatch":
        file.say("value_name", path, {"value": value})
    else:
        _say_value(kind, path, value, error.get("ctx", {}), file)


def _path(loc: Iterable[str | int]) -> Path:
    # "[key]" is how the models mark that a key itself, not its value, is wrong.
    return tuple(part for part in loc if part != "[key]")


def _say_unknown_key(model: type[BaseModel], path: Path, name: str, file: YamlFile) -> None:
    hint = near(name, fields(model, path[:-1]))
    owners = [owner for owner in _owners(model, name) if owner != path[:-1]] if not hint["near"] else []
    if owners:
        code = "key_misplaced" if owners[0] else "key_misplaced_top"
        file.say(code, path, {"name": name, "owner": _dotted(owners[0])}, at_key=True)
    else:
        file.say("key_unknown", path, {"name": name, **hint}, at_key=True)


def _say_choice(model: type[BaseModel], path: Path, name: str, value: Any, file: YamlFile) -> None:
    choices = [str(choice) for choice in _literals(_annotation(model, path))]
    wide = next((at for at, sign in enumerate(str(value)) if sign in WIDE_SIGNS), None)
    if wide is not None:
        sign = str(value)[wide]
        file.say("yaml_wide_sign", path, {"sign": sign, "meant": WIDE_SIGNS[sign]}, offset=wide)
    elif value is None:
        file.say("value_empty", path, {"name": _name(path), "known": ", ".join(choices)}, at_key=True)
    else:
        file.say("value_choice", path, {"value": value or name, **near(str(value), choices)})


def _say_value(kind: str, path: Path, value: Any, ctx: dict[str, Any], file: YamlFile) -> None:
    name = _name(path)
    if name in ONE_KEY and kind in ("too_long", "too_short"):
        file.say("anchor_count", path)
    elif value is None and kind in TYPE_CODES:
        file.say("value_empty", path, {"name": name}, at_key=True)
    elif kind in TYPE_CODES:
        file.say(TYPE_CODES[kind], path, {"name": name, "value": value, **_as_list(kind, value)})
    elif kind in PROBLEMS:
        text = str(ctx.get("value", ""))
        hint = meant_by(kind, text)
        file.say(
            "value_empty" if value is None else kind, path, {"name": name, **ctx, **({"near": hint} if hint else {})}
        )
    else:
        file.say("value_other", path, {"name": name, "value": value})


def meant_by(code: str, text: str) -> str:
    """Return what a text was probably meant to be, for the codes of which that can be told."""
    return MEANT[code](text) if code in MEANT else ""


def _as_list(kind: str, value: Any) -> dict[str, object]:
    return {"near": f"[{value}]"} if kind == "list_type" and isinstance(value, str) else {}


def _name(path: Path) -> str:
    """Return the key that a value belongs to; entries of a list are called by the list's."""
    return next((str(part) for part in reversed(path) if not isinstance(part, int)), "")


def fields(model: type[BaseModel], path: Path) -> Mapping[str, Any]:
    """Return the fields that may stand under ``path``; none where that is no part of its own."""
    found = _inner_model(_annotation(model, path)) if path else model
    return found.model_fields if found is not None else {}


def _annotation(model: type[BaseModel], path: Path) -> Any:
    """Return the type of the value at ``path``."""
    here: Any = model
    for part in path:
        here = _step_into(here, part)
    return here


def _step_into(annotation: Any, part: str | int) -> Any:
    for kind in _alternatives(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel) and part in kind.model_fields:
            return kind.model_fields[str(part)].annotation
        if get_origin(kind) in (list, tuple) and isinstance(part, int):
            return get_args(kind)[0]
        if get_origin(kind) in (dict, Mapping):
            return get_args(kind)[1]
    return Any


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types a value may have, annotations and ``| None`` taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for inner in get_args(annotation):
            yield from _alternatives(inner)
    else:
        yield annotation


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    found = (kind for kind in _alternatives(annotation) if isinstance(kind, type) and issubclass(kind, BaseModel))
    return next(found, None)


def _literals(annotation: Any) -> Iterator[Any]:
    for kind in _alternatives(annotation):
        if get_origin(kind) is Literal:
            yield from get_args(kind)
        else:
            for inner in get_args(kind):
                yield from _literals(inner)


def _owners(model: type[BaseModel], name: str) -> Iterator[Path]:
    """Yield the parts of the file in which a key called ``name`` may stand, the file itself first."""
    if name in model.model_fields:
        yield ()
    for key, info in model.model_fields.items():
        for kind in _alternatives(info.annotation):
            inner = _inner_model(get_args(kind)[0]) if get_origin(kind) is list else _inner_model(kind)
            if inner is not None and name in inner.model_fields:
                yield (key,)
