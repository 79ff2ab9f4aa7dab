import hashlib
import json
import re
from pathlib import Path

from crm.web.assets import STATIC_DIR, Assets, assets
from tests.web.conftest import Browser

VENDOR = STATIC_DIR / "vendor"


def test_vendored_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / "vendor.json").read_text("utf-8"))
    listed = {name: digest for entry in manifest for name, digest in entry["files"].items()}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.name != "vendor.json"
    }
    assert found == listed


def test_every_vendored_thing_names_its_licence_and_is_in_the_notice() -> None:
    notice = (STATIC_DIR.parents[2] / "NOTICE").read_text("utf-8")
    for entry in json.loads((VENDOR / "vendor.json").read_text("utf-8")):
        assert entry["licence_file"] in entry["files"]
        assert f"{entry['name']} {entry['version']}" in notice


def test_a_file_is_named_by_its_content_and_kept_for_a_year(browser: Browser) -> None:
    address = assets().url("app.css")
    assert re.fullmatch(r"/static/app\.[0-9a-f]{10}\.css", address)
    answer = browser.get(address)
    assert answer.status_code == 200
    assert "max-age=31536000, immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


def test_the_name_changes_with_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    before = Assets(tmp_path).url("a.js")
    (tmp_path / "a.js").write_text("2")
    assert Assets(tmp_path).url("a.js") != before


def test_the_style_sheet_names_its_fonts_by_their_content(browser: Browser) -> None:
    css = browser.get(assets().url("app.css")).text
    fonts = re.findall(r'url\("([^"]+woff2)"\)', css)
    assert len(fonts) == 2
    assert all(browser.get(font).headers["content-type"] == "font/woff2" for font in fonts)


def test_text_travels_zipped_where_the_browser_can_read_it(browser: Browser) -> None:
    address = assets().url("vendor/htmx.min.js")
    zipped = browser.get(address, accept_encoding="gzip")
    plain = browser.get(address, accept_encoding="identity")
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.text == plain.text


def test_nothing_outside_the_folder_is_served(browser: Browser) -> None:
    for path in ("/static/app.css", "/static/../app.py", "/static/%2e%2e/app.py", "/static/vendor/vendor.json"):
        assert browser.get(path).status_code == 404


def test_a_first_visit_stays_within_the_weight_budget() -> None:
    css, own = assets().get(assets().url("app.css")[8:]), assets().get(assets().url("keys.js")[8:])
    assert css
    assert own
    assert len(css.body) <= 30 * 1024
    assert len(own.body) <= 8 * 1024
