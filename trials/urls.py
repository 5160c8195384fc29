"""Addresses of the protocol's pages."""

from django.urls import path

from trials import views

app_name = "trials"
urlpatterns = [
    path("trials/", views.trial_list, name="trial_list"),
    path("trials/<str:registry_id>/detail/", views.trial_detail, name="trial_detail"),
]
