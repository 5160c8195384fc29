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
    """What was posted, for a form to be bound to; an empty body was posted too.

    What was sent after a session had ended is shown again after the login (`entry_pages`).
    """
    return request.POST if replayed(request) or request.method == "POST" else None


def replayed(request: HttpRequest) -> bool:
    """Whether a page that is only read shows what was sent to it before."""
    return getattr(request, "replayed", False)
