"""Addresses of the pages that enter a patient's data."""

from django.urls import path

from patients import (
    adverse_event_views,
    conduct_views,
    deviation_views,
    record_views,
    reference_range_views,
    scheme_views,
    screening_views,
    views,
)

app_name = "patients"
urlpatterns = [
    path("trials/<str:registry_id>/patients/new/", views.patient_new, name="patient_new"),
    path("patients/<int:pk>/edit/", views.patient_edit, name="patient_edit"),
    path("patients/<int:pk>/void/", views.patient_void, name="patient_void"),
    path(
        "patients/<int:pk>/adverse-events/new/",
        adverse_event_views.adverse_event_new,
        name="adverse_event_new",
    ),
    path("ctcae-terms/", adverse_event_views.ctcae_terms, name="ctcae_terms"),
    *(address for kind in record_views.KINDS for address in record_views.addresses(kind)),
    path("patients/<int:pk>/transfer/", conduct_views.patient_transfer, name="patient_transfer"),
    path("patients/<int:pk>/follow-up/", conduct_views.patient_follow_up, name="patient_follow_up"),
    path("patients/<int:pk>/randomize/", conduct_views.patient_randomize, name="patient_randomize"),
    path(
        "trials/<str:registry_id>/randomization/",
        scheme_views.randomization_scheme,
        name="randomization_scheme",
    ),
    path(
        "trials/<str:registry_id>/sites/<str:code>/reference-ranges/",
        reference_range_views.reference_range_list,
        name="reference_ranges",
    ),
    path(
        "trials/<str:registry_id>/sites/<str:code>/reference-ranges/new/",
        reference_range_views.reference_range_new,
        name="reference_range_new",
    ),
    path(
        "reference-ranges/<int:pk>/edit/",
        reference_range_views.reference_range_edit,
        name="reference_range_edit",
    ),
    path(
        "reference-ranges/<int:pk>/void/",
        reference_range_views.reference_range_void,
        name="reference_range_void",
    ),
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
    path("screenings/<int:pk>/", screening_views.screening_detail, name="screening_detail"),
    path("screenings/<int:pk>/edit/", screening_views.screening_edit, name="screening_edit"),
    path("screenings/<int:pk>/fail/", screening_views.screening_fail, name="screening_fail"),
    path(
        "screenings/<int:pk>/conclude/",
        screening_views.screening_conclude,
        name="screening_conclude",
    ),
    path("screenings/<int:pk>/void/", screening_views.screening_void, name="screening_void"),
    path("patients/<int:pk>/deviations/new/", deviation_views.deviation_new, name="deviation_new"),
    path(
        "patients/<int:pk>/deviations/new/criterion/",
        deviation_views.criterion_deviation_new,
        name="criterion_deviation_new",
    ),
    path("deviations/<int:pk>/edit/", deviation_views.deviation_edit, name="deviation_edit"),
    path("deviations/<int:pk>/void/", deviation_views.deviation_void, name="deviation_void"),
]
