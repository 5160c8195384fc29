"""The page of a trial's randomization scheme: its administrator's alone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients import allocation
from patients.forms import ChangeForm
from patients.views import entered
from registry.entry_pages import entry_page
from registry.pages import posted, signed_in
from trials import access
from trials.models import RandomizationScheme, Trial
from trials.vocabularies import StratificationFactor

LARGEST = 20  # share of an arm, and multiple of the ratio, as over REST


class Multiples(forms.CharField):
    """Whole numbers, such as "1, 2"."""

    def clean(self, value: Any) -> list[int]:
        """Each once, in order."""
        words = super().clean(value).replace(",", " ").split()
        if all(w.isascii() and w.isdigit() and len(w) < 3 for w in words):
            numbers = sorted({int(word) for word in words})
            if numbers and numbers[0] >= 1 and numbers[-1] <= LARGEST:
                return numbers
        raise ValidationError(_("Whole numbers from 1 to %s, such as 1, 2.") % LARGEST)


class SchemeForm(ChangeForm):
    """One number per arm, the block sizes, and what the strata are made of."""

    block_multiples = Multiples(
        label=gettext_lazy("Block sizes, as multiples of the ratio's sum"),
        help_text=gettext_lazy("Such as 1, 2: drawn at random, so that nobody can count along."),
        initial="1, 2",
    )
    factors = forms.MultipleChoiceField(
        label=gettext_lazy("Stratified by"),
        choices=StratificationFactor.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, trial: Trial, data: Any, scheme: RandomizationScheme | None) -> None:
        super().__init__(data)
        self.arms = {f"arm_{arm.pk}": arm.name for arm in trial.arms.all()}
        ratio = scheme.ratio if scheme else {}
        for name, arm in self.arms.items():
            self.fields[name] = forms.IntegerField(
                label=_("Patients of %s in the ratio") % arm,
                min_value=1,
                max_value=LARGEST,
                initial=ratio.get(arm, 1),
            )
        self.order_fields(self.arms)
        if scheme:
            self.initial.update(
                {
                    "block_multiples": ", ".join(map(str, scheme.block_multiples)),
                    "factors": scheme.factors,
                }
            )
        self.ask_why(scheme.version if scheme else 0)

    def facts(self) -> dict[str, Any]:
        """The scheme as the action takes it."""
        told = super().facts()
        ratio = {arm: told.pop(name) for name, arm in self.arms.items()}
        return told | {"ratio": ratio}

    def why(self) -> dict[str, Any]:
        """Why, and the version that was read: none where there was none."""
        told = super().why()
        return told | {"version": told["version"] or None}


@entry_page
def randomization_scheme(request: HttpRequest, registry_id: str) -> HttpResponse:
    """How the trial allots arms; what is drawn already is told to nobody."""
    user = signed_in(request)
    trial = get_object_or_404(Trial.objects.visible_to(user).named(registry_id))
    access.require(user, access.Action.WRITE_TRIAL, trial=trial)
    scheme = RandomizationScheme.objects.filter(trial=trial).first()
    form = SchemeForm(trial, posted(request), scheme)

    def save() -> str:
        allocation.put_scheme(trial=trial, by=user, **form.why(), **form.facts())
        return reverse("trials:trial_detail", args=[trial.registry_id])

    return entered(request, form, save, {"trial": trial, "title": _("Randomization scheme")})
