import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.drafts.language import LANGUAGES
from crm.drafts.names import NameParts, has_damaged_name, has_unreadable_name, salute


def greeting(language, **known):
    return salute(NameParts(**known), language).greeting


@pytest.mark.parametrize(
    ("language", "known", "expected"),
    [
        ("ko", {"full_name": "김민수", "title": "부장"}, "김민수 부장님께"),
        ("ko", {"full_name": "김민수", "title": "사원"}, "김민수 님께"),
        ("ko", {"full_name": "김민수", "title": "CEO"}, "김민수 님께"),
        ("ko", {"full_name": "Lucía Fernández", "gender": "f"}, "Lucía Fernández 님께"),
        ("ko", {"full_name": "김", "company": "(주)한빛"}, "(주)한빛 귀중\n담당자님께"),
        ("ko", {"company": "(주)한빛", "title": "구매부장"}, "(주)한빛 구매부장님께"),
        ("ko", {}, "담당자님께"),
        ("en", {"full_name": "Ana Cruz", "family_name": "Cruz", "given_name": "Ana", "gender": "f"}, "Dear Ms Cruz,"),
        (
            "en",
            {
                "full_name": "Analyn Dela Cruz",
                "family_name": "Dela Cruz",
                "given_name": "Analyn",
                "gender": "f",
                "country": "PH",
            },
            "Dear Ms. Dela Cruz,",
        ),
        ("en", {"full_name": "Stephen Fairbank", "gender": "m", "country": "US"}, "Dear Stephen Fairbank,"),
        ("en", {"full_name": "Faizal bin Yusof", "gender": "m", "country": "MY"}, "Dear Mr Faizal,"),
        ("en", {"full_name": "KIM Min-su", "gender": "m", "country": "KR"}, "Dear Mr Kim,"),
        (
            "en",
            {
                "full_name": "Nguyễn Văn An",
                "family_name": "Nguyễn",
                "given_name": "An",
                "gender": "m",
                "country": "VN",
            },
            "Dear Mr An,",
        ),
        (
            "en",
            {
                "full_name": "Anan Phongsawatdi",
                "family_name": "Phongsawatdi",
                "given_name": "Anan",
                "country": "TH",
            },
            "Dear Khun Anan,",
        ),
        ("en", {"full_name": "楊美玲", "name_alt": "Mei-Ling Yang", "country": "TW"}, "Dear Mei-Ling Yang,"),
        ("en", {"full_name": "楊美玲", "company": "Yaohe Ltd"}, "Dear Yaohe Ltd Team,"),
        ("en", {"title": "Purchasing Manager", "company": "Yaohe Ltd"}, "Dear Purchasing Manager,"),
        ("en", {}, "Dear Sir or Madam,"),
        ("zh-Hans", {"full_name": "王小明", "title": "总经理", "country": "CN"}, "尊敬的王总经理："),
        ("zh-Hans", {"full_name": "王小明", "gender": "m", "country": "CN"}, "尊敬的王先生："),
        ("zh-Hans", {"full_name": "欧阳娜", "gender": "f", "country": "CN"}, "尊敬的欧阳女士："),
        ("zh-Hans", {"full_name": "王小明", "country": "CN"}, "尊敬的王小明先生/女士："),
        ("zh-Hans", {"title": "采购经理"}, "尊敬的采购经理："),
        ("zh-Hans", {"title": "Buyer", "company": "上海锦禾"}, "尊敬的上海锦禾负责人："),
        ("zh-Hans", {}, "敬启者："),
        ("zh-Hant", {"full_name": "楊美玲", "title": "採購經理", "country": "TW"}, "楊採購經理 您好："),
        ("zh-Hant", {"full_name": "楊美玲", "title": "采购经理", "country": "TW"}, "楊美玲 您好："),
        ("zh-Hant", {"full_name": "李雅婷", "gender": "f", "country": "HK"}, "李女士 您好："),
        ("zh-Hant", {"company": "曜禾貿易股份有限公司"}, "曜禾貿易股份有限公司 負責人 您好："),
        (
            "ja",
            {
                "full_name": "吉田 修",
                "title": "主任",
                "department": "商品企画課",
                "company": "(株)花鳥舎商事",
                "country": "JP",
            },
            "(株)花鳥舎商事\n商品企画課 主任\n吉田 修 様",
        ),
        ("ja", {"full_name": "山田太郎様", "country": "JP"}, "山田太郎 様"),
        ("ja", {"company": "(株)花鳥舎商事 御中"}, "(株)花鳥舎商事 御中"),
        ("ja", {"company": "(株)花鳥舎", "department": "購買部"}, "(株)花鳥舎\n購買部 ご担当者様"),
        ("ja", {"full_name": "김민수", "company": "(株)花鳥舎"}, "(株)花鳥舎 御中"),
        (
            "es",
            {
                "full_name": "Javier García Ortega",
                "family_name": "García Ortega",
                "given_name": "Javier",
                "gender": "m",
                "country": "ES",
            },
            "Estimado Sr. García:",
        ),
        ("es", {"full_name": "Inés Ibáñez", "gender": "f"}, "Estimada Inés Ibáñez:"),
        ("es", {"full_name": "Inés Ibáñez"}, "Estimado/a Inés Ibáñez:"),
        (
            "es",
            {
                "full_name": "Ramón Peña",
                "family_name": "Peña",
                "given_name": "Ramón",
                "gender": "m",
                "title": "Ing., Gerente",
                "country": "MX",
            },
            "Estimado Ing. Peña:",
        ),
        ("es", {"company": "Sierralta S.L."}, "A la atención de Sierralta S.L.\nEstimados señores:"),
        ("es", {}, "Estimados señores:"),
    ],
)
def test_it_greets_by_what_is_known(language, known, expected):
    assert greeting(language, **known) == expected


