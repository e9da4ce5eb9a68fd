"""Addresses of the API: `/api/v1/…`. Each app has its calls in its own `api.py`; this page lists them."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from countermeasures import api as countermeasures
from countermeasures.api import CountermeasureViewSet
from countermeasures.promises.api import PromiseViewSet
from escalation import api as escalation
from escalation.channels.api import PushDeviceViewSet
from escalation.chasing.api import ScheduleViewSet
from escalation.contact import api as contact
from escalation.delivery_api import DeliveryViewSet
from escalation.drills import api as drills
from escalation.inbound.api import InboundViewSet
from escalation.webhooks.api import ChatRoomViewSet, WebhookViewSet
from plant import api as plant

router = SimpleRouter()
router.register("incidents", escalation.IncidentViewSet, basename="api-incident")
router.register("countermeasures", CountermeasureViewSet, basename="api-countermeasure")
router.register("promises", PromiseViewSet, basename="api-promise")
router.register("escalation/drills", drills.DrillViewSet, basename="api-drill")
router.register("escalation/drill-plans", drills.DrillPlanViewSet, basename="api-drill-plan")
router.register("escalation/promise-schedules", ScheduleViewSet, basename="api-promise-schedule")
router.register("webhooks", WebhookViewSet, basename="api-webhook")
router.register("chat-rooms", ChatRoomViewSet, basename="api-chat-room")
router.register("push-devices", PushDeviceViewSet, basename="api-push-device")
router.register("inbound", InboundViewSet, basename="api-inbound")
router.register("deliveries", DeliveryViewSet, basename="api-delivery")
router.register("escalation/policies", escalation.PolicyViewSet, basename="api-policy")
for prefix, viewset, basename in plant.routes:
    router.register(prefix, viewset, basename=basename)

urlpatterns = [
    *plant.urlpatterns,
    *countermeasures.urlpatterns,
    *escalation.urlpatterns,
    *contact.urlpatterns,
    *router.urls,
]
