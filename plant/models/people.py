"""People, the roles they hold and for where."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.validators import RegexValidator
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from plant.models.places import Area, Site

mobile_validator = RegexValidator(
    r"^\+[1-9][0-9]{6,14}$",
    _("A mobile number starts with + and the country, like +13135550101."),
)


class Role(models.TextChoices):
    """What a person answers for. The order is the order of the ladder."""

    IT_TECH = "it_tech", _("IT technician")
    IT_SPECIALIST = "it_specialist", _("IT specialist")
    IT_LEAD = "it_lead", _("IT lead")
    TEAM_LEADER = "team_leader", _("Team leader")
    SUPERVISOR = "supervisor", _("Supervisor")
    IT_MANAGER = "it_manager", _("IT manager")
    PRODUCTION_MANAGER = "production_manager", _("Production manager")
    MATERIALS_MANAGER = "materials_manager", _("Materials manager")
    DEPT_MANAGER = "dept_manager", _("Department manager")
    PLANT_MANAGER = "plant_manager", _("Plant manager")
    IT_DIRECTOR = "it_director", _("IT director")
    SUPPORT = "support", _("Support")


SHIFT_ROLES = frozenset({Role.IT_TECH, Role.IT_SPECIALIST, Role.IT_LEAD, Role.TEAM_LEADER, Role.SUPERVISOR})
"""Roles that somebody on shift should hold; managers are called at any hour, so off shift is no surprise."""


class Language(models.TextChoices):
    EN = "en", "English"
    ES = "es", "Español"


class Channel(models.TextChoices):
    """A way to reach a person. `push` falls back to SMS and `digest` to email where it is not set up."""

    SMS = "sms", _("SMS")
    EMAIL = "email", _("Email")
    PUSH = "push", _("Push")
    CHAT = "chat", _("Chat")
    DIGEST = "digest", _("Digest")


def monday_to_friday() -> list[int]:
    return [0, 1, 2, 3, 4]


class PersonQuerySet(models.QuerySet["Person"]):
    def active(self) -> PersonQuerySet:
        return self.filter(is_active=True)

    def holding(self, role: Role | str) -> PersonQuerySet:
        return self.filter(role_assignments__role=role).distinct()

    def at_site(self, site: Site) -> PersonQuerySet:
        """People who are at home at the site, or hold a role for it or for all sites."""
        return self.filter(
            models.Q(site=site)
            | models.Q(role_assignments__site=site)
            | models.Q(role_assignments__isnull=False, role_assignments__site=None)
        ).distinct()

    def with_roles(self) -> PersonQuerySet:
        return self.prefetch_related("role_assignments__areas")


class PersonManager(UserManager.from_queryset(PersonQuerySet)):  # type: ignore[misc]
    use_in_migrations = False


class Person(AbstractUser):
    """Somebody who raises, answers, decides or is told. It is also the login."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]

    name = models.CharField(_("name"), max_length=80)
    title = models.CharField(_("title"), max_length=80, blank=True)
    department = models.CharField(_("department"), max_length=80, blank=True)
    site = models.ForeignKey(
        "plant.Site",
        verbose_name=_("site"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="people",
    )
    mobile = models.CharField(_("mobile"), max_length=20, blank=True, validators=[mobile_validator])
    stopped_mobile = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("The number that asked for no more texts. Another number is texted again."),
    )
    mobile_verified_at = models.DateTimeField(_("mobile verified"), null=True, blank=True)
    email_verified_at = models.DateTimeField(_("email verified"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=5, choices=Language.choices, default=Language.EN)
    pin_hash = models.CharField(max_length=128, blank=True, editable=False)
    badge = models.CharField(_("badge"), max_length=64, blank=True)
    urgent_channels = models.JSONField(
        _("told about urgent things by"),
        default=list,
        blank=True,
        help_text=_("In order of preference. Empty: as the escalation policy says."),
    )
    normal_channels = models.JSONField(
        _("told about other things by"),
        default=list,
        blank=True,
        help_text=_("In order of preference. Empty: as the escalation policy says."),
    )

    works_from = models.TimeField(
        _("working hours from"),
        null=True,
        blank=True,
        help_text=_("By the clock of the site. What is not urgent waits for them. Empty: at any hour."),
    )
    works_until = models.TimeField(_("working hours until"), null=True, blank=True)
    works_days = models.JSONField(
        _("working days"), default=monday_to_friday, blank=True, help_text=_("0 is Monday.")
    )

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(
                fields=["badge"],
                condition=~models.Q(badge=""),
                name="person_badge_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(works_from__isnull=True, works_until__isnull=True)
                | models.Q(works_from__isnull=False, works_until__isnull=False),
                name="working_hours_have_both_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.username

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.name.split()[:2]).upper()

    @property
    def wants_no_texts(self) -> bool:
        """Whoever has this number answered STOP; START, or another number, ends it."""
        return bool(self.mobile) and self.stopped_mobile == self.mobile

    def set_pin(self, pin: str) -> None:
        self.pin_hash = make_password(pin)

    def check_pin(self, pin: str) -> bool:
        return bool(self.pin_hash) and check_password(pin, self.pin_hash)

    @cached_property
    def assignments(self) -> list[RoleAssignment]:
        """Roles with their scope, read once per object (`with_roles()` prefetches them)."""
        return list(self.role_assignments.all())

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(a.role for a in self.assignments)

    def holds(self, *roles: Role | str, site: Site | None = None, area: Area | None = None) -> bool:
        """Whether the person holds one of the roles for that place; without a place, anywhere."""
        wanted = {str(role) for role in roles}
        return any(a.role in wanted and a.covers(site=site, area=area) for a in self.assignments)

    @property
    def is_corporate(self) -> bool:
        return self.is_superuser or any(a.site_id is None for a in self.assignments)

    @cached_property
    def site_ids(self) -> frozenset[int]:
        """Sites the person sees: their own and those they hold a role for."""
        ids = {a.site_id for a in self.assignments if a.site_id}
        return frozenset(ids | ({self.site_id} if self.site_id else set()))

    def sees_site(self, site: Site | int) -> bool:
        site_id = site if isinstance(site, int) else site.pk
        return self.is_corporate or site_id in self.site_ids


class RoleAssignment(models.Model):
    """A person holds a role for one site, for some of its areas, or (no site) everywhere."""

    person = models.ForeignKey(
        Person,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        related_name="role_assignments",
    )
    role = models.CharField(_("role"), max_length=24, choices=Role.choices)
    site = models.ForeignKey(
        "plant.Site",
        verbose_name=_("site"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="role_assignments",
        help_text=_("Leave empty for a corporate role that covers every site."),
    )
    areas = models.ManyToManyField(
        "plant.Area",
        verbose_name=_("areas"),
        blank=True,
        related_name="role_assignments",
        help_text=_("Leave empty for the whole site."),
    )

    class Meta:
        ordering = ["person", "role"]
        verbose_name = _("role held")
        verbose_name_plural = _("roles held")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "role", "site"],
                name="role_once_per_site",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.get_role_display()}"

    @cached_property
    def area_ids(self) -> frozenset[int]:
        return frozenset(area.pk for area in self.areas.all())

    def covers(self, *, site: Site | None = None, area: Area | None = None) -> bool:
        if site is not None and self.site_id not in (None, site.pk):
            return False
        return area is None or not self.area_ids or area.pk in self.area_ids
