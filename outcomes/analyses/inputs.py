"""What a frozen analysis keeps: everything its figures are computed of, and what was computed.

Both are canonical JSON. A report of the stored inputs needs no database: the endpoints are kept as
the report computed them, defaults filled in, and the trial as the row that it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

from django.utils import translation
from pydantic import TypeAdapter

from outcomes import canonical, report, safety
from outcomes.models import METHODS_VERSION
from outcomes.queries import PatientFacts
from outcomes.report import Declared, Options, PatientOutcome, Report
from outcomes.report.documents import report_document
from outcomes.safety import SafetyFacts, SafetyReport
from outcomes.safety.documents import exposure_document, safety_document
from patients.treatment import Treated, summaries
from trials import as_known
from trials.definitions import EndpointDefinition
from trials.models import Trial

if TYPE_CHECKING:
    from registry.models import User

# Of the inputs; raise it when a change of the facts needs a reader for older ones. Those of format 1
# hold no adverse events and no doses: their result has no tables of safety, and never will.
WITHOUT_SAFETY, FORMAT = 1, 2


@dataclass(frozen=True)
class Computed:
    """Everything that inputs give; the tables of safety where they hold adverse events and doses."""

    report: Report
    safety: SafetyReport | None
    exposure: tuple[Treated, ...]


@dataclass(frozen=True)
class Inputs:
    """All that decides the figures of one analysis; `trial` is its row, column by column."""

    format: int
    methods_version: int
    trial: Mapping[str, Any]
    options: Options
    endpoints: tuple[Declared, ...]
    patients: tuple[PatientFacts, ...]
    safety: SafetyFacts | None = None

    def __post_init__(self) -> None:
        if self.format not in (WITHOUT_SAFETY, FORMAT):
            raise ValueError("inputs of an unknown format")
        if (self.safety is None) != (self.format == WITHOUT_SAFETY):
            raise ValueError("inputs of another format than they say")

    @classmethod
    def parse(cls, canonical_json: str) -> Self:
        """The inputs that a text tells; raises pydantic's ValidationError for any other text."""
        found = ADAPTER.validate_json(canonical_json)
        one: dict[EndpointDefinition, EndpointDefinition] = {}  # as `report.declared` shares them
        endpoints = [
            replace(e, definition=one.setdefault(e.definition, e.definition))
            for e in found.endpoints
        ]
        return cls(**_parts(found) | {"endpoints": tuple(endpoints)})

    def report(self) -> Report:
        """The figures, by today's code."""
        return report.compute(self.as_trial(), self.options, self.endpoints, self.patients)

    def computed(self) -> Computed:
        """The figures and the tables of safety, by today's code."""
        if self.safety is None:
            return Computed(self.report(), None, ())
        options = self.options
        found, exposure = safety.compute(
            self.as_trial(), self.safety, cutoff=options.cutoff, known_on=options.known_on
        )
        return Computed(self.report(), found, tuple(exposure))

    def as_trial(self) -> Trial:
        """The trial as its row was; never saved."""
        columns = {field.attname: field for field in Trial._meta.concrete_fields}
        known = {name: value for name, value in self.trial.items() if name in columns}
        trial = Trial(**{name: columns[name].to_python(value) for name, value in known.items()})
        trial.reader_unblinded = bool(self.trial.get("reader_unblinded"))
        return trial


ADAPTER: TypeAdapter[Inputs] = TypeAdapter(Inputs)


def _parts(inputs: Inputs) -> dict[str, Any]:
    return {field.name: getattr(inputs, field.name) for field in fields(inputs)}


def columns_of(trial: Trial) -> dict[str, Any]:
    """A trial's row; and where it is masked from others than its reader, that it is not from them."""
    row = {f.attname: getattr(trial, f.attname) for f in trial._meta.concrete_fields}
    return row | ({"reader_unblinded": True} if trial.reader_unblinded else {})


def read(trial: Trial, *, user: User, options: Options) -> Inputs:
    """What an analysis of the patients whom the user may see is computed of.

    Of one moment only where nothing is stored meanwhile: within a snapshot, or where the trail says
    so afterwards.
    """
    trial = as_known.trial_as_known(trial, options.known_on)
    endpoints, facts = report.read(trial, user=user, options=options)
    known = safety.read(trial, user=user, cutoff=options.cutoff, known_on=options.known_on)
    return Inputs(
        FORMAT, METHODS_VERSION, columns_of(trial), options, tuple(endpoints), tuple(facts), known
    )


def result_of(inputs: Inputs) -> tuple[Computed, str]:
    """What inputs give, and the same as canonical JSON: the documents and the patients' lines.

    The lines hold codes and parameters, no sentences: a better wording is no other result.
    """
    with translation.override("en"):
        found = inputs.computed()
        told: dict[str, Any] = {"report": report_document(found.report)}
        if found.safety:
            told["safety"] = safety_document(found.safety)
            told["exposure"] = exposure_document(found.safety, summaries(found.exposure))
    lines = [*map(_line, found.report.patients)]
    return found, canonical.text(told | {"patients": lines})


def _line(outcome: PatientOutcome) -> dict[str, Any]:
    facts = outcome.facts
    who = {"patient": facts.id, "subject_id": facts.subject_id, "arm": facts.arm}
    return who | {f.name: getattr(outcome, f.name) for f in fields(outcome) if f.name != "facts"}


@dataclass(frozen=True)
class Difference:
    """A value that came out otherwise: where in the result, as JSON Pointer, and both values."""

    pointer: str
    stored: Any
    found: Any


ABSENT = None  # a member that one of the two lacks is told as null


def differences(stored: Any, found: Any, pointer: str = "") -> Iterator[Difference]:
    """Where two JSON values differ, leaf by leaf."""
    if isinstance(stored, dict) and isinstance(found, dict):
        for key in sorted(stored.keys() | found.keys()):
            step = key.replace("~", "~0").replace("/", "~1")
            one, other = stored.get(key, ABSENT), found.get(key, ABSENT)
            yield from differences(one, other, f"{pointer}/{step}")
    elif isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        for index, (one, other) in enumerate(zip(stored, found, strict=True)):
            yield from differences(one, other, f"{pointer}/{index}")
    elif stored != found:
        yield Difference(pointer, stored, found)
