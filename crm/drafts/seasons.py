"""Which season's greeting is due to a reader on a day. Pure: the day is handed in.

The rule, one line for each greeting; the first that fits is taken:

* ``lunar_new_year`` (Seollal, 春节, Tết): from 14 days before the day to the day itself, to readers in Korea, China,
  Taiwan, Hong Kong, Macao, Singapore and Vietnam, and to whoever is written to in Chinese.
* ``mid_autumn`` (Chuseok, 中秋节): from 14 days before to the day, to readers in Korea, China, Taiwan, Hong Kong and
  Macao, and to whoever is written to in Chinese.
* ``eid``: from 5 days before Eid al-Fitr or Eid al-Adha to 3 days after, since the moon decides the day country by
  country and the greeting is said then as well; where Eid is the year's great holiday, but not in Chinese letters.
* ``diwali``: from 10 days before to the day, in India.
* ``christmas``: 1 to 24 December, where business itself greets so: Spain, Spanish America, Brazil, Portugal and the
  Philippines.
* ``year_end``: 1 to 31 December, where 1 January is a public holiday, or the country is not known. Japan is greeted so
  and not at the lunar new year.

A faith is never inferred from a name: only the country and the language of the letter are asked. Sources: the days of
the lunar new year, Eid and Diwali are those of ``quiet_seasons.toml``; Mid-Autumn and 1 January are the ``holidays``
package's (China, and Korea for Chuseok); which greeting is said where is the advisors' rule.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache, lru_cache

from crm.campaigns.days import feasts, holidays_of
from crm.drafts.language import SPANISH_AMERICA

SEASONS = ("lunar_new_year", "mid_autumn", "eid", "diwali", "christmas", "year_end")

_CHINESE = frozenset({"zh-Hans", "zh-Hant"})
_MOON = frozenset({"KR", "CN", "TW", "HK", "MO"})
_LUNAR_NEW_YEAR = _MOON | {"SG", "VN"}
_EID = frozenset(
    ("AE", "BD", "BH", "BN", "DZ", "EG", "ID", "IQ", "JO", "KW", "LY", "MA", "MY", "OM", "PK", "QA", "SA", "TN", "TR")
)
_CHRISTMAS = SPANISH_AMERICA | {"ES", "BR", "PT", "PH"}


@lru_cache(maxsize=4096)
def season_of(day: date, country: str | None, language: str) -> str | None:
    """Return the code of the greeting that is due on ``day`` to a reader in ``country``, or None where none is.

    ``country`` is ISO 3166-1 alpha-2, ``language`` that of the letter. The rule stands at the head of the module.
    """
    land = (country or "").upper()
    return next((code for code in SEASONS if _RULES[code](day, land, language)), None)


def greeted_year(season: str, day: date) -> int:
    """Return the year that a greeting said on ``day`` wishes well for: in December the coming one."""
    return day.year + (season in ("christmas", "year_end"))


def _lunar_new_year(day: date, land: str, language: str) -> bool:
    feast = "tet" if land == "VN" else "lunar_new_year"
    return (land in _LUNAR_NEW_YEAR or language in _CHINESE) and _near(day, feasts(feast), 14, 0)


def _mid_autumn(day: date, land: str, language: str) -> bool:
    return (land in _MOON or language in _CHINESE) and _near(day, _full_moons(day.year, land == "KR"), 14, 0)


def _eid(day: date, land: str, language: str) -> bool:
    days = feasts("eid_al_fitr") + feasts("eid_al_adha")
    return land in _EID and language not in _CHINESE and _near(day, days, 5, 3)


def _diwali(day: date, land: str, _language: str) -> bool:
    return land == "IN" and _near(day, feasts("diwali"), 10, 0)


def _christmas(day: date, land: str, _language: str) -> bool:
    return land in _CHRISTMAS and day.month == 12 and day.day <= 24


def _year_end(day: date, land: str, _language: str) -> bool:
    return day.month == 12 and (not land or date(day.year + 1, 1, 1) in holidays_of(land, day.year + 1))


_RULES: dict[str, Callable[[date, str, str], bool]] = {
    "lunar_new_year": _lunar_new_year,
    "mid_autumn": _mid_autumn,
    "eid": _eid,
    "diwali": _diwali,
    "christmas": _christmas,
    "year_end": _year_end,
}


def _near(day: date, days: tuple[date, ...], before: int, after: int) -> bool:
    return any(each - timedelta(days=before) <= day <= each + timedelta(days=after) for each in days)


@cache
def _full_moons(year: int, korean: bool) -> tuple[date, ...]:
    land, name = ("KR", "Chuseok") if korean else ("CN", "Mid-Autumn Festival")
    return tuple(day for day, names in holidays_of(land, year).items() if name in names.split("; "))
