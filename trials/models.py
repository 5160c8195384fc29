"""The protocol: trials, their arms, sites, endpoints and criteria, and who works on them.

Names follow ClinicalTrials.gov v2.
"""

from __future__ import annotations

from datetime import date, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import (
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.audit import audited
from trials import vocabularies as v
from trials.definitions import EndpointDefinition, EndpointKind
from trials.publications import PublishedResults

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from registry.models import User


class RegistryDate(models.CharField[str, str]):
    """A date as registries print it: a year, a month or a day, or blank."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options |= {"max_length": 10, "blank": True, "validators": [v.validate_partial_date]}
        super().__init__(*args, **options)


class TrialQuerySet(models.QuerySet["Trial"]):
    """Trials in domain words."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Trials that the user works on today."""
        if user.is_superuser:
            return self
        return self.filter(pk__in=Membership.objects.current().filter(user=user.pk).values("trial"))

    def with_protocol(self) -> Self:
        """With everything its document holds: one statement per list, however many trials."""
        return self.prefetch_related(
            "sites",
            "officials",
            "arms__interventions",
            "endpoints",
            "published",
            "protocol_versions",
            Prefetch("criteria", Criterion.objects.current()),
        )

    def named(self, registry_id: str) -> Self:
        """The trial of this id, as it stands in an address: no id holds NUL, no query takes it."""
        return self.none() if "\0" in registry_id else self.filter(registry_id=registry_id)

    def matching(
        self, *, search: str = "", sarcoma: bool | None = None, **terms: str | None
    ) -> Self:
        """Trials that have every value given, and every word of the search somewhere."""
        given = {"sarcoma": sarcoma, **terms}
        rows = self.filter(**{name: value for name, value in given.items() if value is not None})
        for word in search.split():
            rows = rows.alias(searched=_searched()).filter(searched__icontains=word)
        return rows

    def with_patient_counts(self, user: User | AnonymousUser) -> QuerySet[Trial]:
        """Each trial's `n_patients`, and `n_enrolled` of them.

        Of the user's own sites, since a count tells of patients too.
        """
        counted = Q(patients__voided_at=None)
        if not user.is_superuser:
            mine = Membership.objects.current().filter(user=user.pk, trial=OuterRef("pk"))
            counted &= Q(Exists(mine.filter(Q(site=None) | Q(site=OuterRef("patients__site")))))
        enrolled = counted & Q(patients__enrolled_on__isnull=False)
        return self.annotate(
            n_patients=Count("patients", filter=counted),
            n_enrolled=Count("patients", filter=enrolled),
        )


def _searched() -> Concat:
    """What a search looks through, in one text; line breaks keep its parts apart."""
    texts = [
        *("registry_id", "org_study_id", "brief_title", "official_title"),
        *("acronym", "lead_sponsor"),
    ]
    apart = Value("\n", output_field=models.TextField())
    lists = [
        Func(F(name), apart, function="array_to_string", output_field=models.TextField())
        for name in ("secondary_ids", "conditions")
    ]
    parts = [part for one in (*map(F, texts), *lists) for part in (one, apart)]
    return Concat(*parts, output_field=models.TextField())


@audited()
class Trial(models.Model):
    """A study: what its registry entry says, and the parameters that its rules need."""

    registry_id = models.CharField(
        _("registry id"),
        max_length=40,
        validators=[
            RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z", _("Letters, digits, . _ - only."))
        ],
    )
    brief_title = models.CharField(_("brief title"), max_length=300)
    official_title = models.CharField(_("official title"), max_length=600, blank=True)
    acronym = models.CharField(_("acronym"), max_length=40, blank=True)
    org_study_id = models.CharField(_("organization's study ID"), max_length=60, blank=True)
    secondary_ids = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, verbose_name=_("secondary IDs")
    )
    brief_summary = models.TextField(_("brief summary"), blank=True)
    detailed_description = models.TextField(_("detailed description"), blank=True)
    phase = models.CharField(_("phase"), max_length=20, choices=v.Phase, blank=True)
    status = models.CharField(_("status"), max_length=30, choices=v.Status, blank=True)
    study_type = models.CharField(_("study type"), max_length=20, choices=v.StudyType, blank=True)
    allocation = models.CharField(
        _("allocation"), max_length=20, choices=v.AllocationType, blank=True
    )
    intervention_model = models.CharField(
        _("intervention model"), max_length=20, choices=v.InterventionModel, blank=True
    )
    primary_purpose = models.CharField(
        _("primary purpose"), max_length=30, choices=v.PrimaryPurpose, blank=True
    )
    masking = models.CharField(_("masking"), max_length=20, choices=v.Masking, blank=True)
    observational_model = models.CharField(
        _("observational model"), max_length=30, choices=v.ObservationalModel, blank=True
    )
    time_perspective = models.CharField(
        _("time perspective"), max_length=20, choices=v.TimePerspective, blank=True
    )
    start_date = RegistryDate(_("start date"))
    start_date_type = models.CharField(
        _("start date type"), max_length=10, choices=v.DateType, blank=True
    )
    primary_completion_date = RegistryDate(_("primary completion date"))
    primary_completion_date_type = models.CharField(
        _("primary completion date type"), max_length=10, choices=v.DateType, blank=True
    )
    completion_date = RegistryDate(_("completion date"))
    completion_date_type = models.CharField(
        _("completion date type"), max_length=10, choices=v.DateType, blank=True
    )
    enrollment_target = models.PositiveIntegerField(
        _("enrollment target"), null=True, blank=True, validators=[MaxValueValidator(1_000_000)]
    )
    enrollment_type = models.CharField(
        _("enrollment type"), max_length=10, choices=v.EnrollmentType, blank=True
    )
    eligible_sex = models.CharField(
        _("eligible sex"), max_length=10, choices=v.EligibleSex, blank=True
    )
    minimum_age = models.CharField(_("minimum age"), max_length=20, blank=True)
    maximum_age = models.CharField(_("maximum age"), max_length=20, blank=True)
    healthy_volunteers = models.BooleanField(_("healthy volunteers"), null=True, blank=True)
    sarcoma = models.BooleanField(
        _("sarcoma"),
        default=True,
        help_text=_("Whether its patients count in sarcoma pools."),
    )
    keywords = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name=_("keywords")
    )
    conditions = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name=_("conditions")
    )
    lead_sponsor = models.CharField(_("lead sponsor"), max_length=200, blank=True)
    collaborators = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name=_("collaborators")
    )
    principal_investigator = models.CharField(
        _("principal investigator"), max_length=200, blank=True
    )
    response_criteria = models.CharField(
        _("response criteria"),
        max_length=20,
        choices=v.ResponseCriteria,
        default=v.ResponseCriteria.RECIST_1_1,
    )
    assessment_interval_days = models.PositiveSmallIntegerField(
        _("assessment interval (days)"),
        default=42,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
    )
    assessment_window_days = models.PositiveSmallIntegerField(
        _("assessment window (days)"), default=7, validators=[MaxValueValidator(180)]
    )
    baseline_window_days = models.PositiveSmallIntegerField(
        _("baseline window (days)"), default=28, validators=[MaxValueValidator(365)]
    )
    ctcae_version = models.CharField(
        _("CTCAE version"), max_length=10, choices=v.CtcaeVersion, blank=True
    )
    ae_window_days = models.PositiveSmallIntegerField(
        _("adverse event window (days)"), default=21, validators=[MaxValueValidator(365)]
    )
    enrollment_gate = models.CharField(
        _("enrollment gate"),
        max_length=20,
        choices=v.EnrollmentGate,
        default=v.EnrollmentGate.RECORDED_ELSEWHERE,
    )
    synthetic = models.BooleanField(
        _("synthetic patients"),
        default=False,
        help_text=_("No patient-level data were published; the patients are made up."),
    )
    version = models.PositiveIntegerField(default=1)

    objects = TrialQuerySet.as_manager()

    class Meta:
        ordering = ["registry_id"]
        verbose_name = _("trial")
        constraints = [
            models.UniqueConstraint(fields=["registry_id"], name="trial_registry_id_unique"),
            models.CheckConstraint(condition=~Q(brief_title=""), name="trial_brief_title_given"),
            models.CheckConstraint(
                condition=Q(assessment_interval_days__gte=1),
                name="trial_assessment_interval_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.acronym or self.registry_id

    @property
    def protocol_version(self) -> ProtocolVersion:
        """The protocol as it stands; no statement where the versions are read already."""
        return max(self.protocol_versions.all(), key=attrgetter("number"))

    @property
    def screened_here(self) -> bool:
        """Whether consent and screening gate the enrollment."""
        return self.enrollment_gate == v.EnrollmentGate.SCREENING

    @property
    def randomized(self) -> bool:
        """Whether arms are given by allocation only."""
        return self.allocation == v.AllocationType.RANDOMIZED

    @property
    def randomized_here(self) -> bool:
        """Whether a scheme of ours allots the arms; read once per instance."""
        return self.randomized and hasattr(self, "randomization")

    @property
    def masked(self) -> bool:
        """Whether arms are hidden from those who look at single patients."""
        return self.masking not in ("", v.Masking.NONE)

    def tells(self, intervention: str) -> bool:
        """Whether a drug may be named of a single patient: no arm is hidden, or every arm has it."""
        if not self.masked:
            return True
        models.prefetch_related_objects([self], "arms__interventions")  # once per instance
        named = [
            {row.name.casefold() for row in arm.interventions.all()} for arm in self.arms.all()
        ]
        return bool(named) and all(intervention.casefold() in names for names in named)


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


@audited()
class Official(models.Model):
    """Who answers for a trial, or whom to ask about it."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="officials")
    name = models.CharField(_("name"), max_length=200)
    affiliation = models.CharField(_("affiliation"), max_length=300, blank=True)
    role = models.CharField(
        _("role"), max_length=30, choices=v.OfficialRole, default=v.OfficialRole.CONTACT
    )
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.CharField(_("email"), max_length=254, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("official")
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "role", "name"], name="official_role_name_unique_in_trial"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="official_name_given"),
            models.CheckConstraint(
                condition=Q(role__in=v.OfficialRole.values), name="official_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class Arm(models.Model):
    """A group of patients who get the same interventions."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="arms")
    name = models.CharField(_("name"), max_length=100)
    type = models.CharField(_("type"), max_length=30, choices=v.ArmType, blank=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("arm")
        constraints = [
            models.UniqueConstraint(fields=["trial", "name"], name="arm_name_unique_in_trial"),
            models.UniqueConstraint(fields=["id", "trial"], name="arm_identifies_trial"),
            models.CheckConstraint(condition=~Q(name=""), name="arm_name_given"),
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class Intervention(models.Model):
    """A drug with its dose schedule, such as 12 mg orally on days 1 to 14 of 21."""

    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="interventions")
    name = models.CharField(_("name"), max_length=100)
    type = models.CharField(_("type"), max_length=30, choices=v.InterventionType, blank=True)
    description = models.TextField(_("description"), blank=True)
    other_names = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name=_("other names")
    )
    dose = models.DecimalField(
        _("dose"),
        max_digits=10,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    route = models.CharField(_("route"), max_length=40, blank=True)
    days_on = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1)]),
        default=list,
        blank=True,
        verbose_name=_("days on"),
    )
    cycle_days = models.PositiveSmallIntegerField(
        _("cycle length (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("intervention")
        constraints = [
            models.UniqueConstraint(fields=["arm", "name"], name="intervention_name_unique_in_arm"),
            models.CheckConstraint(
                condition=Q(dose=None) | Q(dose__gte=0), name="intervention_dose_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(cycle_days=None) | Q(cycle_days__gte=1),
                name="intervention_cycle_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


@audited()
class Endpoint(models.Model):
    """An endpoint: what its source prints, its definition as data, and what the registry adds."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="endpoints")
    kind = models.CharField(
        _("kind"), max_length=5, choices=[(k.value, k.value) for k in EndpointKind]
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    role = models.CharField(
        _("role"), max_length=10, choices=v.EndpointRole, default=v.EndpointRole.SECONDARY
    )
    title = models.TextField(_("published title"), blank=True, help_text=_("As printed."))
    wording = models.TextField(_("published wording"), blank=True)
    time_frame = models.TextField(_("time frame"), blank=True)
    note = models.TextField(_("note of the registry"), blank=True)
    definition = models.JSONField(_("definition"), default=dict, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("endpoint")
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "kind", "name"], name="endpoint_kind_name_unique_in_trial"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[k.value for k in EndpointKind]), name="endpoint_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()

    def as_definition(self) -> EndpointDefinition:
        """The stored document as a value."""
        return EndpointDefinition.model_validate(self.definition)


@audited()
class ProtocolVersion(models.Model):
    """The protocol as first filed (number 1) or as amended; screenings keep the one they used."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="protocol_versions")
    number = models.PositiveSmallIntegerField(_("number"))
    label = models.CharField(_("label"), max_length=40)
    effective_on = models.DateField(_("effective on"), null=True, blank=True)
    summary = models.TextField(_("summary of changes"), blank=True)
    consent_version = models.CharField(
        _("consent version"),
        max_length=40,
        blank=True,
        help_text=_("The form that patients sign under this protocol; blank: any."),
    )

    class Meta:
        ordering = ["trial", "number"]
        verbose_name = _("protocol version")
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "number"], name="protocol_version_number_unique_in_trial"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1), name="protocol_version_number_positive"
            ),
            models.CheckConstraint(condition=~Q(label=""), name="protocol_version_label_given"),
        ]

    def __str__(self) -> str:
        return self.label


