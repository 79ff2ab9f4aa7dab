"""Reads telephone cells into E.164. What is possible by its length is accepted: number plans change."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

from crm.imports import dialling
from crm.imports.records import Cell
from crm.imports.text import cell_text, unwrapped, without_invisible

_LABEL = re.compile(
    r"^\s*(?:tel|telephone|phone|mobile|mob|cell|cel|fax|hp|h\.p|m|t|f|móvil|celular|office|direct|whatsapp|wechat"
    r"|휴대폰|휴대전화|핸드폰|전화|전화번호|연락처|팩스|사무실|직통|대표|电话|手机|联系电话|传真|電話|手機|傳真|携帯|直通|代表)"
    r"\s*[.:：)]?\s*(?=[+(\d])",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    r"\s*[(（]?\s*(?:내선(?:번호)?|ext\.?|extension|内線|內線|分机|分機|x|#)\s*[:.]?\s*(\d{1,6})\s*[)）]?\s*$",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"(\d)[.,](\d+)E\+?(\d{1,2})", re.IGNORECASE)
_REMARK = re.compile(r"[(（][^)）\d+]*[)）]")
_KOREAN_MOBILE = re.compile(r"\+821[016789]\d+")


@dataclass(frozen=True)
class Phone:
    """One number in E.164 (with ``;ext=`` when there is one). ``code`` says what was done or why it is empty."""

    number: str
    code: str = ""

    @property
    def region(self) -> str:
        """The country of an international number, for rows that do not name theirs."""
        return region_of(self.number.partition(";")[0]) if self.number else ""


def read(cell: Cell, *, country: str, home: str) -> list[Phone]:
    """Return the numbers of a cell. ``country`` is the row's, ``home`` the file's; empty when unknown."""
    text = cell_text(cell)
    number, code = dialling.plainly(text, country or home)
    if number or code:
        return [Phone(number, code)]
    text = unicodedata.normalize("NFKC", without_invisible(unwrapped(text))).strip()
    restored = _from_scientific(text)
    if restored is not None:
        return [_one(restored, country, home)] if restored else [Phone("", "phone_unreadable")]
    parts = [part.strip() for part in re.split(r"[/;,\n、]|\s+또는\s+", text) if part.strip()]
    return [_one(part, country, home) for part in _rejoined(parts)]


def is_korean_mobile(number: str) -> bool:
    return bool(_KOREAN_MOBILE.fullmatch(number))


@lru_cache(maxsize=2048)
def region_of(number: str) -> str:
    """Return the country of an E.164 number; empty when several share its code and it does not say."""
    alone = dialling.only_region(number)
    if alone:
        return alone
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_number(parsed)
    if region is None and parsed.country_code not in (1, 7, 39, 44, 61):  # codes that countries share
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return region if region and len(region) == 2 and region.isalpha() and region != "ZZ" else ""


def _from_scientific(text: str) -> str | None:
    """None: not scientific. Empty: digits are lost. Else all digits: Excel's own display has two decimals."""
    found = _SCIENTIFIC.fullmatch(text)
    if not found:
        return None
    whole, decimals, exponent = found[1], found[2], int(found[3])
    return whole + decimals.ljust(exponent, "0") if 5 <= len(decimals) <= exponent else ""


def _rejoined(parts: list[str]) -> list[str]:
    """Put back together what is no number of its own, e.g. the last digits in ``031-900-0000/1``."""
    joined: list[str] = []
    for part in parts:
        if joined and len(re.sub(r"\D", "", part)) < 5:
            continue
        joined.append(part)
    return joined


def _one(text: str, country: str, home: str) -> Phone:
    text = _REMARK.sub(" ", _LABEL.sub("", text)).strip()
    extension = _EXTENSION.search(text)
    if extension:
        text = text[: extension.start()]
    number, code = _international(text, country, home)
    if not number:
        return Phone("", "phone_invalid")
    return Phone(number + (f";ext={extension[1]}" if extension else ""), code)


def _international(text: str, country: str, home: str) -> tuple[str, str]:
    """Return (E.164 or empty, code of what was restored)."""
    digits = re.sub(r"\D", "", text)
    if re.match(r"\s*\(?\s*\+", text) or digits.startswith("00"):
        return _parsed("+" + digits.removeprefix("00"), None), ""
    region = country or home
    if region == "KR" and re.fullmatch(r"1[016789]\d{7,8}", digits):
        return _parsed("0" + digits, "KR"), "phone_zero_restored"
    calling = str(phonenumbers.country_code_for_region(region)) if region else ""
    if calling and len(digits) > 9 and digits.startswith(calling):
        found = _parsed("+" + digits, None)
        if found:
            return found, ""
    return (_parsed(digits, region), "") if region else ("", "")


def _parsed(text: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""  # nor is a number without its area code one that could be dialled from abroad
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
