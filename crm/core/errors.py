"""The family of errors that a user may meet, sorted by what the user can do about them.

    CrmError
    ├── BadInput        a file or form is wrong: says where and what to do (exit code 2, HTTP 422)
    │   └── ConfigError config.toml or the environment is wrong
    ├── NotFound        there is no such row, or the viewer may not know of it (exit 1, HTTP 404)
    ├── NotAllowed      the viewer may know of it, not do it (exit 1, HTTP 403)
    ├── Refused         the rules forbid it now; the message says why and what would resolve it (exit 1, HTTP 409)
    └── Stale           somebody was faster; load again (exit 1, HTTP 409)

Every error carries one finished sentence for the user. The inside never knows HTTP; ``web/errors.py`` and
``cli`` translate.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """Where in an input something is wrong. Numbers count from 1, as a person reads them."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        parts = [self.file or ""]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        where = ":".join(part for part in parts if part)
        return f"{where} ({self.field})" if self.field and where else where or (self.field or "")


class CrmError(Exception):
    """Base of everything a user may be told. ``str(error)`` is the sentence shown."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True)
class Problem:
    """One mistake in an input: what is wrong, where, and what was probably meant."""

    message: str
    place: Place = field(default_factory=Place)
    hint: str = ""
    code: str = ""

    def __str__(self) -> str:
        where = str(self.place)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text} {self.hint}".rstrip()


class BadInput(CrmError):
    """Input that cannot be taken. Holds every problem found, not only the first."""

    def __init__(self, problems: list[Problem] | str, *, code: str = "") -> None:
        self.problems = [Problem(problems)] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems), code=code)


class ConfigError(BadInput):
    """config.toml or an environment variable cannot be used."""


class NotFound(CrmError):
    """There is no such row, or the viewer must not learn that there is."""


class NotAllowed(CrmError):
    """The viewer's role does not permit this."""


class Refused(CrmError):
    """A rule forbids this now."""


class Stale(CrmError):
    """The row changed since it was read."""
