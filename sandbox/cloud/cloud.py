"""The stand-in cloud: the operations of a provider plug-in, over a world."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from facts.google.resource_ids import template_of
from facts.provider import facts_for
from sandbox.cloud import provider_config, random_provider
from sandbox.cloud.behaviours import Call, Phase, check_phase, run_phase
from sandbox.cloud.check import check_inputs
from sandbox.cloud.computed import Making
from sandbox.cloud.data import DEFAULTS, Values, as_map, bare, is_known, plain
from sandbox.cloud.diff import diff_inputs
from sandbox.cloud.invokes import invoke
from sandbox.cloud.light import check_lightly
from sandbox.cloud.lost import refuse_lost
from sandbox.cloud.naming import autoname
from sandbox.cloud.outputs import outputs_of, updated_outputs
from sandbox.cloud.package import package_type
from sandbox.cloud.paths import missing_field, render
from sandbox.cloud.replaces import forced_replacements
from sandbox.cloud.results import CheckFailure, DiffResult
from sandbox.cloud.scope import Scope, with_scope
from sandbox.cloud.seeds import Seeds
from sandbox.cloud.switchover import follow, standing_alone
from sandbox.cloud.world import World
from sandbox.errors import CloudError
from sandbox.values import contains_unknown

__all__ = ["Cloud"]

_KEPT: Final = {
    "gcp:kms/keyRing:KeyRing": "key rings are never deleted",
    "gcp:kms/cryptoKey:CryptoKey": "keys are never deleted, only their versions are destroyed",
}
_NO_PROVIDER: Final[Mapping[str, Any]] = {}


class Cloud:
    """Google Cloud (and the random provider) on paper. It keeps no lock: its caller does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lightly_checked: set[str] = set()
        """Types that exist in pulumi-gcp but of which no facts are known."""

    # Before anything is asked of the cloud.

    def check(
        self, type: str, urn: str, olds: Mapping[str, Any] | None, news: Mapping[str, Any], seed: bytes
    ) -> tuple[Values, list[CheckFailure]]:
        """The inputs with a name made up where one is missing, and everything that is wrong with them."""
        inputs = dict(news)
        if type.startswith(provider_config.PREFIX):
            return inputs, provider_config.check(type.removeprefix(provider_config.PREFIX), inputs)
        if type in random_provider.RANDOM_TYPES:
            return inputs, random_provider.check(type, inputs)
        refused = self._refused_type(type)
        if refused:
            return inputs, [CheckFailure("", refused)]
        facts = facts_for(type)
        named = autoname(type, facts, urn, olds, inputs, seed)
        failures = [named] if named is not None else []
        if facts is None:
            self.lightly_checked.add(type)
            return inputs, failures + check_lightly(type, inputs)
        failures += check_inputs(facts, inputs)
        if not failures:
            call = Call(Phase.CHECK, type, urn, plain(inputs), Scope(), self.world)
            failures += check_phase(call)
        return inputs, failures

    def _refused_type(self, type: str) -> str:
        """Why a type is refused as a whole, or an empty text."""
        if facts_for(type) is not None:
            return ""
        package = type.split(":", 1)[0]
        if package == "random":
            known = ", ".join(random_provider.RANDOM_TYPES)
            return f"the sandbox has no random type {type}; it has {known}."
        if package != "gcp":
            return f"the sandbox has no provider for {type}; use resources of gcp or random, or the real CLI."
        if package_type(type) is None:
            return f"pulumi-gcp has no resource type {type}; correct the type."
        return ""

    def diff(
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Mapping[str, Any],
        old_outputs: Mapping[str, Any],
        news: Mapping[str, Any],
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult:
        """What differs, and what that forces."""
        del urn, id
        ignored = list(ignore_changes)
        if type.startswith(provider_config.PREFIX):
            return provider_config.diff(type, old_inputs, news, ignored)
        if type in random_provider.RANDOM_TYPES:
            return random_provider.diff(type, old_inputs, news, ignored)
        facts = facts_for(type)
        found = diff_inputs(type, facts, old_inputs, old_outputs, news, ignored)
        return forced_replacements(type, facts, found, old_inputs, news)

    # Asking the cloud.

    def create(
        self,
        type: str,
        urn: str,
        inputs: Mapping[str, Any],
        *,
        preview: bool,
        provider: Mapping[str, Any] = _NO_PROVIDER,
    ) -> tuple[str, Values]:
        """Make a resource: its id and outputs. A preview leaves the world alone."""
        if type.startswith(provider_config.PREFIX):
            return provider_config.create(urn, inputs, preview=preview)
        if type in random_provider.RANDOM_TYPES:
            return random_provider.create(type, urn, inputs, preview=preview, turn=self.world.gone)
        facts = facts_for(type)
        scope = Scope.of(provider)
        completed = with_scope(facts, _without_defaults(inputs), scope)
        if preview:
            return "", outputs_of(facts, completed, None)
        self._must_be_known(type, completed)
        values = plain(completed)
        id = self._new_id(type, urn, values, scope)
        refuse_lost(self.world, type, id, values)
        run_phase(Call(Phase.CREATE, type, urn, values, scope, self.world, id))
        making = self._making(type, urn, id, values, scope, provider)
        outputs = outputs_of(facts, completed, making)
        self.world.add(type, id, inputs, outputs)
        return id, outputs

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
        provider: Mapping[str, Any] = _NO_PROVIDER,
    ) -> Values:
        """Change a resource in place: its new outputs."""
        if type.startswith(provider_config.PREFIX):
            return _without_defaults(news)
        if type in random_provider.RANDOM_TYPES:
            return {**old_outputs, **_without_defaults(news)}
        facts = facts_for(type)
        scope = Scope.of(provider)
        completed = with_scope(facts, _without_defaults(news), scope)
        if preview:
            return updated_outputs(facts, completed, old_outputs, None)
        self._must_be_known(type, completed)
        values = plain(completed)
        refuse_lost(self.world, type, id, values)
        run_phase(
            Call(
                Phase.UPDATE,
                type,
                urn,
                values,
                scope,
                self.world,
                id,
                old_inputs=plain(dict(old_inputs)),
                outputs=plain(dict(old_outputs)),
            )
        )
        if facts is not None and "generation" in facts.properties:
            generation = _next(old_outputs.get("generation"))
            old_outputs = {**old_outputs, "generation": generation, "observedGeneration": generation}
        making = self._making(type, urn, id, values, scope, provider, version=str(old_outputs.get("etag")))
        outputs = standing_alone(type, values, updated_outputs(facts, completed, old_outputs, making))
        self.world.add(type, id, news, outputs)
        follow(self.world, type, id, old_inputs, values)
        return outputs

    def delete(
        self,
        type: str,
        urn: str,
        id: str,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any],
        *,
        provider: Mapping[str, Any] = _NO_PROVIDER,
    ) -> None:
        """Delete a resource; one that is gone already is fine."""
        if type.startswith(provider_config.PREFIX) or type in random_provider.RANDOM_TYPES:
            return
        facts = facts_for(type)
        scope = Scope.of(provider)
        values = plain(with_scope(facts, _without_defaults(inputs), scope))
        seen = plain(dict(outputs))
        refuse_lost(self.world, type, id, values)
        if self.world.get(type, id) is None:
            return
        run_phase(Call(Phase.DELETE, type, urn, values, scope, self.world, id, outputs=seen))
        if seen.get("deletionPolicy") == "ABANDON":
            return
        if type in _KEPT:
            self.world.remove(type, id, leftover=_KEPT[type])
        else:
            self.world.remove_with_contents(type, id)

    def read(
        self,
        type: str,
        urn: str,
        id: str,
        inputs: Mapping[str, Any] | None,
        outputs: Mapping[str, Any] | None = None,
        *,
        provider: Mapping[str, Any] = _NO_PROVIDER,
    ) -> tuple[Values, Values] | None:
        """A resource's inputs and outputs as they stand at the cloud, or None when it is gone.

        A secret of which only the digest is kept is answered with the one that is known already, in
        ``inputs`` or ``outputs``, when it is the same.

        Without ``inputs`` it is read for an import: what Google kept of a deleted key ring or key is then
        taken up again. Without a ``urn`` as well, somebody only asks whether it exists.
        """
        if type.startswith(provider_config.PREFIX):
            values = _without_defaults(inputs or {})
            return dict(inputs or {}), values
        if type in random_provider.RANDOM_TYPES:
            if inputs is None:
                return None
            _, outputs = random_provider.create(type, urn, inputs, preview=False)
            return dict(inputs), outputs
        record = self.world.get(type, id)
        refuse_lost(self.world, type, id, {} if record is None else plain(record.inputs))
        if record is None:
            kept = self.world.leftover(type, id)
            if kept is None or inputs is not None:
                return None
            if not urn:
                return dict(kept.inputs), dict(kept.outputs)
            record = self.world.add(type, id, kept.inputs, kept.outputs)
        if not record.outputs:
            scope = Scope.of(provider)
            facts = facts_for(type)
            completed = with_scope(facts, record.inputs, scope)
            making = self._making(type, urn, id, plain(completed), scope, provider)
            record = self.world.add(type, id, record.inputs, outputs_of(facts, completed, making))
        return self.world.told(record.inputs, inputs), self.world.told(record.outputs, outputs)

    def made(
        self,
        type: str,
        urn: str,
        inputs: Mapping[str, Any],
        *,
        provider: Mapping[str, Any] = _NO_PROVIDER,
    ) -> list[tuple[str, Values]]:
        """The live objects that a ``create`` with exactly these inputs would have made: ids and outputs.

        Whoever lost the answer of a ``create`` finds here whether it took place.
        """
        if type.startswith(provider_config.PREFIX) or type in random_provider.RANDOM_TYPES:
            return []
        facts = facts_for(type)
        scope = Scope.of(provider)
        completed = with_scope(facts, _without_defaults(inputs), scope)
        values = plain(completed)
        found: list[tuple[str, Values]] = []
        for id in self._ids(type, urn, values, scope):
            record = self.world.get(type, id)
            if record is None and self.world.leftover(type, id) is None:
                break
            if record is None or diff_inputs(type, facts, record.inputs, record.outputs, inputs, []).changes:
                continue
            making = self._making(type, urn, id, values, scope, provider)
            found.append((id, outputs_of(facts, completed, making)))
        return found

    def invoke(
        self, token: str, args: Mapping[str, Any], *, provider: Mapping[str, Any] = _NO_PROVIDER
    ) -> Values:
        """The answer of a provider function."""
        return invoke(
            self.world,
            token,
            args,
            provider,
            lambda kind, name: self.read(kind, "", name, None, provider=provider),
        )

    # Within.

    def _must_be_known(self, type: str, values: Mapping[str, Any]) -> None:
        unknown = sorted(name for name, value in values.items() if contains_unknown(value))
        if unknown:
            raise CloudError(
                400,
                "INVALID_ARGUMENT",
                f"{type}: `{unknown[0]}` is still unknown at its deployment; depend on what gives it.",
                behaviour="COM-000",
                source="engine.md section 3",
            )

    def _new_id(self, type: str, urn: str, values: Values, scope: Scope) -> str:
        ids = self._ids(type, urn, values, scope)
        id = next(ids)
        for following in ids:
            if not (self.world.get(type, id) or self.world.leftover(type, id)):
                break
            id = following
        return id

    def _ids(self, type: str, urn: str, values: Values, scope: Scope) -> Iterator[str]:
        """The id that a resource gets; where Google numbers them, then those it gets when that is taken."""
        template = template_of(type)
        seeds = Seeds(type, urn, str(values.get("name") or ""))
        if template is None:
            name = values.get("name")
            yield str(name) if name else seeds.hex("id", 24)
            return
        missing = missing_field(template, values)
        if missing is not None and missing in {"project", "region", "zone", "location"}:
            raise CloudError(
                400,
                "INVALID_ARGUMENT",
                f"{type}: `{missing}` is not set and the provider has none; set it or `gcp:{missing}`.",
                behaviour="COM-003",
                source="terraform-provider-google, required field is not set",
            )
        number = self.world.project_number(str(values.get("project") or scope.project))
        first = render(template, values, seeds=seeds, number=number)
        yield first
        turn = 1
        while "{+" in template:
            turn += 1
            again = Seeds(type, urn, str(values.get("name") or ""), str(turn))
            following = render(template, values, seeds=again, number=number, next_number=turn)
            if following == first:
                # The program gave the part that Google would number.
                return
            yield following

    def _making(
        self,
        type: str,
        urn: str,
        id: str,
        values: Values,
        scope: Scope,
        provider: Mapping[str, Any],
        *,
        version: str = "",
    ) -> Making:
        project = str(values.get("project") or scope.project)
        return Making(
            type=type,
            id=id,
            inputs=values,
            scope=scope,
            number=self.world.project_number(project),
            seeds=Seeds(type, urn, id, version),
            world=self.world,
            default_labels=_default_labels(provider),
        )


def _without_defaults(inputs: Mapping[str, Any]) -> Values:
    return {name: value for name, value in inputs.items() if name != DEFAULTS and bare(value) is not None}


def _next(generation: Any) -> Any:
    text = bare(generation)
    return str(int(text) + 1) if isinstance(text, str) and text.isdigit() else text


def _default_labels(provider: Mapping[str, Any]) -> dict[str, str]:
    raw = bare(provider.get("defaultLabels"))
    labels = as_map(json.loads(raw) if isinstance(raw, str) and raw else raw) or {}
    return {key: str(bare(value)) for key, value in labels.items() if is_known(value)}
