"""The event log: who did what, when, to what. It is only ever added to."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from fastapi import APIRouter
from starlette.responses import Response

from crm.core.clock import KST
from crm.core.i18n import N_, _
from crm.core.models import Event
from crm.pipeline import texts as pipeline_texts
from crm.web import staffwords, words
from crm.web.staffroom import PAGE, LogFilter, known_verbs, log_lines
from crm.web.visits import Staff

router = APIRouter()
LINKS = {
    "campaign": "/campaigns/{}",
    "contact": "/contacts/{}",
    "deal": "/deals/{}",
    "draft": "/review/{}",
    "exhibition": "/exhibitions/{}",
    "import_batch": "/import/batches/{}",
    "inbox_message": "/replies/{}",
    "user_account": "/users/{}",
}


@router.get("/audit")
def audit(
    visit: Staff,
    verb: str = "",
    actor: str = "",
    subject: str = "",
    since: str = "",
    until: str = "",
    before: int = 0,
) -> Response:
    last = _day(until)
    wanted = LogFilter(verb, actor, subject, _day(since), last + timedelta(days=1) if last else None, before)
    rows = log_lines(visit.db, visit.viewer, wanted, limit=PAGE + 1)
    verbs = [(code, staffwords.verb_name(code)) for code in known_verbs(visit.db)]
    return visit.page(
        "audit/list.html",
        rows=rows[:PAGE],
        more=len(rows) > PAGE,
        typed={"verb": verb, "actor": actor, "subject": subject, "since": since, "until": until},
        verbs=[("", _("Any")), *sorted(verbs, key=lambda one: one[1])],
        subjects=[("", _("Any")), *((code, staffwords.subject_name(code)) for code in staffwords.SUBJECTS)],
        verb_name=staffwords.verb_name,
        subject_name=staffwords.subject_name,
        link=_link,
        details=_details,
    )


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time(), KST)
    except ValueError:
        return None


def _link(event: Event) -> str:
    return LINKS[event.subject].format(event.subject_id) if event.subject in LINKS else ""


def _details(event: Event, letter_name: Callable[[str], str]) -> str:
    """Return the reason and the data of a line, shortened; codes of which the name is known by that name."""
    parts = [
        f"{_key(event, key)}: {_value(event, key, value, letter_name)}"
        for key, value in event.data.items()
        if value not in (None, "", [], {})
    ]
    return "; ".join([*([staffwords.reason_name(event.reason)] if event.reason else []), *parts])[:300]


def _key(event: Event, key: str) -> str:
    own = {("inbox_message", "from"): N_("Sender"), ("task", "title"): N_("Subject")}
    return _(own[event.subject, key]) if (event.subject, key) in own else staffwords.detail_name(key)


def _value(event: Event, key: str, value: object, letter_name: Callable[[str], str]) -> str:
    names: dict[str, Callable[[str], str]] = {
        "letter": letter_name,
        "language": words.tongue,
        "country": words.country,
        "territory": words.country,
        "role": staffwords.role_name,
        "kind": lambda code: _(pipeline_texts.CONTRACT_KINDS.get(code, code)),
    }
    if event.subject == "deal" and key in ("from", "to"):
        names[key] = lambda code: pipeline_texts.stage_name(code) if code in pipeline_texts.STAGES else code
    if key not in names:
        return _plain(value)
    codes = value if isinstance(value, list) else [value]
    between = ", " if key == "territory" else " → "
    return between.join(names[key](str(code)) if code else "–" for code in codes)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return " → ".join(str(item) if item not in (None, "") else "–" for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{staffwords.detail_name(key)} {_plain(item)}" for key, item in value.items())
    return {True: "✓", False: "–"}[value] if isinstance(value, bool) else str(value)
