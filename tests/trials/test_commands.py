"""`add_user` and `api_token`: what they print is used by scripts."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from registry.models import ApiToken, User
from tests import factories
from tests.conftest import Cast
from tests.registry.test_audit import as_owner
from trials.models import Membership
from trials.vocabularies import Role

TRIAL = "NCT00000001"


def run(*command: str) -> tuple[str, str]:
    """What a command prints on stdout and on stderr."""
    out, err = StringIO(), StringIO()
    call_command(*command, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_new_user_gets_a_password_and_a_role(cast: Cast) -> None:
    out, err = run("add_user", "wang", "--trial", TRIAL, "--site", "01", "--role", "coordinator")
    user = User.objects.get(username="wang")
    assert user.check_password(out.removesuffix("\n"))
    assert err == ""
    membership = user.memberships.get()
    assert (membership.role, str(membership.site)) == (Role.COORDINATOR, "01")


def test_an_existing_user_keeps_the_password(cast: Cast) -> None:
    before = Membership.objects.count()
    out, err = run("add_user", "viewer", "--trial", TRIAL, "--role", "statistician")
    assert out == ""
    assert err == "viewer has an account already and keeps the password.\n"
    cast.viewer.refresh_from_db()
    assert cast.viewer.check_password(factories.PASSWORD)
    run("add_user", "viewer", "--trial", TRIAL, "--role", "statistician")
    assert Membership.objects.count() == before + 1


def test_the_trail_names_the_command(cast: Cast) -> None:
    run("add_user", "wang", "--trial", TRIAL, "--role", "viewer")
    run("api_token", "wang")
    written: list[tuple[Any, str]] = [
        (User, "account created"),
        (Membership, "member added"),
        (ApiToken, "token issued"),
    ]
    for model, reason in written:
        event = model.pgh_event_model.objects.latest("pgh_id")
        assert event.pgh_context["reason"] == reason
        assert event.pgh_context["name"].startswith("manage.py ")


REFUSED = [
    (["--trial", TRIAL, "--role", "coordinator"], "--site takes one of: 01, 02"),
    (["--trial", TRIAL, "--role", "coordinator", "--site", "9"], "--site takes one of: 01, 02"),
    (["--trial", TRIAL, "--role", "viewer", "--site", "9"], "--site takes one of: 01, 02"),
    (["--trial", "NCT9", "--role", "viewer"], "--trial takes one of: NCT00000001"),
    (["--trial", TRIAL, "--role", "boss"], "invalid choice: 'boss'"),
    (["--role", "viewer"], "--trial"),
    (["--trial", TRIAL], "--role"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_add_user_says_what_it_takes(cast: Cast, options: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("add_user", "wang", *options)
    assert not User.objects.filter(username="wang").exists()


@pytest.mark.parametrize("name", ["", "a b", "x" * 151, "<script>"])
def test_a_user_needs_a_name(cast: Cast, name: str) -> None:
    with pytest.raises(CommandError):
        run("add_user", name, "--trial", TRIAL, "--role", "viewer")


def test_a_token_and_nothing_else(cast: Cast) -> None:
    out, err = run("api_token", "viewer", "--days", "7")
    token = ApiToken.objects.matching(out.removesuffix("\n")).get()
    assert token.user == cast.viewer
    assert timedelta(days=6) < token.expires_at - timezone.now() <= timedelta(days=7)
    assert err == ""
    assert run("api_token", "viewer")[0] != out


def test_a_token_needs_an_active_user_and_a_sane_life(cast: Cast) -> None:
    User.objects.filter(pk=cast.viewer.pk).update(is_active=False)
    for command in (["viewer"], ["nobody"]):
        with pytest.raises(CommandError, match="No active user"):
            run("api_token", *command)
    for days in ("0", "-1", "3651", str(10**12)):
        with pytest.raises(CommandError, match="--days"):
            run("api_token", "stranger", f"--days={days}")
    with pytest.raises(CommandError, match="--days"):
        run("api_token", "stranger", "--days", "many")


@pytest.mark.parametrize(
    "command",
    [
        ["verify_analyses"],
        ["recompute"],
        ["api_token", "viewer"],
        ["add_user", "wang", "--trial", TRIAL, "--role", "viewer"],
    ],
)
def test_a_database_without_its_migrations_is_named(cast: Cast, command: list[str]) -> None:
    with as_owner():
        MigrationRecorder.Migration.objects.filter(app="outcomes").latest("id").delete()
    with pytest.raises(
        CommandError, match=r"lacks 1 of the migrations, first outcomes.*manage\.py migrate"
    ):
        call_command(*command)
