"""How the resources of the good platform are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.model import Resource

STACK = "urn:pulumi:prod::aiprod::pulumi:pulumi:Stack::aiprod-prod"
DIGEST = "a" * 64
KEY = "projects/p/locations/europe-west1/keyRings/aiprod-keyring/cryptoKeys/aiprod-data-key"
NETWORK = "projects/p/global/networks/aiprod"
AGENT = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
LABELS = {"system": "aiprod", "environment": "prod", "managed-by": "pulumi", "component": "x"}
DATA_LABELS = {**LABELS, "data-class": "internal"}


def resource(
    token: str, name: str, props: Mapping[str, Any], *, protect: bool = False, **deps: tuple[str, ...]
) -> Resource:
    """A resource; `token` without its `gcp:`, `deps` names of resources per property."""
    type = token if token.startswith("pulumi:") else f"gcp:{token}"
    return Resource(
        urn=urn(type, name),
        type=type,
        name=name,
        props=props,
        parent=STACK,
        property_dependencies={
            key: tuple(_urn_of(other) for other in others) for key, others in deps.items()
        },
        protect=protect,
        provider="urn:pulumi:prod::aiprod::pulumi:providers:gcp::google::1",
    )


def urn(type: str, name: str) -> str:
    """The full name as the engine writes it."""
    return f"urn:pulumi:prod::aiprod::{type}::{name}"


_TYPES: dict[str, str] = {"jobs-dead": "gcp:pubsub/topic:Topic", "jobs": "gcp:pubsub/topic:Topic"}


def _urn_of(name: str) -> str:
    return urn(_TYPES[name], name)
