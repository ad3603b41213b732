"""Provider instances: which one manages a resource, and how it is configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import metadata
from typing import Any

from sandbox.engine.goal import Goal
from sandbox.model import ResourceState
from sandbox.urn import is_provider, make_urn, package_of, provider_id, provider_urn
from sandbox.values import UNKNOWN_SENTINEL

__all__ = ["ProviderTable"]


class ProviderTable:
    """The providers of one run: explicit ones as the program makes them, default ones on first use."""

    def __init__(
        self,
        *,
        project: str,
        stack: str,
        config: Mapping[str, str],
        olds: Mapping[str, ResourceState],
        register: Callable[[Goal], object],
    ) -> None:
        self._project = project
        self._stack = stack
        self._config = config
        self._olds = olds
        self._register = register
        self._news: dict[str, ResourceState] = {}

    def add(self, state: ResourceState) -> None:
        """A provider resource of this run."""
        self._news[state.urn] = state

    def get(self, urn: str) -> ResourceState | None:
        """The provider resource of this run, or None."""
        return self._news.get(urn)

    def reference_for(self, goal: Goal) -> str:
        """The reference ``<urn>::<id>`` of the provider that manages a goal; empty for a provider itself.

        Raises ValueError when it has none and default providers are disabled.
        """
        if is_provider(goal.type):
            return ""
        if goal.provider:
            return goal.provider
        return self.default(package_of(goal.type), goal.version, f"{goal.name} ({goal.type})")

    def default(self, package: str, version: str, what: str) -> str:
        """The reference of the default provider of a package, made on first use.

        Who asks for no version, as a plain function call may, gets that of the installed package.
        """
        disabled = self._config.get("pulumi:disable-default-providers", "")
        if f'"{package}"' in disabled or '"*"' in disabled:
            raise ValueError(
                f"{what} has no provider, and pulumi:disable-default-providers names {package}: "
                "pass one with ResourceOptions(provider=...) or through its parent"
            )
        version = version or _installed_version(package)
        name = f"default_{version.replace('.', '_').replace('-', '_')}" if version else "default"
        type = f"pulumi:providers:{package}"
        urn = make_urn(self._stack, self._project, "", type, name)
        if urn not in self._news:
            inputs: dict[str, Any] = {
                key.removeprefix(f"{package}:"): value
                for key, value in self._config.items()
                if key.startswith(f"{package}:")
            }
            if version:
                inputs["version"] = version
            self._register(Goal(type=type, name=name, custom=True, inputs=inputs))
        return f"{urn}::{self._news[urn].id}"

    def configuration(self, reference: str) -> Mapping[str, Any]:
        """The inputs of a referenced provider; empty for no reference.

        An old resource is deleted with the configuration under which it was made.
        """
        if not reference:
            return {}
        urn, identifier = provider_urn(reference), provider_id(reference)
        new, old = self._news.get(urn), self._olds.get(urn)
        if new is not None and (identifier in {new.id, UNKNOWN_SENTINEL} or old is None):
            return new.inputs
        if old is None:
            raise ValueError(f"provider {urn} is not registered: pass a provider that this program makes")
        return old.inputs


@cache
def _installed_version(package: str) -> str:
    try:
        return metadata.version(f"pulumi-{package}") if package != "pulumi" else ""
    except metadata.PackageNotFoundError:
        return ""
