"""Which encoding a text is in: certain, guessed, chosen, and what becomes of characters that cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import encodings as drawn
from crm.core.errors import BadInput
from crm.imports import encodings
from crm.imports.reading import open_source

TEXTS = {
    "ko": "성명,회사명,이메일\n김하나,(주)한빛상사,hana@hanbit.example\n",
    "ja": "氏名,会社名,メール\n田中 健一,株式会社ハナ,t@hana.example\n",
    "zh": "姓名,公司,邮箱\n王小明,上海沐禾有限公司,w@muhe.example\n",
    "tw": "姓名,公司,電子郵件\n林佳穎,采悅生技股份有限公司,l@tsai.example\n",
    "es": "Nombre,Empresa,Correo electrónico\nAna Peña,Compañía Ñu,a@nu.example\n",
}


@pytest.mark.parametrize(
    ("language", "codec", "name"),
    [
        ("ko", "utf-8", "utf-8"),
        ("ko", "utf-8-sig", "utf-8-sig"),
        ("ko", "utf-16", "utf-16"),
        ("ko", "utf-16-le", "utf-16-le"),
        ("ko", "utf-16-be", "utf-16-be"),
        ("ko", "cp949", "cp949"),
        ("ja", "cp932", "cp932"),
        ("ja", "euc_jp", "euc_jp"),
        ("ja", "iso2022_jp", "iso2022_jp"),
        ("zh", "gb18030", "gb18030"),
        ("tw", "cp950", "cp950"),
        ("es", "cp1252", "cp1252"),
    ],
)
def test_each_encoding_is_found(language: str, codec: str, name: str) -> None:
    decoded = encodings.decode(TEXTS[language].encode(codec))
    assert (decoded.encoding, decoded.text, decoded.damaged) == (name, TEXTS[language], 0)


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        ("姓名,公司,電子郵件\n陳㗎,采悅生技,l@t.example\n", "big5hkscs", "big5hkscs"),
        ("氏名,会社名\n田中①,㈱ハナ\n", "euc_jis_2004", "euc_jis_2004"),
    ],
)
def test_characters_beyond_the_usual_set_are_read_by_the_wider_one(text: str, codec: str, name: str) -> None:
    decoded = encodings.decode(text.encode(codec))
    assert (decoded.encoding, decoded.text) == (name, text)


@pytest.mark.parametrize(
    ("alias", "language", "codec"),
    [
        ("euc-kr", "ko", "cp949"),
        ("KS_C_5601-1987", "ko", "cp949"),
        ("MS949", "ko", "cp949"),
        ("Shift_JIS", "ja", "cp932"),
        ("windows-31j", "ja", "cp932"),
        ("GBK", "zh", "gb18030"),
        ("gb2312", "zh", "gb18030"),
        ("Big5", "tw", "cp950"),
        ("windows-1252", "es", "cp1252"),
        ("latin-1", "es", "cp1252"),
        ("ISO-2022-JP", "ja", "iso2022_jp"),
        ("UTF-16", "ko", "utf-16-be"),
        ("utf8", "ko", "utf-8-sig"),
        ("utf-16-le", "ko", "utf-16"),
    ],
)
def test_an_encoding_may_be_chosen_by_any_of_its_names(alias: str, language: str, codec: str) -> None:
    source = open_source(TEXTS[language].encode(codec), "list.csv", encoding=alias)
    rows = [",".join(map(str, record)) for record in source.tables[0].records()]
    assert "\n".join(rows) + "\n" == TEXTS[language]
    assert source.notes == []


def test_a_choice_that_cannot_be_right_shows_damage_and_does_not_stop() -> None:
    source = open_source(TEXTS["ko"].encode("cp949"), "list.csv", encoding="utf-8")
    [note] = source.notes
    assert note.code == "encoding_damaged"
    text = "".join("".join(map(str, record)) for record in source.tables[0].records())
    assert note.params["count"] == text.count("\ufffd") > 0


@pytest.mark.parametrize("name", ["klingon", "base64", "idna", "rot13", "unicode_escape", "\x00", ""])
def test_what_is_no_encoding_of_a_list_is_refused(name: str) -> None:
    if not name:
        assert open_source(b"a,b\n", "list.csv", encoding=name).encoding == "utf-8"
        return
    with pytest.raises(BadInput) as caught:
        open_source(TEXTS["ko"].encode(), "list.csv", encoding=name)
    assert caught.value.code == "unknown_encoding"


def test_two_bytes_that_happen_to_be_utf8_are_not_taken_for_it() -> None:
    text = "Name,Company,Email\n李平,Acme,l@acme.example\n"
    for name in ("李平", "江强", "张磊", "王芳"):
        data = text.replace("李平", name).encode("gb18030")
        assert encodings.decode(data).text == data.decode("gb18030")
    assert encodings.decode("Name,City\nJosé,León\n".encode()).encoding == "utf-8"


def test_utf8_that_was_cut_is_still_utf8() -> None:
    data = TEXTS["ko"].encode().replace("상사".encode(), "상사".encode()[:-1])
    decoded = encodings.decode(data)
    assert (decoded.encoding, decoded.damaged, decoded.guessed) == ("utf-8", 1, True)


def test_random_lists_are_mostly_decoded_right() -> None:
    files = list(drawn.draw(20261104, 200))
    wrong = [
        file.codec for file in files if encodings.decode(file.data).text.lstrip("\ufeff") != file.text.lstrip("\ufeff")
    ]
    assert len(wrong) <= 4, wrong


@given(st.binary(max_size=300))
def test_decoding_never_fails_and_counts_what_is_lost(data: bytes) -> None:
    encoding = encodings.of(data)
    text = encodings.open_text(data, encoding).read()
    assert encodings.count_damaged(data, encoding) == text.count("\ufffd")
    assert encodings.decode(data).text == text


@given(
    st.binary(max_size=100),
    st.sampled_from(["utf-8", "utf-16", "cp949", "cp932", "euc-jp", "iso-2022-jp", "gbk", "big5"]),
)
def test_no_bytes_make_a_chosen_encoding_fail(data: bytes, name: str) -> None:
    assert isinstance(encodings.decode(data, name).text, str)
