"""What a reader may choose of a report: the same query keys on the page and in the API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime
from datetime import date as Date
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from outcomes.characteristics import GROUPS, STRATA
from outcomes.methods.comparison import Ties
from outcomes.models import INVESTIGATOR, Evaluator
from outcomes.query_forms import QueryForm
from outcomes.report import LandmarkTime, Options, PatientOutcome, Report
from outcomes.report.documents import moment
from registry import clocks
from registry.clocks import UNIVERSAL
from registry.form_fields import CalendarDateField, half_width
from registry.rest import DATE, InvalidParameter, refuse_unknown
from trials import access, as_known
from trials.definition_wording import POPULATIONS, PROPORTION_STYLES, SURVIVAL_STYLES
from trials.definitions import Population, ProportionInterval, SurvivalInterval
from trials.models import Trial

PARAMETERS = (
    "cutoff", "population", "group_by", "survival_interval", "proportion_interval", "landmarks",
    "definition", "known_on", "stratify_by", "ties", "rmst", "counts", "evaluator",
)  # fmt: skip
SEVERAL = ("cutoff", "population", "survival_interval", "proportion_interval", "known_on")
OTHERWISE = {"restricted_mean": "rmst"}  # options whose query key has another name
TIME = r"\d{1,3}w?"  # months, or weeks
CUTOFF = OpenApiParameter(
    "cutoff",
    OpenApiTypes.DATE,
    description=gettext_lazy("What happened later does not count; today where it is left out."),
)
KNOWN_ON = OpenApiParameter(
    "known_on",
    OpenApiTypes.DATETIME,
    description=gettext_lazy(
        "The data as they were known at this moment: what was entered, corrected or voided later"
        " does not count, of the patients and of the protocol alike: endpoint definitions and the"
        " trial's parameters are those of the moment. Today's are what the reader may see, by the"
        " patients' present sites and the trial's masking, and the names of lesions."
    ),
)
OUTCOME_PARAMETERS = [
    CUTOFF,
    KNOWN_ON,
    OpenApiParameter(
        "population",
        enum=list(Population),
        description=gettext_lazy("Instead of each endpoint's own."),
    ),
    OpenApiParameter("group_by", enum=GROUPS),
    OpenApiParameter(
        "survival_interval",
        enum=list(SurvivalInterval),
        description=gettext_lazy("Of medians and curves; spss is of medians only."),
    ),
    OpenApiParameter("proportion_interval", enum=list(ProportionInterval)),
    OpenApiParameter(
        "landmarks",
        pattern=f"^ *{TIME} *(, *{TIME} *){{0,19}}$",
        description=gettext_lazy("Months, or weeks with a w: 3,6,12w."),
    ),
    OpenApiParameter(
        "definition",
        {"type": "integer", "minimum": 1},
        description=gettext_lazy("The id of an endpoint: it becomes the first of its kind."),
    ),
    OpenApiParameter(
        "stratify_by",
        enum=STRATA,
        description=gettext_lazy(
            "Makes the log-rank test and the Cox model of `comparison` stratified. Patients without"
            " a value are a stratum of their own."
        ),
    ),
    OpenApiParameter(
        "ties",
        enum=list(Ties),
        description=gettext_lazy("Events on one day in the Cox model; efron by default."),
    ),
    OpenApiParameter(
        "rmst",
        pattern=f"^{TIME}$",
        description=gettext_lazy(
            "A horizon in months, or in weeks with a w: the restricted mean of every time to event."
        ),
    ),
    OpenApiParameter(
        "counts",
        enum=["true", "false"],
        description=gettext_lazy(
            "true: each landmark of PFS and OS also as k/n. Who was censored earlier counts as a"
            " failure."
        ),
    ),
    OpenApiParameter(
        "evaluator",
        enum=Evaluator.values,
        description=gettext_lazy(
            "Whose readings; investigator where it is left out. The independent review is for those"
            " who may see it."
        ),
    ),
]
GROUP = OpenApiParameter(
    "group",
    description=gettext_lazy(
        "Only the patients of this group of `group_by`, by the name that the groups of the report"
        " have; `unknown` for those about whom nothing was said."
    ),
)
LOCAL = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
MOMENT = re.compile(rf"({LOCAL})(Z|[+ -]\d\d:\d\d)", re.ASCII)
COMPARABLE = ("cutoff", "known_on", "population", "definition")
DISCORDANCE_PARAMETERS = [one for one in OUTCOME_PARAMETERS if one.name in COMPARABLE]

Choice = TypeVar("Choice", bound=StrEnum)


def options_of(
    request: Request | HttpRequest, trial: Trial, further: Sequence[str] = ()
) -> Options:
    """The chosen options; an unknown key or value raises InvalidParameter, which names it.

    `further`: keys that the caller reads by itself.
    """
    query: Mapping[str, str] = request.GET
    refuse_unknown(query, (*PARAMETERS, *further))
    options = chosen(query, trial, zone=_zone(request, trial))
    if options.evaluator != INVESTIGATOR and not reads_review(request, trial):
        raise InvalidParameter.not_one_of("evaluator", [INVESTIGATOR])
    return options


def by_arm(options: Options, query: Mapping[str, str], trial: Trial) -> Options:
    """Several arms that may be seen are drawn apart unless the query says otherwise."""
    if "group_by" in query or trial.masked or len(as_known.rows(trial.arms, options.known_on)) < 2:
        return options
    return replace(options, group_by="arm")


def group_of(query: Mapping[str, str]) -> str:
    """The one group whose patients are asked for, blank for all; raises InvalidParameter."""
    group = query.get("group", "")
    if group and not query.get("group_by"):
        raise InvalidParameter("group", _("Say in group_by what the patients are grouped by."))
    return group


def of_group(found: Report, group: str) -> tuple[PatientOutcome, ...]:
    """The patients of a group, all of them for a blank; raises InvalidParameter for no group."""
    names = [name for name, _section in found.groups]
    if group and group not in names:
        raise InvalidParameter("group", _("One of: %s.") % ", ".join(names))
    return tuple(one for one in found.patients if group in ("", one.group))


def reads_review(request: Request | HttpRequest, trial: Trial) -> bool:
    """Whether the reader may choose the independent reviewer's readings."""
    return access.may(request.user, access.Action.READ_REVIEW, trial=trial)


