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
