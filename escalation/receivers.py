"""What the engine hears of the world: a migrated database gets its policies, a committed change a nudge."""

from __future__ import annotations

import logging
from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from escalation.models import Policy
from escalation.nudging import nudge
from escalation.policies import ensure_policies
from incidents.signals import incident_changed

logger = logging.getLogger(__name__)


@receiver(post_migrate, dispatch_uid="escalation.ensure_policies")
def give_policies(sender: AppConfig, **_kwargs: Any) -> None:
    """No installation is without policies, with or without demo data."""
    if sender.label == "escalation" and Policy._meta.db_table in connection.introspection.table_names():
        ensure_policies()


@receiver(incident_changed, dispatch_uid="escalation.nudge")
def look_now(**_kwargs: Any) -> None:
    """Run the engine now instead of within a second. Losing this costs a second, never a rule."""
    nudge()