def comparable(request: Request | HttpRequest, trial: Trial) -> Options:
    """The chosen options where both evaluators are compared; raises InvalidParameter."""
    query: Mapping[str, str] = request.GET
    refuse_unknown(query, COMPARABLE)
    return chosen(query, trial, zone=_zone(request, trial))


def chosen(query: Mapping[str, str], trial: Trial, *, zone: str | None = None) -> Options:
    """The options that a query's known keys choose; raises InvalidParameter for a value.

    With a `zone` dates are read as a person types them, and moments by its clock.
    """
    landmarks = {"landmarks": _landmarks(query["landmarks"])} if query.get("landmarks") else {}
    known_on = _known_on(query.get("known_on"), zone)
    return Options(
        cutoff=_cutoff(query.get("cutoff"), trial, typed=bool(zone)),
        population=_choice(Population, query, "population"),
        group_by=_one_of(STRATA if trial.masked else GROUPS, query, "group_by"),
        survival_interval=_choice(SurvivalInterval, query, "survival_interval"),
        proportion_interval=_choice(ProportionInterval, query, "proportion_interval"),
        definition=_definition(query.get("definition"), trial, known_on),
        known_on=known_on,
        stratify_by=_one_of(STRATA, query, "stratify_by"),
        ties=_choice(Ties, query, "ties") or Ties.EFRON,
        restricted_mean=_horizon(query.get("rmst")),
        counts=_one_of(("true", "false"), query, "counts") == "true",
        evaluator=evaluator_of(query),
        **landmarks,
    )


def evaluator_of(query: Mapping[str, str]) -> str:
    """Whose readings are asked for; raises InvalidParameter."""
    return _one_of(Evaluator.values, query, "evaluator") or INVESTIGATOR


def as_of(
    request: Request | HttpRequest, trial: Trial, *further: str
) -> tuple[Date, datetime | None]:
    """The chosen cutoff and moment; raises InvalidParameter for keys but these and the further."""
    query: Mapping[str, str] = request.GET
    refuse_unknown(query, ("cutoff", "known_on", *further))
    zone = _zone(request, trial)
    known_on = _known_on(query.get("known_on"), zone)
    return _cutoff(query.get("cutoff"), trial, typed=bool(zone)), known_on


