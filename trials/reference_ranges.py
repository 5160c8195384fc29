"""Normal limits of a site's laboratory: what a multiple of ULN is a multiple of.

Written by the people of the site and by the trial's administrator. A screening keeps the limits
that it was judged by; a correction here changes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from registry import audit
from registry.errors import Conflict, FieldError, Refused, StaleVersion
from trials import access
from trials.models import ReferenceRange, ReferenceRangeQuerySet, Site
from trials.screening_items import ITEMS

if TYPE_CHECKING:
    from registry.models import User

EARLIEST = date(1900, 1, 1)
LABORATORY = {code: item for code, item in ITEMS.items() if item.limits}


def may_write(user: User, site: Site, action: access.Action = access.Action.WRITE_RECORDS) -> bool:
    """Whether the user's role at the site allows it, or they administer the trial."""
    return access.may(user, action, trial=site.trial, site=site) or access.may(
        user, access.Action.WRITE_TRIAL, trial=site.trial
    )


def valid_on(rows: ReferenceRangeQuerySet, on: date) -> ReferenceRangeQuerySet:
    """Those that hold on a day: begun by then, and not followed by a later one."""
    later = ReferenceRange.objects.active().filter(
        site=OuterRef("site"), item=OuterRef("item"), sex=OuterRef("sex"),
        valid_from__gt=OuterRef("valid_from"), valid_from__lte=on,
    )  # fmt: skip
    return rows.filter(~Exists(later), valid_from__lte=on)


@transaction.atomic
def record_range(*, site: Site, by: User, **facts: Any) -> ReferenceRange:
    """Add the limits of an item. Raises PermissionDenied, Refused or Conflict."""
    audit.attribute(by=by, reason="recorded")
    _require(by, site)
    row = ReferenceRange(site=_locked_site(site), **facts)
    _check(row)
    row.save()
    return row


@transaction.atomic
def correct_range(
    *, row: ReferenceRange, changes: Mapping[str, Any], by: User, reason: str, version: int
) -> ReferenceRange:
    """Replace what a range says; it stays with its site."""
    audit.attribute(by=by, reason=reason)
    _require(by, row.site)
    row = _locked(row, version)
    for name, value in changes.items():
        setattr(row, name, value)
    _check(row)
    return _stored_next(row)


@transaction.atomic
def void_range(*, row: ReferenceRange, by: User, reason: str, version: int) -> ReferenceRange:
    """Take a range out of lists and of later screenings."""
    audit.attribute(by=by, reason=reason)
    _require(by, row.site, access.Action.VOID)
    row = _locked(row, version)
    row.voided_at = timezone.now()
    return _stored_next(row)


def _require(by: User, site: Site, action: access.Action = access.Action.WRITE_RECORDS) -> None:
    if not may_write(by, site, action):
        raise PermissionDenied(access.refusal())


def _locked_site(site: Site) -> Site:
    """The site under a lock: its ranges are written one after the other."""
    rows = Site.objects.select_for_update(of=("self",), no_key=True).select_related("trial")
    return rows.get(pk=site.pk)


def _locked(row: ReferenceRange, version: int) -> ReferenceRange:
    site = _locked_site(row.site)
    stored = ReferenceRange.objects.select_for_update().get(pk=row.pk)
    stored.site = site
    if stored.version != version or stored.voided_at:
        raise StaleVersion(stored.version, stored)
    return stored


def _stored_next(row: ReferenceRange) -> ReferenceRange:
    row.version += 1
    row.save()
    return row


def _check(row: ReferenceRange) -> None:
    if errors := list(_errors(row)):
        raise Refused(errors)
    key = {name: getattr(row, name) for name in ("site", "item", "sex", "valid_from")}
    if ReferenceRange.objects.active().filter(**key).exclude(pk=row.pk).exists():
        detail = _("There are limits from this day already; correct those.")
        raise Conflict([FieldError("/valid_from", detail)])


def _errors(row: ReferenceRange) -> Iterator[FieldError]:
    item = LABORATORY.get(row.item)
    if item is None:
        yield FieldError("/item", _("One of: %s.") % ", ".join(LABORATORY))
    elif row.unit not in item.units:
        yield FieldError("/unit", _("One of: %s.") % ", ".join(item.units))
    if row.lower is None and row.upper is None:
        yield FieldError("/upper", _("Give a lower or an upper limit."))
    elif row.lower is not None and row.upper is not None and row.lower >= row.upper:
        yield FieldError("/upper", _("Above the lower limit, %s.") % row.lower)
    today = row.site.today()
    if row.valid_from > today:
        latest = _("In the future at the site; at the latest today, %s.")
        yield FieldError("/valid_from", latest % today)
    if row.valid_from < EARLIEST:
        yield FieldError("/valid_from", _("On or after %s.") % EARLIEST)


def ordered(rows: ReferenceRangeQuerySet) -> ReferenceRangeQuerySet:
    """By item, the latest first."""
    return rows.order_by("item", F("valid_from").desc(), "sex", "id")
