"""Write ``facts/data/provider.json`` from a dump of the provider's schema under Pulumi's names.

Usage: ``python tools/provider_facts.py DUMP [OUTPUT]``. The dump is one JSON object, type token to facts.
The result holds one type a line, sorted; what most properties share is left out: a property without ``type``
is a string, and its yes-or-no facts are letters of ``is``. Types that the dump lacks stand in
``provider_facts_added.json``, in the dump's form, read from pulumi-gcp 10.2.0 and magic-modules.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

HEADER: Final[dict[str, str]] = {
    "origin": "Google provider 7.45.0 (August 2026) under the names of pulumi-gcp 10.2.0",
    "provider": "google 7.45.0",
    "package": "pulumi-gcp 10.2.0",
    "is": "r required, o optional, c computed, i immutable, s sensitive, w write-only, d deprecated",
}
FLAGS: Final = {
    "required": "r",
    "optional": "o",
    "computed": "c",
    "immutable": "i",
    "sensitive": "s",
    "writeOnly": "w",
    "deprecated": "d",
}
RELATIONS: Final = ("conflictsWith", "exactlyOneOf", "atLeastOneOf", "requiredWith")
# The bridge gives this one output its own name.
RENAMED: Final = {"terraformLabels": "pulumiLabels"}
# Sets that the bridge turns into their one item.
SINGLE: Final = {"gcp:compute/backendService:BackendService": "healthChecks"}

Raw = Mapping[str, Any]


def snake(name: str) -> str:
    """The Terraform spelling of a camelCase name, as far as it follows from it."""
    letters: list[str] = []
    for letter in name:
        if letter.isupper():
            letters.append("_")
        letters.append(letter.lower())
    return "".join(letters)


def walk(properties: Raw, path: tuple[str, ...] = (), way: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Each property's path in Terraform's spelling (without indexes) and in Pulumi's."""
    for name, raw in properties.items():
        own = str(raw.get("terraform", snake(name)))
        here, there = (*path, own), (*way, RENAMED.get(name, name))
        yield ".".join(here), ".".join(there)
        if "properties" in raw:
            nested = cast("Raw", raw["properties"])
            yield from walk(nested, here, there)
            # A block that Pulumi names in the plural keeps its singular in Terraform's paths.
            if own.endswith("s"):
                yield from walk(nested, (*path, own.removesuffix("s")), there)


def translate(path: str, names: Mapping[str, str]) -> str | None:
    """A Terraform path (``spec.0.access_levels``) in Pulumi's spelling, or None when it names no property."""
    return names.get(".".join(part for part in path.split(".") if not part.isdigit()))


def compact(raw: Raw, names: Mapping[str, str]) -> dict[str, Any]:
    """One property in the form of the data file."""
    result: dict[str, Any] = {}
    if raw["type"] != "string":
        result["type"] = raw["type"]
    if "of" in raw and raw["of"] != "string":
        result["of"] = raw["of"]
    flags = "".join(letter for key, letter in FLAGS.items() if raw.get(key))
    if flags:
        result["is"] = flags
    for key in ("default", "enum", "minItems", "maxItems", "python"):
        if key in raw:
            result[key] = raw[key]
    if "terraform" in raw and raw["terraform"] != "terraform_labels":
        result["terraform"] = raw["terraform"]
    if "range" in raw:
        result["range"] = list(raw["range"])
    elif "min" in raw or "max" in raw:
        result["range"] = [raw.get("min"), raw.get("max")]
    for key in RELATIONS:
        paths = sorted(
            {path for item in cast("list[str]", raw.get(key, [])) if (path := translate(item, names))}
        )
        if paths:
            result[key] = paths
    if "properties" in raw:
        result["properties"] = compact_all(cast("Raw", raw["properties"]), names)
    return result


def compact_all(properties: Raw, names: Mapping[str, str]) -> dict[str, Any]:
    """A block of properties in the form of the data file."""
    return {RENAMED.get(name, name): compact(raw, names) for name, raw in properties.items()}


def compact_type(raw: Raw) -> dict[str, Any]:
    """One resource type in the form of the data file."""
    properties = cast("Raw", raw["properties"])
    names = dict(reversed(list(walk(properties))))
    result: dict[str, Any] = {"terraform": raw["terraform"], "properties": compact_all(properties, names)}
    if raw["timeoutMinutes"]:
        result["timeoutMinutes"] = raw["timeoutMinutes"]
    if not raw["updatable"]:
        result["updatable"] = False
    if raw["crossFieldChecks"]:
        result["crossFieldChecks"] = True
    return result


def dump(value: Any) -> str:
    """Minified, sorted JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def render(schema: Raw) -> str:
    """The whole data file: the header first, then one type a line, sorted."""
    lines = [f'"":{dump(HEADER)}']
    for token in sorted(schema):
        found = compact_type(schema[token])
        if token in SINGLE:
            found["properties"][SINGLE[token]]["maxItems"] = 1
        lines.append(f"{json.dumps(token)}:{dump(found)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Regenerate the data file; 2 on wrong use."""
    if len(arguments) not in {1, 2}:
        print("usage: python tools/provider_facts.py DUMP [OUTPUT]", file=sys.stderr)
        return 2
    default = Path(__file__).parent.parent / "facts" / "data" / "provider.json"
    output = Path(arguments[1]) if len(arguments) > 1 else default
    added = Path(__file__).with_name("provider_facts_added.json")
    schema = {
        **json.loads(added.read_text(encoding="utf-8")),
        **json.loads(Path(arguments[0]).read_text(encoding="utf-8")),
    }
    output.write_text(render(schema), encoding="utf-8")
    print(f"{output.name}: {len(schema)} types, {output.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