def of_several(request: Request | HttpRequest) -> Callable[[Trial], Options]:
    """The options that keys of SEVERAL choose for each of several trials, at its own today.

    Raises InvalidParameter for a value.
    """
    query: Mapping[str, str] = request.GET
    asked, zone = query.get("cutoff"), UNIVERSAL if isinstance(request, HttpRequest) else None
    cutoff = _date(asked, typed=bool(zone)) if asked else None
    population = _choice(Population, query, "population")
    survival_interval = _choice(SurvivalInterval, query, "survival_interval")
    proportion_interval = _choice(ProportionInterval, query, "proportion_interval")
    known_on = moment_of_several(request)
    return lambda trial: Options(
        cutoff=cutoff or today(trial),
        population=population,
        survival_interval=survival_interval,
        proportion_interval=proportion_interval,
        known_on=known_on,
    )


def moment_of_several(request: Request | HttpRequest) -> datetime | None:
    """The chosen moment where no trial's clock is meant; raises InvalidParameter."""
    zone = UNIVERSAL if isinstance(request, HttpRequest) else None
    return _known_on(request.GET.get("known_on"), zone)


def _cutoff(asked: str | None, trial: Trial, *, typed: bool) -> Date:
    """The asked date, else today."""
    return _date(asked, typed=typed) if asked else today(trial)


def _date(asked: str, *, typed: bool) -> Date:
    """`typed`: by a person, who may write it as on every form."""
    said = _("A date such as 2022-08-08.")
    try:
        if typed:
            found: Date = CalendarDateField().clean(asked)
            return found
        if DATE.fullmatch(asked):
            said = _("No calendar has this day. A date such as 2022-08-08.")
            return Date.fromisoformat(asked)
    except ValidationError as error:
        if DATE.fullmatch(asked):
            said = _("No calendar has this day. A date such as 2022-08-08.")
        else:
            said = " ".join(error.messages)
        raise InvalidParameter("cutoff", said) from error
    except ValueError as error:
        raise InvalidParameter("cutoff", said) from error
    raise InvalidParameter("cutoff", said)


def today(trial: Trial, at: datetime | None = None) -> Date:
    """The calendar date at the trial's easternmost site, now or at a moment."""
    now = at or datetime.now(UTC)
    return max(now.astimezone(ZoneInfo(zone)).date() for zone in set(_zones(trial)) or {UNIVERSAL})


def zone_of(trial: Trial) -> str:
    """The zone by whose clocks the trial's pages tell and take moments: that of most sites."""
    counted = Counter(_zones(trial)) or {UNIVERSAL: 1}
    return min(counted, key=lambda zone: (-counted[zone], zone))


def _zones(trial: Trial) -> list[str]:
    prefetch_related_objects([trial], "sites")  # once per instance
    return [site.timezone for site in trial.sites.all()]


def _zone(request: Request | HttpRequest, trial: Trial) -> str | None:
    """A page's form sends what its clock shows; whoever asks over REST gives the offset."""
    return zone_of(trial) if isinstance(request, HttpRequest) else None


def _known_on(asked: str | None, zone: str | None = None) -> datetime | None:
    """The asked moment, on the zone's clock, else in UTC."""
    if not asked:
        return None
    try:
        known_on = _moment(asked, zone).astimezone(ZoneInfo(zone) if zone else UTC)
        if known_on > datetime.now(UTC):
            raise ValueError("in the future")
    except (ValueError, OverflowError) as error:
        raise InvalidParameter("known_on", _moments(zone)) from error
    return known_on


def _moments(zone: str | None) -> str:
    """Which moments are accepted."""
    if zone:
        return _("A past moment by the clock beside the field, such as 2022-08-08 20:00.")
    return _(
        "A past moment with its offset from UTC, such as 2022-08-08T12:00:00Z or"
        " 2022-08-08T20:00:00+08:00."
    )


def _moment(asked: str, zone: str | None) -> datetime:
    """A plus sign that was sent unescaped arrives as a space."""
    parts = MOMENT.fullmatch(asked)
    if parts:
        return datetime.fromisoformat(parts[1] + parts[2].replace(" ", "+"))
    if zone is None:
        raise ValueError("no moment with an offset")
    return clocks.read(half_width(asked), zone)


def _choice(choices: type[Choice], query: Mapping[str, str], name: str) -> Choice | None:
    asked = _one_of(list(choices), query, name)
    return choices(asked) if asked else None


def _one_of(accepted: Sequence[str], query: Mapping[str, str], name: str) -> str | None:
    asked = query.get(name)
    if asked and asked not in accepted:
        raise InvalidParameter.not_one_of(name, accepted)
    return asked or None


