"""What is seen of a lesion is of the evaluator who named it: composite foreign keys with both."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from registry.migrations_sql import shares, shares_no_more


ROWS = (  # table, column, parent
    ("outcomes_measurement", "visit_id", "outcomes_visit"),
    ("outcomes_measurement", "lesion_id", "outcomes_lesion"),
    ("outcomes_measurement", "merged_into_id", "outcomes_lesion"),
    ("outcomes_nontargetstatus", "visit_id", "outcomes_visit"),
    ("outcomes_nontargetstatus", "lesion_id", "outcomes_lesion"),
    ("outcomes_newlesionstatus", "visit_id", "outcomes_visit"),
    ("outcomes_newlesionstatus", "lesion_id", "outcomes_lesion"),
)
# Before the triggers are back: the evaluator was in the audit trail of the visits all along.
OF_REVIEWS = [
    f"UPDATE {table} SET evaluator = v.evaluator FROM outcomes_visit v"
    f" WHERE v.id = visit_id AND v.evaluator <> {table}.evaluator"
    for table in dict.fromkeys(table for table, _column, _parent in ROWS)
]


class Migration(migrations.Migration):

    dependencies = [
        ('outcomes', '0008_evaluators'),
        ('patients', '0012_deviations_during_treatment'),
    ]

    operations = [
        *(shares_no_more(*row, "patient_id") for row in ROWS),
        pgtrigger.migrations.RemoveTrigger(
            model_name='measurement',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='newlesionstatus',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='nontargetstatus',
            name='update_update',
        ),
        migrations.RemoveConstraint(
            model_name='lesion',
            name='lesion_identifies_patient',
        ),
        migrations.RemoveConstraint(
            model_name='visit',
            name='visit_identifies_patient',
        ),
        migrations.AddField(
            model_name='measurement',
            name='evaluator',
            field=models.CharField(choices=[('investigator', 'investigator'), ('reviewer', 'independent reviewer')], default='investigator', editable=False, max_length=20),
        ),
        migrations.AddField(
            model_name='newlesionstatus',
            name='evaluator',
            field=models.CharField(choices=[('investigator', 'investigator'), ('reviewer', 'independent reviewer')], default='investigator', editable=False, max_length=20),
        ),
        migrations.AddField(
            model_name='nontargetstatus',
            name='evaluator',
            field=models.CharField(choices=[('investigator', 'investigator'), ('reviewer', 'independent reviewer')], default='investigator', editable=False, max_length=20),
        ),
        migrations.RunSQL(OF_REVIEWS, migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name='measurement',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."diameter_mm" IS DISTINCT FROM (NEW."diameter_mm") OR OLD."fragments_mm" IS DISTINCT FROM (NEW."fragments_mm") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."lesion_id" IS DISTINCT FROM (NEW."lesion_id") OR OLD."merged_into_id" IS DISTINCT FROM (NEW."merged_into_id") OR OLD."method" IS DISTINCT FROM (NEW."method") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."slice_mm" IS DISTINCT FROM (NEW."slice_mm") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."visit_id" IS DISTINCT FROM (NEW."visit_id"))', func='INSERT INTO "outcomes_measurementevent" ("diameter_mm", "fragments_mm", "id", "lesion_id", "merged_into_id", "method", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "slice_mm", "state", "visit_id") VALUES (NEW."diameter_mm", NEW."fragments_mm", NEW."id", NEW."lesion_id", NEW."merged_into_id", NEW."method", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', NEW."id", NEW."reason", NEW."slice_mm", NEW."state", NEW."visit_id"); RETURN NULL;', hash='7e34b9b25e5f6109a5310adde1fb30851af958b3', operation='UPDATE', pgid='pgtrigger_update_update_bd122', table='outcomes_measurement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='newlesionstatus',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."certainty" IS DISTINCT FROM (NEW."certainty") OR OLD."diameter_mm" IS DISTINCT FROM (NEW."diameter_mm") OR OLD."growth" IS DISTINCT FROM (NEW."growth") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."lesion_id" IS DISTINCT FROM (NEW."lesion_id") OR OLD."method" IS DISTINCT FROM (NEW."method") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."visit_id" IS DISTINCT FROM (NEW."visit_id"))', func='INSERT INTO "outcomes_newlesionstatusevent" ("certainty", "diameter_mm", "growth", "id", "lesion_id", "method", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "visit_id") VALUES (NEW."certainty", NEW."diameter_mm", NEW."growth", NEW."id", NEW."lesion_id", NEW."method", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', NEW."id", NEW."visit_id"); RETURN NULL;', hash='76a5e203f6f9090b042f9cfbda3d7b2db600c054', operation='UPDATE', pgid='pgtrigger_update_update_5334d', table='outcomes_newlesionstatus', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='nontargetstatus',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."growth" IS DISTINCT FROM (NEW."growth") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."lesion_id" IS DISTINCT FROM (NEW."lesion_id") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."short_axis_mm" IS DISTINCT FROM (NEW."short_axis_mm") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."visit_id" IS DISTINCT FROM (NEW."visit_id"))', func='INSERT INTO "outcomes_nontargetstatusevent" ("growth", "id", "lesion_id", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "short_axis_mm", "status", "visit_id") VALUES (NEW."growth", NEW."id", NEW."lesion_id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', NEW."id", NEW."reason", NEW."short_axis_mm", NEW."status", NEW."visit_id"); RETURN NULL;', hash='17fa9fa3b152d67511cbf3ec160503e69ff0062b', operation='UPDATE', pgid='pgtrigger_update_update_a299f', table='outcomes_nontargetstatus', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='lesion',
            constraint=models.UniqueConstraint(fields=('id', 'patient', 'evaluator'), name='lesion_identifies_patient_and_evaluator'),
        ),
        migrations.AddConstraint(
            model_name='visit',
            constraint=models.UniqueConstraint(fields=('id', 'patient', 'evaluator'), name='visit_identifies_patient_and_evaluator'),
        ),
        *(shares(*row, "patient_id", "evaluator") for row in ROWS),
    ]
