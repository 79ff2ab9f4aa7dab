"""CLDR's own test results (tests/drafts/cldr, see LICENSE.txt there) and what they leave out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.drafts.person_names import PersonName, format_name, name_order

CLDR = Path(__file__).parent / "cldr"
LOCALES = ("ko", "ja", "zh", "zh_Hant", "es", "en")
LEAST = 0.98
"""Agreement that is promised; nearly all is reached."""


def published(locale: str) -> Iterator[tuple[PersonName, dict[str, str], str]]:
    """Yield (name, parameters, expected) out of one of CLDR's files."""
    fields: dict[str, str] = {}
    expected = ""
    for line in (CLDR / f"{locale}.txt").read_text(encoding="utf-8").splitlines():
        kind, *rest = (part.strip() for part in line.split(";"))
        if kind == "name":
            fields[rest[0]] = rest[1]
        elif kind == "expectedResult":
            expected = rest[0]
        elif kind == "parameters":
            asked = dict(zip(("order", "length", "usage", "formality"), rest, strict=True))
            origin = fields.get("locale", "")
            yield PersonName({key: text for key, text in fields.items() if key != "locale"}, origin), asked, expected
        elif kind == "endName":
            fields = {}


def disagreements(locale: str, usages: tuple[str, ...]) -> tuple[int, list[str]]:
    """Return how many results were compared, and those that differ."""
    compared, odd = 0, []
    for name, asked, expected in published(locale):
        if asked["usage"] in usages:
            compared += 1
            found = format_name(name, locale, **asked)
            if found != expected:
                odd.append(f"{' '.join(asked.values())}: {found!r}, published {expected!r}")
    return compared, odd


@pytest.mark.parametrize("locale", LOCALES)
def test_names_are_written_as_cldr_publishes(locale):
    compared, odd = disagreements(locale, ("referring", "addressing"))
    print(f"\n{locale}: {compared - len(odd)} of {compared} agree, {1 - len(odd) / compared:.2%}", *odd, sep="\n  ")
    assert compared > 200
    assert len(odd) <= (1 - LEAST) * compared, odd


@pytest.mark.parametrize("locale", LOCALES)
def test_monograms_are_written_as_cldr_publishes(locale):
    compared, odd = disagreements(locale, ("monogram",))
    assert compared > 50
    assert odd == []


def person(locale="", **fields):
    return PersonName({key.replace("_", "-"): text for key, text in fields.items()}, locale)


@pytest.mark.parametrize(
    ("name", "reader", "expected"),
    [
        (person("ko", given="민수", surname="김"), "ko", "surnameFirst"),
        (person(given="민수", surname="김"), "ko", "surnameFirst"),
        (person("zh_Hant_TW", given="美玲", surname="楊"), "zh_Hant", "surnameFirst"),
        (person("vi_VN", given="An", surname="Nguyễn"), "en", "surnameFirst"),
        (person("hu_HU", given="János", surname="Kovács"), "ko", "givenFirst"),
        (person("hu_HU", given="야노시", surname="코바치"), "ko", "surnameFirst"),
        (person("hu_HU", given="János", surname="Kovács"), "en", "givenFirst"),
        (person("ja_JP", given="Hayao", surname="Miyazaki"), "en", "surnameFirst"),
        (person("ja_JP", given="Hayao", surname="Miyazaki"), "es", "givenFirst"),
        (person(given="Ana", surname="Cruz"), "ja", "givenFirst"),
    ],
)
def test_the_order_follows_where_a_name_comes_from_and_who_reads_it(name, reader, expected):
    assert name_order(name, reader) == expected


def test_a_wished_order_goes_before_the_origin():
    wished = PersonName({"given": "Minsu", "surname": "Kim"}, "ko", preferred_order="givenFirst")
    assert format_name(wished, "en") == "Minsu Kim"


def test_a_name_in_another_script_is_written_by_the_rules_of_its_own():
    einstein = person("de_CH", given="Albert", surname="Einstein")
    katakana = person("de_CH", given="アルベルト", surname="アインシュタイン")
    miyazaki = person("ja_JP", given="駿", surname="宮崎")
    assert format_name(einstein, "ja") == "Albert Einstein"
    assert format_name(katakana, "ja") == "アルベルト・アインシュタイン"
    assert format_name(katakana, "de") == "アルベルト・アインシュタイン"
    assert format_name(miyazaki, "ja") == "宮崎駿"
    assert format_name(miyazaki, "en") == "宮崎駿"
    assert format_name(person("ko", given="민수", surname="김"), "ja") == "김민수"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"given": "Ada", "surname": "Wooster", "credentials": "MP"}, "Ada Wooster MP"),
        ({"given": "Ada", "surname": "Wooster", "generation": "Jr"}, "Ada Wooster Jr"),
        ({"surname": "Wooster"}, "Wooster"),
        ({"title": "Dr.", "surname_prefix": "von", "surname": "Stett"}, "Dr. Stett"),
        ({"surname_prefix": "von und zu", "surname_core": "Stettbach"}, "von und zu Stettbach"),
        ({"given": "   "}, " "),
    ],
)
def test_a_missing_field_takes_the_signs_around_it_along(fields, expected):
    assert format_name(person("en", **fields), "en", length="long", formality="formal") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Anne-Marie", "A.M. Lee"),
        ("e\u0301lise", "e\u0301. Lee"),
        ("O'Neil", "O. Lee"),
        ("(Bob) Jay", "B.J. Lee"),
    ],
)
def test_initials_are_the_first_sign_of_each_word(given, expected):
    assert format_name(person("en", given=given, surname="Lee"), "en", length="short", formality="formal") == expected


@pytest.mark.parametrize("locale", ["es_CL", "es-MX", "en-PH", "en_GB", "zh-Hans-CN", "zh_Hant_MO", "fr", "xx", "und"])
def test_every_locale_has_rules_in_the_end(locale):
    assert "Ana" in format_name(person("es", given="Ana", surname="Cruz"), locale)


def test_capitals_follow_the_language_of_the_name():
    sezer = person("tr", given="ismail", surname="sezer")
    assert format_name(sezer, "en", usage="monogram", length="short", formality="informal") == "İ"


@given(
    st.dictionaries(
        st.sampled_from(["given", "given2", "given-informal", "surname", "surname-core", "surname-prefix", "title"]),
        st.text(max_size=12),
    ),
    st.sampled_from(["", "ko", "ja_JP", "zh_Hant", "fr_AQ", "tlh"]),
    st.sampled_from([*LOCALES, "es_MX", "ru", ""]),
    st.sampled_from(["formal", "informal"]),
    st.sampled_from(["referring", "addressing", "monogram"]),
    st.sampled_from([None, "givenFirst", "surnameFirst", "sorting"]),
)
def test_any_fields_can_be_written(fields, origin, locale, formality, usage, order):
    written = format_name(PersonName(fields, origin), locale, order=order, usage=usage, formality=formality)
    assert "{" not in written.replace("{", "", sum(text.count("{") for text in fields.values()))
