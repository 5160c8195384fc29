"""A trial's outcomes by groups of its patients."""

from outcomes.groups.options import (
    FOREST_PARAMETERS,
    GroupsForm,
    asked,
)

__all__ = ["FOREST_PARAMETERS", "GroupsForm", "asked"]
