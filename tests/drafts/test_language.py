import pytest

from crm.drafts.language import LANGUAGES, choose_language, language_name, locale_for


@pytest.mark.parametrize(
    ("wanted", "country", "language"),
    [
        (None, "KR", "ko"),
        (None, "JP", "ja"),
        (None, "CN", "zh-Hans"),
        (None, "TW", "zh-Hant"),
        (None, "HK", "zh-Hant"),
        (None, "MO", "zh-Hant"),
        (None, "SG", "en"),
        (None, "BR", "en"),
        (None, "ES", "es"),
        (None, "MX", "es"),
        (None, None, "en"),
        ("zh", "TW", "zh-Hant"),
        ("zh", "SG", "zh-Hans"),
        ("zh", None, "zh-Hans"),
        ("zh-TW", None, "zh-Hant"),
        ("zh_HK", "CN", "zh-Hant"),
        ("zh-Hans-CN", "TW", "zh-Hans"),
        ("en", "JP", "en"),
        ("es-MX", "US", "es"),
        ("ko-KR", "US", "ko"),
        ("fr", "FR", "en"),
        ("pt", "ES", "es"),
        ("", "jp", "ja"),
    ],
)
def test_it_chooses_the_language_of_a_letter(wanted, country, language):
    assert choose_language(wanted, country) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_locale_and_names_every_other(language):
    assert locale_for(language, "XX")
    assert all(language_name(other, language) for other in LANGUAGES)


def test_a_catalogue_in_english_is_called_so_in_the_readers_language():
    assert [language_name("en", language) for language in LANGUAGES] == [
        "영어",
        "English",
        "英文",
        "英文",
        "英語",
        "inglés",
    ]
