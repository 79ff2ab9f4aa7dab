"""A workflow as a picture: which step stands below which, and where each box and line goes. Pure.

Each step follows exactly one thing, so a workflow is a few trees: one from the end of the show, one from each date or
event that steps hang on. ``forest`` finds them, ``draw`` gives every box its place; words and colours are the page's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

WIDTH, GAP, LAYER_GAP, LINE, PAD = 288, 26, 58, 25, 13
MOST_COLUMNS = 2
"""Trees stand side by side as long as all of them are no wider than this; then the next ones stand below."""
"""Sizes in pixels at the smallest size of letters; the page scales all of them with the letters."""
LETTERS_A_LINE = 15
"""How many letters of Korean fit into a line of a box."""
_MOST_LINES = 3


class Follower(Protocol):
    """What ``forest`` needs to know of a step."""

    @property
    def id(self) -> str: ...

    @property
    def anchor(self) -> str: ...


@dataclass(frozen=True)
class Stop:
    """A place in the workflow: a step, or (``step`` empty) what steps hang on. ``arm``: the outcome that leads here."""

    name: str
    step: str = ""
    arm: str = ""
    then: "tuple[Stop, ...]" = ()


def forest(steps: Iterable[Follower]) -> tuple[Stop, ...]:
    """Return the trees of a workflow, in the order of the file; names of roots are the anchors that are no steps."""
    rows = list(steps)
    known = {step.id for step in rows}
    below: dict[str, list[tuple[str, str]]] = {}
    for step in rows:
        parent, _dot, arm = step.anchor.partition(".")
        if parent not in known:
            parent, arm = step.anchor, ""
        below.setdefault(parent, []).append((step.id, arm))

    def grow(name: str, arm: str, seen: frozenset[str]) -> Stop:
        children = [child for child in below.get(name, ()) if child[0] not in seen]
        then = tuple(grow(child, by, seen | {child}) for child, by in children)
        return Stop(name, name if name in known else "", arm, then)

    return tuple(grow(name, "", frozenset()) for name in below if name not in known)


def walk(stops: Iterable[Stop]) -> Iterable[Stop]:
    """Yield every stop of the trees, each before those below it."""
    for stop in stops:
        yield stop
        yield from walk(stop.then)


@dataclass(frozen=True)
class Box:
    """A placed box with the lines of text in it; the first ``title_lines`` of them are its title."""

    stop: Stop
    x: int
    y: int
    width: int
    height: int
    lines: tuple[str, ...]
    title_lines: int

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True)
class Line:
    """A line between two boxes: ``path`` as SVG draws it, and where its outcome is written."""

    source: str
    target: str
    path: str
    arm: str
    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """The whole picture. ``rem`` sizes make it grow with the letters of the page."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(trees: Sequence[Stop], texts: Mapping[str, Sequence[str]]) -> Drawing:
    """Place the boxes of ``trees``; ``texts`` are the paragraphs in each, by the stop's name.

    A box stands in the middle above those that follow it; no two boxes touch.
    """
    wrapped = {stop.name: [wrap(text) for text in texts.get(stop.name, ())] for stop in walk(trees)}
    boxes: list[Box] = []
    lines: list[Line] = []
    top = 1
    for row in _rows(trees):
        placed, joined = _row(row, wrapped, top)
        boxes += placed
        lines += joined
        top = max(box.y + box.height for box in placed) + LAYER_GAP
    order = {stop.name: number for number, stop in enumerate(walk(trees))}
    boxes.sort(key=lambda box: order[box.stop.name])
    width = max((box.x + box.width for box in boxes), default=0) + 1
    height = max((box.y + box.height for box in boxes), default=0) + 1
    return Drawing(width, height, tuple(boxes), tuple(lines))


def _rows(trees: Sequence[Stop]) -> list[list[Stop]]:
    rows: list[list[Stop]] = []
    columns = 0
    for tree in trees:
        width = sum(not stop.then for stop in walk([tree]))
        if not rows or columns + width > MOST_COLUMNS:
            rows.append([])
            columns = 0
        rows[-1].append(tree)
        columns += width
    return rows


def _row(trees: Sequence[Stop], wrapped: Mapping[str, list[list[str]]], top: int) -> tuple[list[Box], list[Line]]:
    layers = _layers(trees)
    heights = [2 * PAD + LINE * max(sum(map(len, wrapped[stop.name])) for stop in layer) for layer in layers]
    tops = [top + sum(heights[:depth]) + depth * LAYER_GAP for depth in range(len(layers))]
    boxes: list[Box] = []
    lines: list[Line] = []
    columns = 0

    def place(stop: Stop, depth: int) -> Box:
        nonlocal columns
        children = [place(child, depth + 1) for child in stop.then]
        if children:
            x = (children[0].x + children[-1].x) // 2
        else:
            x, columns = columns * (WIDTH + GAP) + 1, columns + 1
        paragraphs = wrapped[stop.name]
        lines_ = tuple(line for paragraph in paragraphs for line in paragraph)
        box = Box(stop, x, tops[depth], WIDTH, heights[depth], lines_, len(paragraphs[0]) if paragraphs else 0)
        boxes.append(box)
        lines.extend(_line(box, child) for child in children)
        return box

    for tree in trees:
        place(tree, 0)
    return boxes, lines


def _layers(trees: Sequence[Stop]) -> list[list[Stop]]:
    found: list[list[Stop]] = []
    here = list(trees)
    while here:
        found.append(here)
        here = [child for stop in here for child in stop.then]
    return found


def _line(above: Box, below: Box) -> Line:
    start, end = above.y + above.height, below.y
    turn = start + LAYER_GAP // 3
    across = f"H{below.middle}" if below.middle != above.middle else ""
    path = f"M{above.middle} {start}V{turn}{across}V{end}"
    return Line(above.stop.name, below.stop.name, path, below.stop.arm, below.middle + 10, end - 13)


def wrap(text: str, width: float = LETTERS_A_LINE, most: int = _MOST_LINES) -> list[str]:
    """Break a text into lines of ``width`` Korean letters; what does not fit into ``most`` lines ends in …."""
    lines: list[str] = [""]
    for word in text.split():
        for part in _parts(word, width):
            joined = f"{lines[-1]} {part}" if lines[-1] else part
            if _width(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(part)
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
    return [line for line in lines if line]


def _parts(word: str, width: float) -> list[str]:
    """Cut a word that is wider than a line."""
    parts = [""]
    for letter in word:
        if _width(parts[-1] + letter) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _width(text: str) -> float:
    return sum(1.0 if ord(letter) > 0x2E80 else 0.56 for letter in text)
