"""The pages of papers and documents in a real browser: on a telephone, read aloud, and filled in without script."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlmodel import select

from crm.core.context import Context
from crm.pipeline.models import ExclusiveContract, NegotiationPoint, Quotation
from tests.web.conftest import CHROMIUM, NO_CHROMIUM, Browser
from tests.web.test_papers import QUOTATION, meeting
from tests.web.test_products import stored
from tests.web.world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def pages(haewook: Browser, world: World, site: Context) -> list[str]:
    """The pages, with something on each of them."""
    deal = f"/deals/{world.deals['ES']}"
    haewook.post(f"{deal}/quotations/new", QUOTATION)
    haewook.post(f"{deal}/meeting", meeting(site))
    haewook.post(f"{deal}/points", {"point_kind": "open", "text_ko": "포장 방법", "text_buyer": ""})
    document = stored(site, language="es")
    base = f"/products/{document.exporter_id}"
    with site.db.reading() as session:
        quotation = session.exec(select(Quotation.id)).one()
        point = session.exec(select(NegotiationPoint.id)).one()
        assert session.exec(select(ExclusiveContract.id)).all() == []
    return [
        deal, f"{deal}/quotations/new", f"{deal}/quotations/{quotation}", f"{deal}/points/{point}", base,
        f"{base}/documents/{document.id}",
    ]  # fmt: skip


def test_every_page_fits_a_telephone_and_can_be_read_aloud(
    look_as: Callable[..., Any], haewook: Browser, pages: list[str]
) -> None:
    for path in pages:
        page = look_as(haewook, path, **PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag22aa"]})
        assert found.violations_count == 0, (path, found.generate_report())


def test_small_print_is_not_small_and_targets_can_be_hit(
    look_as: Callable[..., Any], haewook: Browser, pages: list[str]
) -> None:
    smallest = """() => Math.min(...[...document.querySelectorAll('main *')]
        .filter(one => one.offsetParent && [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .filter(one => !one.closest('.sr'))
        .map(one => parseFloat(getComputedStyle(one).fontSize)))"""
    lowest = """() => Math.min(...[...document.querySelectorAll(
            'main button, main input:not([type=hidden]), main select')]
        .filter(one => one.offsetParent && !one.closest('label')).map(one => one.getBoundingClientRect().height))"""
    for path in pages:
        page = look_as(haewook, path, **PHONE)
        assert page.evaluate(smallest) >= 16.9, path
        assert page.evaluate(lowest) >= 24, path


def test_a_quotation_is_written_without_script(
    look_as: Callable[..., Any], haewook: Browser, world: World, site: Context
) -> None:
    page = look_as(haewook, f"/deals/{world.deals['ES']}/quotations/new", java_script_enabled=False)
    page.fill("#f-number", "Q-7")
    for name, text in (("item", "Cream"), ("quantity", "10"), ("unit", "pcs"), ("unit_price", "2.50")):
        page.fill(f"#f-{name}_1", text)
    page.click("button[name=more]")
    assert page.input_value("#f-item_1") == "Cream"
    page.click("form button.go")
    page.wait_for_url("**/quotations/1")
    with site.db.reading() as session:
        assert session.exec(select(Quotation.number)).one() == "Q-7"
