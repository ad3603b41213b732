"""The outputs of a resource: its inputs, the provider's defaults, and what Google computes.

Outputs that only Google can give are unknown in a preview.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from facts.provider import PropertyFacts, TypeFacts
from sandbox.cloud.computed import Making, computed_values
from sandbox.cloud.data import DEFAULTS, Values, as_list, as_map, at, bare, plain
from sandbox.cloud.light_outputs import light_outputs
from sandbox.values import UNKNOWN, Secret

__all__ = ["outputs_of", "updated_outputs"]

_MOVING: Final = frozenset(
    {
        "etag",
        "fingerprint",
        "lastModifier",
        "latestCreatedRevision",
        "latestReadyRevision",
        "updateTime",
        "updated",
    }
)
_LABELS: Final = frozenset({"effectiveLabels", "pulumiLabels", "effectiveAnnotations"})
_PLANNED: Final = {"deletionPolicy": "DELETE"}
_ATTRIBUTION: Final = {"goog-pulumi-provisioned": "true"}


def outputs_of(facts: TypeFacts | None, inputs: Mapping[str, Any], making: Making | None) -> Values:
    """The outputs after creation; with no ``making`` it is a preview and computed outputs are unknown."""
    given = {name: value for name, value in inputs.items() if name != DEFAULTS}
    if facts is None:
        return given if making is None else {**light_outputs(making, given), **given, "id": making.id}
    computed = computed_values(making) if making is not None else {}
    result = _fill(facts.properties, given, computed, making)
    _labels(facts, inputs, result, making)
    if making is not None:
        result["id"] = making.id
    return result


def updated_outputs(
    facts: TypeFacts | None,
    inputs: Mapping[str, Any],
    old_outputs: Mapping[str, Any],
    making: Making | None,
) -> Values:
    """The outputs after an update: computed ones keep their value unless an update moves them."""
    if facts is None:
        made = outputs_of(None, inputs, making)
        computed = light_outputs(making, inputs) if making is not None else {}
        kept = {name: old_outputs[name] for name in computed if name in old_outputs and name not in inputs}
        return {**made, **kept, "id": old_outputs.get("id")}
    computed = computed_values(making) if making is not None else {}
    for name, value in old_outputs.items():
        found = facts.properties.get(name)
        if found is not None and found.computed and not (making is not None and name in _MOVING):
            computed[name] = bare(value)
    given = {name: value for name, value in inputs.items() if name != DEFAULTS}
    _keep_nested(facts.properties, given, old_outputs)
    result = _fill(facts.properties, given, computed, making)
    _labels(facts, inputs, result, making)
    _keep_annotations(result, old_outputs)
    if "id" in old_outputs:
        result["id"] = old_outputs["id"]
    return result


def _keep_nested(properties: Mapping[str, PropertyFacts], given: Values, old: Mapping[str, Any]) -> None:
    """Computed properties inside given blocks keep their old value."""
    for name, value in list(given.items()):
        found = properties.get(name)
        block, before = as_map(value), as_map(old.get(name))
        if found is None or found.type != "object" or block is None or before is None:
            continue
        kept = dict(block)
        for inner, its in found.properties.items():
            if its.computed and inner not in kept and before.get(inner) is not None:
                kept[inner] = before[inner]
        _keep_nested(found.properties, kept, before)
        given[name] = Secret(kept) if isinstance(value, Secret) else kept


def _fill(
    properties: Mapping[str, PropertyFacts],
    given: Mapping[str, Any],
    computed: Mapping[str, Any],
    making: Making | None,
) -> Values:
    result: Values = {}
    for name, value in given.items():
        if name == DEFAULTS:
            continue
        found = properties.get(name)
        if found is None or bare(value) is None:
            if found is None and value is not None:
                result[name] = value
        elif not found.write_only:
            result[name] = _marked(found, _filled_value(found, value, computed.get(name), making))
    for name, found in properties.items():
        if name in result or found.write_only:
            continue
        if name in computed and computed[name] is not None:
            value = computed[name]
            if found.type == "object" and (block := as_map(value)) is not None:
                value = _fill(found.properties, {}, block, making)
        elif found.default is not None:
            value = found.default
        elif found.computed:
            value = _made(found, making) if making is not None else _PLANNED.get(name, UNKNOWN)
        else:
            continue
        result[name] = _marked(found, value)
    return result


def _filled_value(found: PropertyFacts, value: Any, computed: Any, making: Making | None) -> Any:
    if not found.properties:
        return value
    block = as_map(value)
    if block is not None:
        filled: Any = _fill(found.properties, block, as_map(computed) or {}, making)
    else:
        items = as_list(value)
        if items is None:
            return value
        ready = as_list(computed) or []
        filled = [
            item
            if (inner := as_map(item)) is None
            else _fill(found.properties, inner, (as_map(at(ready, f"[{index}]")) or {}), making)
            for index, item in enumerate(items)
        ]
    return Secret(filled) if isinstance(value, Secret) else filled


def _made(found: PropertyFacts, making: Making) -> Any:
    """A value of the right type for something that Google computes and no rule here knows better."""
    match found.type:
        case "string":
            return making.text(found.name)
        case "integer":
            return int(making.seeds.digits(found.name, 15)) if found.name.lower().endswith("id") else 0
        case "number":
            return 0.0
        case "boolean":
            return False
        case "map":
            return {}
        case "object":
            return _fill(found.properties, {}, {}, making)
        case _:
            return []


def _marked(found: PropertyFacts, value: Any) -> Any:
    return Secret(value) if found.sensitive and not isinstance(value, Secret) else value


def _keep_annotations(result: Values, old: Mapping[str, Any]) -> None:
    """Those of others stay as the state has them: the provider takes away only what the program had set."""
    before, own = as_map(plain(old.get("effectiveAnnotations"))), as_map(plain(old.get("annotations"))) or {}
    now = result.get("effectiveAnnotations")
    if before and now is not UNKNOWN:
        others = {key: value for key, value in before.items() if key not in own}
        result["effectiveAnnotations"] = {**others, **(as_map(now) or {})}


def _labels(facts: TypeFacts, inputs: Mapping[str, Any], result: Values, making: Making | None) -> None:
    """Labels as they stand at Google: the program's, the provider's default ones, Pulumi's mark."""
    for name, source in (
        ("effectiveLabels", "labels"),
        ("pulumiLabels", "labels"),
        ("effectiveAnnotations", "annotations"),
    ):
        if name not in facts.properties:
            continue
        own = plain(inputs.get(source))
        if own is UNKNOWN:
            result[name] = UNKNOWN
            continue
        labels: Values = dict(_ATTRIBUTION) if source == "labels" else {}
        if making is not None and source == "labels":
            labels.update(making.default_labels)
        result[name] = {**labels, **(as_map(own) or {})}