class CriterionQuerySet(models.QuerySet["Criterion"]):
    """Criteria in domain words."""

    def current(self) -> Self:
        """Of the protocol as it stands."""
        return self.filter(until=None)

    def of(self, number: int) -> Self:
        """Of the protocol version with this number."""
        return self.filter(Q(until=None) | Q(until__gt=number), since__lte=number)


@audited()
class Criterion(models.Model):
    """An eligibility criterion: its text, and its rule once it has one.

    It belongs to the protocol versions from `since` up to, without, `until`; an amendment retires
    what it changes and leaves the rest, with its id, as it is.
    """

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="criteria")
    kind = models.CharField(_("kind"), max_length=10, choices=v.CriterionKind)
    text = models.TextField(_("text"))
    rule = models.JSONField(_("rule"), null=True, blank=True)
    note = models.TextField(
        _("note"), blank=True, help_text=_("What was repaired or decided in reading the text.")
    )
    source = models.CharField(_("source"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    since = models.PositiveSmallIntegerField(default=1)
    until = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = CriterionQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("criterion")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=v.CriterionKind.values), name="criterion_kind_known"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="criterion_text_given"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("since")),
                name="criterion_retired_after_its_first_version",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]


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


@audited()
class RandomizationScheme(models.Model):
    """How arms are allotted: permuted blocks within strata (ICH E9, section 2.3.2).

    `ratio` maps arm names to whole numbers; a block has the sum of the ratio times one of
    `block_multiples`, drawn at random. Hidden from whoever could guess the next arm by it.
    """

    trial = models.OneToOneField(Trial, on_delete=models.PROTECT, related_name="randomization")
    ratio = models.JSONField(_("ratio"))
    block_multiples = ArrayField(
        models.PositiveSmallIntegerField(
            validators=[MinValueValidator(1), MaxValueValidator(20)],
        ),
        verbose_name=_("block multiples"),
    )
    factors = ArrayField(
        models.CharField(max_length=20, choices=v.StratificationFactor),
        default=list,
        blank=True,
        verbose_name=_("stratification factors"),
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("randomization scheme")

    def __str__(self) -> str:
        return f"{self.trial_id}"


@audited()
class PublishedFigure(models.Model):
    """A figure as a source prints it: kept verbatim, and flagged where it cannot be right."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="published")
    measure = models.CharField(_("measure"), max_length=100)
    source = models.CharField(_("source"), max_length=200)
    printed = models.CharField(_("as printed"), max_length=300)
    reconciled = models.CharField(
        _("reconciled"),
        max_length=300,
        blank=True,
        help_text=_("Blank: the printed figure stands."),
    )
    discrepancy = models.TextField(
        _("discrepancy"), blank=True, help_text=_("What contradicts the printed figure, and how.")
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("published figure")
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "measure", "source"], name="published_figure_once_in_trial"
            ),
            models.CheckConstraint(
                condition=~Q(measure="") & ~Q(source="") & ~Q(printed=""),
                name="published_figure_given",
            ),
            models.CheckConstraint(
                condition=Q(reconciled="") | ~Q(discrepancy=""),
                name="published_figure_reconciled_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} ({self.source})"


class PublicationQuerySet(models.QuerySet["Publication"]):
    """Publications in domain words."""

    def as_seen_by(self, user: User | AnonymousUser) -> QuerySet[Publication]:
        """Each with the `visible_trial`: its trial's registry id, where the user works on it."""
        trials = Trial.objects.visible_to(user).filter(pk=OuterRef("trial"))
        return self.annotate(visible_trial=Subquery(trials.values("registry_id")))

    def named(self, key: str) -> Self:
        """The publication of this key, as it stands in an address: no key holds NUL."""
        return self.none() if "\0" in key else self.filter(key=key)


@audited()
class Publication(models.Model):
    """A publication of the catalogue: what it claims is a document (`trials.publications`)."""

    key = models.CharField(
        _("key"),
        max_length=60,
        validators=[
            RegexValidator(
                r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", _("Small letters and digits, with - between.")
            )
        ],
    )
    title = models.CharField(_("title"), max_length=600)
    year = models.PositiveSmallIntegerField(
        _("year"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1900), MaxValueValidator(2100)],
        help_text=_("Empty: not known."),
    )
    anlotinib = models.BooleanField(_("anlotinib"), default=True)
    sarcoma = models.BooleanField(_("sarcoma"), default=True)
    trial = models.ForeignKey(
        Trial, on_delete=models.PROTECT, null=True, blank=True, related_name="publications"
    )
    document = models.JSONField(_("document"))
    version = models.PositiveIntegerField(default=1)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        verbose_name = _("publication")
        constraints = [
            models.UniqueConstraint(fields=["key"], name="publication_key_unique"),
            models.CheckConstraint(
                condition=~Q(key="") & ~Q(title=""), name="publication_key_and_title_given"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def results(self) -> PublishedResults:
        """The stored document as a value."""
        return PublishedResults.parse(self.document)


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships in domain words."""

    def current(self) -> Self:
        """Valid today (UTC)."""
        today = timezone.now().date()
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=today), valid_from__lte=today)


def _today() -> date:
    return timezone.now().date()


@audited()
class Membership(models.Model):
    """A user's role in a trial, at one site or at all."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="memberships")
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=20, choices=v.Role)
    valid_from = models.DateField(_("valid from"), default=_today)
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("membership")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "trial", "site", "role", "valid_from"],
                name="membership_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(role__in=v.Role.values), name="membership_role_known"
            ),
            models.CheckConstraint(
                condition=~Q(role=v.Role.COORDINATOR) | Q(site__isnull=False),
                name="membership_coordinator_has_site",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="membership_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"
