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
_KOREAN = re.compile(
    r"(\+82[- .]?|\(?0)(1[016789]|2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70)\)?[- .]{0,2}([0-9]{3,4})[- .]?([0-9]{4})"
)
_KOREAN_WITHOUT_ZERO = re.compile(r"1[016789]\d{7,8}")

Found = tuple[str, str]
DOUBTFUL: Found = ("", "")
INVALID: Found = ("", "phone_invalid")


@dataclass(frozen=True)
class _Plan:
    """What one country's number plan says about prefixes and lengths."""

    calling: str
    abroad: re.Pattern[str]
    trunk: re.Pattern[str] | None
    transforms: bool
    general: re.Pattern[str]
    lengths: frozenset[int]
    near_lengths: frozenset[int]
    """Lengths that only the region or only the code's first region knows."""
    alone: str
    """The region, where no other shares its calling code."""

    def read(self, digits: str) -> Found:
        """Return the E.164 form of a national number, with or without its trunk prefix."""
        found = self.trunk.match(digits) if self.trunk else None
        if not found or (not found.end() and not self.transforms):
            if len(digits) in self.lengths:
                return f"+{self.calling}{digits}", ""
            return DOUBTFUL if len(digits) in self.near_lengths else INVALID
        if self.transforms and (not found.end() or found[found.re.groups] is not None):
            return DOUBTFUL
        if self.general.fullmatch(digits) or len(digits) - found.end() not in self.lengths:
            return DOUBTFUL
        return f"+{self.calling}{digits[found.end() :]}", ""


def plainly(text: str, region: str) -> Found:
    """Return (E.164, code) for a plainly written number: the code says what was restored or that it is no number.

    Two empty texts: in doubt.
    """
    korean = _KOREAN.fullmatch(text)
    if korean and (region == "KR" or text[0] == "+"):
        return f"+82{korean[2]}{korean[3]}{korean[4]}", ""
    if not _PLAIN.fullmatch(text):
        return DOUBTFUL
    digits = text.translate(_SIGNS)
    if "+" in text[:2]:
        return _abroad(digits.removeprefix("00"))
    if digits.startswith("00"):
        return _abroad(digits[2:])
    if region == "KR" and _KOREAN_WITHOUT_ZERO.fullmatch(digits):
        number, code = _at_home("0" + digits, "KR")
        return number, code or ("phone_zero_restored" if number else "")
    return _at_home(digits, region)


def only_region(number: str) -> str:
    """Return the country of an E.164 number whose calling code is that country's alone, else an empty text."""
    plan = _plan_of(number[1:])
    return plan.alone if plan else ""


def _abroad(digits: str) -> Found:
    plan = _plan_of(digits)
    return plan.read(digits[len(plan.calling) :]) if plan else DOUBTFUL


def _plan_of(digits: str) -> _Plan | None:
    codes = _codes()
    calling = codes.get(digits[:2]) or codes.get(digits[:1]) or codes.get(digits[:3])
    return _plan(calling) if calling else None


@cache
def _codes() -> dict[str, str]:
    """Return calling code → first region. No code begins with another one."""
    return {str(code): regions[0] for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()}


def _at_home(digits: str, region: str) -> Found:
    plan = _plan(region)
    if plan is None:
        return DOUBTFUL if region else INVALID
    dialled = plan.abroad.match(digits)
    if dialled and digits[dialled.end() : dialled.end() + 1] != "0":
        return _abroad(digits[dialled.end() :])
    if dialled or digits.startswith(plan.calling):
        return DOUBTFUL
    return plan.read(digits)


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
        frozenset(general.possible_length) ^ frozenset(first.general_desc.possible_length),
        region if len(shared) == 1 else "",
    )
