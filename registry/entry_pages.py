"""Pages on which something is entered: nothing typed is lost, and nothing is stored twice.

A form carries the key of the page as it was shown, `{% entry_key %}`: signed, it names the user,
the address and this one showing. By it

* a form that is sent twice is carried out once and answered alike, as a POST over REST is;
* one that is sent after its session ended becomes a draft of the user to whom it was shown;
* what was stored takes the draft of its page with it, and no later autosave brings that back.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from registry.errors import StaleVersion
from registry.idempotency import lock
from registry.models import DRAFT_LARGEST, KEPT, Draft, IdempotentAnswer, User
from registry.pages import replayed

FIELD = "entry_key"
TAKE, STORED, VERSION = "take:", "stored:", "stored_version"
UNSENT = (FIELD, "csrfmiddlewaretoken", VERSION)
SHOW = "draft"  # in the query string: the server itself fills the draft in
OVERTAKEN = 5  # times that a page reads again before it gives up
ROWS_ONLY = "draft"  # as the value of `more`: rows are asked for, nothing is submitted

Address = ParamSpec("Address")
View = Callable[Concatenate[HttpRequest, Address], HttpResponse]
Fields = list[list[str]]


@dataclass(frozen=True)
class EntryKey:
    """What a form says of the page that it was on."""

    user: int
    address: str
    patient: int | None
    title: str
    login: str  # another one after a change of the password
    nonce: str

    @classmethod
    def issue(cls, user: User, address: str, *, patient: int | None, title: str) -> str:
        """A new key, signed."""
        key = cls(user.pk, address, patient, title[:200], _login(user), secrets.token_hex(16))
        return signing.dumps(astuple(key), salt=FIELD)

    @classmethod
    def read(cls, text: object, address: str) -> EntryKey | None:
        """The key of a page at this address; None for anything else."""
        try:
            key = cls(*signing.loads(str(text), salt=FIELD, max_age=KEPT))
        except (signing.BadSignature, TypeError, ValueError):
            return None
        return key if key.address == address else None

    @property
    def scope(self) -> str:
        """Where the answer to this form is kept."""
        return hashlib.sha256(json.dumps([FIELD, *astuple(self)]).encode()).hexdigest()

    def stored(self) -> bool:
        """Whether this form was stored already; waits for one that is on its way."""
        lock(self.scope)
        return IdempotentAnswer.objects.current().filter(scope=self.scope).exists()

    def keep(self, user: User, fields: Fields, *, title: str = "", posted: bool = False) -> Draft:
        """Keep what was typed as the user's draft of this page, in place of an older one."""
        return Draft.objects.put(
            Draft(
                user=user,
                address=self.address,
                patient_id=self.patient,
                title=title[:200] or self.title,
                fields=fields,
                posted=posted,
            )
        )


def _login(user: User) -> str:
    return salted_hmac(FIELD, user.get_session_auth_hash()).hexdigest()[:32]


def entry_page(view: View[Address]) -> View[Address]:
    """For every view with a form: login required, nothing typed is lost, nothing stored twice."""

    @wraps(view)
    def entered(
        request: HttpRequest, /, *args: Address.args, **kwargs: Address.kwargs
    ) -> HttpResponse:
        if not isinstance(request.user, User):
            _keep_until_login(request)
            return redirect_to_login(request.get_full_path())
        if request.method == "POST":
            return _once(request, request.user, lambda: view(request, *args, **kwargs))
        _bring_back(request, request.user)
        with _reading(request):
            return view(request, *args, **kwargs)

    entered.entry_page = True  # type: ignore[attr-defined]
    return entered


def _keep_until_login(request: HttpRequest) -> None:
    """A form sent after its session ended is a draft of the user to whom it was shown."""
    key = EntryKey.read(request.POST.get(FIELD, ""), request.path)
    user = User.objects.filter(pk=key.user, is_active=True).first() if key else None
    if key and user and constant_time_compare(key.login, _login(user)):
        _keep_posted(request, key, user)


def _keep_posted(request: HttpRequest, key: EntryKey, user: User) -> None:
    fields = typed(request.POST)
    with transaction.atomic():
        if len(json.dumps(fields)) <= DRAFT_LARGEST and not key.stored():
            key.keep(user, fields, posted=True)


