"""Addresses of the pages that enter a patient's data."""

from django.urls import path

from patients import views

app_name = "patients"
urlpatterns = [
    path("trials/<str:registry_id>/patients/new/", views.patient_new, name="patient_new"),
    path("patients/<int:pk>/edit/", views.patient_edit, name="patient_edit"),
    path("patients/<int:pk>/void/", views.patient_void, name="patient_void"),
    path("therapies/<int:pk>/edit/", views.therapy_edit, name="therapy_edit"),
    path("therapies/<int:pk>/void/", views.therapy_void, name="therapy_void"),
    path("patients/<int:pk>/therapies/new/", views.therapy_new, name="therapy_new"),
]
