"""Photos from the floor: private files, shown to whoever may see the incident."""

from __future__ import annotations

import mimetypes

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from incidents.models import Incident, Photo
from incidents.permissions import Action, refuse_unless
from opsdesk.errors import Missing
from plant.models import Person

A_WEEK = 7 * 24 * 3600


@login_required
@require_GET
@cache_control(private=True, max_age=A_WEEK, immutable=True)
def photo(request: HttpRequest, number: str, pk: int) -> FileResponse:
    assert isinstance(request.user, Person)  # behind login_required
    incident = Incident.objects.numbered(number)
    refuse_unless(request.user, Action.ADD_WORDS, incident)
    found = Photo.objects.filter(incident=incident, pk=pk).first()
    if found is None or not found.image.storage.exists(found.image.name or ""):
        raise Missing("unknown_photo", _("There is no such photo."))
    kind, _encoding = mimetypes.guess_type(found.image.name or "")
    return FileResponse(found.image.open("rb"), content_type=kind or "image/jpeg")
