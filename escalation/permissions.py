"""Who may change who is told when: each for what they manage, and no further."""

from __future__ import annotations

from functools import cached_property

from django.utils.translation import gettext as _

from opsdesk.errors import NotAllowed
from plant.models import Area, Person, Role, Site


class Publisher:
    """Where somebody may publish policies, read once however many policies a page shows."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self._held = [one for one in person.assignments if one.role == Role.IT_MANAGER]
        self._whole = {one.site_id for one in self._held if not one.area_ids}

    def may(self, site: Site | None = None, area: Area | None = None) -> bool:
        """For an area, for a whole site, or (neither) wherever nothing else is said."""
        if self.person.is_superuser or None in self._whole:
            return True
        if area is not None:
            return any(one.covers(site=area.site, area=area) for one in self._held)
        return site.pk in self._whole if site is not None else self._manages_every_site

    def may_somewhere(self, site: Site) -> bool:
        """At the site or in one of its areas."""
        return self.person.is_superuser or self.person.holds(Role.IT_MANAGER, site=site)

    @cached_property
    def _manages_every_site(self) -> bool:
        """In a plant of one site its IT manager changes what holds everywhere: it holds nowhere else."""
        return bool(self._whole) and set(Site.objects.values_list("pk", flat=True)) <= self._whole

    def refuse_unless(self, site: Site | None = None, area: Area | None = None) -> None:
        """Raise NotAllowed (403): `wrong_role`; `every_site` or `whole_site` for more than they manage."""
        if self.may(site, area):
            return
        if self._held and site is None and area is None:
            raise NotAllowed(
                "every_site", _("This holds at every site. Publish it for your own site instead.")
            )
        if area is None and site is not None and self.may_somewhere(site):
            raise NotAllowed(
                "whole_site", _("This holds for the whole site. Publish it for an area of yours instead.")
            )
        raise NotAllowed("wrong_role", _("Only an IT manager can change who is told when."))
