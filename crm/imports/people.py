"""Finds the known person a row is about. Everybody who may be meant is fetched at once, by the file's keys."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from crm.contacts.models import Contact, EmailAddress, Lead, Organisation
from crm.contacts.rules import Identity, keys, match_key, maybe_same_person, same_person
from crm.contacts.service import chunks
from crm.imports.contactlist import identity as identity_of_row
from crm.imports.records import CanonicalRow


@dataclass(eq=False)
class Person:
    """A contact with its firm, addresses and badges at this show, whether stored already or not."""

    contact: Contact
    organisation: Organisation | None = None
    addresses: list[str] = field(default_factory=list)
    badges: set[str] = field(default_factory=set)

    def identity(self, badge: str = "") -> Identity:
        contact = self.contact
        phones = (contact.mobile, contact.phone, *contact.other_phones)
        return Identity(
            tuple(self.addresses),
            tuple(number for number in phones if number),
            contact.full_name,
            contact.name_alt,
            self.organisation.name if self.organisation else "",
            contact.country or "",
            badge if badge in self.badges else "",
        )


@dataclass
class People:
    """The people a file may be about, looked up by address, number, name and badge; grows as rows add people."""

    by_key: dict[tuple[str, str], list[Person]] = field(default_factory=lambda: defaultdict(list))

    def add(self, person: Person) -> None:
        """Make the person findable under everything now known of them."""
        found = [*keys(person.identity()), *(("badge", badge) for badge in person.badges)]
        for key in found:
            if not any(person is other for other in self.by_key[key]):
                self.by_key[key].append(person)

    def find(self, wanted: Identity) -> tuple[Person | None, Person | None]:
        """Return the person who is surely meant and, if there is none, one a human should look at."""
        near: dict[int, Person] = {id(p): p for key in keys(wanted) for p in self.by_key.get(key, ())}
        for reason in ("badge", "email", "phone", "name"):
            for person in near.values():
                if same_person(person.identity(wanted.badge), wanted) == reason:
                    return person, None
        maybe = (p for p in near.values() if maybe_same_person(p.identity(), wanted) or _shares_mailbox(p, wanted))
        return None, next(maybe, None)


def _shares_mailbox(person: Person, wanted: Identity) -> bool:
    return bool(set(person.identity().mailboxes) & set(wanted.mailboxes))


def load(session: Session, rows: Sequence[CanonicalRow], exhibition_id: int) -> People:
    """Fetch everybody who shares an address, a number, a name, a firm or a badge with a row."""
    identities = [identity_of_row(row) for row in rows]
    ids = _candidates(session, identities, exhibition_id)
    people = People()
    for person in _persons(session, ids, exhibition_id):
        people.add(person)
    return people


def _candidates(session: Session, identities: Sequence[Identity], exhibition_id: int) -> set[int]:
    addresses = {a for one in identities for a in (*one.emails, *one.mailboxes)}
    numbers = {number for one in identities for number in one.phones}
    names = {name for one in identities for name in (one.name, one.name_alt) if name}
    firms = {match_key(one.company, one.country) for one in identities if one.company and not one.emails}
    badges = {one.badge for one in identities if one.badge}
    ids: set[int] = set()
    ids |= _ids(session, EmailAddress.contact_id, EmailAddress.address, addresses)
    ids |= _ids(session, Contact.id, Contact.mobile, numbers)
    ids |= _ids(session, Contact.id, Contact.phone, numbers)
    ids |= _ids(session, Contact.id, Contact.full_name, names)
    ids |= _ids(session, Contact.id, Contact.name_alt, names)
    for chunk in chunks(firms):
        rows = select(Contact.id).join(Organisation).where(col(Organisation.match_key).in_(chunk))
        ids |= {found for found in session.exec(rows) if found is not None}
    for chunk in chunks(badges):
        leads = select(Lead.contact_id).where(Lead.exhibition_id == exhibition_id, col(Lead.external_id).in_(chunk))
        ids |= set(session.exec(leads))
    return ids


def _ids(session: Session, wanted: Any, column: Any, values: Iterable[str]) -> set[int]:
    found: set[int] = set()
    for chunk in chunks(sorted(values)):
        found |= {key for key in session.exec(select(wanted).where(col(column).in_(chunk))) if key is not None}
    return found


def _persons(session: Session, ids: set[int], exhibition_id: int) -> list[Person]:
    found: dict[int, Person] = {}
    for chunk in chunks(sorted(ids)):
        rows = select(Contact, Organisation).join(Organisation, isouter=True).where(col(Contact.id).in_(chunk))
        for contact, organisation in session.exec(rows.order_by(col(Contact.id))):
            found[contact.id or 0] = Person(contact, organisation)
        emails = select(EmailAddress).where(col(EmailAddress.contact_id).in_(chunk))
        for email in session.exec(emails.order_by(col(EmailAddress.contact_id), col(EmailAddress.position))):
            found[email.contact_id].addresses.append(email.address)
        leads = select(Lead.contact_id, Lead.external_id).where(
            col(Lead.contact_id).in_(chunk), Lead.exhibition_id == exhibition_id, Lead.external_id != ""
        )
        for contact_id, badge in session.exec(leads):
            found[contact_id].badges.add(badge)
    return list(found.values())
