"""The random provider: values made once and kept until an input changes.

Every input replaces the resource. The values are derived from the URN and the inputs, so that a run can be
repeated: nothing made here protects anything.
"""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.cloud.check import unknown_name
from sandbox.cloud.data import DEFAULTS, Values, as_list, bare, plain
from sandbox.cloud.diff import diff_inputs
from sandbox.cloud.results import CheckFailure, DiffResult
from sandbox.cloud.seeds import Seeds
from sandbox.values import UNKNOWN, Secret

__all__ = ["RANDOM_TYPES", "check", "create", "diff"]

_KINDS: Final[dict[str, tuple[type[Any], ...]]] = {
    "text": (str,),
    "whole number": (int,),
    "truth value": (bool,),
    "map": (dict,),
    "list": (list,),
}
_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
_ADJECTIVES: Final = (
    "able",
    "brave",
    "calm",
    "clever",
    "eager",
    "fair",
    "gentle",
    "happy",
    "kind",
    "lively",
    "loyal",
    "merry",
    "modest",
    "noble",
)
_ADVERBS: Final = (
    "barely",
    "boldly",
    "calmly",
    "deeply",
    "duly",
    "easily",
    "fully",
    "gladly",
    "greatly",
    "highly",
    "nearly",
    "quietly",
)
_ANIMALS: Final = (
    "badger",
    "bat",
    "bear",
    "bee",
    "bison",
    "crane",
    "deer",
    "dove",
    "eagle",
    "elk",
    "falcon",
    "finch",
    "fox",
    "gull",
)


@dataclass(frozen=True, slots=True)
class _Type:
    inputs: Mapping[str, str]
    required: tuple[str, ...]
    make: Callable[[Values, Seeds], tuple[str, Values]]
    secret: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])


def _characters(values: Values, seeds: Seeds) -> str:
    """Letters within the classes wanted and with the minimum of each."""
    classes = {
        "lower": string.ascii_lowercase,
        "upper": string.ascii_uppercase,
        "numeric": string.digits,
        "special": str(values.get("overrideSpecial") or _SPECIAL),
    }
    allowed = {name: letters for name, letters in classes.items() if values.get(name, True)}
    length = int(values["length"])
    text = ""
    for name, letters in classes.items():
        text += seeds.pick(f"min {name}", letters, int(values.get(f"min{name.capitalize()}") or 0))
    text += seeds.pick("rest", "".join(allowed.values()) or classes["lower"], length - len(text))
    order = sorted(range(length), key=lambda index: seeds.hex(f"place {index}", 16))
    return "".join(text[index] for index in order)


def _password(values: Values, seeds: Seeds) -> tuple[str, Values]:
    bcrypt = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    result = _characters(values, seeds)
    return "none", {"result": result, "bcryptHash": f"$2a$10${seeds.pick('bcrypt', bcrypt, 53)}"}


def _string(values: Values, seeds: Seeds) -> tuple[str, Values]:
    result = _characters(values, seeds)
    return result, {"result": result}


def _id(values: Values, seeds: Seeds) -> tuple[str, Values]:
    count = int(values["byteLength"])
    data = bytes.fromhex(seeds.hex("bytes", 2 * count))
    prefix = str(values.get("prefix") or "")
    url = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return url, {
        "b64Std": prefix + base64.b64encode(data).decode(),
        "b64Url": prefix + url,
        "dec": prefix + str(int.from_bytes(data, "big")),
        "hex": prefix + data.hex(),
    }


def _bytes(values: Values, seeds: Seeds) -> tuple[str, Values]:
    data = bytes.fromhex(seeds.hex("bytes", 2 * int(values["length"])))
    return "none", {"base64": base64.b64encode(data).decode(), "hex": data.hex()}


def _pet(values: Values, seeds: Seeds) -> tuple[str, Values]:
    length = int(values.get("length") or 2)
    words = [_ANIMALS[seeds.below("animal", len(_ANIMALS))]]
    if length > 1:
        words.insert(0, _ADJECTIVES[seeds.below("adjective", len(_ADJECTIVES))])
    for index in range(length - 2):
        words.insert(0, _ADVERBS[seeds.below(f"adverb {index}", len(_ADVERBS))])
    if values.get("prefix"):
        words.insert(0, str(values["prefix"]))
    return str(values.get("separator") or "-").join(words), {}


def _uuid(values: Values, seeds: Seeds) -> tuple[str, Values]:
    del values
    result = seeds.uuid("uuid")
    return result, {"result": result}


def _integer(values: Values, seeds: Seeds) -> tuple[str, Values]:
    low, high = int(values["min"]), int(values["max"])
    result = low + seeds.below("integer", high - low + 1)
    return str(result), {"result": result}


def _shuffle(values: Values, seeds: Seeds) -> tuple[str, Values]:
    items = list(as_list(values["inputs"]) or [])
    order = sorted(range(len(items)), key=lambda index: seeds.hex(f"place {index}", 16))
    wanted = int(values.get("resultCount") or len(items))
    return "-", {"results": [items[order[index % len(order)]] for index in range(wanted)] if order else []}


