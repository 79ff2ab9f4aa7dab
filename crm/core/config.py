"""Reads config.toml into one typed object and refuses what it does not know.

Order of strength: defaults < config.toml < environment. ``IEUM_SMTP__HOST=mail.example.com`` sets ``[smtp] host``;
``IEUM_SMTP__PASSWORD_FILE=/run/secrets/smtp`` reads a secret from a file. Secrets may not stand in config.toml, which
people copy about.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from crm.core.errors import ConfigError, Place, Problem
from crm.core.i18n import _

PREFIX = "IEUM_"
ROOT = Path(__file__).resolve().parent.parent.parent


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(Section):
    """Where the rows live."""

    url: str = Field(
        default="sqlite:///var/ieum.sqlite3", description="SQLAlchemy address: sqlite:///… or postgresql://…"
    )


class WebSettings(Section):
    """The pages."""

    host: str = Field(default="127.0.0.1", description="address the web server listens on")
    port: int = Field(default=8000, ge=0, le=65535, description="port the web server listens on")
    public_url: str = Field(
        default="http://127.0.0.1:8000", description="address people and letters reach the pages at"
    )
    secret: SecretStr = Field(default=SecretStr(""), description="signs links; secret, at least 32 characters")
    session_hours: int = Field(default=12, ge=1, le=72, description="hours until a sign-in ends")
    max_upload_mb: int = Field(default=20, ge=1, le=200, description="largest file that can be uploaded, in MB")


class SmtpSettings(Section):
    """The relay that takes our letters."""

    host: str = Field(default="127.0.0.1", description="SMTP relay")
    port: int = Field(default=25, ge=1, le=65535, description="port of the relay")
    security: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="none is allowed on loopback only"
    )
    user: str = Field(default="", description="user name, empty for no sign-in")
    password: SecretStr = Field(default=SecretStr(""), description="secret")
    timeout: float = Field(default=60, gt=0, le=600, description="seconds to wait for an answer")
    connections: int = Field(default=4, ge=1, le=32, description="sessions at the same time")
    per_connection: int = Field(default=50, ge=1, le=1000, description="letters per session")


class ImapSettings(Section):
    """The mailbox to which answers and bounces come."""

    host: str = Field(default="", description="IMAP server, empty to read no mailbox")
    port: int = Field(default=993, ge=1, le=65535, description="port of the IMAP server")
    security: Literal["none", "starttls", "tls"] = Field(default="tls", description="none is allowed on loopback only")
    user: str = Field(default="", description="user name")
    password: SecretStr = Field(default=SecretStr(""), description="secret")
    folder: str = Field(default="INBOX", description="folder that is read")
    timeout: float = Field(default=30, gt=0, le=600, description="seconds to wait for an answer")


class MailSettings(Section):
    """How letters are addressed."""

    domain: str = Field(default="example.com", description="domain of Message-IDs, return path and unsubscribe address")
    operator_name: str = Field(default="KINTEX Post-Show Desk", description="who sends on the exporters' behalf")
    operator_address: str = Field(default="217-60 Kintex-ro, Ilsanseo-gu, Goyang-si, Gyeonggi-do, Republic of Korea")
    operator_email: str = Field(default="desk@example.com", description="monitored address of the operator")


class ReviewSettings(Section):
    """The advisors' decisions."""

    hold_minutes: int = Field(default=10, ge=0, le=1440, description="minutes an approved letter can be taken back")


MOST_DAYS = 366


def _days(value: object) -> list[date]:
    """Read a list of days: ``2026-12-31``, or ``2026-08-03/2026-08-07`` for all from one to the other."""
    if not isinstance(value, list):
        raise PydanticCustomError("days", "{text}", {"text": _("a list of days is expected")})
    return [day for item in value for day in _day_or_days(item)]


def _day_or_days(value: object) -> Iterator[date]:
    first, _sep, last = str(value).partition("/")
    try:
        begins = date.fromisoformat(first)
        ends = date.fromisoformat(last) if last else begins
    except ValueError:
        ends = begins = date.max
    if ends == date.max or not begins <= ends < begins + timedelta(days=MOST_DAYS):
        example = "2026-12-31, 2026-08-03/2026-08-07"
        problem = _("{value} is not a day. Write for example: {example}", value=str(value), example=example)
        raise PydanticCustomError("days", "{text}", {"text": problem})
    return (begins + timedelta(days=number) for number in range((ends - begins).days + 1))


def _country(code: str) -> str:
    if not re.fullmatch("[A-Z]{2}", code):
        problem = _("{value} is not a country. Write its code of two capital letters, for example KR", value=code)
        raise PydanticCustomError("country", "{text}", {"text": problem})
    return code


Days = Annotated[list[date], BeforeValidator(_days)]
Country = Annotated[str, AfterValidator(_country)]


