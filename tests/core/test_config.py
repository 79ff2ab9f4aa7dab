"""Settings fail at start and name the cure."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.core.config import Settings, load
from crm.core.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path | None, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    return str(caught.value)


def test_the_example_configuration_of_the_project_is_valid() -> None:
    root = Path(__file__).resolve().parents[2]
    assert load(root / "config.toml", {}).database.url.startswith("sqlite:///")


def test_it_names_file_and_line_of_an_unknown_key_and_the_near_one(tmp_path: Path) -> None:
    path = written(tmp_path, '[smtp]\nport = 25\nhots = "a"\n')
    message = refusal(path)
    assert f"{path}:3" in message
    assert "smtp.hots" in message
    assert "host" in message


def test_it_names_the_line_of_an_unknown_section(tmp_path: Path) -> None:
    path = written(tmp_path, "\n[smpt]\nport = 25\n")
    assert f"{path}:2" in refusal(path)


def test_it_names_the_line_of_a_value_of_the_wrong_kind(tmp_path: Path) -> None:
    path = written(tmp_path, '[web]\nport = "many"\n')
    assert f"{path}:2" in refusal(path)


def test_it_names_line_and_column_of_broken_toml(tmp_path: Path) -> None:
    path = written(tmp_path, "[web\nport = 1\n")
    assert f"{path}:1:" in refusal(path)


def test_it_refuses_a_secret_in_the_file_and_names_the_variable(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, '[smtp]\npassword = "hunter2hunter2"\n'))
    assert "IEUM_SMTP__PASSWORD" in message
    assert "hunter2" not in message


def test_it_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert str(tmp_path / "no.toml") in refusal(tmp_path / "no.toml")


def test_it_refuses_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes("# 설정".encode("cp949"))
    assert "UTF-8" in refusal(path)


def test_the_environment_is_stronger_than_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, '[smtp]\nhost = "a.example"\nport = 2525\n')
    settings = load(path, {"IEUM_SMTP__HOST": "b.example", "OTHER": "x"})
    assert (settings.smtp.host, settings.smtp.port) == ("b.example", 2525)


def test_a_secret_is_read_from_the_file_that_a_variable_names(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("abc\n", encoding="utf-8")
    settings = load(None, {"IEUM_SMTP__PASSWORD_FILE": str(secret)})
    assert settings.smtp.password.get_secret_value() == "abc"


def test_a_misspelt_variable_is_refused_by_name() -> None:
    assert "IEUM_SMPT__HOST" in refusal(None, {"IEUM_SMPT__HOST": "x"})


def test_a_wrong_value_in_a_variable_is_blamed_on_the_variable() -> None:
    assert "IEUM_WEB__PORT" in refusal(None, {"IEUM_WEB__PORT": "many"})


def test_letters_never_cross_a_network_in_the_clear(tmp_path: Path) -> None:
    path = written(tmp_path, '[smtp]\nhost = "mail.example.com"\nsecurity = "none"\n')
    assert f"{path}:3" in refusal(path)


@pytest.mark.parametrize("url", ["http://ieum.example.com", "ieum.example.com", "ftp://127.0.0.1"])
def test_links_in_letters_are_https(tmp_path: Path, url: str) -> None:
    path = written(tmp_path, f'[web]\npublic_url = "{url}"\n')
    assert f"{path}:2" in refusal(path)


@pytest.mark.parametrize("url", ["https://ieum.example.com", "http://127.0.0.1:8000", "http://localhost:8000"])
def test_pages_on_this_machine_need_no_https(tmp_path: Path, url: str) -> None:
    assert load(written(tmp_path, f'[web]\npublic_url = "{url}"\n'), {}).web.public_url == url


def test_secrets_are_not_printed() -> None:
    settings = load(None, {"IEUM_WEB__SECRET": "s3cret-value"})
    assert "s3cret-value" not in repr(settings)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8", errors="ignore") as file:
        file.write(text)
        file.flush()
        try:
            assert isinstance(load(Path(file.name), {}), Settings)
        except ConfigError as error:
            assert error.message
