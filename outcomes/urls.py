"""Addresses of the pages that show or enter outcomes."""

from django.urls import path

from outcomes import catalogue_views, flow_views, query_views, views, work_views

app_name = "outcomes"
urlpatterns = [
    path("search/", work_views.search, name="search"),
    path("catalogue/", catalogue_views.publication_list, name="publication_list"),
    path("catalogue/<str:key>/", catalogue_views.publication, name="publication"),
    path("trials/<str:registry_id>/", views.trial_dashboard, name="trial_dashboard"),
    path("trials/<str:registry_id>/accrual/", flow_views.accrual_page, name="accrual"),
    path("trials/<str:registry_id>/consort/", flow_views.consort, name="consort"),
    path("trials/<str:registry_id>/patients/", work_views.participants, name="participants"),
    path("patients/<int:pk>/", views.patient, name="patient"),
    path("patients/<int:pk>/visits/new/", views.visit_new, name="visit_new"),
    path("patients/<int:pk>/visits/preview/", views.visit_preview, name="visit_preview"),
    path("patients/<int:pk>/queries/", query_views.patient_queries, name="patient_queries"),
    path("queries/", query_views.query_list, name="query_list"),
    path("queries/<int:pk>/", query_views.query, name="query"),
    path("visits/<int:pk>/edit/", views.visit_edit, name="visit_edit"),
    path("visits/<int:pk>/void/", views.visit_void, name="visit_void"),
]