def _bring_back(request: HttpRequest, user: User) -> None:
    """Give the page the user's draft of it, for the script to restore.

    What was sent after the session ended is bound to the form as it was sent; on demand another
    draft is too, where the page as it stands lacks some of its rows.
    """
    draft = Draft.objects.of(user).filter(address=request.path).first()
    request.draft = draft  # type: ignore[attr-defined]
    if draft and (draft.posted or SHOW in request.GET):
        data = QueryDict(mutable=True)
        for name, value in draft.fields:
            data.appendlist(name, value)
        if not draft.posted:
            data["more"] = ROWS_ONLY
        request.POST = data  # type: ignore[assignment]
        request.replayed = True  # type: ignore[attr-defined]


@contextmanager
def _reading(request: HttpRequest) -> Iterator[None]:
    """What is brought back is shown, and by no mistake of a view stored: not until it is sent."""
    if not replayed(request):
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        yield


def _once(request: HttpRequest, user: User, view: Callable[[], HttpResponse]) -> HttpResponse:
    """Carry a form out, or answer as before; whoever sends it at the same time waits."""
    request.POST = settled(request.POST)  # type: ignore[assignment]
    key = EntryKey.read(request.POST.get(FIELD, ""), request.path)
    if key and key.user != user.pk:
        raise PermissionDenied(_("Another user opened this page: nothing was stored."))
    with transaction.atomic():
        digest = hashlib.sha256(json.dumps(typed(request.POST)).encode()).hexdigest()
        if key:
            lock(key.scope)
            kept = IdempotentAnswer.objects.current().filter(scope=key.scope, request=digest)
            if first := kept.first():
                return _again(request, first)
        response = _with_what_is_stored(view)
        if isinstance(response, HttpResponseRedirect) and not _refused(request):
            Draft.objects.filter(user=user, address=request.path).delete()
            if key:
                IdempotentAnswer.objects.keep(_answer(request, key.scope, digest, response))
    return response


def _with_what_is_stored(view: Callable[[], HttpResponse]) -> HttpResponse:
    """A view that was overtaken between its reading and its lock reads again."""
    for _attempt in range(OVERTAKEN):
        try:
            return view()
        except StaleVersion:
            continue
    raise PermissionDenied(_("Others are changing this at this moment; send it again."))


def _queued(request: HttpRequest) -> list[Any]:
    storage: Any = messages.get_messages(request)
    return list(storage._queued_messages)  # iterating the storage would count them as shown


def _refused(request: HttpRequest) -> bool:
    """Whether the view leads elsewhere because it could not store."""
    return any(message.level >= messages.ERROR for message in _queued(request))


def _answer(
    request: HttpRequest, scope: str, digest: str, response: HttpResponseRedirect
) -> IdempotentAnswer:
    said = [[message.level, str(message.message)] for message in _queued(request)]
    return IdempotentAnswer(
        scope=scope,
        request=digest,
        status=response.status_code,
        headers={"Location": response.url},
        body=json.dumps(said),
    )


def _again(request: HttpRequest, kept: IdempotentAnswer) -> HttpResponse:
    """Where the first answer led, with what it said."""
    for level, text in json.loads(kept.body):
        messages.add_message(request, level, text)
    return HttpResponseRedirect(kept.headers["Location"])


def typed(data: QueryDict) -> Fields:
    """What was typed, as a draft keeps it: no token, no password."""
    return [
        [name, value.replace("\0", "")]
        for name, values in data.lists()
        if keeps(name)
        for value in map(str, values)
    ]


def keeps(name: str) -> bool:
    """Whether a draft keeps a field of this name."""
    secret = "password" in name.lower() or "\0" in name
    return not (secret or name in UNSENT or name.startswith((TAKE, STORED)))


def settled(data: QueryDict) -> QueryDict:
    """What was typed, with what a colleague stored where that was preferred.

    Once each difference is decided the stored version counts as read, and not before.
    """
    if VERSION not in data:
        return data
    decided, shown = data.copy(), {n.removeprefix(STORED) for n in data if n.startswith(STORED)}
    for name in shown:
        if data.get(TAKE + name) == "theirs":
            decided.setlist(name, [value for value in data.getlist(STORED + name) if value])
    if all(data.get(TAKE + name) in ("theirs", "mine") for name in shown):
        decided["version"] = str(data[VERSION])
    return decided
