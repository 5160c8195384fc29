"""Addresses of the pages that show or enter outcomes."""

from django.urls import path

from outcomes import lesion_history_views, views, work_views
from outcomes.analyses import views as analysis_views
from outcomes.catalogue import views as catalogue_views
from outcomes.data_queries import views as query_views
from outcomes.endpoints import views as endpoint_views
from outcomes.figures import views as figure_views
from outcomes.flow import views as flow_views
from outcomes.groups import views as group_views
from outcomes.patients_of import views as patients_of_views
from outcomes.review import views as review_views
from outcomes.safety import views as safety_views
from outcomes.statistics import views as statistics_views
from outcomes.studies import views as study_views
from outcomes.study_report import views as study_report_views
from outcomes.visit_sheets import views as visit_sheet_views

app_name = "outcomes"
urlpatterns = [
    path("search/", work_views.search, name="search"),
    path("studies/", study_views.studies_page, name="studies"),
    path("studies/data.csv", study_views.studies_csv, name="studies_csv"),
    path("catalogue/", catalogue_views.publication_list, name="publication_list"),
    path("catalogue/<str:key>/", catalogue_views.publication, name="publication"),
    path("trials/<str:registry_id>/", views.trial_dashboard, name="trial_dashboard"),
    path("trials/<str:registry_id>/endpoints/", endpoint_views.endpoints, name="endpoints"),
    path(
        "trials/<str:registry_id>/endpoints/new/",
        endpoint_views.endpoint_new,
        name="endpoint_new",
    ),
    path(
        "trials/<str:registry_id>/endpoints/<int:pk>/",
        endpoint_views.endpoint_edit,
        name="endpoint_edit",
    ),
    path(
        "trials/<str:registry_id>/endpoints/<int:pk>/remove/",
        endpoint_views.endpoint_remove,
        name="endpoint_remove",
    ),
    path("trials/<str:registry_id>/accrual/", flow_views.accrual_page, name="accrual"),
    path(
        "trials/<str:registry_id>/accrual/patients/",
        flow_views.accrual_people,
        name="accrual_people",
    ),
    path("trials/<str:registry_id>/consort/", flow_views.consort, name="consort"),
    path("trials/<str:registry_id>/report/", study_report_views.study_report, name="study_report"),
    path("trials/<str:registry_id>/statistics/", statistics_views.statistics, name="statistics"),
    path("trials/<str:registry_id>/groups/", group_views.groups, name="groups"),
    path("trials/<str:registry_id>/analyses/", analysis_views.analysis_list, name="analyses"),
    path(
        "trials/<str:registry_id>/analyses/new/", analysis_views.analysis_new, name="analysis_new"
    ),
    path(
        "trials/<str:registry_id>/patients-of/<str:number>/",
        patients_of_views.patients_of,
        name="patients_of",
    ),
    path("analyses/<int:pk>/", analysis_views.analysis, name="analysis"),
    path(
        "analyses/<int:pk>/patients-of/<str:number>/",
        patients_of_views.analysis_patients_of,
        name="analysis_patients_of",
    ),
    path("analyses/<int:pk>/changes/", analysis_views.changes, name="analysis_changes"),
    path("trials/<str:registry_id>/safety/", safety_views.safety_tables_page, name="safety"),
    path(
        "trials/<str:registry_id>/safety/patients/",
        safety_views.safety_patients,
        name="safety_patients",
    ),
    path(
        "trials/<str:registry_id>/safety/exposure/",
        safety_views.safety_exposure,
        name="safety_exposure",
    ),
    path(
        "trials/<str:registry_id>/safety/<str:table>.csv",
        safety_views.safety_csv,
        name="safety_csv",
    ),
    path(
        "trials/<str:registry_id>/consort/patients/",
        flow_views.consort_people,
        name="consort_people",
    ),
    path("trials/<str:registry_id>/figures/", figure_views.figure_list, name="figure_list"),
    path("trials/<str:registry_id>/figures/<str:figure>/", figure_views.figure, name="figure"),
    path(
        "trials/<str:registry_id>/figures/<str:figure>/data.csv",
        figure_views.figure_data,
        name="figure_data",
    ),
    path("trials/<str:registry_id>/patients/", work_views.participants, name="participants"),
    path("patients/<int:pk>/", views.patient, name="patient"),
    path("patients/<int:pk>/visits/new/", views.visit_new, name="visit_new"),
    path("patients/<int:pk>/visits/preview/", views.visit_preview, name="visit_preview"),
    path(
        "trials/<str:registry_id>/visit-sheets/new/",
        visit_sheet_views.visit_sheet_new,
        name="visit_sheet_new",
    ),
    path(
        "trials/<str:registry_id>/visit-sheets/files/<str:name>",
        visit_sheet_views.visit_sheet_file,
        name="visit_sheet_file",
    ),
    path("visit-sheets/<int:pk>/", visit_sheet_views.visit_sheet, name="visit_sheet"),
    path(
        "visit-sheets/<int:pk>/check/",
        visit_sheet_views.visit_sheet_check,
        name="visit_sheet_check",
    ),
    path(
        "visit-sheets/<int:pk>/progress/",
        visit_sheet_views.visit_sheet_progress,
        name="visit_sheet_progress",
    ),
    path(
        "visit-sheets/<int:pk>/report.csv",
        visit_sheet_views.visit_sheet_report,
        name="visit_sheet_report",
    ),
    path("trials/<str:registry_id>/review/", review_views.discordance, name="discordance"),
    path("review/", review_views.review_list, name="review_list"),
    path("patients/<int:pk>/review/", review_views.review_patient, name="review_patient"),
    path(
        "patients/<int:pk>/review/visits/new/",
        review_views.review_visit_new,
        name="review_visit_new",
    ),
    path(
        "patients/<int:pk>/review/visits/preview/",
        review_views.review_visit_preview,
        name="review_visit_preview",
    ),
    path("patients/<int:pk>/queries/", query_views.patient_queries, name="patient_queries"),
    path("queries/", query_views.query_list, name="query_list"),
    path("queries/<int:pk>/", query_views.query, name="query"),
    path("visits/<int:pk>/edit/", views.visit_edit, name="visit_edit"),
    path("visits/<int:pk>/void/", views.visit_void, name="visit_void"),
    path("visits/<int:pk>/history/", lesion_history_views.visit_history, name="visit_history"),
    path(
        "visits/<int:pk>/lesions/<str:label>/history/",
        lesion_history_views.lesion_history,
        name="lesion_history",
    ),
]
