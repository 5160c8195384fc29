"""Reference ranges of the sites' laboratories over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from pydantic import Field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from patients.api import OF_TRIAL, RowDetail, RowList, RowVoid, text_parameter
from patients.documents import OwnLink
from patients.serializers import UNKNOWN
from registry.documents import CalendarDate, Versioned
from registry.fields import Number, Text
from registry.rest import (
    CalendarDateField,
    InvalidParameter,
    ReasonSerializer,
    StrictSerializer,
    caller,
    correction,
    required_version,
)
from trials import reference_ranges
from trials.models import ReferenceRange, ReferenceRangeQuerySet, Site
from trials.serializers import TermField
from trials.vocabularies import RangeSex

Limit = Annotated[float, Field(ge=0)] | None
FILTERS = [
    OF_TRIAL,
    OpenApiParameter("site", str, description=gettext_lazy("A site's code.")),
    OpenApiParameter("item", str, description=gettext_lazy("What is measured, such as platelets.")),
    OpenApiParameter(
        "on",
        {"type": "string", "format": "date"},
        description=gettext_lazy("Only what holds on this day."),
    ),
]


class ReferenceRangeDocument(Versioned):
    """The normal limits of a laboratory, from a date until the next one's."""

    trial: str
    site: str
    item: Annotated[str, Field(description="What is measured; the items of a screening.")]
    sex: RangeSex
    lower: Limit
    upper: Limit
    unit: str
    valid_from: CalendarDate
    links: OwnLink


def range_document(row: ReferenceRange) -> ReferenceRangeDocument:
    """The range."""
    return {
        "id": row.pk,
        "version": row.version,
        "trial": row.site.trial.registry_id,
        "site": row.site.code,
        "item": row.item,
        "sex": RangeSex(row.sex),
        "lower": None if row.lower is None else float(row.lower),
        "upper": None if row.upper is None else float(row.upper),
        "unit": row.unit,
        "valid_from": row.valid_from.isoformat(),
        "links": {"self": reverse("api:reference_range", args=[row.pk])},
    }


def limit() -> Number:
    """A limit of normal: at least one of both is given."""
    return Number(max_digits=12, decimal_places=4, min_value=0, allow_null=True, required=False)


class ReferenceRangeSerializer(StrictSerializer):
    """Limits of normal; trial and site by their names."""

    defaults: ClassVar[dict[str, Any]] = {
        "sex": RangeSex.ANY.value,
        "lower": None,
        "upper": None,
    }

    trial = Text(max_length=40)
    site = Text(max_length=20)
    item = Text(max_length=40)
    sex = TermField(RangeSex.choices, required=False)
    lower = limit()
    upper = limit()
    unit = Text(max_length=20)
    valid_from = CalendarDateField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The site, if it is the caller's; a range stays there."""
        rows = Site.objects.visible_to(self.context["request"].user).select_related("trial")
        site = rows.filter(trial__registry_id=attrs.pop("trial"), code=attrs["site"]).first()
        if site is None:
            raise serializers.ValidationError({"site": [UNKNOWN]})
        if self.instance and site != self.instance.site:
            raise serializers.ValidationError({"site": [_("A range stays with its site.")]})
        return self.defaults | attrs | {"site": site}

    def to_representation(self, instance: ReferenceRange) -> Any:
        """The range."""
        return range_document(instance)


@extend_schema_view(
    get=extend_schema(parameters=FILTERS, responses=ReferenceRangeDocument),
    post=extend_schema(request=ReferenceRangeSerializer, responses={201: ReferenceRangeDocument}),
)
class ReferenceRangeList(RowList):
    """Limits of normal of the caller's sites."""

    filters = ("trial", "site", "item", "on")
    model, serializer_class = ReferenceRange, ReferenceRangeSerializer
    record = staticmethod(reference_ranges.record_range)

    def get_queryset(self) -> QuerySet[ReferenceRange]:
        """Those that match the filters."""
        rows: ReferenceRangeQuerySet = ReferenceRange.objects.active().visible_to(
            caller(self.request)
        )
        paths = {"trial": "site__trial__registry_id", "site": "site__code", "item": "item"}
        for name, path in paths.items():
            if (asked := text_parameter(self.request, name)) is not None:
                rows = rows.filter(**{path: asked})
        if (day := text_parameter(self.request, "on")) is not None:
            rows = reference_ranges.valid_on(rows, _day(day))
        return rows.select_related("site__trial").order_by("pk")


def _day(text: str) -> Any:
    try:
        return CalendarDateField().run_validation(text)
    except serializers.ValidationError as error:
        raise InvalidParameter("on", _("A date such as 2022-08-08.")) from error


@extend_schema_view(
    get=extend_schema(responses=ReferenceRangeDocument),
    put=extend_schema(request=ReferenceRangeSerializer, responses=ReferenceRangeDocument),
)
class ReferenceRangeDetail(RowDetail):
    """One range."""

    model, serializer_class = ReferenceRange, ReferenceRangeSerializer
    parents = ("site__trial",)

    def put(self, request: Request, pk: int) -> Response:
        """Replace what it says; needs If-Match and a reason."""
        row, version = self.row(pk), required_version(request)
        body, reason = correction(request)
        serializer = ReferenceRangeSerializer(row, data=body, context={"request": request})
        serializer.is_valid(raise_exception=True)
        changes = {k: v for k, v in serializer.validated_data.items() if k != "site"}
        corrected = reference_ranges.correct_range(
            row=row, changes=changes, by=caller(request), reason=reason, version=version
        )
        return self.answered(corrected)


@extend_schema_view(post=extend_schema(request=ReasonSerializer, responses=ReferenceRangeDocument))
class ReferenceRangeVoid(RowVoid, ReferenceRangeDetail):
    """Take a range out."""

    void = staticmethod(reference_ranges.void_range)
