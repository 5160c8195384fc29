"""`add_user NAME --trial ID [--site CODE] --role ROLE`: prints the password of a new account."""

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from registry import audit, database
from registry.errors import Refused
from registry.models import User
from trials import actions
from trials.models import Site, Trial
from trials.vocabularies import Role

COMMAND = "manage.py add_user"


class Command(BaseCommand):
    """Creates the account where it is missing, and gives it a role in a trial."""

    help = "Give a user a role in a trial; print the password of a new account."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, where, and as what."""
        parser.add_argument("username")
        parser.add_argument("--trial", required=True, help="registry id")
        parser.add_argument("--site", help="site code; without it, the whole trial")
        parser.add_argument("--role", required=True, choices=Role.values)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Store account and role; the password, shown this once, is all of the output."""
        database.require_migrated()
        role = Role(options["role"])
        trial = _trial(options["trial"])
        site = _site(trial, role, options["site"])
        user, password = _account(options["username"])
        try:
            actions.add_member(trial=trial, user=user, role=role, site=site, by=COMMAND)
        except Refused as error:
            raise CommandError(str(error)) from error
        if password:
            self.stdout.write(password)
        else:
            self.stderr.write(_("%s has an account already and keeps the password.") % user)


def _trial(registry_id: str) -> Trial:
    trial = Trial.objects.filter(registry_id=registry_id).first()
    if trial is None:
        accepted = ", ".join(Trial.objects.values_list("registry_id", flat=True)) or "-"
        raise CommandError(_("--trial takes one of: %s.") % accepted)
    return trial


def _site(trial: Trial, role: Role, code: str | None) -> Site | None:
    """The named site; a coordinator needs one."""
    if code is None and role != Role.COORDINATOR:
        return None
    site = trial.sites.filter(code=code).first()
    if site is None:
        accepted = ", ".join(trial.sites.values_list("code", flat=True)) or "-"
        raise CommandError(_("--site takes one of: %s.") % accepted)
    return site


def _account(username: str) -> tuple[User, str | None]:
    """The account, and its password where it is new."""
    if user := User.objects.filter(username=username).first():
        return user, None
    audit.attribute(by=COMMAND, reason="account created")
    user, password = User(username=username), secrets.token_urlsafe(15)
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    user.set_password(password)
    user.save()
    return user, password
