"""Addresses of the protocol's pages."""

from django.urls import path

from trials import study_views, views

app_name = "trials"
urlpatterns = [
    path("trials/", views.trial_list, name="trial_list"),
    path("ctgov-import/", study_views.ctgov_import, name="ctgov_import"),
]
