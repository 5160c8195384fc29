"""Every address of the site."""

from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.generic import RedirectView

from registry import drafts

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="trials:trial_list"), name="home"),
    path("login/", auth.LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("drafts/", drafts.draft, name="draft"),
    path("", include("trials.urls")),
    path("", include("patients.urls")),
    path("", include("outcomes.urls")),
    path("api/v1/", include("registry.api")),
]
