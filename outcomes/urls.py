"""Addresses of the pages that show or enter outcomes."""

from django.urls import path

from outcomes import (
    catalogue_views,
    flow_views,
    lesion_history_views,
    query_views,
    safety_views,
    views,
    visit_sheet_views,
    work_views,
)

app_name = "outcomes"
urlpatterns = [
    path("search/", work_views.search, name="search"),
    path("catalogue/", catalogue_views.publication_list, name="publication_list"),
    path("catalogue/<str:key>/", catalogue_views.publication, name="publication"),
    path("trials/<str:registry_id>/", views.trial_dashboard, name="trial_dashboard"),
    path("trials/<str:registry_id>/accrual/", flow_views.accrual_page, name="accrual"),
    path("trials/<str:registry_id>/consort/", flow_views.consort, name="consort"),
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
