"""What happened to the tumor: lesions, visits and what was seen of each lesion at each visit."""

from outcomes.models.analyses import Analysis, AnalysisQuerySet
from outcomes.models.imports import (
    PURGED_AT_ONCE,
    SHEET_KEPT,
    SILENT,
    ImportRun,
    VisitSheet,
    VisitSheetQuerySet,
)
from outcomes.models.lesions import (
    DIAMETER,
    INVESTIGATOR,
    BoneTypeChoice,
    Lesion,
    LesionQuerySet,
    LesionRole,
    MethodChoice,
)
from outcomes.models.visits import (
    METHODS_VERSION,
    CertaintyChoice,
    GrowthChoice,
    ImmuneResponseChoice,
    Measurement,
    NewLesionStatus,
    NonTargetStateChoice,
    NonTargetStatus,
    ResponseChoice,
    TargetStateChoice,
    Visit,
    VisitQuerySet,
)

__all__ = [
    "DIAMETER",
    "INVESTIGATOR",
    "METHODS_VERSION",
    "PURGED_AT_ONCE",
    "SHEET_KEPT",
    "SILENT",
    "Analysis",
    "AnalysisQuerySet",
    "BoneTypeChoice",
    "CertaintyChoice",
    "GrowthChoice",
    "ImmuneResponseChoice",
    "ImportRun",
    "Lesion",
    "LesionQuerySet",
    "LesionRole",
    "Measurement",
    "MethodChoice",
    "NewLesionStatus",
    "NonTargetStateChoice",
    "NonTargetStatus",
    "ResponseChoice",
    "TargetStateChoice",
    "Visit",
    "VisitQuerySet",
    "VisitSheet",
    "VisitSheetQuerySet",
]
