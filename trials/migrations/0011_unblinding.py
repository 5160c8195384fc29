"""Unblinding a trial, and statisticians to whom it is unblinded."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trials', '0010_trial_irecist'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='trial',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='trial',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='trial',
            name='delete_delete',
        ),
        migrations.RemoveConstraint(
            model_name='membership',
            name='membership_role_known',
        ),
        migrations.AddField(
            model_name='trial',
            name='unblinded_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='unblinded at'),
        ),
        migrations.AddField(
            model_name='trialevent',
            name='unblinded_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='unblinded at'),
        ),
        migrations.AlterField(
            model_name='membership',
            name='role',
            field=models.CharField(choices=[('coordinator', 'site coordinator'), ('investigator', 'investigator'), ('administrator', 'trial administrator'), ('data_manager', 'data manager'), ('statistician', 'statistician'), ('unblinded_statistician', 'unblinded statistician'), ('viewer', 'viewer'), ('reviewer', 'independent reviewer')], max_length=30, verbose_name='role'),
        ),
        migrations.AlterField(
            model_name='membershipevent',
            name='role',
            field=models.CharField(choices=[('coordinator', 'site coordinator'), ('investigator', 'investigator'), ('administrator', 'trial administrator'), ('data_manager', 'data manager'), ('statistician', 'statistician'), ('unblinded_statistician', 'unblinded statistician'), ('viewer', 'viewer'), ('reviewer', 'independent reviewer')], max_length=30, verbose_name='role'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trial',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "trials_trialevent" ("acronym", "ae_window_days", "allocation", "assessment_interval_days", "assessment_window_days", "baseline_window_days", "brief_summary", "brief_title", "collaborators", "completion_date", "completion_date_type", "conditions", "ctcae_version", "detailed_description", "eligible_sex", "enrollment_gate", "enrollment_target", "enrollment_type", "healthy_volunteers", "id", "intervention_model", "irecist", "keywords", "lead_sponsor", "masking", "maximum_age", "minimum_age", "observational_model", "official_title", "org_study_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phase", "primary_completion_date", "primary_completion_date_type", "primary_purpose", "principal_investigator", "registry_id", "response_criteria", "sarcoma", "secondary_ids", "start_date", "start_date_type", "status", "study_type", "synthetic", "time_perspective", "unblinded_at", "version") VALUES (NEW."acronym", NEW."ae_window_days", NEW."allocation", NEW."assessment_interval_days", NEW."assessment_window_days", NEW."baseline_window_days", NEW."brief_summary", NEW."brief_title", NEW."collaborators", NEW."completion_date", NEW."completion_date_type", NEW."conditions", NEW."ctcae_version", NEW."detailed_description", NEW."eligible_sex", NEW."enrollment_gate", NEW."enrollment_target", NEW."enrollment_type", NEW."healthy_volunteers", NEW."id", NEW."intervention_model", NEW."irecist", NEW."keywords", NEW."lead_sponsor", NEW."masking", NEW."maximum_age", NEW."minimum_age", NEW."observational_model", NEW."official_title", NEW."org_study_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', NEW."id", NEW."phase", NEW."primary_completion_date", NEW."primary_completion_date_type", NEW."primary_purpose", NEW."principal_investigator", NEW."registry_id", NEW."response_criteria", NEW."sarcoma", NEW."secondary_ids", NEW."start_date", NEW."start_date_type", NEW."status", NEW."study_type", NEW."synthetic", NEW."time_perspective", NEW."unblinded_at", NEW."version"); RETURN NULL;', hash='02b1c4837d52ac20e0a8c3ee9d38332801502e87', operation='INSERT', pgid='pgtrigger_insert_insert_0727b', table='trials_trial', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trial',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "trials_trialevent" ("acronym", "ae_window_days", "allocation", "assessment_interval_days", "assessment_window_days", "baseline_window_days", "brief_summary", "brief_title", "collaborators", "completion_date", "completion_date_type", "conditions", "ctcae_version", "detailed_description", "eligible_sex", "enrollment_gate", "enrollment_target", "enrollment_type", "healthy_volunteers", "id", "intervention_model", "irecist", "keywords", "lead_sponsor", "masking", "maximum_age", "minimum_age", "observational_model", "official_title", "org_study_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phase", "primary_completion_date", "primary_completion_date_type", "primary_purpose", "principal_investigator", "registry_id", "response_criteria", "sarcoma", "secondary_ids", "start_date", "start_date_type", "status", "study_type", "synthetic", "time_perspective", "unblinded_at", "version") VALUES (NEW."acronym", NEW."ae_window_days", NEW."allocation", NEW."assessment_interval_days", NEW."assessment_window_days", NEW."baseline_window_days", NEW."brief_summary", NEW."brief_title", NEW."collaborators", NEW."completion_date", NEW."completion_date_type", NEW."conditions", NEW."ctcae_version", NEW."detailed_description", NEW."eligible_sex", NEW."enrollment_gate", NEW."enrollment_target", NEW."enrollment_type", NEW."healthy_volunteers", NEW."id", NEW."intervention_model", NEW."irecist", NEW."keywords", NEW."lead_sponsor", NEW."masking", NEW."maximum_age", NEW."minimum_age", NEW."observational_model", NEW."official_title", NEW."org_study_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', NEW."id", NEW."phase", NEW."primary_completion_date", NEW."primary_completion_date_type", NEW."primary_purpose", NEW."principal_investigator", NEW."registry_id", NEW."response_criteria", NEW."sarcoma", NEW."secondary_ids", NEW."start_date", NEW."start_date_type", NEW."status", NEW."study_type", NEW."synthetic", NEW."time_perspective", NEW."unblinded_at", NEW."version"); RETURN NULL;', hash='76c0464e8004975e6865dd8ee62cd99280629b32', operation='UPDATE', pgid='pgtrigger_update_update_6a86a', table='trials_trial', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trial',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "trials_trialevent" ("acronym", "ae_window_days", "allocation", "assessment_interval_days", "assessment_window_days", "baseline_window_days", "brief_summary", "brief_title", "collaborators", "completion_date", "completion_date_type", "conditions", "ctcae_version", "detailed_description", "eligible_sex", "enrollment_gate", "enrollment_target", "enrollment_type", "healthy_volunteers", "id", "intervention_model", "irecist", "keywords", "lead_sponsor", "masking", "maximum_age", "minimum_age", "observational_model", "official_title", "org_study_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phase", "primary_completion_date", "primary_completion_date_type", "primary_purpose", "principal_investigator", "registry_id", "response_criteria", "sarcoma", "secondary_ids", "start_date", "start_date_type", "status", "study_type", "synthetic", "time_perspective", "unblinded_at", "version") VALUES (OLD."acronym", OLD."ae_window_days", OLD."allocation", OLD."assessment_interval_days", OLD."assessment_window_days", OLD."baseline_window_days", OLD."brief_summary", OLD."brief_title", OLD."collaborators", OLD."completion_date", OLD."completion_date_type", OLD."conditions", OLD."ctcae_version", OLD."detailed_description", OLD."eligible_sex", OLD."enrollment_gate", OLD."enrollment_target", OLD."enrollment_type", OLD."healthy_volunteers", OLD."id", OLD."intervention_model", OLD."irecist", OLD."keywords", OLD."lead_sponsor", OLD."masking", OLD."maximum_age", OLD."minimum_age", OLD."observational_model", OLD."official_title", OLD."org_study_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', OLD."id", OLD."phase", OLD."primary_completion_date", OLD."primary_completion_date_type", OLD."primary_purpose", OLD."principal_investigator", OLD."registry_id", OLD."response_criteria", OLD."sarcoma", OLD."secondary_ids", OLD."start_date", OLD."start_date_type", OLD."status", OLD."study_type", OLD."synthetic", OLD."time_perspective", OLD."unblinded_at", OLD."version"); RETURN NULL;', hash='c99303758bb7f10ce43ec2d160195cedbdfa1156', operation='DELETE', pgid='pgtrigger_delete_delete_0ffe9', table='trials_trial', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['coordinator', 'investigator', 'administrator', 'data_manager', 'statistician', 'unblinded_statistician', 'viewer', 'reviewer'])), name='membership_role_known'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('role', 'unblinded_statistician'), _negated=True), ('site', None), _connector='OR'), name='membership_unblinded_of_trial'),
        ),
    ]
