from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlantConfig(AppConfig):
    name = "plant"
    verbose_name = _("Plant")
    default_auto_field = "django.db.models.BigAutoField"
