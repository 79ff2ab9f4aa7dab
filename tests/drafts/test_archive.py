"""Letters out as a zip and in again: the same bytes, and nothing of a zip is trusted."""

import stat
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.core.config import ROOT
from crm.core.errors import BadInput
from crm.drafts import archive

MAIL = ROOT / "templates" / "mail"
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\r\t"), max_size=200)
NAMES = st.sampled_from(["ko.md", "en.md", "es.md", "es-ES.md", "zh-Hant-HK.md", "ko-KR.md"])


@given(st.dictionaries(NAMES, TEXTS, max_size=6), TEXTS, TEXTS)
def test_a_letter_comes_out_of_its_zip_as_it_went_in(files: dict[str, str], first: str, listed: str) -> None:
    files = {**files, "letter.yaml": first}
    data = archive.zipped("hello", files, listed)
    assert archive.unzipped(data) == ("hello", files, listed)
    assert archive.zipped(*archive.unzipped(data)) == data


def test_every_shipped_letter_is_the_same_folder_again(tmp_path: Path) -> None:
    for folder in MAIL.iterdir():
        letter = archive.unzipped(archive.zipped(*archive.from_folder(folder)))
        again = archive.everything(letter.files, letter.approvals)
        assert {name: text.encode() for name, text in again.items()} == {
            path.name: path.read_bytes() for path in folder.iterdir()
        }


def made(*entries: tuple[str, bytes], mode: int = 0o644, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", how) as file:
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, how
            file.writestr(info, data)
    return whole.getvalue()


GOOD = ("hello/letter.yaml", b"title: x\n")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 nothing",
        made(GOOD)[:-10],
        made(),
        made(("letter.yaml", b"x")),
        made(("hello/ko.md", b"x")),
        made(GOOD, ("hello/../../etc/ko.md", b"x")),
        made(GOOD, ("../hello/ko.md", b"x")),
        made(("/hello/letter.yaml", b"x")),
        made(GOOD, ("hello\\ko.md", b"x")),
        made(("C:/letter.yaml", b"x")),
        made(GOOD, ("other/ko.md", b"x")),
        made(GOOD, ("hello/deep/ko.md", b"x")),
        made(GOOD, ("hello/run.py", b"x")),
        made(GOOD, ("hello/fr.md", b"x")),
        made(("Hello Dear/letter.yaml", b"x")),
        made(GOOD, ("hello/ko.md", b"\xff\xfe")),
        made(GOOD, ("hello/ko.md", b"a\x00b")),
        made(GOOD, ("hello/ko.md", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777),
        made(GOOD, *((f"hello/{number}.md", b"") for number in range(70))),
    ],
)
def test_a_bad_zip_is_refused_with_what_to_do(data: bytes) -> None:
    with pytest.raises(BadInput) as error:
        archive.unzipped(data)
    assert all(problem.message and problem.hint for problem in error.value.problems)


def test_the_same_file_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = made(GOOD, GOOD)
    with pytest.raises(BadInput):
        archive.unzipped(data)


def test_a_bomb_is_not_unpacked_whole() -> None:
    """Fifty megabytes of nothing, in a few kilobytes, whatever the zip says of its size."""
    data = made(GOOD, ("hello/ko.md", b"a" * 50_000_000), how=zipfile.ZIP_BZIP2)
    assert len(data) < 5_000
    with pytest.raises(BadInput):
        archive.unzipped(data)


def test_a_zip_that_lies_about_its_size_is_refused() -> None:
    data = made(GOOD, ("hello/ko.md", b"a" * 3_000_000))
    with pytest.raises(BadInput):
        archive.unzipped(data.replace((3_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))


def test_what_a_mac_adds_is_left_out() -> None:
    data = made(GOOD, ("hello/.DS_Store", b"x"), ("__MACOSX/hello/._ko.md", b"x"))
    assert archive.unzipped(data) == ("hello", {"letter.yaml": "title: x\n"}, "")


@settings(max_examples=200)
@given(st.binary(max_size=400), st.integers(0, 400))
def test_no_bytes_make_it_stumble(noise: bytes, at: int) -> None:
    good = made(GOOD, ("hello/ko.md", b"[[subject]]\nx\n"))
    for data in (noise, good[:at] + noise + good[at + len(noise) :]):
        try:
            archive.unzipped(data)
        except BadInput as error:
            assert error.problems


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello" / "letter.yaml").write_text("title: x\n", encoding="utf-8")
    assert archive.from_folder(tmp_path / "hello").files == {"letter.yaml": "title: x\n"}
    (tmp_path / "hello" / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="notes"):
        archive.from_folder(tmp_path / "hello")
    with pytest.raises(BadInput):
        archive.from_folder(tmp_path / "nothing")
