"""Downloads of buyers and talks, for every role what its pages show; who took how many is written into the log."""

from collections.abc import Iterator
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from crm.contacts import export
from crm.contacts.export import CONTACTS, LEADS, Selection
from crm.core.clock import KST
from crm.core.errors import NotFound
from crm.core.i18n import _, language
from crm.web.visits import SignedIn, Visit

router = APIRouter()
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "vcf": "text/vcard; charset=utf-8",
}
_PLAIN_NAMES = {CONTACTS: "buyers", LEADS: "talks"}


@router.get("/contacts/export.{form}")
def download(
    visit: SignedIn,
    form: str,
    kind: str = CONTACTS,
    q: str = "",
    country: str = "",
    exhibition: int = 0,
    exporter: int = 0,
    version: str = "4.0",
) -> Response:
    if form not in TYPES:
        raise NotFound(_("There is no such page"))
    wanted = Selection(kind, q.strip(), country or None, exporter or None, exhibition or None)
    rows = export.count_of(visit.db, visit.viewer, wanted, form)
    headers = {"Content-Disposition": _disposition(visit, wanted, form), "Cache-Control": "no-store"}
    pieces = _pieces(visit, wanted, form, version)
    with visit.context.db.writing() as session:  # before the first byte: a download broken off has been seen too
        export.record(session, visit.viewer, wanted, form, rows=rows, now=visit.now)
    return StreamingResponse(pieces, media_type=TYPES[form], headers=headers)


def _pieces(visit: Visit, wanted: Selection, form: str, version: str) -> Iterator[bytes]:
    """Read in a session of the download's own: the visit's is closed before the first byte leaves.

    What is wrong with the selection is raised here and now, not in the middle of the file.
    """
    export.export(visit.db, visit.viewer, wanted, form, card_version=version)
    database, viewer, said = visit.context.db, visit.viewer, language()

    def read() -> Iterator[bytes]:
        with database.reading() as session:
            yield from export.export(session, viewer, wanted, form, language=said, card_version=version)

    return read()


def _disposition(visit: Visit, wanted: Selection, form: str) -> str:
    """Name the file twice: in ASCII for old clients, and as it is called (RFC 6266)."""
    day = f"{visit.now.astimezone(KST):%Y%m%d}"
    name = _("Talks") if wanted.kind == LEADS else _("Buyers")
    full = quote(f"{name}_{day}.{form}", safe="")
    return f"attachment; filename=\"ieum-{_PLAIN_NAMES[wanted.kind]}-{day}.{form}\"; filename*=UTF-8''{full}"
