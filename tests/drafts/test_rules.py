import pytest

from crm.core.i18n import speaking
from crm.drafts.names import NameParts
from crm.drafts.rules import Finding, check_content
from crm.drafts.texts import SENTENCES, TITLES, say


def codes(language, *texts, subject="Subject", **known):
    return {finding.code: finding.level for finding in check_content(language, subject, list(texts), **known)}


@pytest.mark.parametrize(
    ("language", "text", "code"),
    [
        ("en", "We offer {{ product }}.", "placeholder_left"),
        ("ko", "○○ 부장님", "placeholder_left"),
        ("en", "Jos\ufffd", "character_lost"),
        ("en", "Our IBAN is DE44 5001 0517 5407 3249 31", "bank_data"),
        ("ko", "계좌번호를 알려 드립니다.", "bank_data"),
        ("en", "Our price is FOB.", "incoterm_without_place"),
        ("es", "Precio FOB y CIF", "incoterm_without_place"),
        ("ja", "よろしくお願いします 김민수", "wrong_script"),
        ("es", "Estimada 김:", "wrong_script"),
        ("zh-Hans", "よろしく", "wrong_script"),
        ("zh-Hant", "我們的产品", "wrong_han"),
        ("zh-Hans", "我们的產品", "wrong_han"),
        ("ja", "产品のご案内", "wrong_han"),
    ],
)
def test_it_blocks(language, text, code):
    assert codes(language, "greeting", text)[code] == "block"


@pytest.mark.parametrize(
    ("language", "text", "code"),
    [
        ("en", "Please answer by 04/05/2026.", "slash_date"),
        ("en", "It costs $12.50.", "bare_currency"),
        ("ja", "¥1,200です", "bare_currency"),
        ("en", "We make the best valves.", "superlative"),
        ("ko", "최저가를 드립니다.", "superlative"),
        ("ja", "お待ちしております！", "exclamation"),
        ("zh-Hans", "您好！您好！您好！", "exclamation"),
        ("ko", "김민수 부장님 귀하", "nim_and_gwiha"),
        ("ja", "株式会社A 御中 山田様", "onchu_and_sama"),
        ("ja", "各位様", "kakui_sama"),
        ("ja", "山田太郎 部長 様", "title_before_sama"),
        ("es", "¿Cómo va tu empresa?", "informal_address"),
        ("es", "Le interesa?", "unpaired_marks"),
        ("en", "word " * 300, "long_words"),
        ("ja", "あ" * 700, "long_characters"),
    ],
)
def test_it_asks_the_advisor_to_look(language, text, code):
    assert codes(language, "greeting", text)[code] == "check"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "FOB Busan, Korea (Incoterms® 2020), USD 12.50, 14 April 2026"),
        ("es", "¿Qué cantidad necesita su empresa?"),
        ("zh-Hans", "您好！顺颂商祺！"),
        ("zh-Hant", "感謝您蒞臨攤位，台北"),
        ("ja", "各位\n山田様"),
        ("ko", "김민수 부장님께"),
        ("en", "See https://hanbit.example/catalogue/en.pdf"),
    ],
)
def test_good_words_pass(language, text):
    assert codes(language, "greeting", text) == {}


def test_a_name_stands_as_its_owner_writes_it():
    assert codes("zh-Hans", "尊敬的楊經理：", "您好！") == {}
    assert "wrong_han" in codes("zh-Hans", "尊敬的王经理：", "曜禾貿易")
    assert codes("zh-Hans", "尊敬的王经理：", "曜禾貿易", names=["曜禾貿易"]) == {}


@pytest.mark.parametrize(
    ("subject", "code"), [("", "subject_empty"), ("A\nB", "subject_lines"), ("x" * 61, "subject_long")]
)
def test_it_looks_at_the_subject(subject, code):
    assert code in codes("en", "Dear", subject=subject)


def test_a_comma_after_a_spanish_salutation_is_noticed():
    assert "comma_after_salutation" in codes("es", "Estimado Sr. Peña,")
    assert codes("es", "Estimado Sr. Peña:") == {}


@pytest.mark.parametrize(
    ("language", "greeting", "gender", "code"),
    [
        ("zh-Hans", "尊敬的王先生：", "f", "wrong_gender"),
        ("zh-Hans", "尊敬的王女士：", "m", "wrong_gender"),
        ("en", "Dear Mr Fairbank,", None, "gender_unknown"),
        ("es", "Estimada Sra. Peña:", "m", "wrong_gender"),
    ],
)
def test_a_courtesy_word_must_fit_the_recorded_gender(language, greeting, gender, code):
    assert code in codes(language, greeting, addressee=NameParts(full_name="X", gender=gender))


@pytest.mark.parametrize(
    ("language", "greeting", "gender"),
    [
        ("zh-Hans", "尊敬的王先生/女士：", None),
        ("es", "Estimado/a Ana:", None),
        ("en", "Dear Ms Cruz,", "f"),
        ("en", "Dear Mr Cruz,", "m"),
    ],
)
def test_a_fitting_courtesy_word_passes(language, greeting, gender):
    assert codes(language, greeting, addressee=NameParts(full_name="Ana", gender=gender)) == {}


def test_a_damaged_name_blocks():
    assert codes("en", "Dear J?n,", addressee=NameParts(full_name="J?n"))["name_damaged"] == "block"


def test_blocks_come_before_checks():
    found = check_content("en", "x" * 70, ["Dear", "{{ x }} $5"])
    assert [finding.level for finding in found] == ["block", "check", "check"]


def test_every_code_has_a_title_and_a_sentence_in_korean():
    assert TITLES.keys() == SENTENCES.keys()
    params = {"text": "글", "length": 1, "limit": 2, "count": 3, "rule": 0}
    for code in TITLES:
        with speaking("ko"):
            korean = say(Finding("check", code, params))
        with speaking("en"):
            english = say(Finding("check", code, params))
        assert korean[0] != english[0], code
        assert korean[1] != english[1], code


def test_the_exclamation_mark_of_a_name_is_the_name_s_own():
    assert codes("en", "Dear Yo! Team,", "Thank you.", names=["Yo!"]) == {}
    assert codes("en", "Dear Yo! Team,", "Thank you!", names=["Yo!"]) == {"exclamation": "check"}
