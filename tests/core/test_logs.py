"""The operator's log never tells a secret or a buyer's whole address."""

import pytest
import structlog

from crm.core import logs


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    logs.configure()
    return capsys


def test_addresses_are_shortened(printed: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("sent", to="lucia.ferrer@azahar.example")
    assert "lucia" not in (text := printed.readouterr().err)
    assert "l***@azahar.example" in text


def test_secrets_are_blanked(printed: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("sign_in", password="correct horse", token="abc123")
    text = printed.readouterr().err
    assert "horse" not in text
    assert "abc123" not in text


def test_a_traceback_shows_no_local_variables(printed: pytest.CaptureFixture[str]) -> None:
    hidden = "battery staple"
    try:
        raise RuntimeError("broken" if hidden else "")
    except RuntimeError:
        structlog.get_logger().exception("failed")
    text = printed.readouterr().err
    assert "RuntimeError: broken" in text
    assert "battery staple" not in text.replace('hidden = "battery staple"', "")
