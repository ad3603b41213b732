"""Settings of the real stack files, with example values, for tests of layers."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_origin

from config import Settings, parse
from sandbox.project import load_project, load_stack

ROOT = Path(__file__).parent.parent
STACKS = ("dev", "staging", "prod")
PROGRAM = load_project(ROOT)


def values(stack: str) -> dict[str, Any]:
    """The values of a stack file as `parse` takes them; secrets are not among them."""
    return deepcopy(_read(stack))


def changed(path: str, value: Any) -> dict[str, Any]:
    """The values of dev with one of them changed; the path's parts are separated by dots."""
    made = values("dev")
    *parents, last = path.split(".")
    section = made
    for parent in parents:
        section = section.setdefault(parent, {})
    section[last] = value
    return made


def settings(stack: str, *, release: bool = True) -> Settings:
    """The settings of a stack, with or without its release."""
    made = values(stack)
    if not release:
        del made["release"]
    return parse(made)


def lookups() -> dict[str, dict[str, Any]]:
    """What Google answers while the layers are built."""
    return {
        "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {"emailAddress": "storage@agents"},
        "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": {"serviceAccountId": "logging@agents"},
        "gcp:kms/getKMSCryptoKeyVersion:getKMSCryptoKeyVersion": {
            "id": "//cloudkms.googleapis.com/v1/k",
            "publicKeys": [{"pem": "PEM"}],
        },
    }


def _is_text(annotation: Any) -> bool:
    return annotation is str or get_origin(annotation) is Literal


@cache
def _read(stack: str) -> dict[str, Any]:
    found = load_stack(PROGRAM, stack).values
    declared = Settings.model_fields
    plain = {key.removeprefix("aiprod:"): text for key, text in found.items() if key.startswith("aiprod:")}
    return {
        key: text if _is_text(declared[key].annotation) else json.loads(text)
        for key, text in plain.items()
        if key != "slack_token" and text not in {"{}", ""}
    }
