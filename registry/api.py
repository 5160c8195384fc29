"""The REST API's addresses: one explicit list."""

from typing import Any

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import exceptions, views
from rest_framework.request import Request

from outcomes.api import (
    OutcomesView,
    PatientOutcomesView,
    SafetyView,
    VisitDetail,
    VisitList,
    VisitPreview,
    VisitVoid,
)
from outcomes.ctgov_api import StudyExport
from outcomes.import_api import TrialImport
from patients.api import (
    AdverseEventDetail,
    AdverseEventList,
    AdverseEventVoid,
    PatientDetail,
    PatientList,
    PatientVoid,
    TherapyDetail,
    TherapyList,
    TherapyVoid,
)
from trials.api import TrialDetail, TrialList
from trials.study_api import StudyImport


class NoSuchAddress(views.APIView):
    """What is no address of the API is refused as the API refuses: with a problem document."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """404 to those who may ask at all."""
        super().initial(request, *args, **kwargs)
        raise exceptions.NotFound


app_name = "api"
urlpatterns = [
    path("ctgov-import/", StudyImport.as_view(), name="ctgov_import"),
    path("trials/", TrialList.as_view(), name="trials"),
    path("trials/<str:registry_id>/", TrialDetail.as_view(), name="trial"),
    path("trials/<str:registry_id>/ctgov/", StudyExport.as_view(), name="ctgov"),
    path("trials/<str:registry_id>/import/", TrialImport.as_view(), name="import"),
    path("trials/<str:registry_id>/outcomes/", OutcomesView.as_view(), name="outcomes"),
    path(
        "trials/<str:registry_id>/outcomes/patients/",
        PatientOutcomesView.as_view(),
        name="patient_outcomes",
    ),
    path("trials/<str:registry_id>/safety/", SafetyView.as_view(), name="safety"),
    path("patients/", PatientList.as_view(), name="patients"),
    path("patients/<int:pk>/", PatientDetail.as_view(), name="patient"),
    path("patients/<int:pk>/void/", PatientVoid.as_view(), name="patient_void"),
    path("therapies/", TherapyList.as_view(), name="therapies"),
    path("therapies/<int:pk>/", TherapyDetail.as_view(), name="therapy"),
    path("therapies/<int:pk>/void/", TherapyVoid.as_view(), name="therapy_void"),
    path("adverse-events/", AdverseEventList.as_view(), name="adverse_events"),
    path("adverse-events/<int:pk>/", AdverseEventDetail.as_view(), name="adverse_event"),
    path("adverse-events/<int:pk>/void/", AdverseEventVoid.as_view(), name="adverse_event_void"),
    path("visits/", VisitList.as_view(), name="visits"),
    path("visits/preview/", VisitPreview.as_view(), name="visit_preview"),
    path("visits/<int:pk>/", VisitDetail.as_view(), name="visit"),
    path("visits/<int:pk>/void/", VisitVoid.as_view(), name="visit_void"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    re_path(r"^([\s\S]*/)?\Z", NoSuchAddress.as_view()),
]
