"""The front door: every request passes here first, every answer last.

It adds the security headers, turns away posts from other sites, finds out who the browser belongs to and in which
language to speak, and turns an error nobody foresaw into a page with a number to quote.
"""

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

import structlog
from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm.core.config import Settings
from crm.core.context import Context
from crm.core.i18n import speaking
from crm.web import errors
from crm.web.visitors import Visitor, find_visitor

log = structlog.get_logger()

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
NO_VISITOR = ("/static/", "/healthz")
# The mail provider of a buyer posts here for them: no cookie, no page of ours before it (RFC 8058, section 3.2).
ANYONE_MAY_POST = "/u/"

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class FrontDoor:
    """The ASGI middleware around all pages."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self.app = app
        self.context = context
        self.https = context.settings.web.public_url.startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(message, self.https)
            await send(message)

        visitor = await self._visitor(scope)
        scope.setdefault("state", {})["visitor"] = visitor
        with speaking(visitor.language):
            try:
                await self._chosen(scope)(scope, receive, send_with_headers)
            except Exception:
                if started:
                    raise
                number = secrets.token_hex(4)
                log.exception("page_failed", number=number, path=scope["path"])
                answer = await to_thread.run_sync(errors.unforeseen, Request(scope), number)
                await answer(scope, receive, send_with_headers)

    async def _visitor(self, scope: Scope) -> Visitor:
        if scope["path"].startswith(NO_VISITOR):
            return Visitor()
        return await to_thread.run_sync(find_visitor, self.context, HTTPConnection(scope))

    def _chosen(self, scope: Scope) -> ASGIApp:
        if not self._may_post(scope):
            return errors.foreign_post
        # A body without a length is counted by the framework while it is read.
        length = Headers(scope=scope).get("content-length", "")
        too_large = length.isdecimal() and int(length) > body_limit(self.context.settings)
        return errors.large_post if too_large else self.app

    def _may_post(self, scope: Scope) -> bool:
        if scope["method"] in SAFE_METHODS or scope["path"].startswith(ANYONE_MAY_POST):
            return True
        return is_from_here(Headers(scope=scope), self.context.settings.web.public_url)


def body_limit(settings: Settings) -> int:
    """Return how many bytes a request may carry: the largest file and its form."""
    return (settings.web.max_upload_mb + 1) * 1024 * 1024


def is_from_here(headers: Mapping[str, str], public_url: str) -> bool:
    """Tell whether a post comes from one of our own pages.

    Browsers say so in ``Sec-Fetch-Site``, over plain HTTP at least in ``Origin``; who says neither is no browser.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", "")).netloc
    return origin != "" and origin in (headers.get("host"), urlsplit(public_url).netloc)


def _add_headers(message: Message, https: bool) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-store")
    if https:
        headers.setdefault("strict-transport-security", "max-age=31536000")
