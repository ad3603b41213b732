"""What is true at the cloud without being a resource: what fixtures say, from one command to the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from sandbox.cloud.data import Values, plain
from sandbox.values import contains_secret

__all__ = ["Lookup", "WorldFacts"]

_SECRET_FIELD: Final = re.compile(r"password|secretdata|token|privatekey|clientkey|credential", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lookup:
    """An answer that a fixture gives: for this function, with at least these arguments.

    ``result`` is None when it was given to an earlier command and holds a secret: that is not kept.
    """

    function: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any] | None = field(repr=False)

    def answers(self, function: str, arguments: Mapping[str, Any]) -> bool:
        """Whether it answers a call."""
        return self.function == function and all(
            plain(arguments.get(key)) == value for key, value in self.arguments.items()
        )

    def same_call(self, other: Lookup) -> bool:
        """Whether both answer the same call."""
        return self.function == other.function and dict(self.arguments) == dict(other.arguments)


@dataclass(slots=True)
class WorldFacts:
    """What is true at the cloud without being a resource of the stack.

    ``images`` are ``repository@sha256:...``; ``secret_versions`` the version numbers of a secret's full name;
    ``enabled_services`` None when every service is enabled. With ``assume_release`` every image and secret
    version that a release names counts as existing. ``lookups`` and ``stack_outputs`` are a fixture's
    answers; those with a secret are not kept from one command to the next (None).
    """

    images: set[str] = field(default_factory=set[str])
    secret_versions: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    enabled_services: set[str] | None = None
    project_numbers: dict[str, str] = field(default_factory=dict[str, str])
    asked_agents: set[str] = field(default_factory=set[str])
    assume_release: bool = True
    lookups: tuple[Lookup, ...] = ()
    stack_outputs: Mapping[str, Values | None] = field(default_factory=dict[str, "Values | None"], repr=False)
    revisions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Names of revisions that a service or pool of this id has beside those that were made here."""
    assume_revisions: bool = False
    """Every revision that a share names counts as existing, as of a stack that has run for long."""
    lost_regions: frozenset[str] = frozenset()
    """Regions that answer no call; each command says them anew (``--lost-region``)."""

    def copy(self) -> WorldFacts:
        """An independent copy."""
        return replace(
            self,
            images=set(self.images),
            secret_versions={name: list(numbers) for name, numbers in self.secret_versions.items()},
            enabled_services=None if self.enabled_services is None else set(self.enabled_services),
            project_numbers=dict(self.project_numbers),
            asked_agents=set(self.asked_agents),
            revisions={id: list(names) for id, names in self.revisions.items()},
        )

    def add(self, other: WorldFacts) -> None:
        """Take over what ``other`` says beside what is known; where both answer, ``other`` does."""
        self.images |= other.images
        for name, numbers in other.secret_versions.items():
            self.secret_versions[name] = sorted({*self.secret_versions.get(name, ()), *numbers})
        for id, names in other.revisions.items():
            self.revisions[id] = sorted({*self.revisions.get(id, ()), *names})
        if other.enabled_services is not None:
            self.enabled_services = (self.enabled_services or set()) | other.enabled_services
        self.project_numbers.update(other.project_numbers)
        self.asked_agents |= other.asked_agents
        self.assume_release = self.assume_release and other.assume_release
        kept = (item for item in self.lookups if not any(item.same_call(new) for new in other.lookups))
        self.lookups = (*other.lookups, *kept)
        self.stack_outputs = {**self.stack_outputs, **other.stack_outputs}

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON data, without any readable secret."""
        return {
            "images": sorted(self.images),
            "secretVersions": self.secret_versions,
            "enabledServices": None if self.enabled_services is None else sorted(self.enabled_services),
            "projectNumbers": self.project_numbers,
            "askedAgents": sorted(self.asked_agents),
            "assumeRelease": self.assume_release,
            "lookups": [
                {
                    "function": item.function,
                    "arguments": dict(item.arguments),
                    "result": None if _names_a_secret(item.result) else item.result,
                }
                for item in self.lookups
            ],
            "stacks": {
                name: None if contains_secret(outputs) else outputs
                for name, outputs in self.stack_outputs.items()
            },
            "revisions": self.revisions,
            "assumeRevisions": self.assume_revisions,
            "lostRegions": sorted(self.lost_regions),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WorldFacts:
        """The facts that ``to_json`` wrote."""
        enabled = data["enabledServices"]
        return cls(
            images=set(data["images"]),
            secret_versions={name: list(numbers) for name, numbers in data["secretVersions"].items()},
            enabled_services=None if enabled is None else set(enabled),
            project_numbers=dict(data["projectNumbers"]),
            asked_agents=set(data["askedAgents"]),
            assume_release=bool(data["assumeRelease"]),
            lookups=tuple(
                Lookup(item["function"], dict(item["arguments"]), item["result"])
                for item in data.get("lookups", ())
            ),
            stack_outputs=dict(data.get("stacks", {})),
            revisions={id: list(names) for id, names in data.get("revisions", {}).items()},
            assume_revisions=bool(data.get("assumeRevisions")),
            lost_regions=frozenset(data.get("lostRegions", ())),
        )


def _names_a_secret(value: Any) -> bool:
    """Whether a field is named like a secret and is not empty; functions do not mark theirs."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value)
        return any(
            (_SECRET_FIELD.search(key) and item) or _names_a_secret(item) for key, item in items.items()
        )
    return isinstance(value, list) and any(map(_names_a_secret, cast("Iterable[Any]", value)))
