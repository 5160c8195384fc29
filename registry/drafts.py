"""The address under which a page keeps what is being typed into it: `/drafts/?address=`.

For the pages' own script, with their session and its CSRF token; no part of the REST API.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from registry.entry_pages import EntryKey, Fields, typed
from registry.models import DRAFT_LARGEST, Draft, User
from registry.rest import PROBLEM, decode


class Unusable(Exception):
    """What was sent cannot be kept: the field or parameter, and what would be accepted."""

    def __init__(self, detail: str, **where: str) -> None:
        super().__init__(detail)
        self.detail, self.where = detail, where


@require_http_methods(["GET", "PUT", "DELETE", "POST"])
def draft(request: HttpRequest) -> HttpResponse:
    """Read, keep or discard the user's draft of one page; a POST discards, and leads back to it."""
    if not isinstance(request.user, User):
        return _problem(401, _("You are logged out."))
    answer: Callable[[HttpRequest, User, str], HttpResponse] = {
        "GET": _read, "PUT": _keep, "DELETE": _discard, "POST": _start_again,
    }[request.method or ""]  # fmt: skip
    try:
        return answer(request, request.user, _address(request))
    except Unusable as unusable:
        return _problem(400, unusable.detail, errors=[unusable.where | {"detail": unusable.detail}])


def _problem(status: int, detail: str, **members: Any) -> JsonResponse:
    body = {"type": "about:blank", "status": status, "detail": detail} | members
    return JsonResponse(body, status=status, content_type=PROBLEM)


def _address(request: HttpRequest) -> str:
    """The path of a page with a form."""
    address = request.GET.get("address", "")
    try:
        found = resolve(address).func if len(address) <= 300 and "\0" not in address else None
    except Resolver404:
        found = None
    if not hasattr(found, "entry_page"):
        raise Unusable(_("The path of a page with a form."), parameter="address")
    return address


def _read(request: HttpRequest, user: User, address: str) -> HttpResponse:
    kept = Draft.objects.of(user).filter(address=address).first()
    if kept is None:
        return HttpResponse(status=204)  # nothing is kept
    return JsonResponse(
        {"address": kept.address, "title": kept.title, "fields": kept.fields} | _told(kept)
    )


def _told(kept: Draft) -> dict[str, str]:
    return {"saved_at": kept.saved_at.isoformat()}


def _keep(request: HttpRequest, user: User, address: str) -> HttpResponse:
    """Keep what is typed; 204 without keeping it where the form was stored meanwhile."""
    body = _body(request)
    key = EntryKey.read(body.get("key"), address)
    if key is None or key.user != user.pk:
        raise Unusable(_("The key of the page that was shown."), pointer="/key")
    fields, title = _fields(body), str(body.get("title") or "")
    with transaction.atomic():
        if key.stored():
            return HttpResponse(status=204)
        return JsonResponse(_told(key.keep(user, fields, title=title)))


def _body(request: HttpRequest) -> dict[str, Any]:
    if len(request.body) > 4 * DRAFT_LARGEST:
        raise Unusable(_("At most %s characters.") % DRAFT_LARGEST, pointer="/fields")
    try:
        body = decode(request.body)
    except ValueError as error:
        raise Unusable(str(error), pointer="") from error
    if not isinstance(body, dict):
        raise Unusable(_("The body must be a JSON object."), pointer="")
    return body


def _fields(body: dict[str, Any]) -> Fields:
    """Names and values as strings, without what no draft keeps."""
    sent, data = body.get("fields"), QueryDict(mutable=True)
    pairs = sent if isinstance(sent, list) else [None]
    for pair in pairs:
        if not (
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) for p in pair)
        ):
            raise Unusable(
                _("A list of pairs of a name and a value, both text."), pointer="/fields"
            )
        data.appendlist(*pair)
    fields = typed(data)
    if len(json.dumps(fields)) > DRAFT_LARGEST:
        raise Unusable(_("At most %s characters.") % DRAFT_LARGEST, pointer="/fields")
    return fields


def _discard(request: HttpRequest, user: User, address: str) -> HttpResponse:
    Draft.objects.filter(user=user, address=address).delete()
    return HttpResponse(status=204)


def _start_again(request: HttpRequest, user: User, address: str) -> HttpResponse:
    """For the button beside a restored draft, with or without a script."""
    _discard(request, user, address)
    return HttpResponseRedirect(address)
