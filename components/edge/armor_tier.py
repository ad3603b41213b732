"""What Cloud Armor tier a project pays for, and what only the dearer one can do.

Standard is the default: adaptive protection learns and alerts, no more. Enterprise adds signatures, suggested
rules and their automatic deployment, and the functions in `ENTERPRISE_FUNCTIONS`. Going back from Enterprise
freezes policies that use those, so take them out first. Enrolment is the project's, not one policy's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from facts.refusal import RefusedError

__all__ = ["ENTERPRISE_FUNCTIONS", "AutoDeploy", "Enterprise", "Standard", "Tier"]

ENTERPRISE_FUNCTIONS: Final = (
    "evaluateAdaptiveProtectionAutoDeploy",
    "evaluateAddressGroup",
    "evaluateOrganizationAddressGroup",
    "evaluateThreatIntelligence",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoDeploy:
    """Deny what adaptive protection suggests, without asking: shares are from above 0 to 1."""

    load: float = 0.8
    """Only while the backend is loaded above this share."""
    confidence: float = 0.5
    """Only for alerts of a higher confidence."""
    impacted_baseline: float = 0.01
    """Only if less of the ordinary traffic would suffer."""
    expiration_seconds: int = 7200
    """How long an attacker is denied."""
    preview: bool = True
    """Logged only; the safe way to begin."""

    def __post_init__(self) -> None:
        for field in ("load", "confidence", "impacted_baseline"):
            share: float = getattr(self, field)
            if not 0 < share <= 1:
                raise RefusedError(f"{field} must be above 0 and at most 1, got {share}: correct it")
        if self.expiration_seconds < 1:
            raise RefusedError(
                f"expiration_seconds must be at least 1 second, got {self.expiration_seconds}: correct it"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Standard:
    """Adaptive protection alerts only; nothing is enrolled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Enterprise:
    """The project is enrolled, by use or by the year."""

    plan: Literal["CA_ENTERPRISE_PAYGO", "CA_ENTERPRISE_ANNUAL"]
    auto_deploy: AutoDeploy | None = None
    """Suggested rules are applied. Default: they are only suggested."""


Tier = Standard | Enterprise
