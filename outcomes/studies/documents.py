"""Studies side by side over HTTP, and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from django.urls import reverse
from pydantic import Field
from typing_extensions import TypedDict

from outcomes.catalogue.printed import as_printed
from outcomes.report import Survival
from outcomes.report.document_types import (
    Additional,
    DefinitionDocument,
    FollowUpDocument,
    MedianDocument,
    PopulationDocument,
)
from outcomes.report.documents import (
    follow_up_document,
    moment,
    result_document,
    survival_document,
)
from outcomes.studies import RATES, TIMES, Computed, Printed, Row
from registry.documents import CalendarDate, Count, Link, Moment
from trials.definitions import EndpointKind
from trials.publications import MedianClaim, ProportionClaim


class PrintedFigureDocument(TypedDict):
    """A figure as its source prints it."""

    group: Annotated[str, Field(description="Blank for everybody.")]
    printed: str


class PrintedStudyDocument(TypedDict):
    """A publication's figures as printed; none is computed."""

    orr: list[PrintedFigureDocument]
    dcr: list[PrintedFigureDocument]
    pfs: list[PrintedFigureDocument]
    os: list[PrintedFigureDocument]


class StudyTimeDocument(TypedDict):
    """A time to event without its curve."""

    n: Count
    events: Count
    censored: Count
    median: MedianDocument
    definition: DefinitionDocument


class ComputedStudyDocument(TypedDict):
    """A trial's figures by its own definitions, over the patients that the caller may see."""

    cutoff: CalendarDate
    known_on: Moment | None
    synthetic: Annotated[bool, Field(description="Whether the patients are made up.")]
    sites: Annotated[
        list[str] | None, Field(description="The caller's sites, where those are not all.")
    ]
    population: PopulationDocument
    orr: Additional
    dcr: Additional
    pfs: StudyTimeDocument
    os: StudyTimeDocument
    follow_up: FollowUpDocument


class StudyDocument(TypedDict):
    """One study: computed here, or as printed elsewhere, never both."""

    source: Literal["registry", "published"]
    trial: Annotated[str | None, Field(description="The registry id, where it is the caller's.")]
    publication: Annotated[str | None, Field(description="The key in the catalogue.")]
    title: str
    year: int | None
    sarcoma: bool
    n: Count | None
    computed: ComputedStudyDocument | None
    printed: PrintedStudyDocument | None
    link: Link


def study_document(row: Row) -> StudyDocument:
    """One row."""
    return _computed(row) if isinstance(row, Computed) else _published(row)


def _computed(row: Computed) -> StudyDocument:
    trial = row.trial
    return {
        "source": "registry",
        "trial": trial.registry_id,
        "publication": None,
        "title": trial.brief_title,
        "year": None,
        "sarcoma": trial.sarcoma,
        "n": row.report.whole.n,
        "computed": _figures(row),
        "printed": None,
        "link": reverse("api:outcomes", args=[trial.registry_id]),
    }


def _figures(row: Computed) -> ComputedStudyDocument:
    found, whole = row.report, row.report.whole
    return {
        "cutoff": found.options.cutoff.isoformat(),
        "known_on": moment(found.options.known_on),
        "synthetic": row.trial.synthetic,
        "sites": None if row.sites is None else list(row.sites),
        "population": {"name": found.population, "n": whole.n},
        "orr": result_document(whole.rates[EndpointKind.ORR]),
        "dcr": result_document(whole.rates[EndpointKind.DCR]),
        "pfs": _time(whole.survivals[EndpointKind.PFS]),
        "os": _time(whole.survivals[EndpointKind.OS]),
        "follow_up": follow_up_document(whole),
    }


def _time(found: Survival) -> StudyTimeDocument:
    whole = survival_document(found)
    return {
        "n": whole["n"],
        "events": whole["events"],
        "censored": whole["censored"],
        "median": whole["median"],
        "definition": whole["definition"],
    }


def _published(row: Printed) -> StudyDocument:
    publication = row.publication
    return {
        "source": "published",
        "trial": row.trial,
        "publication": publication.key,
        "title": publication.title,
        "year": publication.year,
        "sarcoma": publication.sarcoma,
        "n": row.n,
        "computed": None,
        "printed": {
            "orr": _printed(row.rates(RATES[EndpointKind.ORR])),
            "dcr": _printed(row.rates(RATES[EndpointKind.DCR])),
            "pfs": _printed(row.medians(TIMES[EndpointKind.PFS])),
            "os": _printed(row.medians(TIMES[EndpointKind.OS])),
        },
        "link": reverse("api:publication", args=[publication.key]),
    }


def _printed(claims: Iterable[ProportionClaim | MedianClaim]) -> list[PrintedFigureDocument]:
    return [{"group": claim.group, "printed": as_printed(claim)} for claim in claims]


OF_STUDY = ("source", "trial", "publication", "title", "year", "sarcoma", "n")
OF_SCOPE = ("cutoff", "known_on", "synthetic", "sites")
OF_RATE = ("n", "estimate", "lower", "upper", "interval", "confidence_level", "confirmed")
OF_MEDIAN = ("months", "lower_months", "upper_months", "interval", "days_reason")
COLUMNS = (
    *OF_STUDY,
    *OF_SCOPE,
    "population",
    *(f"{rate}_{name}" for rate in ("orr", "dcr") for name in ("k", *OF_RATE)),
    *(f"{time}_{name}" for time in ("pfs", "os") for name in ("n", "events", *OF_MEDIAN)),
    "follow_up_months",
    *(f"{measure}_printed" for measure in ("orr", "dcr", "pfs", "os")),
)


def table_rows(documents: Iterable[StudyDocument]) -> Iterator[dict[str, Any]]:
    """One line per study; what is printed stands in columns of its own."""
    for study in documents:
        row: dict[str, Any] = {name: study[name] for name in OF_STUDY}  # type: ignore[literal-required]
        yield row | _computed_cells(study["computed"]) | _printed_cells(study["printed"])


def _computed_cells(found: ComputedStudyDocument | None) -> dict[str, Any]:
    if found is None:
        return {}
    told: dict[str, Any] = dict(found)
    cells = {name: told[name] for name in OF_SCOPE} | {"population": found["population"]["name"]}
    cells["sites"] = " ".join(found["sites"] or ())
    for name, k in (("orr", "responders"), ("dcr", "controlled")):
        cells |= {f"{name}_{key}": told[name][key] for key in OF_RATE}
        cells[f"{name}_k"] = told[name][k]
    for name in ("pfs", "os"):
        cells |= {f"{name}_{key}": told[name]["median"][key] for key in OF_MEDIAN}
        cells |= {f"{name}_{key}": told[name][key] for key in ("n", "events")}
    return cells | {"follow_up_months": found["follow_up"]["median_months"]}


def _printed_cells(found: PrintedStudyDocument | None) -> dict[str, Any]:
    if found is None:
        return {}
    figures: dict[str, list[PrintedFigureDocument]] = dict(found)  # type: ignore[arg-type]
    return {
        f"{measure}_printed": "; ".join(
            f"{one['group']}: {one['printed']}" if one["group"] else one["printed"] for one in said
        )
        for measure, said in figures.items()
    }
