"""How an adverse event ended; blank where nobody said."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0008_queries'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='adverseevent',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='adverseevent',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='adverseevent',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='adverseevent',
            name='outcome',
            field=models.CharField(blank=True, choices=[('recovered', 'recovered or resolved'), ('recovered_with_sequelae', 'recovered with sequelae'), ('recovering', 'recovering or resolving'), ('not_recovered', 'not recovered or not resolved'), ('fatal', 'fatal'), ('unknown', 'unknown')], default='', max_length=30, verbose_name='outcome'),
        ),
        migrations.AddField(
            model_name='adverseeventevent',
            name='outcome',
            field=models.CharField(blank=True, choices=[('recovered', 'recovered or resolved'), ('recovered_with_sequelae', 'recovered with sequelae'), ('recovering', 'recovering or resolving'), ('not_recovered', 'not recovered or not resolved'), ('fatal', 'fatal'), ('unknown', 'unknown')], default='', max_length=30, verbose_name='outcome'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adverseevent',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "patients_adverseeventevent" ("action_taken", "ended_on", "grade", "id", "outcome", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "related", "serious", "started_on", "term", "version", "voided_at") VALUES (NEW."action_taken", NEW."ended_on", NEW."grade", NEW."id", NEW."outcome", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', NEW."id", NEW."related", NEW."serious", NEW."started_on", NEW."term", NEW."version", NEW."voided_at"); RETURN NULL;', hash='316d6761b3b4778ee772af3efff0ec1a1eba5bde', operation='INSERT', pgid='pgtrigger_insert_insert_3a893', table='patients_adverseevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adverseevent',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "patients_adverseeventevent" ("action_taken", "ended_on", "grade", "id", "outcome", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "related", "serious", "started_on", "term", "version", "voided_at") VALUES (NEW."action_taken", NEW."ended_on", NEW."grade", NEW."id", NEW."outcome", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', NEW."id", NEW."related", NEW."serious", NEW."started_on", NEW."term", NEW."version", NEW."voided_at"); RETURN NULL;', hash='8d7245f10f3485f60287cfb2979dd69cf14821d2', operation='UPDATE', pgid='pgtrigger_update_update_1fd58', table='patients_adverseevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adverseevent',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "patients_adverseeventevent" ("action_taken", "ended_on", "grade", "id", "outcome", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "related", "serious", "started_on", "term", "version", "voided_at") VALUES (OLD."action_taken", OLD."ended_on", OLD."grade", OLD."id", OLD."outcome", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', OLD."id", OLD."related", OLD."serious", OLD."started_on", OLD."term", OLD."version", OLD."voided_at"); RETURN NULL;', hash='f89d35ff8fa5fa48f1a874452c0f66ede6c4cb4d', operation='DELETE', pgid='pgtrigger_delete_delete_7be2e', table='patients_adverseevent', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='adverseevent',
            constraint=models.CheckConstraint(condition=models.Q(('outcome', ''), ('outcome__in', ['recovered', 'recovered_with_sequelae', 'recovering', 'not_recovered', 'fatal', 'unknown']), _connector='OR'), name='adverse_event_outcome_known'),
        ),
    ]
