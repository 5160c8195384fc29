"""One request of the contract's tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from registry.models import User
from tests.contract.scene import Scene

WHY = {"reason": "typing error"}


@dataclass
class Call:
    """A request; `by` is a member of the cast."""

    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    by: str = "superuser"
    content_type: str = "application/json"

    def user(self, at: Scene) -> User:
        """Who asks."""
        who: User = getattr(at.cast, self.by)
        return who


def change(path: str, row: Any, body: dict[str, Any]) -> Call:
    """A change of the version that is stored."""
    return Call(path, body | WHY, {"If-Match": f'"{row.version}"'})
