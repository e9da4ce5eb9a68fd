"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def opsdesk(request: HttpRequest) -> dict[str, Any]:
    """``base_url`` for links that leave the page (QR codes), ``demo`` for the login hint."""
    return {"base_url": settings.BASE_URL, "demo": settings.DEMO}
