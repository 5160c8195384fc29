"""The form under a checked visit sheet, sent as the page that was just shown sends it."""

from __future__ import annotations

from typing import Any

from django.test import Client

from outcomes.models import VisitSheet
from outcomes.visit_sheets import digest


def send(client: Client, sheet: VisitSheet, **fields: str) -> Any:
    """The answer to the form of the sheet as it was last checked."""
    sheet.refresh_from_db()
    return client.post(f"/visit-sheets/{sheet.pk}/", {"shown": digest(sheet)} | fields)
