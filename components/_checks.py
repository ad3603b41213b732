"""Checks that several components share: each raises one sentence with field, rule, value and remedy.

An Output has no value while the program runs, so only plain values are looked at.
"""

from __future__ import annotations

import re

from facts.refusal import RefusedError

_DIGEST_IMAGE = re.compile(r"[a-z0-9.-]+\.[a-z]{2,}(?:/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}")


def require_between(field: str, value: int, low: int, high: int, unit: str) -> None:
    """Refuse a number outside its closed range."""
    if not low <= value <= high:
        message = f"{field} must be between {low} and {high} {unit}, got {value}; correct it"
        raise RefusedError(message)


def require_at_least(field: str, value: int, low: int, unit: str) -> None:
    """Refuse a number below its lower end."""
    if value < low:
        message = f"{field} must be {low} {unit} or more, got {value}; raise it"
        raise RefusedError(message)


def require_digest(field: str, image: object) -> None:
    """Refuse an image that is not pinned by its digest; a tag can be moved after it was reviewed."""
    if isinstance(image, str) and _DIGEST_IMAGE.fullmatch(image) is None:
        message = (
            f"{field} must be pinned as HOST/PATH@sha256:<64 hexadecimal digits>, got {image!r}; "
            "name it by digest"
        )
        raise RefusedError(message)