def _landmarks(asked: str) -> tuple[LandmarkTime, ...]:
    parts = asked.split(",")
    if len(parts) > 20:
        raise InvalidParameter("landmarks", _("At most 20."))
    accepted = _("Months, or weeks with a w, such as 3,6,12w.")
    return tuple(_time(part.strip(), "landmarks", accepted) for part in parts)


def _horizon(asked: str | None) -> LandmarkTime | None:
    """Up to when a restricted mean is taken."""
    if not asked:
        return None
    accepted = _("A number of months, or of weeks with a w, such as 12 or 12w.")
    found = _time(asked, "rmst", accepted)
    if not found.number:
        raise InvalidParameter("rmst", accepted)
    return found


def _time(text: str, name: str, accepted: str) -> LandmarkTime:
    number, unit = (text[:-1], "weeks") if text.endswith("w") else (text, "months")
    if not (number.isascii() and number.isdigit() and len(number) < 4):
        raise InvalidParameter(name, accepted)
    return LandmarkTime(int(number), unit)


def _definition(asked: str | None, trial: Trial, known_on: datetime | None) -> int | None:
    if not asked:
        return None
    endpoints = {str(endpoint.pk) for endpoint in as_known.rows(trial.endpoints, known_on)}
    if asked not in endpoints:
        raise InvalidParameter("definition", _("The id of one of the trial's endpoints."))
    return int(asked)


class OptionsForm(QueryForm):
    """What a reader may choose of a report, as it stands."""

    cutoff = CalendarDateField(label=gettext_lazy("Data cutoff"), required=False)
    population = forms.ChoiceField(
        label=gettext_lazy("Population"),
        choices=[("", gettext_lazy("as each endpoint defines it")), *POPULATIONS.items()],
        required=False,
    )
    survival_interval = forms.ChoiceField(
        label=gettext_lazy("Confidence interval of medians"),
        choices=[("", gettext_lazy("as each endpoint defines it")), *SURVIVAL_STYLES.items()],
        required=False,
    )
    proportion_interval = forms.ChoiceField(
        label=gettext_lazy("Confidence interval of rates"),
        choices=[("", gettext_lazy("as each endpoint defines it")), *PROPORTION_STYLES.items()],
        required=False,
    )

    known_on = forms.CharField(
        label=gettext_lazy("As known on"),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "YYYY-MM-DD HH:MM", "size": 19}
        ),
        required=False,
    )

    evaluator = forms.ChoiceField(
        label=gettext_lazy("Scans read by"), choices=Evaluator.choices, required=False
    )

    def __init__(self, options: Options, *, review: bool = False) -> None:
        """`review`: whether the independent review is offered beside the investigator's readings."""
        chosen = {name: getattr(options, name) for name in self.base_fields}
        self.past = options.known_on
        super().__init__(initial=chosen | {"known_on": as_typed(options.known_on)})
        if not review and options.evaluator == INVESTIGATOR:
            del self.fields["evaluator"]


class ComparableForm(OptionsForm):
    """What a reader may choose where both evaluators are compared."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        for name in self.fields.keys() - set(COMPARABLE):
            del self.fields[name]


def as_typed(at: datetime | None) -> str:
    """A moment as its field shows and takes it."""
    return clocks.typed(at) if at else ""


def as_query(options: Options) -> dict[str, str]:
    """The query that asks for these options; what is as by default is left out."""
    default = Options(cutoff=options.cutoff)
    said = {f.name: getattr(options, f.name) for f in fields(options)}
    asked = {k: v for k, v in said.items() if k == "cutoff" or v != getattr(default, k)}
    return {OTHERWISE.get(name, name): _as_text(value) for name, value in asked.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return str(moment(value))
    if isinstance(value, LandmarkTime):
        return f"{value.number}{'w' if value.unit == 'weeks' else ''}"
    if isinstance(value, tuple):
        return ",".join(map(_as_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def kept(query: Mapping[str, str], trial: Trial, names: Collection[str]) -> dict[str, str]:
    """Those of a page's options that another page takes too, as the API takes them."""
    said = {name: query[name] for name in names if query.get(name)}
    with suppress(InvalidParameter):
        if "cutoff" in said:
            said["cutoff"] = _date(said["cutoff"], typed=True).isoformat()
        if "known_on" in said:
            said["known_on"] = str(moment(_known_on(said["known_on"], zone_of(trial))))
    return said
