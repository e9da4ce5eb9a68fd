"""Speaks to the API as a program does: a token, JSON in and out."""

from __future__ import annotations

from typing import Any

from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from incidents.models import Incident
from plant.models import Person


def program(person: Person) -> APIClient:
    """A client that carries this person's token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=person)[0].key}")
    return client


def post(person: Person, where: str, body: Any = None) -> Any:
    return program(person).post(f"/api/v1/{where}", body if body is not None else {})


def get(person: Person, where: str, **query: Any) -> Any:
    return program(person).get(f"/api/v1/{where}", query)


def act(person: Person, incident: Incident, verb: str, **body: Any) -> Any:
    return post(person, f"incidents/{incident.number}/{verb}/", body)