_KEEPERS: Final = {"keepers": "map"}
_CHARACTERS: Final = {
    **_KEEPERS,
    "length": "whole number",
    "lower": "truth value",
    "upper": "truth value",
    "numeric": "truth value",
    "number": "truth value",
    "special": "truth value",
    "minLower": "whole number",
    "minUpper": "whole number",
    "minNumeric": "whole number",
    "minSpecial": "whole number",
    "overrideSpecial": "text",
}
_LENGTH: Final = {"length": (1, 10**6)}

RANDOM_TYPES: Final[dict[str, _Type]] = {
    "random:index/randomPassword:RandomPassword": _Type(
        _CHARACTERS, ("length",), _password, ("result", "bcryptHash"), ("result", "bcryptHash"), _LENGTH
    ),
    "random:index/randomString:RandomString": _Type(
        _CHARACTERS, ("length",), _string, (), ("result",), _LENGTH
    ),
    "random:index/randomId:RandomId": _Type(
        {**_KEEPERS, "byteLength": "whole number", "prefix": "text"},
        ("byteLength",),
        _id,
        (),
        ("b64Std", "b64Url", "dec", "hex"),
        {"byteLength": (1, 10**6)},
    ),
    "random:index/randomBytes:RandomBytes": _Type(
        {**_KEEPERS, "length": "whole number"},
        ("length",),
        _bytes,
        ("base64", "hex"),
        ("base64", "hex"),
        _LENGTH,
    ),
    "random:index/randomPet:RandomPet": _Type(
        {**_KEEPERS, "length": "whole number", "prefix": "text", "separator": "text"},
        (),
        _pet,
        limits={"length": (1, 100)},
    ),
    "random:index/randomUuid:RandomUuid": _Type(dict(_KEEPERS), (), _uuid, (), ("result",)),
    "random:index/randomInteger:RandomInteger": _Type(
        {**_KEEPERS, "min": "whole number", "max": "whole number", "seed": "text"},
        ("min", "max"),
        _integer,
        (),
        ("result",),
    ),
    "random:index/randomShuffle:RandomShuffle": _Type(
        {**_KEEPERS, "inputs": "list", "resultCount": "whole number", "seed": "text"},
        ("inputs",),
        _shuffle,
        (),
        ("results",),
    ),
}


def check(type: str, news: Mapping[str, Any]) -> list[CheckFailure]:
    """What the provider refuses in these inputs."""
    rules = RANDOM_TYPES[type]
    failures: list[CheckFailure] = []
    for name, value in news.items():
        found = bare(value)
        if name == DEFAULTS or found is None or found is UNKNOWN:
            continue
        kind = rules.inputs.get(name)
        if kind is None:
            failures.append(unknown_name(name, "", rules.inputs))
        elif not isinstance(found, _KINDS[kind]) or (kind == "whole number" and isinstance(found, bool)):
            failures.append(CheckFailure(name, f"`{name}` must be a {kind}, not {found!r}."))
        elif name in rules.limits and not rules.limits[name][0] <= found <= rules.limits[name][1]:
            low, high = rules.limits[name]
            failures.append(CheckFailure(name, f"`{name}` must be from {low} to {high}, not {found}."))
    failures.extend(
        CheckFailure(name, f"`{name}` is required and missing; set it.")
        for name in rules.required
        if bare(news.get(name)) is None
    )
    return failures or _consistent(plain(dict(news)))


def _consistent(values: Values) -> list[CheckFailure]:
    minimums = [values.get(f"min{name}") for name in ("Lower", "Upper", "Numeric", "Special")]
    numbers = [item for item in minimums if isinstance(item, int)]
    length = values.get("length")
    if isinstance(length, int) and sum(numbers) > length:
        need = sum(numbers)
        return [
            CheckFailure("length", f"`length` must be at least {need} to hold the minimums, not {length}.")
        ]
    low, high = values.get("min"), values.get("max")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        return [CheckFailure("min", f"`min` must not be above `max` ({high}), not {low}.")]
    return []


def diff(type: str, old_inputs: Mapping[str, Any], news: Mapping[str, Any], ignored: list[str]) -> DiffResult:
    """Every difference replaces."""
    found = diff_inputs(type, None, old_inputs, {}, news, ignored)
    return DiffResult(
        detailed={path: kind.as_replace() for path, kind in found.detailed.items()},
        replaces=tuple(found.detailed),
        not_compared=found.not_compared,
    )


def create(
    type: str, urn: str, inputs: Mapping[str, Any], *, preview: bool, turn: int = 0
) -> tuple[str, Values]:
    """The id and outputs; in a preview both are still unknown.

    A run can be repeated, yet what is made after a destruction differs from before: ``turn`` tells them
    apart.
    """
    rules = RANDOM_TYPES[type]
    outputs: Values = {name: value for name, value in inputs.items() if name != DEFAULTS}
    if preview:
        outputs.update(dict.fromkeys(rules.computed, UNKNOWN))
        id = ""
    else:
        values = plain(dict(inputs))
        shape = json.dumps(values, sort_keys=True, default=repr)
        id, made = rules.make(values, Seeds(type, urn, shape, *([str(turn)] if turn else [])))
        outputs.update(made)
        outputs["id"] = id
    for name in rules.secret:
        if name in outputs:
            outputs[name] = Secret(outputs[name])
    return id, outputs
