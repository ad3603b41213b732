"""Checks that several components share: each raises one sentence with field, rule, value and remedy.

An Output has no value while the program runs, so only plain values are looked at.
"""

from __future__ import annotations

import re

_DIGEST_IMAGE = re.compile(r"[a-z0-9.-]+\.[a-z]{2,}(?:/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}")

# Cloud Run, instance-based billing or GEN2: MiB from and to, by CPUs.
_MEMORY_MIB = {"1": (512, 4096), "2": (512, 8192), "4": (2048, 16384), "8": (4096, 32768)}


def require_between(field: str, value: int, low: int, high: int, unit: str) -> None:
    """Refuse a number outside its closed range."""
    if not low <= value <= high:
        message = f"{field} must be between {low} and {high} {unit}, got {value}"
        raise ValueError(message)


def require_at_least(field: str, value: int, low: int, unit: str) -> None:
    """Refuse a number below its lower end."""
    if value < low:
        message = f"{field} must be {low} {unit} or more, got {value}"
        raise ValueError(message)


def require_digest(field: str, image: object) -> None:
    """Refuse an image that is not pinned by its digest; a tag can be moved after it was reviewed."""
    if isinstance(image, str) and _DIGEST_IMAGE.fullmatch(image) is None:
        message = f"{field} must be pinned as HOST/PATH@sha256:<64 hexadecimal digits>, got {image!r}"
        raise ValueError(message)


def require_cpu_and_memory(cpu: str, memory: str) -> None:
    """Refuse a pair that Cloud Run refuses."""
    if cpu not in _MEMORY_MIB:
        message = f"cpu must be one of {', '.join(_MEMORY_MIB)}, got {cpu!r}"
        raise ValueError(message)
    match = re.fullmatch(r"([1-9]\d*)(Mi|Gi)", memory)
    if match is None:
        message = f"memory must be a number with Mi or Gi, got {memory!r}"
        raise ValueError(message)
    mebibytes = int(match[1]) * (1024 if match[2] == "Gi" else 1)
    low, high = _MEMORY_MIB[cpu]
    if not low <= mebibytes <= high:
        message = f"memory must be between {low} and {high} Mi for {cpu} cpu, got {memory!r}"
        raise ValueError(message)
