"""How static files are kept: under names with a fingerprint, and compressed once."""

from __future__ import annotations

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Static(CompressedManifestStaticFilesStorage):
    """With gzip alone: Brotli saves little in a plant, and its 40 s of processor would delay the first start.

    WhiteNoise uses it as soon as it is installed, and the library that makes PDFs brings it along.
    """

    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(use_brotli=False, **options)
