"""Pictures from the floor, checked before they are kept."""

from __future__ import annotations

import uuid
from pathlib import PurePath
from typing import Any

from django import forms
from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

PHOTO_BYTES = 8 * 1024 * 1024
PHOTO_TYPES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
"""What every browser shows; Pillow's name of the format and the ending it is kept under."""


class PhotoField(forms.ImageField):
    """A picture of at most 8 MB. Pillow opens it, so a renamed program is refused; the name is ours."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            widget=forms.FileInput(
                attrs={"accept": "image/jpeg,image/png,image/webp", "capture": "environment"}
            ),
            error_messages={
                "invalid_image": _("That is not a picture. Take a photo, or choose a JPG or PNG.")
            },
            **kwargs,
        )

    def to_python(self, data: File[Any] | None) -> File[Any] | None:
        if data is not None and data.size is not None and data.size > PHOTO_BYTES:
            raise forms.ValidationError(
                _("That photo is larger than 8 MB. Take it smaller."), code="too_large"
            )
        photo = super().to_python(data)
        if photo is None:
            return None
        ending = PHOTO_TYPES.get(getattr(getattr(photo, "image", None), "format", None) or "")
        if ending is None:
            raise forms.ValidationError(self.error_messages["invalid_image"], code="invalid_image")
        photo.name = str(PurePath(uuid.uuid4().hex).with_suffix(f".{ending}"))
        return photo
