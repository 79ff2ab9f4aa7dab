"""A site on a fresh SQLite database, and browsers for the cast.

Hana is staff; Haewook is an advisor who looks after Gaon; Mina works for Gaon; Dasom, for another company, must never
see anything of Gaon's.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlmodel import select

from crm.accounts import service
from crm.accounts.models import User, WebSession
from crm.core.clock import FrozenClock
from crm.core.config import Settings
from crm.core.context import Context
from crm.core.db import Database
from crm.exporters.models import Exporter
from crm.exporters.service import assign
from crm.web.app import create_app
from crm.web.visitors import SESSION_COOKIE
from tests.web.world import World, furnish

PASSWORD = "늦가을 킨텍스 3홀"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_CHROMIUM = "no Chromium here: apt-get install chromium fonts-noto-cjk"
FROM_HERE = {"sec-fetch-site": "same-origin"}
CAST = (
    ("hana@example.com", "이하나", "staff", None),
    ("haewook@example.com", "정해욱", "advisor", "GAON"),
    ("mina@example.com", "한미나", "sme", "GAON"),
    ("dasom@example.com", "유다솜", "sme", "DASOM"),
)


@dataclass
class Browser:
    """One browser: follows no redirect by itself, and sends what a real one would."""

    client: TestClient
    csrf: str = ""

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    def post(self, path: str, data: dict[str, Any] | None = None, *, files: Any = None, **headers: str) -> Any:
        sent = {**FROM_HERE, **{key.replace("_", "-"): value for key, value in headers.items()}}
        return self.client.post(path, data={"csrf": self.csrf, **(data or {})}, files=files, headers=sent)


@pytest.fixture(scope="session")
def hashed() -> str:
    """The hash of PASSWORD; made once, because hashing is slow on purpose."""
    from crm.accounts.passwords import hash_password

    return hash_password(PASSWORD)


def new_company(code: str, names: dict[str, str], clock: FrozenClock) -> Exporter:
    """Return an exporter of which everything is known that a law wants under a letter."""
    return Exporter(
        code=code,
        names=names,
        address_ko="경기도 고양시 일산서구 한류월드로 123",
        address_en="123 Hallyu World-ro, Ilsanseo-gu, Goyang-si, Republic of Korea",
        phone="+82310000101",
        website=f"https://{code.lower()}.example",
        privacy_url=f"https://{code.lower()}.example/privacy",
        contact_name_ko="김서연",
        contact_name_latin="Kim Seo-yeon",
        sender_email=f"{code.lower()}@example.com",
        created_at=clock.now(),
    )


@pytest.fixture
def site(settings: Settings, sqlite_db: Database, clock: FrozenClock, hashed: str) -> Context:
    context = Context(settings=settings, db=sqlite_db, clock=clock)
    with sqlite_db.writing() as session:
        for code, name in (("GAON", "가온코스메틱"), ("DASOM", "다솜푸드")):
            names = {"ko": name, "en": code.title()}
            session.add(new_company(code, names, clock))
        session.flush()
        for email, name, role, company in CAST:
            user = service.add_user(session, email=email, name=name, role=role, now=clock.now(), by="system")
            user.password_hash, user.active = hashed, True
            if company:
                exporter = session.exec(select(Exporter).where(Exporter.code == company)).one()
                assign(session, user, exporter, now=clock.now(), by="system")
    return context


class CompiledPages(BytecodeCache):
    """Keeps the compiled templates of one test's site for the next one's; compiling costs more than most requests."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session")
def compiled_pages() -> CompiledPages:
    return CompiledPages()


@pytest.fixture
def app(site: Context, compiled_pages: CompiledPages) -> FastAPI:
    app = create_app(site)
    app.state.pages.environment.bytecode_cache = compiled_pages
    return app


@pytest.fixture
def open_browser(app: FastAPI) -> Iterator[Callable[[], Browser]]:
    opened: list[TestClient] = []

    def new() -> Browser:
        client = TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False)
        opened.append(client)
        return Browser(client)

    yield new
    for client in opened:
        client.close()


@pytest.fixture
def browser(open_browser: Callable[[], Browser]) -> Browser:
    """A browser in which nobody is signed in."""
    return open_browser()


@pytest.fixture
def sign_in(open_browser: Callable[[], Browser], site: Context) -> Callable[[str], Browser]:
    """Give a browser in which a member of the cast is signed in, without the slow check of the password."""

    def enter(name: str) -> Browser:
        browser = open_browser()
        with site.db.writing() as session:
            user = session.exec(select(User).where(User.email == f"{name}@example.com")).one()
            token = service.start_session(session, user, site.clock.now(), hours=12)
            session.flush()
            browser.csrf = session.exec(select(WebSession.csrf_token).where(WebSession.user_id == user.id)).all()[-1]
        browser.client.cookies.set(SESSION_COOKIE, token)
        return browser

    return enter


@pytest.fixture
def hana(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("hana")


@pytest.fixture
def haewook(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("haewook")


@pytest.fixture
def mina(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("mina")


@pytest.fixture
def dasom(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("dasom")


@pytest.fixture
def world(site: Context) -> World:
    """A furnished house: buyers in four countries, their deals, one task."""
    with site.db.writing() as session:
        return furnish(session, site.clock.now())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The site behind a real web server on a free port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def look_as(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Open a page in Chromium as a member of the cast; what the console says against it is a failure."""
    said: list[str] = []
    contexts = []

    def go(who: Browser, path: str, **options: Any) -> Any:
        context = chromium.new_context(base_url=address, locale="ko-KR", **options)
        context.add_cookies([{"name": SESSION_COOKIE, "value": who.client.cookies[SESSION_COOKIE], "url": address}])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path)
        return page

    yield go
    for context in contexts:
        context.close()
    assert [text for text in said if not text.startswith("Failed to load resource")] == []
