"""Companies, what they sell, and who may know of them."""

import pytest
from sqlmodel import Session, select

from crm.accounts import service as accounts
from crm.core.errors import BadInput, NotFound
from crm.exporters import loading, queries, service
from crm.exporters.models import Exporter, ProductLine
from crm.exporters.rules import in_language
from tests.conftest import NOW

CAST = """
[[exporters]]
code = "GAON"
names = { ko = "가온", en = "Gaon" }
sender_email = "gaon@ieum.example"
[[exporters.lines]]
code = "SKIN"
names = { ko = "스킨케어", en = "skin care" }
keywords = ["cosmetic"]
catalogues = [{ language = "en", title = "Catalogue", url = "https://gaon.example/en.pdf" }]
[[exporters.lines]]
code = "CICA"
parent = "SKIN"
names = { ko = "시카", en = "Cica line" }
keywords = ["cica"]
[[exporters]]
code = "SEOLAK"
names = { ko = "설악", en = "Seolak" }
sender_email = "seolak@ieum.example"
[[exporters.lines]]
code = "VALVE"
names = { ko = "밸브", en = "valves" }
[[exhibitions]]
code = "SHOW"
names = { ko = "전시회", en = "Show" }
starts_on = 2026-11-11
ends_on = 2026-11-14
booths = { "7B-101" = "GAON" }
"""


@pytest.fixture
def cast(session: Session) -> Session:
    loading.store(session, loading.read(CAST, "cast.toml"), now=NOW, by="test")
    return session


def test_loading_the_same_file_again_changes_nothing(cast: Session) -> None:
    loading.store(cast, loading.read(CAST, "cast.toml"), now=NOW, by="test")
    assert len(cast.exec(select(Exporter)).all()) == 2
    assert len(cast.exec(select(ProductLine)).all()) == 3


def test_a_wrong_field_is_named() -> None:
    with pytest.raises(BadInput, match=r"cast\.toml.*exporters\.1\.colour"):
        loading.read(CAST.replace('code = "GAON"', 'code = "GAON"\ncolour = "red"'), "cast.toml")


def test_a_booth_of_an_unknown_exporter_is_refused(session: Session) -> None:
    with pytest.raises(BadInput, match="NOBODY"):
        loading.store(session, loading.read(CAST.replace('= "GAON" }\n', '= "NOBODY" }\n'), "c"), now=NOW, by="t")


def test_the_most_specific_product_line_wins(cast: Session) -> None:
    lines = service.lines_of(cast, service.exporter_by_code(cast, "GAON").id or 0)
    found = service.match_line(lines, ["Cosmetics, Cica line"])
    assert found is not None
    assert found.code == "CICA"


def test_a_named_product_counts_more_than_a_longer_general_word(cast: Session) -> None:
    lines = service.lines_of(cast, service.exporter_by_code(cast, "GAON").id or 0)
    found = service.match_line(lines, ["cica", "cosmetics of all kinds"])
    assert found is not None
    assert found.code == "CICA"


def test_no_product_line_is_guessed_from_other_words(cast: Session) -> None:
    lines = service.lines_of(cast, service.exporter_by_code(cast, "GAON").id or 0)
    assert service.match_line(lines, ["forklifts"]) is None


def test_ancestors_lead_from_the_line_to_the_top(cast: Session) -> None:
    lines = service.lines_of(cast, service.exporter_by_code(cast, "GAON").id or 0)
    assert service.ancestors(cast, lines[1].id or 0) == [lines[1].id, lines[0].id]


def test_a_missing_catalogue_language_falls_back_to_english(cast: Session) -> None:
    line = service.lines_of(cast, service.exporter_by_code(cast, "GAON").id or 0)[0]
    found = service.catalogue_for(cast, line.id or 0, "ja")
    assert found is not None
    assert found.language == "en"


def test_a_booth_is_found_however_it_is_spelt(cast: Session) -> None:
    show = service.exhibition_by_code(cast, "SHOW")
    found = service.exporter_at_booth(cast, show.id or 0, " 7b-101 ")
    assert found is not None
    assert found.code == "GAON"


def test_an_unknown_code_is_answered_with_the_known_ones(cast: Session) -> None:
    with pytest.raises(NotFound, match="GAON, SEOLAK"):
        service.exporter_by_code(cast, "NOPE")


def test_an_sme_sees_its_own_company_only(cast: Session) -> None:
    user = accounts.add_user(
        cast, email="a@gaon.example", name="A", role="sme", password="long-enough-pass", now=NOW, by="t"
    )
    service.assign(cast, user, service.exporter_by_code(cast, "GAON"), now=NOW, by="t")
    viewer = service.viewer_of(cast, user)
    assert [item.code for item in queries.list_exporters(cast, viewer)] == ["GAON"]
    with pytest.raises(NotFound):
        queries.get_exporter(cast, viewer, service.exporter_by_code(cast, "SEOLAK").id or 0)


def test_an_sme_without_booth_does_not_see_the_exhibition(cast: Session) -> None:
    user = accounts.add_user(
        cast, email="b@seolak.example", name="B", role="sme", password="long-enough-pass", now=NOW, by="t"
    )
    service.assign(cast, user, service.exporter_by_code(cast, "SEOLAK"), now=NOW, by="t")
    assert queries.list_exhibitions(cast, service.viewer_of(cast, user)) == []


def test_staff_see_everything(cast: Session) -> None:
    user = accounts.add_user(
        cast, email="s@ieum.example", name="S", role="staff", password="long-enough-pass", now=NOW, by="t"
    )
    assert len(queries.list_exporters(cast, service.viewer_of(cast, user))) == 2


def test_names_fall_back_within_chinese_before_english() -> None:
    assert in_language({"zh-Hans": "佳温", "en": "Gaon"}, "zh-Hant") == "佳温"
    assert in_language({"ko": "가온", "en": "Gaon"}, "es") == "Gaon"
