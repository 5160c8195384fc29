"""A deviation covers one screening at one version; there are no rows from before."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0006_shared_slots'),
        ('trials', '0006_publications'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='deviation',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='deviation',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='deviation',
            name='delete_delete',
        ),
        migrations.RemoveConstraint(
            model_name='deviation',
            name='deviation_once',
        ),
        migrations.AddField(
            model_name='deviation',
            name='screening',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deviations', to='patients.screening'),
        ),
        migrations.AddField(
            model_name='deviation',
            name='screening_version',
            field=models.PositiveIntegerField(),
        ),
        migrations.AddField(
            model_name='deviationevent',
            name='screening',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='patients.screening'),
        ),
        migrations.AddField(
            model_name='deviationevent',
            name='screening_version',
            field=models.PositiveIntegerField(),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deviation',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "patients_deviationevent" ("criterion_id", "id", "justification", "occurred_on", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "screening_id", "screening_version", "version", "voided_at") VALUES (NEW."criterion_id", NEW."id", NEW."justification", NEW."occurred_on", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', NEW."id", NEW."screening_id", NEW."screening_version", NEW."version", NEW."voided_at"); RETURN NULL;', hash='1c0da2d1e2784665346df99bd756079511b6d828', operation='INSERT', pgid='pgtrigger_insert_insert_a15e9', table='patients_deviation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deviation',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "patients_deviationevent" ("criterion_id", "id", "justification", "occurred_on", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "screening_id", "screening_version", "version", "voided_at") VALUES (NEW."criterion_id", NEW."id", NEW."justification", NEW."occurred_on", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', NEW."id", NEW."screening_id", NEW."screening_version", NEW."version", NEW."voided_at"); RETURN NULL;', hash='f9ca500d51336ad54a921dce98a44b3105b066b3', operation='UPDATE', pgid='pgtrigger_update_update_a68fb', table='patients_deviation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deviation',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "patients_deviationevent" ("criterion_id", "id", "justification", "occurred_on", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "screening_id", "screening_version", "version", "voided_at") VALUES (OLD."criterion_id", OLD."id", OLD."justification", OLD."occurred_on", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', OLD."id", OLD."screening_id", OLD."screening_version", OLD."version", OLD."voided_at"); RETURN NULL;', hash='261d7ad83f5d8eb63d408bd3be1b3537774cea09', operation='DELETE', pgid='pgtrigger_delete_delete_aef6e', table='patients_deviation', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='deviation',
            constraint=models.UniqueConstraint(condition=models.Q(('voided_at', None)), fields=('screening', 'screening_version', 'criterion'), name='deviation_once'),
        ),
    ]
