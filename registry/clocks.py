"""Moments as they are shown, on every page alike: on a site's clock, which is said with them.

A template would show an aware moment in UTC and not say so; `{{ at|moment:zone }}` is the one way.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

UNIVERSAL = "UTC"
TYPED = re.compile(
    r"(\d{4})([-/.]?)(\d\d)\2(\d\d)(?: +|T)(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?"
    r"(?: ?(Z|UTC|(?:UTC)?([+-])(\d{1,2})(?::?(\d\d))?))?",
    re.ASCII,
)


def moment(at: datetime, zone: str = UNIVERSAL) -> str:
    """To the minute, by the clock of a zone such as Asia/Shanghai: 2026-11-22 05:08 UTC+8."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M} {offset(local)}"


def offset(local: datetime) -> str:
    """From universal time: UTC+8, UTC+5:30. Abbreviations such as CST name several zones."""
    minutes = int((local.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def typed(at: datetime) -> str:
    """A moment as a person types it on its clock, YYYY-MM-DD HH:MM, and exactly that moment."""
    parts = f"{at:%S.%f}" if at.microsecond else f"{at:%S}" if at.second else ""
    return f"{at:%Y-%m-%d %H:%M}" + (f":{parts}" if parts else "")


def read(text: str, zone: str) -> datetime:
    """What a person typed, by the clock of a zone unless it says another; raises ValueError."""
    found = TYPED.fullmatch(text.strip())
    if found is None:
        raise ValueError("no date with a time")
    year, _, month, day, hour, minute, second, part, said, sign, ahead, rest = found.groups()
    local = datetime.fromisoformat(f"{year}-{month}-{day} {int(hour):02}:{minute}:{second or '00'}")
    local = local.replace(microsecond=int((part or "").ljust(6, "0")))
    if not said:
        return local.replace(tzinfo=ZoneInfo(zone))
    shift = timedelta(hours=int(ahead or 0), minutes=int(rest or 0))
    return local.replace(tzinfo=timezone(-shift if sign == "-" else shift))


def zone_of(row: Any) -> str:
    """The zone of the site of a patient, or of what is recorded of one; else universal time."""
    site = getattr(getattr(row, "patient", row), "site", None)
    return str(getattr(site, "timezone", UNIVERSAL))
