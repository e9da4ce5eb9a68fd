from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CountermeasuresConfig(AppConfig):
    name = "countermeasures"
    verbose_name = _("Countermeasures")
    default_auto_field = "django.db.models.BigAutoField"
