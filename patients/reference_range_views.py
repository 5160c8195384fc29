"""Pages of a site's laboratory: its normal limits."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.forms import ChangeForm, VoidForm
from patients.views import entered
from registry.entry_pages import entry_page
from registry.form_fields import CalendarDateField
from registry.pages import posted, signed_in
from trials import access, reference_ranges
from trials.eligibility_wording import label, unit
from trials.models import ReferenceRange, Site
from trials.vocabularies import RangeSex

FIELDS = ("item", "sex", "lower", "upper", "unit", "valid_from")


class ReferenceRangeForm(ChangeForm):
    """The limits of one item."""

    item = forms.ChoiceField(label=gettext_lazy("Item"))
    sex = forms.ChoiceField(label=gettext_lazy("Sex"), choices=RangeSex.choices)
    lower = forms.DecimalField(
        label=gettext_lazy("Lower limit"), min_value=0, max_digits=12, decimal_places=4,
        required=False,
    )  # fmt: skip
    upper = forms.DecimalField(
        label=gettext_lazy("Upper limit"), min_value=0, max_digits=12, decimal_places=4,
        required=False,
    )  # fmt: skip
    unit = forms.ChoiceField(label=gettext_lazy("Unit"))
    valid_from = CalendarDateField(label=gettext_lazy("Valid from"))

    def __init__(self, data: Any = None, row: ReferenceRange | None = None) -> None:
        super().__init__(data, initial={n: getattr(row, n) for n in FIELDS} if row else {})
        items = reference_ranges.LABORATORY
        units = dict.fromkeys(code for item in items.values() for code in item.units)
        for name, choices in (
            ("item", [(code, label(code)) for code in items]),
            ("unit", [(code, unit(code)) for code in units]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
        if row:
            self.ask_why(row.version)

    def clean_unit(self) -> str:
        """A unit of the chosen item."""
        code: str = self.cleaned_data["unit"]
        item = reference_ranges.LABORATORY.get(self.cleaned_data.get("item", ""))
        if item and code not in item.units:
            accepted = ", ".join(unit(accepted) for accepted in item.units)
            raise forms.ValidationError(
                gettext_lazy("One of: %(units)s."), params={"units": accepted}
            )
        return code


def _site(request: HttpRequest, registry_id: str, code: str) -> Site:
    sites = Site.objects.visible_to(signed_in(request)).select_related("trial")
    if "\0" in registry_id + code:
        sites = sites.none()
    return get_object_or_404(sites, trial__registry_id=registry_id, code=code)


def _range(request: HttpRequest, pk: int) -> ReferenceRange:
    rows = ReferenceRange.objects.active().visible_to(signed_in(request))
    return get_object_or_404(rows.select_related("site__trial"), pk=pk)


def _require(
    request: HttpRequest, site: Site, action: access.Action = access.Action.WRITE_RECORDS
) -> None:
    if not reference_ranges.may_write(signed_in(request), site, action):
        raise PermissionDenied(access.refusal())


@login_required
def reference_range_list(request: HttpRequest, registry_id: str, code: str) -> HttpResponse:
    """The limits of a site's laboratory, the latest of each item first."""
    site, user = _site(request, registry_id, code), signed_in(request)
    rows = reference_ranges.ordered(ReferenceRange.objects.active().filter(site=site))
    page = Paginator(rows, 100).get_page(request.GET.get("page"))
    context = {
        "trial": site.trial,
        "site": site,
        "title": _("Laboratory limits of site %s") % site.code,
        "ranges": _worded(page.object_list),
        "page_obj": page,
        "may_write": reference_ranges.may_write(user, site),
        "may_void": reference_ranges.may_write(user, site, access.Action.VOID),
    }
    return render(request, "patients/reference_ranges.html", context)


def _worded(rows: Iterable[ReferenceRange]) -> list[ReferenceRange]:
    """With what the page prints: the item's name, and limits without idle zeros."""
    found: list[Any] = list(rows)
    for row in found:
        row.label, row.unit_text = label(row.item), unit(row.unit)
        row.lower_text, row.upper_text = plain(row.lower), plain(row.upper)
    return found


def plain(number: Decimal | None) -> str:
    """A decimal without idle zeros; a dash for none."""
    return "–" if number is None else f"{number.normalize():f}"


@entry_page
def reference_range_new(request: HttpRequest, registry_id: str, code: str) -> HttpResponse:
    """Add limits."""
    site, user = _site(request, registry_id, code), signed_in(request)
    _require(request, site)
    form = ReferenceRangeForm(posted(request))

    def save() -> str:
        reference_ranges.record_range(site=site, by=user, **form.facts())
        return _address(site)

    return entered(request, form, save, {"trial": site.trial, "title": _("Add limits")})


@entry_page
def reference_range_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct limits, with a reason."""
    row, user = _range(request, pk), signed_in(request)
    _require(request, row.site)
    form = ReferenceRangeForm(posted(request), row)

    def save() -> str:
        reference_ranges.correct_range(row=row, changes=form.facts(), by=user, **form.why())
        return _address(row.site)

    return entered(request, form, save, {"trial": row.site.trial, "title": _("Correct limits")})


@entry_page
def reference_range_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Take limits out, with a reason."""
    row, user = _range(request, pk), signed_in(request)
    _require(request, row.site, access.Action.VOID)
    form = VoidForm(posted(request), row.version)

    def save() -> str:
        reference_ranges.void_range(row=row, by=user, **form.why())
        return _address(row.site)

    title = _("Void the limits of %(item)s from %(date)s")
    said = title % {"item": label(row.item), "date": row.valid_from}
    return entered(request, form, save, {"trial": row.site.trial, "title": said})


def _address(site: Site) -> str:
    return reverse("patients:reference_ranges", args=[site.trial.registry_id, site.code])
