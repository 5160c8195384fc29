"""Forms whose fields stand in a page's address: as they stand, or as typed with what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, ClassVar, Self

from django import forms
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from registry.rest import InvalidParameter
from trials.models import Trial

MOST_TOLD = 20  # wrong keys; who sends more has not typed them
MOST_NAMED = 12  # choices in one sentence
MOST_REPEATED = 60  # characters of what was typed


class QueryForm(forms.Form):
    """What a reader may choose of a page by its address.

    `first`: the fields that stand before the further ones, which are folded up while they are as
    usual. `usual`: what a field other than a choice, whose first is usual, says then.
    """

    first: ClassVar[tuple[str, ...]] = ("cutoff", "population")
    usual: ClassVar[Mapping[str, str]] = {}
    use_required_attribute = False

    def refuse(self, typed: Mapping[str, str], wrong: Mapping[str, InvalidParameter]) -> Self:
        """Keep what was typed, and tell at each field what its reader refused."""
        for name in wrong.keys() & self.fields.keys():
            if self.fields[name].widget.is_hidden:
                self.fields[name].widget = forms.TextInput()
        before = {name: self.get_initial_for_field(f, name) for name, f in self.fields.items()}
        self.data = before | {name: typed[name] for name in typed}
        self.is_bound, self.cleaned_data, self._errors = True, {}, ErrorDict(renderer=self.renderer)
        for name, refused in wrong.items():
            at = name if name in self.fields else None
            self.add_error(at, self._told(name, typed.get(name, ""), refused))
        return self

    def _told(self, name: str, typed: str, refused: InvalidParameter) -> str:
        told = {"name": name, "typed": typed[:MOST_REPEATED], "accepted": refused.detail}
        field = self.fields.get(name)
        if field is None:
            return _("“%(name)s=%(typed)s” in the address cannot be used. %(accepted)s") % told
        if labels := _labels(field, refused):
            told["accepted"] = _("Choose one of: %s.") % ", ".join(labels)
        return _("“%(typed)s” cannot be used. %(accepted)s") % told

    @property
    def leading(self) -> list[forms.BoundField]:
        """The fields that are always to be seen."""
        return [field for field in self.visible_fields() if field.name in self.first]

    @property
    def further(self) -> list[forms.BoundField]:
        """The fields that may be folded up."""
        return [field for field in self.visible_fields() if field.name not in self.first]

    @property
    def unfolded(self) -> bool:
        """Whether a further field is not as usual, or is refused."""
        return any(field.errors or self._chosen(field) for field in self.further)

    def _chosen(self, field: forms.BoundField) -> bool:
        choices = getattr(field.field, "choices", None)
        usual = str(next(iter(choices))[0]) if choices else self.usual.get(field.name, "")
        return str(field.value() or "") not in ("", usual)


def _labels(field: forms.Field, refused: InvalidParameter) -> list[str]:
    """The accepted choices as the page calls them; none where it does not, or they are many."""
    choices = dict(getattr(field, "choices", ()))
    named = [str(choices[code]) for code in refused.accepted if code in choices]
    return named if len(named) == len(refused.accepted) <= MOST_NAMED else []


def refused(
    request: HttpRequest,
    form: QueryForm,
    read: Callable[[HttpRequest], Any],
    *,
    trial: Trial | None = None,
    title: str,
) -> HttpResponse:
    """A page with what was typed and what is wrong with it, as `read` says, and no figures."""
    context = {
        "trial": trial,
        "title": title,
        "options": form.refuse(request.GET, mistakes(request, read)),
    }
    status = 422 if request.method == "POST" else 400
    return render(request, "outcomes/options_refused.html", context, status=status)


def mistakes(
    request: HttpRequest, read: Callable[[HttpRequest], Any]
) -> dict[str, InvalidParameter]:
    """Every key of the address that `read` refuses, each beside the others that stand."""
    left, rest, found = request.GET.copy(), copy(request), dict[str, InvalidParameter]()
    rest.GET = left  # type: ignore[assignment]
    while len(found) < MOST_TOLD:
        try:
            read(rest)
        except InvalidParameter as invalid:
            found[invalid.parameter] = invalid
            if left.pop(invalid.parameter, None) is None:
                break
        else:
            break
    return found
