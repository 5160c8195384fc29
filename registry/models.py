"""Accounts, their tokens, the answers kept for requests sent again, and drafts."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.audit import audited

LOADER = "seed-loader"  # the account of what `load_seeds` stores


@audited(exclude=["password", "last_login"])
class User(AbstractUser):
    """A person or an outside system that logs in; disabled, never deleted."""


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens in domain words."""

    def valid(self) -> Self:
        """Not expired, of an account that is not disabled."""
        return self.filter(expires_at__gt=timezone.now(), user__is_active=True)

    def matching(self, key: str) -> Self:
        """The token whose key this is."""
        return self.filter(digest=ApiToken.digest_of(key))


@audited(exclude=["digest"])
class ApiToken(models.Model):
    """A key for outside systems; only its digest is kept, so that a leak of the table opens nothing."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        constraints = [models.UniqueConstraint(fields=["digest"], name="api_token_digest_unique")]

    def __str__(self) -> str:
        return f"token of {self.user_id} until {self.expires_at:%Y-%m-%d}"

    @staticmethod
    def digest_of(key: str) -> str:
        """SHA-256 of a key; the key has 256 random bits, so no slow hash is needed."""
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def issue(cls, user: User, *, days: int) -> str:
        """Store a new token and return its key, which is shown once."""
        key = secrets.token_hex(32)
        expires_at = timezone.now() + timedelta(days=days)
        cls.objects.create(user=user, digest=cls.digest_of(key), expires_at=expires_at)
        return key


KEPT = timedelta(days=7)
PURGED_AT_ONCE = 100  # a bound on what one request cleans up after others


class IdempotentAnswerQuerySet(models.QuerySet["IdempotentAnswer"]):
    """Kept answers in domain words."""

    def current(self) -> Self:
        """Young enough to be given again."""
        return self.filter(created_at__gt=timezone.now() - KEPT)

    def purge(self) -> None:
        """Delete some that are too old, none that another request is deleting: nobody waits."""
        old = self.filter(created_at__lte=timezone.now() - KEPT).order_by("created_at")
        batch = old.select_for_update(skip_locked=True).values("pk")[:PURGED_AT_ONCE]
        self.filter(pk__in=batch).delete()

    def keep(self, answer: "IdempotentAnswer") -> None:
        """Store an answer in place of an expired one, and clean up."""
        self.purge()
        columns = ["request", "status", "headers", "body", "created_at"]
        self.bulk_create(
            [answer], update_conflicts=True, unique_fields=["scope"], update_fields=columns
        )


class IdempotentAnswer(models.Model):
    """What a POST with an Idempotency-Key, or a page's form, answered, for whoever sends it again.

    Not audited: what an answer says was recorded when its rows were written, and the trail, which
    nobody may empty, would keep for good the copies that are to be gone after seven days.
    """

    scope = models.CharField(max_length=64, primary_key=True)  # SHA-256 of user, method, path, key
    request = models.CharField(max_length=64)  # SHA-256 of body and query string, or of a form
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = models.TextField()  # JSON; jsonb would put the keys into another order
    created_at = models.DateTimeField(default=timezone.now)

    objects = IdempotentAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("answer kept for an Idempotency-Key")
        indexes = [models.Index(fields=["created_at"], name="idempotent_answer_created_at")]

    def __str__(self) -> str:
        return f"{self.status} of {self.created_at:%Y-%m-%d %H:%M}"


DRAFT_KEPT = timedelta(days=30)
DRAFT_LARGEST = 200_000  # characters of JSON: a form has a few thousand
DRAFTS_OF_A_USER = 100


class DraftQuerySet(models.QuerySet["Draft"]):
    """Drafts in domain words."""

    def of(self, user: Any) -> Self:
        """What a user typed and did not store, the latest first.

        Nobody else's, none that is too old, and of a patient only while the user may see them.
        """
        patients: Any = self.model._meta.get_field("patient").related_model
        seen = patients.objects.active().known_to(user)
        mine = self.filter(user=user.pk, saved_at__gt=timezone.now() - DRAFT_KEPT)
        return mine.filter(Q(patient=None) | Q(patient__in=seen)).order_by("-saved_at")

    def put(self, draft: "Draft") -> "Draft":
        """Store a draft in place of the user's older one of that page, and clean up."""
        columns = ["patient", "title", "fields", "posted", "saved_at"]
        self.bulk_create(
            [draft],
            update_conflicts=True,
            unique_fields=["user", "address"],
            update_fields=columns,
        )
        self.purge(draft.user)
        return draft

    def purge(self, user: Any) -> None:
        """Delete some that are too old, and the user's oldest beyond those that are kept."""
        old = self.filter(saved_at__lte=timezone.now() - DRAFT_KEPT).order_by("saved_at")
        batch = old.select_for_update(skip_locked=True).values("pk")[:PURGED_AT_ONCE]
        self.filter(pk__in=batch).delete()
        newest = self.filter(user=user.pk).order_by("-saved_at", "-pk")
        self.filter(pk__in=newest.values("pk")[DRAFTS_OF_A_USER:]).delete()


class Draft(models.Model):
    """What a user typed into a page and has not stored yet: no record, so not audited.

    It never leaves the pages of its user. The version that was read is among its fields, so that
    it cannot overwrite what was stored since.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="drafts")
    address = models.CharField(max_length=300)  # the path of the page
    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.CASCADE, related_name="+", null=True
    )
    title = models.CharField(max_length=200)
    fields = models.JSONField()  # [[name, value], ...] as the form sends them
    posted = models.BooleanField(default=False)  # sent after the session had ended
    saved_at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft")
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="draft_one_per_page")
        ]
        indexes = [models.Index(fields=["saved_at"], name="draft_saved_at")]

    def __str__(self) -> str:
        return self.title or self.address
