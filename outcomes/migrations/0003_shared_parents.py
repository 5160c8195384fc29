"""A row's parents belong together: composite foreign keys."""

from django.db import migrations

from registry.migrations_sql import shares


class Migration(migrations.Migration):
    dependencies = [("outcomes", "0002_initial")]
    operations = [
        shares("outcomes_measurement", "visit_id", "outcomes_visit", "patient_id"),
        shares("outcomes_measurement", "lesion_id", "outcomes_lesion", "patient_id"),
        shares("outcomes_measurement", "merged_into_id", "outcomes_lesion", "patient_id"),
        shares("outcomes_nontargetstatus", "visit_id", "outcomes_visit", "patient_id"),
        shares("outcomes_nontargetstatus", "lesion_id", "outcomes_lesion", "patient_id"),
        shares("outcomes_newlesionstatus", "visit_id", "outcomes_visit", "patient_id"),
        shares("outcomes_newlesionstatus", "lesion_id", "outcomes_lesion", "patient_id"),
    ]
