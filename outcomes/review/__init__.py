"""The independent review: what waits to be read, and where it differs from the investigator."""

from outcomes.review.waiting import (
    to_read,
)

__all__ = ["to_read"]
