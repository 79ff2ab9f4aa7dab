"""The picture of a workflow: every step stands in it once, below what it follows, and nothing overlaps."""

from itertools import combinations
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from crm.campaigns.graph import Box, Drawing, Stop, draw, forest, walk, wrap


class Following(NamedTuple):
    id: str
    anchor: str


CHAIN = [Following("thanks", "show_close"), Following("wait", "thanks"), Following("call", "wait.timeout")]


@st.composite
def workflows(draw_: st.DrawFn) -> list[Following]:
    steps: list[Following] = []
    for number in range(draw_(st.integers(1, 25))):
        above = st.sampled_from([step.id for step in steps]) if steps else st.nothing()
        arm = st.sampled_from(["", ".hot", ".timeout"])
        own = st.builds(lambda name, by: name + by, above, arm)
        anchor = draw_(st.sampled_from(["show_close", "reply", "sample.delivered", "stage.lost"]) | own)
        steps.append(Following(f"s{number}", anchor))
    return steps


def drawing(steps: list[Following]) -> Drawing:
    trees = forest(steps)
    return draw(trees, {stop.name: [f"{stop.name} 메일을 보냅니다", "영업일 3일 뒤"] for stop in walk(trees)})


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def test_a_chain_hangs_on_the_end_of_the_show_and_names_its_outcome() -> None:
    [root] = forest(CHAIN)
    assert root == Stop(
        "show_close",
        then=(Stop("thanks", "thanks", then=(Stop("wait", "wait", then=(Stop("call", "call", "timeout"),)),)),),
    )


def test_an_event_with_a_dot_is_a_root_of_its_own() -> None:
    roots = forest([*CHAIN, Following("feedback", "sample.delivered")])
    assert [root.name for root in roots] == ["show_close", "sample.delivered"]
    assert roots[1].then[0].arm == ""


@given(workflows())
def test_every_step_stands_once_below_what_it_follows(steps: list[Following]) -> None:
    found = drawing(steps)
    boxes = {box.stop.name: box for box in found.boxes}
    assert sorted(box.stop.step for box in found.boxes if box.stop.step) == sorted(step.id for step in steps)
    known = {step.id for step in steps}
    for step in steps:
        parent = step.anchor.split(".")[0] if step.anchor.split(".")[0] in known else step.anchor
        assert boxes[parent].y + boxes[parent].height < boxes[step.id].y
        assert sum(line.target == step.id and line.source == parent for line in found.lines) == 1


@given(workflows())
def test_no_two_boxes_touch_and_all_stand_inside_the_picture(steps: list[Following]) -> None:
    found = drawing(steps)
    assert not any(overlap(one, other) for one, other in combinations(found.boxes, 2))
    assert all(box.x >= 0 and box.x + box.width <= found.width for box in found.boxes)
    assert all(box.y >= 0 and box.y + box.height <= found.height for box in found.boxes)


def test_trees_that_have_no_room_side_by_side_stand_below_each_other() -> None:
    events = ("show_close", "sample.sent", "sample.delivered")
    boxes = {box.stop.name: box for box in drawing([Following(f"s{n}", name) for n, name in enumerate(events)]).boxes}
    assert boxes["show_close"].y == boxes["sample.sent"].y
    assert boxes["sample.delivered"].y > boxes["s0"].y
    assert boxes["sample.delivered"].x == boxes["show_close"].x


def test_a_long_title_is_a_title_on_all_its_lines() -> None:
    trees = forest([Following("a", "show_close")])
    boxes = draw(trees, {"a": ["가나다라마바사 아자차카타파하 가나다라마바사", "영업일 3일 뒤"]}).boxes
    assert [(box.title_lines, len(box.lines)) for box in boxes] == [(0, 0), (2, 3)]


def test_steps_that_wait_for_each_other_do_not_hang_the_picture() -> None:
    assert forest([Following("a", "b"), Following("b", "a")]) == ()


@given(st.text(max_size=200), st.integers(1, 4))
def test_a_line_never_grows_wider_than_its_box(text: str, most: int) -> None:
    lines = wrap(text, 10, most)
    assert len(lines) <= most
    assert all(sum(1.0 if ord(letter) > 0x2E80 else 0.56 for letter in line) <= 10.5 for line in lines)


def test_what_does_not_fit_ends_in_dots() -> None:
    assert wrap("가나다라마바사 아자차카타파하 가나다라마바사", 7, 2) == ["가나다라마바사", "아자차카타파…"]
