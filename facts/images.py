"""How an image is named by what it is, and not by a tag that may move."""

from __future__ import annotations

from typing import Final

__all__ = ["BY_DIGEST"]

BY_DIGEST: Final = r"^[a-z0-9.-]+/.+@sha256:[0-9a-f]{64}$"
"""HOST/PATH@sha256:DIGEST, as a regular expression."""
