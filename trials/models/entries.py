"""A registry entry: the trial with its arms, interventions, endpoints and officials."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self

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
    Value,
)
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from registry.audit import audited
from registry.languages import in_chinese
from trials import treatments
from trials import vocabularies as v
from trials.definitions import EndpointDefinition, EndpointKind
from trials.models.memberships import Membership
from trials.models.protocols import Criterion, ProtocolVersion

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
        """Trials that the user works on today, each with whether the user knows its arms."""
        if user.is_superuser:
            return self
        mine = Membership.objects.current().filter(user=user.pk)
        unblinded = mine.unblinded().filter(trial=OuterRef("pk"))
        return self.filter(pk__in=mine.values("trial")).annotate(reader_unblinded=Exists(unblinded))

    def open_to(self, user: User | AnonymousUser) -> Self:
        """Trials whose arms the user may know: not masked, unblinded, or unblinded to this user."""
        mine = Membership.objects.current().unblinded().filter(user=user.pk, trial=OuterRef("pk"))
        shown = Q(masking__in=v.UNMASKED) | Q(unblinded_at__isnull=False)
        return self.filter(shown | Q(Exists(mine)))

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

    reader_unblinded = False  # set by `visible_to`

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
    unblinded_at = models.DateTimeField(_("unblinded at"), null=True, blank=True, editable=False)
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
    irecist = models.BooleanField(
        _("uses iRECIST"),
        default=False,
        help_text=_("Uses iRECIST beside RECIST 1.1: visits follow new lesions in size."),
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
        """Whether the arms are hidden from this instance's reader.

        Only what `visible_to` found can know of a reader who is unblinded; a trial that was reached
        in any other way, such as by a patient's relation, stays masked until the trial is unblinded.
        """
        hidden = self.masking not in v.UNMASKED and self.unblinded_at is None
        return hidden and not self.reader_unblinded

    def tells(self, intervention: str) -> bool:
        """Whether a drug may be named of a single patient: no arm is hidden, or every arm has it."""
        if not self.masked:
            return True
        models.prefetch_related_objects([self], "arms__interventions")  # once per instance
        named = [
            {row.name.casefold() for row in arm.interventions.all()} for arm in self.arms.all()
        ]
        return bool(named) and all(intervention.casefold() in names for names in named)


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
        """The name with its drugs in the reader's language; what is stored is `name`."""
        return treatments.name(self.name, chinese=in_chinese())


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
    version = models.PositiveIntegerField(default=1)

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
