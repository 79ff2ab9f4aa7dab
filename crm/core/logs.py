"""What the house writes down for its operator: one line an event, on stderr, without secrets or private addresses.

Plain tracebacks, never with local variables: those hold passwords, tokens and letters.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_ADDRESS = re.compile(r"([\w.+-])[\w.+-]*@([\w.-]+)")
_SECRET_KEYS = frozenset({"password", "secret", "token", "cookie", "csrf", "raw"})


def mask(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Shorten mail addresses to their first letter and domain, and blank secrets, whoever logs them."""
    for key, value in line.items():
        if key in _SECRET_KEYS:
            line[key] = "***"
        elif isinstance(value, str):
            line[key] = _ADDRESS.sub(r"\1***@\2", value)
    return line


def configure(*, as_json: bool = False, level: int = logging.INFO) -> None:
    """Set up logging once, when a command starts."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask,
            structlog.processors.JSONRenderer(ensure_ascii=False)
            if as_json
            else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
