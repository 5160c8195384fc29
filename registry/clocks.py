"""Moments as they are shown, on every page alike: on a site's clock, which is said with them.

A template would show an aware moment in UTC and not say so; `{{ at|moment:zone }}` is the one way.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

UNIVERSAL = "UTC"


def moment(at: datetime, zone: str = UNIVERSAL) -> str:
    """To the minute, by the clock of a zone such as Asia/Shanghai: 2026-11-22 05:08 UTC+8."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M} {offset(local)}"


def offset(local: datetime) -> str:
    """From universal time: UTC+8, UTC+5:30. Abbreviations such as CST name several zones."""
    minutes = int((local.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def zone_of(row: Any) -> str:
    """The zone of the site of a patient, or of what is recorded of one; else universal time."""
    site = getattr(getattr(row, "patient", row), "site", None)
    return str(getattr(site, "timezone", UNIVERSAL))
