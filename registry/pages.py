"""What every page's view asks of a request."""

from __future__ import annotations

from django.http import Http404, HttpRequest, QueryDict

from registry.models import User


def signed_in(request: HttpRequest) -> User:
    """The account that asks; views are behind `login_required`."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def posted(request: HttpRequest) -> QueryDict | None:
    """What was posted, for a form to be bound to; an empty body was posted too."""
    return request.POST if request.method == "POST" else None
