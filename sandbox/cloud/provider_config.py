"""Provider resources: the settings with which a provider is configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.cloud.check import unknown_name
from sandbox.cloud.data import DEFAULTS, Values
from sandbox.cloud.diff import diff_inputs
from sandbox.cloud.results import CheckFailure, DiffResult
from sandbox.cloud.seeds import Seeds

__all__ = ["PREFIX", "check", "create", "diff"]

PREFIX: Final = "pulumi:providers:"
_ANY: Final = frozenset({"version", "pluginDownloadURL"})
_NAMES: Final[dict[str, frozenset[str]]] = {
    "gcp": frozenset(
        {
            "accessToken",
            "addPulumiAttributionLabel",
            "batching",
            "billingProject",
            "credentials",
            "defaultLabels",
            "deletionPolicy",
            "disableGooglePartnerName",
            "externalCredentials",
            "googlePartnerName",
            "impersonateServiceAccount",
            "impersonateServiceAccountDelegates",
            "pollInterval",
            "preferInternalNames",
            "project",
            "pulumiAttributionLabelAdditionStrategy",
            "region",
            "requestReason",
            "requestTimeout",
            "scopes",
            "skipRegionValidation",
            "universeDomain",
            "userProjectOverride",
            "zone",
        }
    ),
    "random": frozenset(),
    "pulumi": frozenset(),
}
_MOVES: Final = frozenset({"project", "universeDomain"})


def check(package: str, news: Mapping[str, Any]) -> list[CheckFailure]:
    """What a provider of this package refuses in its settings."""
    if package not in _NAMES:
        names = ", ".join(sorted(_NAMES))
        return [CheckFailure("", f"the sandbox has no provider `{package}`; it has {names}.")]
    allowed = _NAMES[package] | _ANY
    return [
        unknown_name(name, "", allowed)
        for name in news
        if name not in allowed and name != DEFAULTS and not name.endswith("CustomEndpoint")
    ]


def diff(type: str, old_inputs: Mapping[str, Any], news: Mapping[str, Any], ignored: list[str]) -> DiffResult:
    """What changes in a provider's settings; another project is another provider."""
    found = diff_inputs(type, None, old_inputs, {}, news, [*ignored, "version", "pluginDownloadURL"])
    detailed = {path: kind.as_replace() if path in _MOVES else kind for path, kind in found.detailed.items()}
    return DiffResult(
        detailed=detailed,
        replaces=tuple(path for path, kind in detailed.items() if kind.replaces),
        not_compared=found.not_compared,
    )


def create(urn: str, inputs: Mapping[str, Any], *, preview: bool) -> tuple[str, Values]:
    """The provider's id and its settings."""
    outputs = {name: value for name, value in inputs.items() if name != DEFAULTS}
    return ("" if preview else Seeds("provider", urn).uuid("id")), outputs
