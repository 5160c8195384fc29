"""Where a trial is run, and what each laboratory calls normal."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import (
    F,
    Q,
)
from django.utils.translation import gettext_lazy as _

from registry.audit import audited
from trials import vocabularies as v
from trials.models.entries import Trial
from trials.models.memberships import Membership

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User


class SiteQuerySet(models.QuerySet["Site"]):
    """Sites in domain words."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Sites that the user works for today: one, or all of a trial."""
        if user.is_superuser:
            return self
        mine = Membership.objects.current().filter(user=user.pk)
        return self.filter(
            Q(pk__in=mine.values("site")) | Q(trial__in=mine.filter(site=None).values("trial"))
        )


@audited()
class Site(models.Model):
    """A hospital that takes part in a trial."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="sites")
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    state = models.CharField(_("state or province"), max_length=100, blank=True)
    zip = models.CharField(_("postal code"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=100, blank=True)
    timezone = models.CharField(
        _("time zone"), max_length=64, default="Asia/Shanghai", validators=[v.validate_timezone]
    )
    status = models.CharField(_("recruitment status"), max_length=30, choices=v.Status, blank=True)

    objects = SiteQuerySet.as_manager()

    class Meta:
        ordering = ["trial", "code"]
        verbose_name = _("site")
        constraints = [
            models.UniqueConstraint(fields=["trial", "code"], name="site_code_unique_in_trial"),
            models.UniqueConstraint(fields=["id", "trial"], name="site_identifies_trial"),
            models.CheckConstraint(condition=~Q(code=""), name="site_code_given"),
        ]

    def __str__(self) -> str:
        return self.code

    def today(self) -> date:
        """The calendar date at the site: a Shanghai morning is yesterday in UTC."""
        return datetime.now(ZoneInfo(self.timezone)).date()


class ReferenceRangeQuerySet(models.QuerySet["ReferenceRange"]):
    """Reference ranges in domain words."""

    def active(self) -> Self:
        """Not voided."""
        return self.filter(voided_at=None)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Of sites that the user works for."""
        return self.filter(site__in=Site.objects.visible_to(user))

    def valid_at(self, site: Site, on: date, sex: str = "") -> Self:
        """What held in a site's laboratory on a day, the latest first; of one sex before any."""
        both = [v.RangeSex.ANY, sex] if sex in v.RangeSex.values else [v.RangeSex.ANY]
        rows = self.active().filter(site=site, valid_from__lte=on, sex__in=both)
        return rows.order_by("item", "-valid_from", F("sex").desc())


@audited()
class ReferenceRange(models.Model):
    """The normal limits of a site's laboratory for one item, from a date until the next one's."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="reference_ranges")
    item = models.CharField(_("item"), max_length=40)
    sex = models.CharField(_("sex"), max_length=10, choices=v.RangeSex, default=v.RangeSex.ANY)
    lower = models.DecimalField(
        _("lower limit of normal"), max_digits=12, decimal_places=4, null=True, blank=True
    )
    upper = models.DecimalField(
        _("upper limit of normal"), max_digits=12, decimal_places=4, null=True, blank=True
    )
    unit = models.CharField(_("unit"), max_length=20)
    valid_from = models.DateField(_("valid from"))
    version = models.PositiveIntegerField(default=1)
    voided_at = models.DateTimeField(null=True, blank=True)

    objects = ReferenceRangeQuerySet.as_manager()

    class Meta:
        ordering = ["site", "item", "valid_from", "id"]
        verbose_name = _("reference range")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "item", "sex", "valid_from"],
                condition=Q(voided_at=None),
                name="reference_range_once",
            ),
            models.CheckConstraint(
                condition=~(Q(lower=None) & Q(upper=None)), name="reference_range_has_a_limit"
            ),
            models.CheckConstraint(
                condition=Q(lower=None) | Q(lower__gte=0), name="reference_range_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(lower=None) | Q(upper=None) | Q(lower__lt=F("upper")),
                name="reference_range_in_order",
            ),
            models.CheckConstraint(
                condition=Q(sex__in=v.RangeSex.values), name="reference_range_sex_known"
            ),
            models.CheckConstraint(
                condition=~Q(item="") & ~Q(unit=""), name="reference_range_item_and_unit_given"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} {self.valid_from}"
