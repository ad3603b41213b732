"""What the engine asks of a cloud: the seam where faults, a journal or another cloud are put in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sandbox.cloud.results import CheckFailure, DiffResult

__all__ = ["CloudApi", "Made"]

Values = dict[str, Any]
Made = tuple[str, Values]
"""A resource's id and outputs."""


class CloudApi(Protocol):
    """The operations of a provider plug-in; ``sandbox.cloud.Cloud`` says what each does."""

    def check(
        self, type: str, urn: str, olds: Mapping[str, Any] | None, news: Mapping[str, Any], seed: bytes
    ) -> tuple[Values, list[CheckFailure]]: ...

    def diff(
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Mapping[str, Any],
        old_outputs: Mapping[str, Any],
        news: Mapping[str, Any],
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult: ...

    def create(
        self,
        type: str,
        urn: str,
        inputs: Mapping[str, Any],
        *,
        preview: bool,
        provider: Mapping[str, Any],
    ) -> Made: ...

    def update(
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Mapping[str, Any],
        old_outputs: Mapping[str, Any],
        news: Mapping[str, Any],
        *,
        preview: bool,
        provider: Mapping[str, Any],
    ) -> Values: ...

    def delete(
        self,
        type: str,
        urn: str,
        id: str,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any],
        *,
        provider: Mapping[str, Any],
    ) -> None: ...

    def read(
        self,
        type: str,
        urn: str,
        id: str,
        inputs: Mapping[str, Any] | None,
        outputs: Mapping[str, Any] | None = None,
        *,
        provider: Mapping[str, Any],
    ) -> tuple[Values, Values] | None: ...

    def invoke(self, token: str, args: Mapping[str, Any], *, provider: Mapping[str, Any]) -> Values: ...

    def made(
        self, type: str, urn: str, inputs: Mapping[str, Any], *, provider: Mapping[str, Any]
    ) -> Sequence[Made]:
        """The live objects that a ``create`` with exactly these inputs would have made."""
        ...
