"""The whole platform: every layer, joined once, the same in every environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config import Settings
from naming import Names
from stacks.delivery import delivery
from stacks.foundation import foundation
from stacks.providers import make_providers

__all__ = ["platform"]

SYSTEM = "aiprod"


def platform(settings: Settings) -> Mapping[str, Any]:
    """Builds everything; returns the stack's outputs by name."""
    names = Names(system=SYSTEM, environment=settings.environment, project_id=settings.project_id)
    providers = make_providers(settings)
    base = foundation(settings, names, providers)
    images = delivery(settings, names, providers, base)
    return {
        "egress_addresses": {region: egress.addresses for region, egress in base.egress.items()},
        "image_repository": images.url,
    }
