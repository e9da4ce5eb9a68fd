"""Site, area, line and station, with the ISA-95 names."""

from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

code_validator = RegexValidator(
    r"^[A-Z0-9][A-Z0-9-]*$",
    _("A code has capital letters, digits and hyphens only, like ASM-D1-060."),
)


def validate_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(
            _("%(name)s is not a time zone, like America/Detroit."),
            params={"name": name},
        )


class Flow(models.TextChoices):
    """Which flow of the plant a place serves; it decides which manager is named first."""

    PRODUCTION = "production", _("Production")
    SHIPPING = "shipping", _("Shipping")
    RECEIVING = "receiving", _("Receiving")
    MATERIAL_MOVES = "material_moves", _("Material moves")
    RECORDS = "records", _("Records")

    @property
    def is_materials(self) -> bool:
        """True where the materials manager is named before the production manager."""
        return self in (Flow.SHIPPING, Flow.RECEIVING, Flow.MATERIAL_MOVES)


class Criticality(models.TextChoices):
    A = "A", _("A: stops the plant")
    B = "B", _("B: stops an area")
    C = "C", _("C: can wait")


class LineKind(models.TextChoices):
    PRODUCTION_LINE = "production_line", _("Production line")
    WORK_CELL = "work_cell", _("Work cell")
    STORAGE_ZONE = "storage_zone", _("Storage zone")
    DOCK = "dock", _("Dock")
    INFRASTRUCTURE = "infrastructure", _("Infrastructure")


class Site(models.Model):
    """One plant with its own clock."""

    code = models.CharField(_("code"), max_length=24, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=80)
    about = models.CharField(_("about"), max_length=200, blank=True)
    timezone = models.CharField(_("time zone"), max_length=64, validators=[validate_timezone])
    it_phone = models.CharField(_("number to call when alerts are not going out"), max_length=32, blank=True)
    last_resort = models.ForeignKey(
        "plant.Person",
        verbose_name=_("contact of last resort"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Told when nobody else can be found for a role."),
    )

    class Meta:
        ordering = ["code"]
        verbose_name = _("site")
        verbose_name_plural = _("sites")

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Area(models.Model):
    """A part of a site with its own supervisors, such as final assembly."""

    site = models.ForeignKey(Site, verbose_name=_("site"), on_delete=models.PROTECT, related_name="areas")
    code = models.CharField(_("code"), max_length=24, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        ordering = ["code"]
        verbose_name = _("area")
        verbose_name_plural = _("areas")

    def __str__(self) -> str:
        return self.name


class Line(models.Model):
    """Any work centre: production line, work cell, storage zone, dock or infrastructure."""

    area = models.ForeignKey(Area, verbose_name=_("area"), on_delete=models.PROTECT, related_name="lines")
    code = models.CharField(_("code"), max_length=24, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(
        _("kind"),
        max_length=20,
        choices=LineKind.choices,
        default=LineKind.PRODUCTION_LINE,
    )
    criticality = models.CharField(
        _("criticality"),
        max_length=1,
        choices=Criticality.choices,
        default=Criticality.B,
    )
    flow = models.CharField(_("flow"), max_length=16, choices=Flow.choices, default=Flow.PRODUCTION)
    buffer_minutes = models.PositiveIntegerField(
        _("buffer (minutes)"),
        null=True,
        blank=True,
        help_text=_("How long production survives without it. Leave empty when nobody knows."),
    )
    takt_seconds = models.PositiveIntegerField(_("takt (seconds)"), null=True, blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name = _("line")
        verbose_name_plural = _("lines")

    def __str__(self) -> str:
        return self.name


class Station(models.Model):
    """The place a person stands: one step of a line."""

    line = models.ForeignKey(Line, verbose_name=_("line"), on_delete=models.PROTECT, related_name="stations")
    code = models.CharField(_("code"), max_length=24, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=80)
    note = models.CharField(_("note"), max_length=200, blank=True)
    systems = models.ManyToManyField(
        "plant.System", verbose_name=_("systems"), blank=True, related_name="stations"
    )

    class Meta:
        ordering = ["code"]
        verbose_name = _("station")
        verbose_name_plural = _("stations")

    def __str__(self) -> str:
        return self.name
