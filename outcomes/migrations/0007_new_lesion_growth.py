"""What iRECIST makes of a visit, and whether a lesion judged by eye has grown."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outcomes', '0006_analyses'),
        ('patients', '0009_adverse_event_outcome'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='newlesionstatus',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='newlesionstatus',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='newlesionstatus',
            name='delete_delete',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='nontargetstatus',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='nontargetstatus',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='nontargetstatus',
            name='delete_delete',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='visit',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='visit',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='visit',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='newlesionstatus',
            name='growth',
            field=models.CharField(blank=True, choices=[('none', 'Not larger'), ('increased', 'Larger'), ('unequivocal', 'Unequivocally larger')], default='', help_text='Since the visit before, of a lesion that is judged by eye (iRECIST).', max_length=20, verbose_name='growth'),
        ),
        migrations.AddField(
            model_name='newlesionstatusevent',
            name='growth',
            field=models.CharField(blank=True, choices=[('none', 'Not larger'), ('increased', 'Larger'), ('unequivocal', 'Unequivocally larger')], default='', help_text='Since the visit before, of a lesion that is judged by eye (iRECIST).', max_length=20, verbose_name='growth'),
        ),
        migrations.AddField(
            model_name='nontargetstatus',
            name='growth',
            field=models.CharField(blank=True, choices=[('none', 'Not larger'), ('increased', 'Larger'), ('unequivocal', 'Unequivocally larger')], default='', help_text='Since the visit before, of a lesion that is judged by eye (iRECIST).', max_length=20, verbose_name='growth'),
        ),
        migrations.AddField(
            model_name='nontargetstatusevent',
            name='growth',
            field=models.CharField(blank=True, choices=[('none', 'Not larger'), ('increased', 'Larger'), ('unequivocal', 'Unequivocally larger')], default='', help_text='Since the visit before, of a lesion that is judged by eye (iRECIST).', max_length=20, verbose_name='growth'),
        ),
        migrations.AddField(
            model_name='visit',
            name='irecist',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='visit',
            name='irecist_response',
            field=models.CharField(blank=True, choices=[('iCR', 'complete response'), ('iPR', 'partial response'), ('iSD', 'stable disease'), ('iUPD', 'unconfirmed progression'), ('iCPD', 'confirmed progression'), ('NE', 'not evaluable'), ('NON_ICR_NON_IUPD', 'non-iCR/non-iUPD')], default='', editable=False, max_length=20, verbose_name='response by iRECIST'),
        ),
        migrations.AddField(
            model_name='visitevent',
            name='irecist',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='visitevent',
            name='irecist_response',
            field=models.CharField(blank=True, choices=[('iCR', 'complete response'), ('iPR', 'partial response'), ('iSD', 'stable disease'), ('iUPD', 'unconfirmed progression'), ('iCPD', 'confirmed progression'), ('NE', 'not evaluable'), ('NON_ICR_NON_IUPD', 'non-iCR/non-iUPD')], default='', editable=False, max_length=20, verbose_name='response by iRECIST'),
        ),
        migrations.AlterField(
            model_name='visit',
            name='methods_version',
            field=models.PositiveSmallIntegerField(default=2, editable=False),
        ),
        migrations.AlterField(
            model_name='visitevent',
            name='methods_version',
            field=models.PositiveSmallIntegerField(default=2, editable=False),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='newlesionstatus',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "outcomes_newlesionstatusevent" ("certainty", "diameter_mm", "growth", "id", "lesion_id", "method", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "visit_id") VALUES (NEW."certainty", NEW."diameter_mm", NEW."growth", NEW."id", NEW."lesion_id", NEW."method", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', NEW."id", NEW."visit_id"); RETURN NULL;', hash='fd6183476f11c07a6dc2365000f1449a488b371f', operation='INSERT', pgid='pgtrigger_insert_insert_d5b7b', table='outcomes_newlesionstatus', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='newlesionstatus',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "outcomes_newlesionstatusevent" ("certainty", "diameter_mm", "growth", "id", "lesion_id", "method", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "visit_id") VALUES (NEW."certainty", NEW."diameter_mm", NEW."growth", NEW."id", NEW."lesion_id", NEW."method", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', NEW."id", NEW."visit_id"); RETURN NULL;', hash='f0710ae07e886fbb796fcce55bc7e611950c3897', operation='UPDATE', pgid='pgtrigger_update_update_5334d', table='outcomes_newlesionstatus', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='newlesionstatus',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "outcomes_newlesionstatusevent" ("certainty", "diameter_mm", "growth", "id", "lesion_id", "method", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "visit_id") VALUES (OLD."certainty", OLD."diameter_mm", OLD."growth", OLD."id", OLD."lesion_id", OLD."method", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', OLD."id", OLD."visit_id"); RETURN NULL;', hash='96020d5b608ef0e200de8d17cd9bc11521c186f6', operation='DELETE', pgid='pgtrigger_delete_delete_de4dd', table='outcomes_newlesionstatus', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='nontargetstatus',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "outcomes_nontargetstatusevent" ("growth", "id", "lesion_id", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "short_axis_mm", "status", "visit_id") VALUES (NEW."growth", NEW."id", NEW."lesion_id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', NEW."id", NEW."reason", NEW."short_axis_mm", NEW."status", NEW."visit_id"); RETURN NULL;', hash='349dc46155a0e3e9328d0d5e20d8503cc9d3cf52', operation='INSERT', pgid='pgtrigger_insert_insert_5bac7', table='outcomes_nontargetstatus', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='nontargetstatus',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "outcomes_nontargetstatusevent" ("growth", "id", "lesion_id", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "short_axis_mm", "status", "visit_id") VALUES (NEW."growth", NEW."id", NEW."lesion_id", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', NEW."id", NEW."reason", NEW."short_axis_mm", NEW."status", NEW."visit_id"); RETURN NULL;', hash='9f00b93e148403772829cd1caf21ca61d4c9852c', operation='UPDATE', pgid='pgtrigger_update_update_a299f', table='outcomes_nontargetstatus', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='nontargetstatus',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "outcomes_nontargetstatusevent" ("growth", "id", "lesion_id", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "short_axis_mm", "status", "visit_id") VALUES (OLD."growth", OLD."id", OLD."lesion_id", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', OLD."id", OLD."reason", OLD."short_axis_mm", OLD."status", OLD."visit_id"); RETURN NULL;', hash='cfe20923b0f07812779a6fd152ef3fd6428f6a53', operation='DELETE', pgid='pgtrigger_delete_delete_b3e28', table='outcomes_nontargetstatus', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='visit',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "outcomes_visitevent" ("baseline_sum_mm", "complete", "date", "evaluator", "id", "irecist", "irecist_response", "kind", "methods_version", "nadir_mm", "new_lesion", "non_target_response", "overall_response", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reasons", "stated_response", "stated_response_reason", "sum_mm", "target_response", "version", "voided_at", "warnings") VALUES (NEW."baseline_sum_mm", NEW."complete", NEW."date", NEW."evaluator", NEW."id", NEW."irecist", NEW."irecist_response", NEW."kind", NEW."methods_version", NEW."nadir_mm", NEW."new_lesion", NEW."non_target_response", NEW."overall_response", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', NEW."id", NEW."reasons", NEW."stated_response", NEW."stated_response_reason", NEW."sum_mm", NEW."target_response", NEW."version", NEW."voided_at", NEW."warnings"); RETURN NULL;', hash='bfb7504c1ae0ba303723ec48ba3ad70b1ccc53a8', operation='INSERT', pgid='pgtrigger_insert_insert_7ae42', table='outcomes_visit', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='visit',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "outcomes_visitevent" ("baseline_sum_mm", "complete", "date", "evaluator", "id", "irecist", "irecist_response", "kind", "methods_version", "nadir_mm", "new_lesion", "non_target_response", "overall_response", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reasons", "stated_response", "stated_response_reason", "sum_mm", "target_response", "version", "voided_at", "warnings") VALUES (NEW."baseline_sum_mm", NEW."complete", NEW."date", NEW."evaluator", NEW."id", NEW."irecist", NEW."irecist_response", NEW."kind", NEW."methods_version", NEW."nadir_mm", NEW."new_lesion", NEW."non_target_response", NEW."overall_response", NEW."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', NEW."id", NEW."reasons", NEW."stated_response", NEW."stated_response_reason", NEW."sum_mm", NEW."target_response", NEW."version", NEW."voided_at", NEW."warnings"); RETURN NULL;', hash='de2e18583e0de75a94122b7905b7651cd96447f2', operation='UPDATE', pgid='pgtrigger_update_update_fefb5', table='outcomes_visit', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='visit',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "outcomes_visitevent" ("baseline_sum_mm", "complete", "date", "evaluator", "id", "irecist", "irecist_response", "kind", "methods_version", "nadir_mm", "new_lesion", "non_target_response", "overall_response", "patient_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reasons", "stated_response", "stated_response_reason", "sum_mm", "target_response", "version", "voided_at", "warnings") VALUES (OLD."baseline_sum_mm", OLD."complete", OLD."date", OLD."evaluator", OLD."id", OLD."irecist", OLD."irecist_response", OLD."kind", OLD."methods_version", OLD."nadir_mm", OLD."new_lesion", OLD."non_target_response", OLD."overall_response", OLD."patient_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', OLD."id", OLD."reasons", OLD."stated_response", OLD."stated_response_reason", OLD."sum_mm", OLD."target_response", OLD."version", OLD."voided_at", OLD."warnings"); RETURN NULL;', hash='30b9bd5c6b12e46104421c6cc5ee8d9e79c508de', operation='DELETE', pgid='pgtrigger_delete_delete_66c3b', table='outcomes_visit', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='newlesionstatus',
            constraint=models.CheckConstraint(condition=models.Q(('growth__in', ['', 'none', 'increased', 'unequivocal'])), name='new_lesion_growth_known'),
        ),
        migrations.AddConstraint(
            model_name='nontargetstatus',
            constraint=models.CheckConstraint(condition=models.Q(('growth__in', ['', 'none', 'increased', 'unequivocal'])), name='non_target_growth_known'),
        ),
        migrations.AddConstraint(
            model_name='visit',
            constraint=models.CheckConstraint(condition=models.Q(('irecist_response__in', ['', 'iCR', 'iPR', 'iSD', 'iUPD', 'iCPD', 'NE', 'NON_ICR_NON_IUPD'])), name='visit_irecist_response_known'),
        ),
    ]
