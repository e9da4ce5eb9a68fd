"""The IT services the floor depends on, and who supplies them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Vendor(models.Model):
    """A company we call when its product fails."""

    code = models.SlugField(_("code"), max_length=24, unique=True)
    name = models.CharField(_("name"), max_length=80)
    supplies = models.CharField(_("supplies"), max_length=200, blank=True)
    support_hours = models.CharField(_("support hours"), max_length=80, blank=True)
    response_minutes = models.PositiveIntegerField(_("promised answer (minutes)"), null=True, blank=True)
    onsite_hours = models.PositiveIntegerField(_("promised on site (hours)"), null=True, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    email = models.EmailField(_("email"), blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("vendor")
        verbose_name_plural = _("vendors")

    def __str__(self) -> str:
        return self.name


class VendorContact(models.Model):
    """A named person at a vendor; the one for escalation is called when the desk does not answer."""

    vendor = models.ForeignKey(
        Vendor,
        verbose_name=_("vendor"),
        on_delete=models.CASCADE,
        related_name="contacts",
    )
    name = models.CharField(_("name"), max_length=80)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    email = models.EmailField(_("email"), blank=True)
    is_escalation = models.BooleanField(_("call when the desk does not answer"), default=False)

    class Meta:
        ordering = ["vendor", "name"]
        verbose_name = _("vendor contact")
        verbose_name_plural = _("vendor contacts")

    def __str__(self) -> str:
        return self.name


class System(models.Model):
    """An IT service the floor depends on, such as label printing."""

    code = models.SlugField(_("code"), max_length=24, unique=True)
    name = models.CharField(_("name"), max_length=80)
    plain_name = models.CharField(
        _("plain name"),
        max_length=80,
        help_text=_("What the floor calls it, such as box labels."),
    )
    owner = models.ForeignKey(
        "plant.Person",
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="systems_owned",
    )
    vendor = models.ForeignKey(
        Vendor,
        verbose_name=_("vendor"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="systems",
    )
    site = models.ForeignKey(
        "plant.Site",
        verbose_name=_("site"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="systems",
        help_text=_("Leave empty when every site uses it."),
    )
    if_down = models.CharField(_("what stops when it is down"), max_length=200, blank=True)
    workaround = models.CharField(_("standing workaround"), max_length=200, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("system")
        verbose_name_plural = _("systems")

    def __str__(self) -> str:
        return self.name
