"""Accounts and their tokens."""

import hashlib
import secrets
from datetime import timedelta
from typing import Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.audit import audited


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
