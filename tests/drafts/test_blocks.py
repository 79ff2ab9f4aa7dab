"""A letter's file taken apart into blocks: nothing is lost, and only what was changed changes."""

from hypothesis import given
from hypothesis import strategies as st

from crm.core.config import ROOT
from crm.drafts.blocks import joined, keys_of, rewritten, split, tidy

LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["[[subject]]", "[[greeting]]", "[[greeting 2]]", "[[closing]] ", "", "  ", "{% if a %}", "안녕"]
        ),
        st.text(max_size=12),
    ),
    max_size=12,
)
ENDS = st.sampled_from(["\n", "\r\n"])
FILE = "{# note #}\n[[subject]]\nHello\n\n[[greeting]]\nDear\n\n\n[[closing]]\nBye\n"
KEYS = ["subject", "greeting", "closing"]


@given(LINES, ENDS, st.booleans())
def test_a_file_taken_apart_and_put_together_is_the_same(lines: list[str], end: str, last: bool) -> None:
    text = end.join(lines) + (end if last else "")
    assert joined(split(text)) == text


@given(LINES, ENDS)
def test_a_file_whose_blocks_are_posted_back_unchanged_keeps_its_bytes(lines: list[str], end: str) -> None:
    found = split("".join(f"{line}{end}" for line in lines))
    once = {block.key: block for block in found.blocks}
    text = found.head + "".join(block.heading + block.body for block in once.values())
    kept = {key: block for key, block in once.items() if block.text or " " not in key}
    if len(kept) == len(once):
        assert rewritten(text, list(once), {key: block.text for key, block in once.items()}) == text


def test_every_shipped_file_keeps_its_bytes_when_nothing_is_changed() -> None:
    for path in (ROOT / "templates" / "mail").glob("*/*.md"):
        text = path.read_bytes().decode()
        found = split(text)
        keys = [block.key for block in found.blocks]
        assert rewritten(text, keys, found.texts) == text, path


def test_only_the_changed_block_changes() -> None:
    assert rewritten(FILE, KEYS, {**split(FILE).texts, "greeting": "Good day\r\n"}) == FILE.replace(
        "Dear\n\n\n", "Good day\n\n"
    )


def test_a_new_block_stands_where_its_order_says() -> None:
    text = rewritten(FILE, ["subject", "greeting", "thanks", "closing"], {**split(FILE).texts, "thanks": "Thanks"})
    assert [block.key for block in split(text).blocks] == ["subject", "greeting", "thanks", "closing"]
    assert "[[thanks]]\nThanks\n\n[[closing]]" in text


def test_a_further_wording_without_a_text_goes() -> None:
    text = FILE.replace("[[closing]]", "[[greeting 2]]\nHi\n\n[[closing]]")
    keys = keys_of(["greeting", "closing"], split(text))
    assert keys == ["subject", "greeting", "greeting 2", "closing"]
    assert rewritten(text, keys, {**split(text).texts, "greeting 2": " "}) == FILE


def test_a_variant_holds_only_the_blocks_that_have_a_text() -> None:
    assert rewritten("", KEYS, {"greeting": "Hola"}, optional=True) == "[[greeting]]\nHola\n"


def test_a_line_belongs_to_the_block_above_it() -> None:
    found = split(FILE)
    assert [found.block_at(line) for line in (1, 2, 3, 6, 9, None)] == [
        "",
        "subject",
        "subject",
        "greeting",
        "closing",
        "",
    ]


def test_text_is_stored_with_line_ends_of_here() -> None:
    assert tidy("\r\n  \r\n a\r\nb \r\n") == " a\nb"
