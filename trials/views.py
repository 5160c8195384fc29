"""Pages of the protocol."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trials.models import Trial


@login_required
def trial_list(request: HttpRequest) -> HttpResponse:
    """The trials that the user works on."""
    visible = Trial.objects.visible_to(request.user).with_patient_counts(request.user)
    page = Paginator(visible.order_by("registry_id"), 50).get_page(request.GET.get("page"))
    context = {"trials": page.object_list, "page_obj": page}
    return render(request, "trials/trial_list.html", context)