def test_a_name_in_running_text_is_shorter_than_the_address():
    yoshida = NameParts(full_name="吉田 修", title="主任", company="(株)花鳥舎商事", country="JP")
    assert salute(yoshida, "ja").mention == "吉田様"
    assert salute(yoshida, "ja").envelope == "吉田 修"


def test_the_word_none_in_a_cell_is_not_a_name():
    assert greeting("en", full_name="None", company="nan", title="N/A") == "Dear Sir or Madam,"


def test_a_name_without_a_readable_script_is_reported():
    assert has_unreadable_name(NameParts(full_name="楊美玲"), "en")
    assert not has_unreadable_name(NameParts(full_name="楊美玲", name_alt="Mei-Ling Yang"), "en")
    assert not has_unreadable_name(NameParts(company="Yaohe"), "en")


@pytest.mark.parametrize("name", ["김?수", "山＊太郎", "Jos\ufffd", "FranÃ§ois", "ê¹€ë¯¼ìˆ˜", "=E7=88=B6=E5=A4=AA"])
def test_a_damaged_name_is_reported(name):
    assert has_damaged_name(NameParts(full_name=name))


@pytest.mark.parametrize("name", ["João", "JOÃO", "Ñáñez", "Ângela", "Nguyễn Văn An", "김민수", "Íñigo", "D'Arc"])
def test_a_sound_name_is_not_called_damaged(name):
    assert not has_damaged_name(NameParts(full_name=name, company="Who? Ltd"))


def test_a_damaged_firm_is_reported():
    assert has_damaged_name(NameParts(company="SociÃ©tÃ© Durand"))


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",))
    | st.sampled_from("김민수王小明山田太郎あアаbАÑñ 様님?*{}<_"),
    max_size=20,
)
maybe = st.none() | words | st.sampled_from(["None", "", " ", "王先生", "部長", "부장", "Ing.", "御中"])
people = st.builds(
    NameParts,
    full_name=maybe,
    family_name=maybe,
    given_name=maybe,
    name_alt=maybe,
    gender=st.sampled_from([None, "", "m", "f", "x"]),
    title=maybe,
    department=maybe,
    company=maybe,
    country=st.none() | st.sampled_from(["KR", "CN", "TW", "JP", "VN", "TH", "MY", "US", "MX", "ES", "ID", "ZZ"]),
)


@given(people, st.sampled_from(LANGUAGES))
def test_a_salutation_is_never_empty_and_never_none(parts, language):
    found = salute(parts, language)
    for text in (found.greeting, found.mention, found.envelope):
        assert text.strip()
        assert not re.search(r"\bNone\b", text)
        assert "\ue000" not in text


def kept_from(parts):
    return " ".join(filter(None, (parts.full_name, parts.family_name, parts.name_alt, parts.title, parts.company)))


@given(people, st.sampled_from(LANGUAGES))
def test_no_courtesy_word_says_a_gender_that_is_not_recorded(parts, language):
    text = salute(parts, language).greeting.replace("先生/女士", "").replace("Estimado/a", "")
    for word, gender in (("Mr", "m"), ("Ms", "f"), ("Sr.", "m"), ("Sra.", "f"), ("先生", "m"), ("女士", "f")):
        pattern = rf"(?<![A-Za-z]){re.escape(word)}(?![a-z])"
        if parts.gender != gender and not re.search(pattern, kept_from(parts)):
            assert not re.search(pattern, text)


@given(people)
def test_sama_and_onchu_never_stand_together(parts):
    text = salute(parts, "ja").greeting
    assert not (text.endswith("御中") and text.count("様") > (kept_from(parts) + (parts.department or "")).count("様"))
    assert text.endswith(("様", "御中"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "company", ["https://valves.example", "Valves (http://valves.example)", "HTTPS://valves.example/x"]
)
def test_a_web_address_for_a_name_is_no_link(language, company):
    found = greeting(language, company=company)
    assert "valves.example" in found
    assert "://" not in found
