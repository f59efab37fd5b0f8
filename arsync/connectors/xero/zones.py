"""Where an organisation's day begins: Xero's names of time zones to those of the time zone database; pure.

Source  Xero writes Windows' names without spaces (enum `TimeZone` of its OpenAPI document). Which place stands for one
        of them is CLDR's word, as tzlocal keeps it; two names that Windows has given up are of CLDR's older tables.
"""

from functools import cache
from zoneinfo import ZoneInfo

_GIVEN_UP = {"KAMCHATKASTANDARDTIME": "Asia/Kamchatka", "MIDATLANTICSTANDARDTIME": "Etc/GMT+2"}
_UNWRITTEN = str.maketrans("", "", " .-")


def zone_of(name: str) -> str | None:
    """The zone that Xero calls so, as the time zone database does; None for a name that one of them does not know."""
    try:
        return ZoneInfo(_zones()[name]).key
    except KeyError:  # of the table, or of the database
        return None


@cache
def _zones() -> dict[str, str]:
    from tzlocal.windows_tz import win_tz

    return _GIVEN_UP | {windows.upper().translate(_UNWRITTEN): zone for windows, zone in win_tz.items()}
