"""What this app announces to those above it, within the transaction of the write."""

from __future__ import annotations

from django.dispatch import Signal

# The first dose, from which visits are planned, is on another day: `patient` as stored now, `by`.
first_dose_moved = Signal()
