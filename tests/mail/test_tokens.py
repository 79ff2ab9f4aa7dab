from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.mail import tokens
from tests.mailkit import calm

SECRET = "a-secret-for-tests-that-is-long-enough"
NUMBERS = st.integers(min_value=1, max_value=10**18 - 1)


@calm
@given(NUMBERS)
def test_a_token_comes_back_as_its_number_in_any_case(number: int) -> None:
    token = tokens.sign(SECRET, number)
    assert tokens.read(SECRET, token.upper()) == number


@calm
@given(NUMBERS, st.integers(min_value=0, max_value=34), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_changed_token_is_refused(number: int, at: int, character: str) -> None:
    token = tokens.sign(SECRET, number)
    changed = token[: at % len(token)] + character + token[at % len(token) + 1 :]
    assert changed == token or tokens.read(SECRET, changed) is None


def test_a_token_of_another_house_is_refused() -> None:
    assert tokens.read(SECRET, tokens.sign("another-secret", 7)) is None


@calm
@given(NUMBERS)
def test_the_return_address_fits_into_a_local_part(number: int) -> None:
    address = tokens.address("unsubscribe", tokens.sign(SECRET, number), "ieum.example")
    assert len(address.partition("@")[0]) <= 64


@pytest.mark.parametrize("purpose", ["bounce", "unsubscribe"])
def test_an_address_of_ours_says_what_it_is(purpose: tokens.Purpose) -> None:
    token = tokens.sign(SECRET, 42)
    address = tokens.address(purpose, token, "ieum.example")
    assert tokens.ticket(SECRET, address.upper()) == tokens.Ticket(purpose, token)


@pytest.mark.parametrize("text", ["", "bounce@ieum.example", "bounce+1-aaaaaaaaaaaaaaaa@ieum.example", "x+1@y", "부재"])
def test_other_addresses_say_nothing(text: str) -> None:
    assert tokens.ticket(SECRET, text) is None


def test_it_does_not_sign_without_a_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        tokens.sign("", 1)


LINKS = st.builds(
    tokens.FileLink,
    st.integers(min_value=1, max_value=10**18 - 1),
    st.dates(date(2020, 1, 2), date(2400, 1, 1)),
    st.sampled_from(["ko", "en", "zh-Hans", "zh-Hant", "ja", "es"]),
)


@calm
@given(LINKS)
def test_a_link_to_a_file_says_which_until_when_and_in_which_language(link: tokens.FileLink) -> None:
    assert tokens.read_file(SECRET, tokens.sign_file(SECRET, link).upper()) == link


@calm
@given(LINKS, st.integers(min_value=0, max_value=80), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567-."))
def test_a_changed_link_to_a_file_is_refused(link: tokens.FileLink, at: int, character: str) -> None:
    token = tokens.sign_file(SECRET, link)
    changed = token[: at % len(token)] + character + token[at % len(token) + 1 :]
    assert changed == token or tokens.read_file(SECRET, changed) is None


def test_a_letters_token_opens_no_file_and_a_files_token_no_letter() -> None:
    link = tokens.sign_file(SECRET, tokens.FileLink(7, date(2027, 1, 15), "ja"))
    assert tokens.read(SECRET, link) is None
    assert tokens.read_file(SECRET, tokens.sign(SECRET, 7)) is None


@pytest.mark.parametrize(
    "link", [tokens.FileLink(0, date(2027, 1, 1), "ja"), tokens.FileLink(1, date(2019, 1, 1), "ja"),
             tokens.FileLink(1, date(2027, 1, 1), "../x")],
)  # fmt: skip
def test_a_link_that_could_not_be_read_again_is_not_made(link: tokens.FileLink) -> None:
    with pytest.raises(ValueError, match="link to a file"):
        tokens.sign_file(SECRET, link)
