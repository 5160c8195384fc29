"""The protocol: what a trial is, where it runs, and who works on it."""

from trials.models.entries import (
    Arm,
    Endpoint,
    Intervention,
    Official,
    RegistryDate,
    Trial,
    TrialQuerySet,
)
from trials.models.memberships import Membership, MembershipQuerySet, _today
from trials.models.protocols import (
    Criterion,
    CriterionQuerySet,
    ProtocolVersion,
    RandomizationScheme,
)
from trials.models.publications import Publication, PublicationQuerySet, PublishedFigure
from trials.models.sites import ReferenceRange, ReferenceRangeQuerySet, Site, SiteQuerySet

__all__ = [
    "Arm",
    "Criterion",
    "CriterionQuerySet",
    "Endpoint",
    "Intervention",
    "Membership",
    "MembershipQuerySet",
    "Official",
    "ProtocolVersion",
    "Publication",
    "PublicationQuerySet",
    "PublishedFigure",
    "RandomizationScheme",
    "ReferenceRange",
    "ReferenceRangeQuerySet",
    "RegistryDate",
    "Site",
    "SiteQuerySet",
    "Trial",
    "TrialQuerySet",
    "_today",
]
