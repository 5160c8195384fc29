"""Addresses of the pages that enter a patient's data."""

from django.urls import path

from patients import screening_views, views

app_name = "patients"
urlpatterns = [
    path("trials/<str:registry_id>/patients/new/", views.patient_new, name="patient_new"),
    path("patients/<int:pk>/edit/", views.patient_edit, name="patient_edit"),
    path("patients/<int:pk>/void/", views.patient_void, name="patient_void"),
    path("therapies/<int:pk>/edit/", views.therapy_edit, name="therapy_edit"),
    path("therapies/<int:pk>/void/", views.therapy_void, name="therapy_void"),
    path("patients/<int:pk>/therapies/new/", views.therapy_new, name="therapy_new"),
    path(
        "trials/<str:registry_id>/screenings/", screening_views.screening_log, name="screening_log"
    ),
    path(
        "trials/<str:registry_id>/screenings/new/",
        screening_views.screening_start,
        name="screening_start",
    ),
    path("patients/<int:pk>/enrollment/", screening_views.enrollment, name="enrollment"),
    path("patients/<int:pk>/consents/new/", screening_views.consent_new, name="consent_new"),
    path("consents/<int:pk>/edit/", screening_views.consent_edit, name="consent_edit"),
    path("consents/<int:pk>/void/", screening_views.consent_void, name="consent_void"),
    path("patients/<int:pk>/screenings/new/", screening_views.screening_new, name="screening_new"),
    path(
        "patients/<int:pk>/screenings/preview/",
        screening_views.screening_preview,
        name="screening_preview",
    ),
    path("screenings/<int:pk>/edit/", screening_views.screening_edit, name="screening_edit"),
    path("screenings/<int:pk>/fail/", screening_views.screening_fail, name="screening_fail"),
    path(
        "screenings/<int:pk>/conclude/",
        screening_views.screening_conclude,
        name="screening_conclude",
    ),
    path("screenings/<int:pk>/void/", screening_views.screening_void, name="screening_void"),
    path("patients/<int:pk>/deviations/new/", screening_views.deviation_new, name="deviation_new"),
    path("deviations/<int:pk>/void/", screening_views.deviation_void, name="deviation_void"),
]
