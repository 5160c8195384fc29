"""A row's parents belong together: composite foreign keys."""

from django.db import migrations

from registry.migrations_sql import shares


class Migration(migrations.Migration):
    dependencies = [("patients", "0002_initial")]
    operations = [
        shares("patients_patient", "site_id", "trials_site", "trial_id"),
        shares("patients_allocation", "patient_id", "patients_patient", "trial_id"),
        shares("patients_allocation", "arm_id", "trials_arm", "trial_id"),
    ]
