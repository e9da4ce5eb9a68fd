"""Every address. The apps name their own; `opsdesk.api` lists those of the API."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from opsdesk import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("api/v1/", include("opsdesk.api")),
    *([path("mail/", include("anymail.urls"))] if settings.INBOUND_SECRET else []),
    path("", include("plant.urls")),
    path("", include("incidents.urls")),
    path("", include("countermeasures.urls")),
    path("", include("escalation.urls")),
]

handler400 = "opsdesk.views.malformed"
handler403 = "opsdesk.views.not_allowed"
handler404 = "opsdesk.views.not_found"
handler500 = "opsdesk.views.broken"
