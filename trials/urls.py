"""Addresses of the protocol's pages."""

from django.urls import path

from trials import (
    criteria_views,
    response_criteria_views,
    study_views,
    unblinding_views,
    views,
)

app_name = "trials"
urlpatterns = [
    path("trials/", views.trial_list, name="trial_list"),
    path("trials/<str:registry_id>/detail/", views.trial_detail, name="trial_detail"),
    path(
        "trials/<str:registry_id>/response-criteria/",
        response_criteria_views.trial_irecist,
        name="trial_irecist",
    ),
    path(
        "trials/<str:registry_id>/unblinding/",
        unblinding_views.trial_unblinding,
        name="trial_unblinding",
    ),
    path("trials/<str:registry_id>/criteria/", criteria_views.criteria, name="criteria"),
    path(
        "trials/<str:registry_id>/criteria/new/",
        criteria_views.criterion_new,
        name="criterion_new",
    ),
    path(
        "trials/<str:registry_id>/criteria/amend/",
        criteria_views.protocol_amend,
        name="protocol_amend",
    ),
    path(
        "trials/<str:registry_id>/criteria/<int:pk>/",
        criteria_views.criterion_edit,
        name="criterion_edit",
    ),
    path(
        "trials/<str:registry_id>/criteria/<int:pk>/remove/",
        criteria_views.criterion_remove,
        name="criterion_remove",
    ),
    path("ctgov-import/", study_views.ctgov_import, name="ctgov_import"),
]
