"""What somebody changed at the cloud behind the back of its stack: in the console, by another tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.cloud.world import World
from sandbox.paths import parse_path, put

__all__ = ["Drift"]

_KEPT: Final = frozenset({"gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"})


@dataclass(frozen=True, slots=True)
class Drift:
    """A change of one live resource, or with ``gone`` its deletion.

    ``inputs`` and ``outputs`` map property paths to the values that they have now; None takes one away. An
    input that the resource also puts out changes there too.
    """

    type: str
    id: str
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    gone: bool = False

    def apply(self, world: World) -> str:
        """Make it so, also when it is so already; what is wrong with it, or an empty text."""
        record = world.get(self.type, self.id)
        if self.gone:
            if self.type in _KEPT:
                return "cannot be gone: Google never deletes key rings and keys; leave it out"
            world.remove_with_contents(self.type, self.id)
            return ""
        if record is None:
            return f"is not the id of a live {self.type}; write one that `refresh --json` or the state shows"
        inputs, outputs = dict(record.inputs), dict(record.outputs)
        try:
            for path, value in self.inputs.items():
                parts = parse_path(path)
                inputs = put(parts, inputs, value)
                if parts[0] in outputs:
                    outputs = put(parts, outputs, value)
            for path, value in self.outputs.items():
                outputs = put(parse_path(path), outputs, value)
        except ValueError as error:
            return f"cannot be changed so: {error}; correct the path"
        world.add(self.type, self.id, inputs, outputs)
        return ""
