"""Addresses of the API: `/api/v1/…`. Each app has its calls in its own `api.py`; this page lists them."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from countermeasures.api import CountermeasureViewSet
from escalation.api import IncidentViewSet
from plant import api as plant

router = SimpleRouter()
router.register("incidents", IncidentViewSet, basename="api-incident")
router.register("countermeasures", CountermeasureViewSet, basename="api-countermeasure")
for prefix, viewset, basename in plant.routes:
    router.register(prefix, viewset, basename=basename)

urlpatterns = [*plant.urlpatterns, *router.urls]
