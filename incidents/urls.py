"""Addresses of raising, the incident list and the verbs. The incident page itself is named by escalation."""

from django.urls import path

from incidents.views import lists, photos, raising, verbs

urlpatterns = [
    path("raise/", raising.raise_issue, name="raise"),
    path("raise/where/", raising.find_place, name="raise-where"),
    path("incidents/", lists.incidents, name="incidents"),
    path("incidents/<slug:number>/photos/<int:pk>/", photos.photo, name="incident-photo"),
    path("incidents/<slug:number>/take-back/", verbs.take_back, name="incident-take-back"),
    *(
        path(f"incidents/<slug:number>/{verb}/", verbs.act, {"verb": verb}, name=f"incident-{verb}")
        for verb in verbs.VERBS
    ),
]
