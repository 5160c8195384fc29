"""A row's parents belong together: composite foreign keys."""

from django.db import migrations

from registry.migrations_sql import shares


class Migration(migrations.Migration):
    dependencies = [("trials", "0001_initial")]
    operations = [
        shares("trials_membership", "site_id", "trials_site", "trial_id"),
    ]
