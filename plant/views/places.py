"""Which site and which part of it a page of the roster is about, from its address."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.translation import gettext as _

from opsdesk.errors import Missing, Refused
from plant.context import Shell
from plant.models import Area, Person, Site


@dataclass(slots=True)
class Where:
    """The site that is looked at, its areas, and the sites to choose from."""

    person: Person
    site: Site
    sites: list[Site]
    areas: list[Area] = field(default_factory=list)

    @property
    def has_choice(self) -> bool:
        return len(self.sites) > 1


def person_of(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)  # behind login_required
    return request.user


def where_of(request: HttpRequest) -> Where:
    """The site named by ``?site=``, else the person's own. Raises Missing (404) for one they do not see."""
    person = person_of(request)
    sites = [site for site in Site.objects.order_by("name") if person.sees_site(site)]
    code = request.GET.get("site", "")
    home = Shell.of(request).site
    site = (
        _named(sites, code) if code else next((one for one in sites if one == home), next(iter(sites), None))
    )
    if site is None:
        raise Missing("unknown_site", _("There is no such site, or it is not yours to see."))
    areas = list(site.areas.order_by("name"))
    for area in areas:
        area.site = site  # the same object: nothing is read again
    return Where(person, site, sites, areas)


def area_of(where: Where, code: str) -> Area | None:
    """The area with this code; None for the whole site or a code of another site."""
    return next((area for area in where.areas if area.code == code), None)


def put_into_form(form: BaseForm, refusal: Refused) -> None:
    """The sentences of a refusal beside the fields they are about."""
    for name, sentences in (refusal.fields or {}).items():
        if name in form.fields:
            form.add_error(name, [str(one) for one in sentences])


def _named(sites: list[Site], code: str) -> Site | None:
    return next((site for site in sites if site.code == code.upper()), None)
