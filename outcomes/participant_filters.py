"""What a reader may ask of a trial's list of patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.methods.recist import Response
from outcomes.methods.schedule import NotExpected
from outcomes.models import ResponseChoice
from outcomes.schedule import STATUSES
from registry.rest import InvalidParameter, refuse_unknown
from trials.models import Site, Trial

if TYPE_CHECKING:
    from registry.models import User

ANY = ("", gettext_lazy("any"))
ON_STUDY = "on_study"
OVERDUE = "yes"


@dataclass(frozen=True)
class Asked:
    """The filters; a blank one lets everybody through."""

    site: str = ""
    status: str = ""
    arm: str = ""
    best: str = ""
    overdue: bool = False

    def has_status(self, status: NotExpected | None) -> bool:
        """Whether a patient of this status is asked for."""
        return not self.status or self.status == (status or ON_STUDY)

    def has_best(self, response: Response) -> bool:
        """Whether a patient of this best response is asked for."""
        return not self.best or self.best == response


@dataclass(frozen=True)
class ParticipantChoices:
    """What may be asked in one trial by one user; of the arm only where no arm is hidden."""

    options: Mapping[str, list[tuple[str, Any]]]

    @classmethod
    def of(cls, trial: Trial, user: User) -> ParticipantChoices:
        """Read the user's sites and the trial's arms."""
        sites = Site.objects.visible_to(user).filter(trial=trial)
        options: dict[str, list[tuple[str, Any]]] = {
            "site": [(code, code) for code in sites.values_list("code", flat=True)],
            "status": [(str(key or ON_STUDY), words) for key, words in STATUSES.items()],
            "best": [(str(value), words) for value, words in ResponseChoice.choices],
            "overdue": [(OVERDUE, gettext_lazy("overdue"))],
        }
        if not trial.masked:
            options["arm"] = [(arm.name, str(arm)) for arm in trial.arms.all()]
        return cls(options)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The keys that are accepted."""
        return tuple(self.options)

    def asked(self, query: Mapping[str, str]) -> Asked:
        """The filters of an address; InvalidParameter names the key of an unusable value."""
        refuse_unknown(query, self.parameters)
        found = {name: self._one(name, query.get(name, "")) for name in self.parameters}
        overdue = bool(found.pop("overdue"))
        return Asked(**found, overdue=overdue)

    def _one(self, name: str, value: str) -> str:
        accepted = [key for key, _words in self.options[name]]
        if value and value not in accepted:
            raise InvalidParameter(name, _("One of: %s.") % ", ".join(accepted))
        return value

    def form(self, query: Mapping[str, str]) -> forms.Form:
        """The filters as they stand in the address."""
        form = forms.Form(initial={name: query.get(name, "") for name in self.parameters})
        for name in [name for name in LABELS if name in self.options]:
            choices = [ANY, *self.options[name]]
            form.fields[name] = forms.ChoiceField(label=LABELS[name], choices=choices)
        form.use_required_attribute = False
        return form


LABELS = {
    "site": gettext_lazy("Site"),
    "status": gettext_lazy("Status"),
    "arm": gettext_lazy("Arm"),
    "best": gettext_lazy("Best response"),
    "overdue": gettext_lazy("Scan"),
}
