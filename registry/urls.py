"""Every address of the site."""

from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.i18n import set_language

from outcomes.work_views import my_work
from registry import drafts

urlpatterns = [
    path("", my_work, name="home"),
    path("login/", auth.LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("drafts/", drafts.draft, name="draft"),
    path("", include("trials.urls")),
    path("", include("patients.urls")),
    path("", include("outcomes.urls")),
    path("api/v1/", include("registry.api")),
]
