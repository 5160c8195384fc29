"""The REST API's addresses: one explicit list."""

from typing import Any

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import exceptions, views
from rest_framework.request import Request

from outcomes.analyses.api import (
    AnalysisChangesView,
    AnalysisDetail,
    AnalysisInputs,
    AnalysisList,
    AnalysisReproduce,
    AnalysisResult,
)
from outcomes.api import (
    OutcomesView,
    PatientOutcomesView,
    VisitDetail,
    VisitList,
    VisitPreview,
    VisitVoid,
)
from outcomes.bulk_import.api import TrialImport
from outcomes.catalogue.api import (
    ClaimsAudit,
    PublicationAudit,
    PublicationDetail,
    PublicationList,
)
from outcomes.ctgov.api import StudyExport
from outcomes.data_queries.api import QueryAnswer, QueryClose, QueryDetail, QueryList, QueryReopen
from outcomes.endpoints.api import EndpointList, EndpointPreview
from outcomes.flow.api import AccrualView, ConsortView
from outcomes.groups.api import ForestView
from outcomes.review.api import DiscordanceView, PatientDiscordanceView, ReviewPatientList
from outcomes.safety.api import ExposureView, PatientExposureView, SafetyView
from outcomes.studies.api import StudyList
from outcomes.study_report.api import StudyReportView
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
from patients.conduct_api import (
    DispositionDetail,
    DispositionList,
    DispositionVoid,
    DoseDetail,
    DoseList,
    DoseVoid,
    PatientRandomize,
    PatientTransfer,
    RandomizationView,
)
from patients.ctcae_api import CtcaeTermList
from patients.reference_range_api import (
    ReferenceRangeDetail,
    ReferenceRangeList,
    ReferenceRangeVoid,
)
from patients.screening_api import (
    ConsentDetail,
    ConsentList,
    ConsentVoid,
    DeviationDetail,
    DeviationList,
    DeviationVoid,
    PatientEnroll,
    ScreeningConclude,
    ScreeningDetail,
    ScreeningList,
    ScreeningPreview,
    ScreeningVoid,
    TrialScreeningForm,
)
from trials.api import TrialDetail, TrialList, TrialUnblind
from trials.protocol_api import ProtocolVersionDetail, ProtocolVersionList
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
    path("studies/", StudyList.as_view(), name="studies"),
    path("trials/", TrialList.as_view(), name="trials"),
    path("trials/<str:registry_id>/", TrialDetail.as_view(), name="trial"),
    path("trials/<str:registry_id>/unblind/", TrialUnblind.as_view(), name="trial_unblind"),
    path(
        "trials/<str:registry_id>/protocol-versions/",
        ProtocolVersionList.as_view(),
        name="protocol_versions",
    ),
    path(
        "trials/<str:registry_id>/protocol-versions/<int:number>/",
        ProtocolVersionDetail.as_view(),
        name="protocol_version",
    ),
    path("trials/<str:registry_id>/ctgov/", StudyExport.as_view(), name="ctgov"),
    path("trials/<str:registry_id>/import/", TrialImport.as_view(), name="import"),
    path("trials/<str:registry_id>/endpoints/", EndpointList.as_view(), name="endpoints"),
    path(
        "trials/<str:registry_id>/endpoints/preview/",
        EndpointPreview.as_view(),
        name="endpoint_preview",
    ),
    path("trials/<str:registry_id>/outcomes/", OutcomesView.as_view(), name="outcomes"),
    path("trials/<str:registry_id>/outcomes/forest/", ForestView.as_view(), name="forest"),
    path(
        "trials/<str:registry_id>/outcomes/patients/",
        PatientOutcomesView.as_view(),
        name="patient_outcomes",
    ),
    path("trials/<str:registry_id>/report/", StudyReportView.as_view(), name="study_report"),
    path("trials/<str:registry_id>/analyses/", AnalysisList.as_view(), name="analyses"),
    path("analyses/<int:pk>/", AnalysisDetail.as_view(), name="analysis"),
    path("analyses/<int:pk>/inputs/", AnalysisInputs.as_view(), name="analysis_inputs"),
    path("analyses/<int:pk>/result/", AnalysisResult.as_view(), name="analysis_result"),
    path("analyses/<int:pk>/changes/", AnalysisChangesView.as_view(), name="analysis_changes"),
    path("analyses/<int:pk>/reproduce/", AnalysisReproduce.as_view(), name="analysis_reproduce"),
    path("trials/<str:registry_id>/safety/", SafetyView.as_view(), name="safety"),
    path("trials/<str:registry_id>/accrual/", AccrualView.as_view(), name="accrual"),
    path("trials/<str:registry_id>/consort/", ConsortView.as_view(), name="consort"),
    path(
        "trials/<str:registry_id>/randomization/",
        RandomizationView.as_view(),
        name="randomization",
    ),
    path("trials/<str:registry_id>/exposure/", ExposureView.as_view(), name="exposure"),
    path(
        "trials/<str:registry_id>/exposure/patients/",
        PatientExposureView.as_view(),
        name="patient_exposures",
    ),
    path(
        "trials/<str:registry_id>/screening-form/",
        TrialScreeningForm.as_view(),
        name="screening_form",
    ),
    path("trials/<str:registry_id>/discordance/", DiscordanceView.as_view(), name="discordance"),
    path(
        "trials/<str:registry_id>/discordance/patients/",
        PatientDiscordanceView.as_view(),
        name="patient_discordance",
    ),
    path("review/patients/", ReviewPatientList.as_view(), name="review_patients"),
    path("patients/", PatientList.as_view(), name="patients"),
    path("patients/<int:pk>/", PatientDetail.as_view(), name="patient"),
    path("patients/<int:pk>/void/", PatientVoid.as_view(), name="patient_void"),
    path("patients/<int:pk>/transfer/", PatientTransfer.as_view(), name="patient_transfer"),
    path("patients/<int:pk>/randomize/", PatientRandomize.as_view(), name="patient_randomize"),
    path("patients/<int:pk>/enroll/", PatientEnroll.as_view(), name="patient_enroll"),
    path("consents/", ConsentList.as_view(), name="consents"),
    path("consents/<int:pk>/", ConsentDetail.as_view(), name="consent"),
    path("consents/<int:pk>/void/", ConsentVoid.as_view(), name="consent_void"),
    path("screenings/", ScreeningList.as_view(), name="screenings"),
    path("screenings/preview/", ScreeningPreview.as_view(), name="screening_preview"),
    path("screenings/<int:pk>/", ScreeningDetail.as_view(), name="screening"),
    path("screenings/<int:pk>/conclude/", ScreeningConclude.as_view(), name="screening_conclude"),
    path("screenings/<int:pk>/void/", ScreeningVoid.as_view(), name="screening_void"),
    path("deviations/", DeviationList.as_view(), name="deviations"),
    path("deviations/<int:pk>/", DeviationDetail.as_view(), name="deviation"),
    path("deviations/<int:pk>/void/", DeviationVoid.as_view(), name="deviation_void"),
    path("therapies/", TherapyList.as_view(), name="therapies"),
    path("therapies/<int:pk>/", TherapyDetail.as_view(), name="therapy"),
    path("therapies/<int:pk>/void/", TherapyVoid.as_view(), name="therapy_void"),
    path("ctcae-terms/", CtcaeTermList.as_view(), name="ctcae_terms"),
    path("adverse-events/", AdverseEventList.as_view(), name="adverse_events"),
    path("adverse-events/<int:pk>/", AdverseEventDetail.as_view(), name="adverse_event"),
    path("adverse-events/<int:pk>/void/", AdverseEventVoid.as_view(), name="adverse_event_void"),
    path("dispositions/", DispositionList.as_view(), name="dispositions"),
    path("dispositions/<int:pk>/", DispositionDetail.as_view(), name="disposition"),
    path("dispositions/<int:pk>/void/", DispositionVoid.as_view(), name="disposition_void"),
    path("doses/", DoseList.as_view(), name="doses"),
    path("doses/<int:pk>/", DoseDetail.as_view(), name="dose"),
    path("doses/<int:pk>/void/", DoseVoid.as_view(), name="dose_void"),
    path("reference-ranges/", ReferenceRangeList.as_view(), name="reference_ranges"),
    path("reference-ranges/<int:pk>/", ReferenceRangeDetail.as_view(), name="reference_range"),
    path(
        "reference-ranges/<int:pk>/void/",
        ReferenceRangeVoid.as_view(),
        name="reference_range_void",
    ),
    path("visits/", VisitList.as_view(), name="visits"),
    path("visits/preview/", VisitPreview.as_view(), name="visit_preview"),
    path("visits/<int:pk>/", VisitDetail.as_view(), name="visit"),
    path("visits/<int:pk>/void/", VisitVoid.as_view(), name="visit_void"),
    path("queries/", QueryList.as_view(), name="queries"),
    path("queries/<int:pk>/", QueryDetail.as_view(), name="query"),
    path("queries/<int:pk>/answer/", QueryAnswer.as_view(), name="query_answer"),
    path("queries/<int:pk>/close/", QueryClose.as_view(), name="query_close"),
    path("queries/<int:pk>/reopen/", QueryReopen.as_view(), name="query_reopen"),
    path("publications/", PublicationList.as_view(), name="publications"),
    path("publications/<str:key>/", PublicationDetail.as_view(), name="publication"),
    path("publications/<str:key>/audit/", PublicationAudit.as_view(), name="publication_audit"),
    path("claims-audit/", ClaimsAudit.as_view(), name="claims_audit"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    re_path(r"^([\s\S]*/)?\Z", NoSuchAddress.as_view()),
]
