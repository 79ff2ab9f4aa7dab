"""Reads plainly written telephone numbers fast: libphonenumber takes some 100 µs for what a look at its tables settles.

Only what is certain is read here: digits and the usual signs, a number plan whose rules leave one reading, a length the
plan knows. For everything else the answer is an empty text, and the caller asks libphonenumber. Both must always agree.
"""

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata

_PLAIN = re.compile(r"\(?\+?[0-9(][0-9 ().\-]*")
_SIGNS = str.maketrans("", "", " ().-+")
_KOREAN_WITHOUT_ZERO = re.compile(r"1[016789]\d{7,8}")


@dataclass(frozen=True)
class _Plan:
    """What one country's number plan says about prefixes and lengths."""

    calling: str
    abroad: re.Pattern[str]
    trunk: re.Pattern[str] | None
    transforms: bool
    general: re.Pattern[str]
    lengths: frozenset[int]
    alone: str
    """The region, where no other shares its calling code."""

    def significant(self, digits: str) -> str:
        """Return a number without its trunk prefix; empty when that is not certain."""
        found = self.trunk.match(digits) if self.trunk else None
        if found and found.end():
            if self.general.fullmatch(digits) or (self.transforms and found[found.re.groups] is not None):
                return ""
            digits = digits[found.end() :]
        elif found and self.transforms:
            return ""
        return digits if len(digits) in self.lengths else ""


def plainly(text: str, region: str) -> tuple[str, str]:
    """Return (E.164, code of what was restored) for a plainly written number; two empty texts when in doubt."""
    if not _PLAIN.fullmatch(text):
        return "", ""
    digits = text.translate(_SIGNS)
    if "+" in text[:2]:
        return _abroad(digits.removeprefix("00")), ""
    if digits.startswith("00"):
        return _abroad(digits[2:]), ""
    if region == "KR" and _KOREAN_WITHOUT_ZERO.fullmatch(digits):
        return _at_home("0" + digits, "KR"), "phone_zero_restored"
    return _at_home(digits, region), ""


def only_region(number: str) -> str:
    """Return the country of an E.164 number whose calling code is that country's alone, else an empty text."""
    plan = _plan_of_code(number[1:2]) or _plan_of_code(number[1:3]) or _plan_of_code(number[1:4])
    return plan.alone if plan else ""


def _abroad(digits: str) -> str:
    plan = _plan_of_code(digits[:1]) or _plan_of_code(digits[:2]) or _plan_of_code(digits[:3])
    if plan is None:
        return ""
    number = plan.significant(digits[len(plan.calling) :])
    return f"+{plan.calling}{number}" if number else ""


def _at_home(digits: str, region: str) -> str:
    plan = _plan(region)
    if plan is None or plan.abroad.match(digits) or digits.startswith(plan.calling):
        return ""
    number = plan.significant(digits)
    return f"+{plan.calling}{number}" if number else ""


@cache
def _plan_of_code(calling: str) -> _Plan | None:
    if not calling or calling.startswith("0"):
        return None
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(calling), ())
    return _plan(regions[0]) if regions else None


@cache
def _plan(region: str) -> _Plan | None:
    """Return the plan of a region, its lengths narrowed to those of the first region with the same calling code."""
    found = PhoneMetadata.metadata_for_region(region, None) if region else None
    code = found.country_code if found else None
    if found is None or code is None:
        return None
    first = PhoneMetadata.metadata_for_region(phonenumbers.region_code_for_country_code(code), found)
    general, trunk = found.general_desc, found.national_prefix_for_parsing
    if first is None or not general or not general.national_number_pattern or not first.general_desc:
        return None
    shared = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    return _Plan(
        str(code),
        re.compile(found.international_prefix or r"(?!)"),
        re.compile(trunk) if trunk else None,
        bool(found.national_prefix_transform_rule),
        re.compile(general.national_number_pattern),
        frozenset(general.possible_length) & frozenset(first.general_desc.possible_length),
        region if len(shared) == 1 else "",
    )
