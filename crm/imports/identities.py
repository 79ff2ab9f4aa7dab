"""What in a row tells the person, and the keys under which that person is looked up. Pure."""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from crm.contacts import rules
from crm.contacts.rules import Identity


def identity(facts: Mapping[str, Any], exhibition_id: int) -> Identity:
    """Return what in a record's facts tells the person."""
    get = facts.get
    mobile, phone, firm, country, badge = (
        get("mobile"),
        get("phone"),
        get("company"),
        get("country"),
        get("external_id"),
    )
    name, alt, more = get("full_name"), get("name_alt"), get("other_phones")
    numbers = [number.partition(";")[0] for number in (mobile, phone, *(more or ())) if number]
    return Identity(
        tuple(map(rules.mailbox, get("emails", ()))),
        tuple(numbers),
        tuple([one for one in (name, alt) if one]),
        (firm,) if firm else (),
        (country,) if country else (),
        ((exhibition_id, badge),) if badge else (),
        (mobile,) if mobile else (),
    )


def keys_of(told: Identity) -> dict[int, str]:
    """Return the keys under which somebody is looked up, as they are stored, each with the firm it is about."""
    return {crc32(key.encode()): firm for key, firm in rules.keys(told).items()}
