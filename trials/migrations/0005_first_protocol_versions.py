"""Trials from before protocol versions have the first one."""

from django.db import migrations

FIRST = """
INSERT INTO trials_protocolversion (trial_id, number, label, summary, consent_version)
SELECT id, 1, '1', '', '' FROM trials_trial
"""


class Migration(migrations.Migration):
    dependencies = [("trials", "0004_registry_entries")]

    operations = [migrations.RunSQL(FIRST, migrations.RunSQL.noop)]
