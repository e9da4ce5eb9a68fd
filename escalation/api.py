"""Incidents with who is told next and what was sent; policies; and the preview of who would be told."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from countermeasures import api as countermeasures
from incidents.serializers import IncidentSerializer, RaiseInput


@extend_schema_view(
    create=extend_schema(request=RaiseInput, responses={201: IncidentSerializer, 200: IncidentSerializer})
)
class IncidentViewSet(countermeasures.IncidentViewSet):
    """Raise, read and move incidents."""
