"""A place of a block, its arm and who takes it belong to one trial: composite foreign keys."""

from django.db import migrations

from registry.migrations_sql import shares


class Migration(migrations.Migration):
    dependencies = [("patients", "0005_screening_and_conduct")]
    operations = [
        shares("patients_randomizationslot", "arm_id", "trials_arm", "trial_id"),
        shares("patients_randomizationslot", "patient_id", "patients_patient", "trial_id"),
    ]
