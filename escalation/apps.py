from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EscalationConfig(AppConfig):
    name = "escalation"
    verbose_name = _("Escalation")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("escalation.receivers")
        import_module("escalation.inbound.webhooks")
        import_module("escalation.measures")
        import_module("escalation.calendar_changes").listen()
