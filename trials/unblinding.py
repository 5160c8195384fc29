"""Unblinding: the act that ends a trial's masking, once and for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User


@transaction.atomic
def unblind(*, trial: Trial, by: User, reason: str, version: int, registry_id: str) -> Trial:
    """Show the arms of a masked trial to everybody who works on it; nothing hides them again.

    `registry_id` is typed by hand, so that nobody unblinds another trial than they mean. What the
    registry entry says of the masking stays: it tells of the design. Raises PermissionDenied,
    Refused, StaleVersion, or Conflict where no arm is hidden.
    """
    audit.attribute(by=by, reason=reason)
    access.require(by, access.Action.UNBLIND, trial=trial)
    stored = Trial.objects.select_for_update().get(pk=trial.pk)
    if registry_id.strip() != stored.registry_id:
        raise Refused([FieldError("/registry_id", _("Type the registry id of this trial."))])
    if not stored.masked:
        raise Conflict([FieldError("", _("The arms of this trial are not masked."))])
    if stored.version != version:
        raise StaleVersion(stored.version)
    stored.unblinded_at = timezone.now()
    stored.version += 1
    stored.save()
    return stored
