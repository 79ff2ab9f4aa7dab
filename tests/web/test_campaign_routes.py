"""Every address of campaigns and workflows that the program knows: for staff only, and no post without the token."""

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from crm.web.routes import builder, campaigns, workflows
from tests.web.conftest import Browser
from tests.web.test_staff_campaigns import make
from tests.web.world import World

FILLED = {"campaign_id": "1", "name": "overseas-buyer", "number": "0", "action": "pause"}


def addresses(method: str) -> Iterator[str]:
    for router in (builder.router, campaigns.router, workflows.router):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            if method in route.methods:
                yield re.sub(r"\{(\w+)\}", lambda found: FILLED[found[1]], route.path)


GETS, POSTS = sorted(addresses("GET")), sorted(addresses("POST"))


def test_the_program_has_such_addresses() -> None:
    assert {"/campaigns/new", "/campaigns/1/rehearsal.xlsx", "/workflows/overseas-buyer/versions/0"} <= set(GETS)
    assert {"/campaigns", "/campaigns/1/start", "/campaigns/1/pause", "/workflows/overseas-buyer/edit"} <= set(POSTS)


@pytest.fixture
def draft(hana: Browser, world: World) -> None:
    """Campaign 1, being put together."""
    make(hana, world)


@pytest.mark.usefixtures("draft")
def test_only_staff_see_them(haewook: Browser, mina: Browser) -> None:
    assert {who.get(path).status_code for who in (haewook, mina) for path in GETS} == {403}


@pytest.mark.usefixtures("draft")
def test_only_staff_post_to_them(haewook: Browser, mina: Browser) -> None:
    answers = {who.post(path, {"reason": "x"}).status_code for who in (haewook, mina) for path in POSTS}
    assert answers == {403}


@pytest.mark.usefixtures("draft")
def test_a_post_without_the_token_is_turned_away(hana: Browser) -> None:
    hana.csrf = ""
    assert {hana.post(path, {"reason": "x", "text": "x", "why": "x"}).status_code for path in POSTS} == {403}


@pytest.mark.usefixtures("draft")
def test_every_form_that_changes_something_carries_the_token(hana: Browser) -> None:
    pages = [answer for path in GETS if "html" in (answer := hana.get(path)).headers["content-type"]]
    assert {page.status_code for page in pages} == {200, 409}  # 409: nothing newer to move to
    for page in pages:
        forms = re.findall(r"<form[^>]*method=.post.*?</form>", page.text, re.DOTALL)
        assert forms
        assert all(f'name="csrf" value="{hana.csrf}"' in form for form in forms)
