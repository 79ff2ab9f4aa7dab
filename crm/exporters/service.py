"""What the rest of the house asks about exporters, and the few things that change them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache

from sqlmodel import Session, col, select

from crm.accounts.models import Role, User
from crm.accounts.rules import Viewer
from crm.core import events
from crm.core.errors import BadInput, NotFound
from crm.core.i18n import _
from crm.exporters.models import Assignment, Booth, Catalogue, Exhibition, Exporter, Member, ProductLine


def viewer_of(session: Session, user: User) -> Viewer:
    """Return what ``user`` may see: staff everything, advisors and SMEs their exporters only."""
    assert user.id is not None
    return Viewer(
        user_id=user.id,
        email=user.email,
        name=user.name,
        role=Role(user.role),
        languages=tuple(user.languages),
        exporter_ids=None if user.role == Role.STAFF else _exporters_of(session, user),
    )


def _exporters_of(session: Session, user: User) -> frozenset[int]:
    link = Assignment if user.role == Role.ADVISOR else Member
    return frozenset(session.exec(select(link.exporter_id).where(link.user_id == user.id)))


def exporter_by_code(session: Session, code: str) -> Exporter:
    """Return the exporter; NotFound names the codes there are."""
    found = session.exec(select(Exporter).where(Exporter.code == code.upper())).first()
    if found is None:
        codes = ", ".join(session.exec(select(Exporter.code).order_by(Exporter.code)))
        raise NotFound(_("There is no exporter {code}. Known: {codes}.", code=code, codes=codes))
    return found


def exhibition_by_code(session: Session, code: str) -> Exhibition:
    """Return the exhibition; NotFound names the codes there are."""
    found = session.exec(select(Exhibition).where(Exhibition.code == code.upper())).first()
    if found is None:
        codes = ", ".join(session.exec(select(Exhibition.code).order_by(Exhibition.code)))
        raise NotFound(_("There is no exhibition {code}. Known: {codes}.", code=code, codes=codes))
    return found


def exporter_at_booth(session: Session, exhibition_id: int, number: str) -> Exporter | None:
    """Return who stood at a booth; the number is compared without spaces and case."""
    wanted = "".join(number.split()).upper()
    rows = select(Exporter).join(Booth).where(Booth.exhibition_id == exhibition_id, Booth.number == wanted)
    return session.exec(rows).first()


def booth_number(session: Session, exhibition_id: int, exporter_id: int) -> str:
    """Return the exporter's booth at the exhibition, or an empty text."""
    rows = select(Booth.number).where(Booth.exhibition_id == exhibition_id, Booth.exporter_id == exporter_id)
    return session.exec(rows).first() or ""


def next_booth(session: Session, exporter: Exporter, today: date) -> tuple[Booth, Exhibition] | None:
    """Return the exporter's booth at the first exhibition that starts after ``today``, or None."""
    rows = select(Booth, Exhibition).where(Booth.exhibition_id == Exhibition.id, Booth.exporter_id == exporter.id)
    return session.exec(rows.where(Exhibition.starts_on > today).order_by(col(Exhibition.starts_on)).limit(1)).first()


def lines_of(session: Session, exporter_id: int) -> Sequence[ProductLine]:
    """Return the exporter's product lines, the main one first."""
    rows = select(ProductLine).where(ProductLine.exporter_id == exporter_id).order_by(col(ProductLine.id))
    return session.exec(rows).all()


def match_line(lines: Iterable[ProductLine], texts: Iterable[str]) -> ProductLine | None:
    """Return the most specific line whose name or keyword occurs in what the buyer ticked or said, else None.

    A line below another is more specific than that; among equals the longest word that was found decides.
    """
    heap = " ".join(texts).casefold()
    known = {line.id: line for line in lines}
    found = [(_depth(line, known), longest, line) for line in known.values() if (longest := _longest_word(line, heap))]
    return max(found, key=lambda entry: entry[:2])[2] if found else None


def _longest_word(line: ProductLine, heap: str) -> int:
    words = [word.casefold() for word in (*line.keywords, *line.names.values()) if word]
    return max((len(word) for word in words if word in heap), default=0)


def _depth(line: ProductLine, known: Mapping[int | None, ProductLine]) -> int:
    chain = [line.id]
    while (above := known.get(line.parent_id)) is not None and above.id not in chain:
        chain.append(above.id)
        line = above
    return len(chain)


def ancestors(session: Session, product_line_id: int) -> list[int]:
    """Return the line itself and every line above it."""
    chain: list[int] = []
    current: int | None = product_line_id
    while current is not None and current not in chain:
        chain.append(current)
        line = session.get(ProductLine, current)
        current = line.parent_id if line else None
    return chain


def catalogue_for(session: Session, product_line_id: int, language: str) -> Catalogue | None:
    """Return the line's catalogue in ``language``, else in English, else None; the letter says which it is."""
    for wanted in dict.fromkeys((language, "en")):
        rows = select(Catalogue).where(Catalogue.product_line_id == product_line_id, Catalogue.language == wanted)
        found = session.exec(rows).first()
        if found:
            return found
    return None


def advisors_of(session: Session, exporter_id: int, language: str | None = None) -> list[User]:
    """Return the active advisors of an exporter, those who read ``language`` first."""
    rows = (
        select(User)
        .join(Assignment)
        .where(Assignment.exporter_id == exporter_id, col(User.active).is_(True))
        .order_by(col(User.id))
    )
    return sorted(session.exec(rows), key=lambda user: language is not None and language not in user.languages)


def advisor_namer(session: Session) -> Callable[[int, str], str]:
    """Return what names the advisor who reviews an exporter's letters in a language, or an empty text."""

    @cache
    def name(exporter_id: int, language: str) -> str:
        found = advisors_of(session, exporter_id, language)
        return found[0].name if found else ""

    return name


def add_exhibition(
    session: Session,
    *,
    code: str,
    names: dict[str, str],
    venue: str,
    starts_on: date,
    ends_on: date,
    now: datetime,
    by: str,
) -> Exhibition:
    """Store a new exhibition. Raises BadInput when the code is taken or the days are the wrong way round."""
    code = code.strip().upper()
    if ends_on < starts_on:
        raise BadInput(_("The exhibition ends before it starts. Correct the two dates."))
    if session.exec(select(Exhibition).where(Exhibition.code == code)).first():
        raise BadInput(_("The code {code} is taken. Choose another.", code=code))
    show = Exhibition(code=code, names=names, venue=venue, starts_on=starts_on, ends_on=ends_on)
    session.add(show)
    session.flush()
    events.record(session, "exhibition_added", "exhibition", show.id, at=now, actor=by)
    return show


def assign(session: Session, user: User, exporter: Exporter, *, now: datetime, by: str) -> None:
    """Give an advisor or an SME user a company. Doing it twice changes nothing."""
    assert user.id is not None
    assert exporter.id is not None
    if user.role == Role.STAFF:
        raise BadInput(_("Staff see every company; there is nothing to assign."))
    if exporter.id in _exporters_of(session, user):
        return
    if user.role == Role.ADVISOR:
        session.add(Assignment(user_id=user.id, exporter_id=exporter.id, since=now))
    else:
        session.add(Member(user_id=user.id, exporter_id=exporter.id))
    events.record(session, "user_assigned", "user_account", user.id, at=now, actor=by, exporter_id=exporter.id)
