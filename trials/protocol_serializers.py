"""Versions of a protocol over HTTP: what an amendment says, and what it answers."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from registry.fields import Text
from registry.rest import StrictSerializer
from trials.models import ProtocolVersion
from trials.serializers import CriterionSerializer, ModelFields, each_once

FACTS = ("label", "effective_on", "summary", "consent_version")


class ProtocolVersionSerializer(ModelFields):
    """A version of the protocol: as first filed, or as amended."""

    version = serializers.IntegerField(
        source="trial.version",
        min_value=1,
        read_only=True,
        help_text=_("The trial's, which an amendment is sent against."),
    )
    links = serializers.SerializerMethodField()

    class Meta:
        model = ProtocolVersion
        fields = ["id", "version", "number", *FACTS, "links"]

    def get_links(self, row: ProtocolVersion) -> dict[str, str]:
        """Where to go from here."""
        registry_id = row.trial.registry_id
        return {
            "self": reverse("api:protocol_version", args=[registry_id, row.number]),
            "trial": reverse("api:trial", args=[registry_id]),
        }


class ProtocolVersionWithCriteriaSerializer(ProtocolVersionSerializer):
    """A version of the protocol with the criteria that belong to it."""

    criteria = serializers.SerializerMethodField()

    class Meta(ProtocolVersionSerializer.Meta):
        fields = [*ProtocolVersionSerializer.Meta.fields, "criteria"]

    def get_criteria(self, row: ProtocolVersion) -> list[dict[str, Any]]:
        """As patients are screened by them."""
        rows = row.trial.criteria.of(row.number)
        return list(CriterionSerializer(rows, many=True).data)


class UnblindingSerializer(StrictSerializer):
    """Why a trial is unblinded, and which: typed, so that nobody unblinds another than they mean."""

    registry_id = Text(max_length=40, help_text=_("The trial's, to confirm."))
    reason = Text(max_length=500, help_text=_("Why; kept in the audit trail."))


class AmendmentSerializer(ModelFields):
    """The next version of the protocol; what is left out stays as it is."""

    criteria = CriterionSerializer(
        many=True,
        required=False,
        help_text=_("All of them, those that stay with their ids; left out: as before."),
    )
    reason = Text(max_length=500, help_text=_("Why; kept in the audit trail."))

    class Meta:
        model = ProtocolVersion
        fields = [*FACTS, "criteria", "reason"]
        extra_kwargs = {
            "label": {"required": False, "help_text": _("Left out: the version's number.")},
            "consent_version": {
                "help_text": _("The form that patients sign from now on; left out: as before.")
            },
        }

    def validate_criteria(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ids are unique."""
        return each_once(rows, "id")