class CampaignSettings(Section):
    """The follow-up engine.

    `holidays` and `working_days` are the centre's own corrections of the calendar, by country; the calendar itself is
    told in time.md.
    """

    draft_ahead_hours: int = Field(
        default=24, ge=0, le=168, description="hours before its time that a letter is drafted"
    )
    spread_per_hour: int = Field(
        default=20, ge=1, le=1000, description="letters of one exporter an hour that were missed and are made up for"
    )
    look_at_all_minutes: int = Field(
        default=60, ge=1, le=1440, description="minutes after which all leads outside a campaign are looked at again"
    )
    holidays: dict[Country, Days] = Field(
        default_factory=dict,
        description='days off to add to a country, e.g. `KR = ["2026-12-31", "2027-08-02/2027-08-06"]`',
    )
    working_days: dict[Country, Days] = Field(
        default_factory=dict,
        description="days on which a country works whatever the calendar says: make-up working days, holidays to take "
        'out, e.g. `CN = ["2027-02-13"]`',
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "CampaignSettings":
        for country, days in self.working_days.items():
            twice = sorted(set(days) & set(self.holidays.get(country, ())))
            if twice:
                problem = _(
                    "{day} of {country} is both in holidays and in working_days; take it out of one",
                    day=twice[0].isoformat(),
                    country=country,
                )
                raise PydanticCustomError("days", "{text}", {"text": problem})
        return self


class ClearanceSettings(Section):
    """Decisions about law that a person takes."""

    korean_sender_overlay: Literal["undecided", "on", "off"] = Field(
        default="undecided", description="does the Korean Network Act apply to letters sent abroad (mail-rules.yaml)"
    )
    contact_cap_days: int = Field(
        default=3, ge=0, le=60, description="days between two letters to one person, all exporters"
    )


class DocumentSettings(Section):
    """Catalogues and other files that go along with letters."""

    attach_mb: float = Field(
        default=5, ge=0, le=20, description="most MB of files attached to a letter; a larger catalogue becomes a link"
    )
    link_days: int = Field(default=60, ge=1, le=730, description="days a link to a document holds")


class DeliverySettings(Section):
    """The pace and the safety of sending."""

    batch: int = Field(default=20, ge=1, le=200, description="letters claimed at once")
    lease_seconds: int = Field(default=300, ge=1, le=3600, description="after this a claim of a dead worker is settled")
    retry_minutes: list[int] = Field(default=[5, 15, 60, 240, 720], description="pauses after temporary refusals")


class WorkerSettings(Section):
    """How often the clock wakes the engine; the rows, not these figures, are the schedule."""

    tick_seconds: float = Field(default=30, gt=0, le=600, description="seconds between two looks at what is due")
    inbox_seconds: float = Field(default=60, gt=0, le=3600, description="seconds between two looks into the mailbox")


class DemoSettings(Section):
    """The demo: a local mail server and a clock that can be moved. Never for real use."""

    enabled: bool = Field(default=False, description="true only in the configuration that crm demo writes")


class Settings(Section):
    """The whole of config.toml."""

    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    smtp: SmtpSettings = Field(default_factory=SmtpSettings)
    imap: ImapSettings = Field(default_factory=ImapSettings)
    mail: MailSettings = Field(default_factory=MailSettings)
    review: ReviewSettings = Field(default_factory=ReviewSettings)
    campaigns: CampaignSettings = Field(default_factory=CampaignSettings)
    clearance: ClearanceSettings = Field(default_factory=ClearanceSettings)
    documents: DocumentSettings = Field(default_factory=DocumentSettings)
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    demo: DemoSettings = Field(default_factory=DemoSettings)
    templates_dir: str = Field(default=str(ROOT / "templates" / "mail"), description="folder of the letters")
    workflows_dir: str = Field(default=str(ROOT / "workflows"), description="folder of the workflow files")


LOOPBACK = ("127.0.0.1", "::1", "localhost")


def load(path: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read ``path`` (None: defaults only) and the environment.

    Raises ConfigError naming the file and line, or the variable, of every mistake.
    """
    environ = os.environ if environ is None else environ
    text = ""
    raw: dict[str, Any] = {}
    if path is not None:
        raw, text = _read_toml(path)
    name = str(path) if path else "config.toml"
    problems = _secrets_in_file(raw, name, text)
    overrides, bad_variables = _from_environment(environ)
    problems += bad_variables
    if problems:
        raise ConfigError(problems)
    return _validated(_merged(raw, overrides), name, text, overrides)


def _read_toml(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = _("Write one (config.toml of the project is an example) or give another with --config.")
        raise ConfigError([Problem(_("There is no such file."), Place(str(path)), hint)]) from None
    except UnicodeDecodeError:
        raise ConfigError(
            [Problem(_("The file is not UTF-8 text."), Place(str(path)), _("Save it as UTF-8."))]
        ) from None
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        place = Place(str(path), int(found[1]), int(found[2])) if found else Place(str(path))
        raise ConfigError(
            [Problem(_("This is not valid TOML: {error}", error=str(error).split(" (at")[0]), place)]
        ) from None


def _is_secret(section: str, key: str) -> bool:
    model = Settings.model_fields.get(section)
    fields = getattr(model.annotation, "model_fields", {}) if model else {}
    return key in fields and fields[key].annotation is SecretStr


def _secrets_in_file(raw: dict[str, Any], name: str, text: str) -> list[Problem]:
    found = []
    for section, values in raw.items():
        for key in values if isinstance(values, dict) else ():
            if _is_secret(section, key):
                variable = f"{PREFIX}{section}__{key}".upper()
                hint = _("Take it out and set {variable} or {variable}_FILE instead.", variable=variable)
                message = _("{key} is a secret and may not stand in this file.", key=f"{section}.{key}")
                found.append(Problem(message, Place(name, _line_of(text, (section, key))), hint))
    return found


def _from_environment(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    overrides: dict[str, Any] = {}
    problems = []
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable == f"{PREFIX}CONFIG":
            continue
        section, _sep, key = variable.removeprefix(PREFIX).lower().partition("__")
        known = Settings.model_fields.get(section)
        fields = getattr(known.annotation, "model_fields", None) if known else None
        if known and not key and fields is None:
            overrides[section] = value
        elif fields and key in fields:
            overrides.setdefault(section, {})[key] = value
        elif fields and key.endswith("_file") and _is_secret(section, key.removesuffix("_file")):
            try:
                overrides.setdefault(section, {})[key.removesuffix("_file")] = Path(value).read_text("utf-8").strip()
            except OSError as error:
                problems.append(
                    Problem(_("Cannot read {file}: {error}", file=value, error=error.strerror), Place(variable))
                )
        else:
            problems.append(
                Problem(_("There is no such setting."), Place(variable), _("Correct the name or unset it."))
            )
    return overrides, problems


def _merged(raw: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in raw.items()}
    for key, value in overrides.items():
        if isinstance(value, dict) and isinstance(merged.get(key, {}), dict):
            merged[key] = {**merged.get(key, {}), **value}
        else:
            merged[key] = value
    return merged


def _validated(values: dict[str, Any], name: str, text: str, overrides: dict[str, Any]) -> Settings:
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError([_problem(item, name, text, overrides) for item in error.errors()]) from None
    _refuse_open_connections(settings, name, text)
    return settings


def _problem(item: Any, name: str, text: str, overrides: dict[str, Any]) -> Problem:
    location = tuple(str(part) for part in item["loc"])
    dotted = ".".join(location)
    section = overrides.get(location[0]) if location else None
    if isinstance(section, dict) and len(location) > 1 and location[1] in section:
        place = Place((PREFIX + "__".join(location[:2])).upper())
    else:
        place = Place(name, _line_of(text, location))
    if item["type"] == "extra_forbidden":
        return Problem(_("Unknown setting {key}.", key=dotted), place, _near(location))
    return Problem(f"{dotted}: {item['msg']}.", place)


def _near(location: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    fields: Any = Settings.model_fields
    for part in location[:-1]:
        fields = getattr(fields[part].annotation, "model_fields", {}) if part in fields else {}
    near = get_close_matches(location[-1], list(fields), n=1)
    if near:
        return _("Did you mean {name}?", name=near[0])
    return _("Remove it. Known here: {names}.", names=", ".join(fields)) if fields else ""


def _line_of(text: str, location: tuple[str, ...]) -> int | None:
    """Return the line of a key in TOML text, or that of its table when the key is written in another way."""
    if len(location) > 2 and re.search(rf"(?m)^\s*\[{re.escape('.'.join(location[:2]))}\]", text):
        location = (".".join(location[:2]), location[2])
    section = location[0] if len(location) > 1 else ""
    wanted = location[1] if len(location) > 1 else location[0] if location else ""
    current, table_line = "", None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        if header:
            current = header[1].strip()
            if current in (section, wanted):
                table_line = number
            continue
        key = re.match(r"\s*(?:\"([^\"]+)\"|([A-Za-z0-9_-]+))\s*=", line)
        if key and current == section and (key[1] or key[2]) == wanted:
            return number
    return table_line


def _refuse_open_connections(settings: Settings, name: str, text: str) -> None:
    """Passwords, letters and links never cross a network in the clear (RFC 8314)."""
    problems = []
    for section, server in (("smtp", settings.smtp), ("imap", settings.imap)):
        if server.host and server.security == "none" and server.host not in LOOPBACK:
            message = _('{section}.security = "none" is allowed on this machine only.', section=section)
            place = Place(name, _line_of(text, (section, "security")))
            problems.append(Problem(message, place, _('Use "starttls" or "tls".')))
    public = urlsplit(settings.web.public_url)
    if public.scheme != "https" and not (public.scheme == "http" and public.hostname in LOOPBACK):
        # The unsubscribe link of every letter begins with it, and mail programs take https only (RFC 8058).
        message = _("web.public_url has to begin with https:// unless it is this machine.")
        place = Place(name, _line_of(text, ("web", "public_url")))
        problems.append(Problem(message, place, _("Put a TLS proxy before the pages and write its address here.")))
    if problems:
        raise ConfigError(problems)
