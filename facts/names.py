"""Rules Google sets for physical names, as pure checks.

A check returns the name unchanged or raises `ValueError` with one sentence: field, rule, value, remedy.
Nothing here shortens or repairs a name: two long names could become one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from facts.refusal import RefusedError

__all__ = ["LABEL_KEYS_MAX", "RULES", "NameRule", "check_labels", "check_name"]

# At most so many labels on one resource.
LABEL_KEYS_MAX = 64


@dataclass(frozen=True, slots=True)
class NameRule:
    """One kind of name: its length in characters, its pattern and the pattern in words."""

    minimum: int
    maximum: int
    pattern: str
    words: str


_RFC1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_RFC1035_WORDS = "lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen"

RULES: Mapping[str, NameRule] = {
    "project id": NameRule(6, 30, _RFC1035, _RFC1035_WORDS),
    "service account id": NameRule(6, 30, _RFC1035, _RFC1035_WORDS),
    "bucket": NameRule(
        3, 63, r"[a-z0-9][-_a-z0-9]*[a-z0-9]", "lower-case letters, digits, hyphens and underscores, no dot"
    ),
    "compute resource": NameRule(1, 63, _RFC1035, _RFC1035_WORDS),
    "database instance": NameRule(1, 80, _RFC1035, _RFC1035_WORDS),
    "redis instance": NameRule(1, 40, _RFC1035, _RFC1035_WORDS),
    "run service": NameRule(1, 49, _RFC1035, _RFC1035_WORDS),
    "repository": NameRule(1, 63, _RFC1035, _RFC1035_WORDS),
    "topic": NameRule(
        3,
        255,
        r"(?!goog)[A-Za-z][-A-Za-z0-9._~+%]*",
        "a letter first, then letters, digits or -._~+%, not goog",
    ),
    "secret": NameRule(1, 255, r"[A-Za-z0-9_-]+", "letters, digits, hyphens and underscores"),
    "key": NameRule(1, 63, r"[A-Za-z0-9_-]+", "letters, digits, hyphens and underscores"),
    "label key": NameRule(1, 63, r"[a-z][-_a-z0-9]*", "lower-case letters, digits, - and _, a letter first"),
    "label value": NameRule(0, 63, r"[-_a-z0-9]*", "lower-case letters, digits, - and _"),
}


def check_name(kind: str, name: str) -> str:
    """The name, if Google accepts it as a `kind` of RULES; else ValueError."""
    rule = RULES[kind]
    if not rule.minimum <= len(name) <= rule.maximum:
        raise RefusedError(
            f"{kind} name must have {rule.minimum} to {rule.maximum} characters, "
            f"got {name!r} with {len(name)}; "
            f"choose a {'longer' if len(name) < rule.minimum else 'shorter'} name"
        )
    if not re.fullmatch(rule.pattern, name):
        raise RefusedError(f"{kind} name must have only {rule.words}, got {name!r}; rename it")
    if kind == "bucket" and (name.startswith("goog") or "google" in name):
        raise RefusedError(
            f"bucket name must not start with goog nor contain google, got {name!r}; rename it"
        )
    return name


def check_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """A copy of the labels, if Google accepts every key and value and their number; else ValueError."""
    if len(labels) > LABEL_KEYS_MAX:
        raise RefusedError(f"labels must be at most {LABEL_KEYS_MAX}, got {len(labels)}; remove some")
    return {check_name("label key", key): check_name("label value", value) for key, value in labels.items()}
