"""The part of the page that the program says: what an image gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, cast

from review.contract.demands import Demands
from review.contract.messages import Message
from review.contract.page_pieces import ABSENT, bullets, code, days, merged, section, stacks, table
from review.contract.program import Given
from review.contract.wiring import QueueOf
from review.contract.workloads import Workload

__all__ = [
    "KINDS",
    "buckets_part",
    "mounts_part",
    "probes_part",
    "queues_part",
    "secrets_part",
    "variables_part",
    "workloads_part",
]

KINDS: Final = {"service": "service", "worker_pool": "worker pool", "job": "job"}
_VERSIONS: Final = {
    "release": "the number in the release of the stack file",
    "platform": "the version that the platform wrote last, as a number",
    "latest": "the newest",
}
_TITLES: Final = {
    "secret": "file of a secret",
    "database_sockets": "sockets of the database's instances",
    "other": "folder",
}


def _named(environments: Sequence[Given]) -> dict[str, list[tuple[str, Workload]]]:
    """Workload name to each of its instances, with the environment."""
    found: dict[str, list[tuple[str, Workload]]] = {}
    for one in environments:
        for workload in one.workloads:
            found.setdefault(workload.name, []).append((one.stack, workload))
    return found


def workloads_part(environments: Sequence[Given]) -> Iterator[str]:
    yield from section("What runs the images")
    rows = [
        (
            f"`{workload.name}`",
            stack,
            KINDS[workload.kind],
            f"`{workload.image}`",
            workload.region,
            f"{workload.cpu} CPU, {workload.memory}",
            _span(workload),
            _when(workload),
            f"`{workload.account.split('@')[0]}`",
        )
        for stack, workload in (item for items in _named(environments).values() for item in items)
    ]
    heads = ("workload", "environment", "kind", "image", "region", "size", "instances", "time", "account")
    yield from table(heads, rows)
    yield from bullets(
        (
            "An image is taken by digest from the environment's repository, and runs as this account.",
            "Instances of worker pools are the platform's to change, from 0.",
            "Everything goes out through the network; what leaves it comes from the egress addresses.",
        )
    )
    commands = [
        (f"`{name}`", code((*items[0][1].command, *items[0][1].arguments)))
        for name, items in _named(environments).items()
        if items[0][1].command or items[0][1].arguments
    ]
    if commands:
        yield from table(("workload", "command"), commands)
    labels: dict[str, list[tuple[str, str]]] = {}
    for name, items in _named(environments).items():
        for stack, workload in items:
            for label, value in workload.labels.items():
                labels.setdefault(label, []).append((f"{name} in {stack}", value))
    yield "Labels of every workload, by which its logs and metrics are found:"
    yield ""
    yield from table(
        ("label", "values"),
        [(f"`{label}`", code(dict.fromkeys(v for _, v in values))) for label, values in labels.items()],
    )


def _span(workload: Workload) -> str:
    if workload.kind == "job":
        return f"{workload.tasks} task, {workload.maximum_retries} retries"
    if workload.maximum_instances is None:
        return "scaled by the platform"
    return (
        f"{workload.minimum_instances} to {workload.maximum_instances}, {workload.concurrency} requests each"
    )


def _when(workload: Workload) -> str:
    return ABSENT if workload.timeout_seconds is None else f"{workload.timeout_seconds} s"


def variables_part(demands: Demands, environments: Sequence[Given]) -> Iterator[str]:
    yield from section("Environment variables")
    for name, items in _named(environments).items():
        yield from (f"### `{name}`", "")
        names = sorted({variable.name for _, workload in items for variable in workload.environment})
        rows = [
            (
                f"`{variable}`",
                _meaning(demands, variable, items),
                *(_value(stack, variable, items) for stack in stacks(environments)),
            )
            for variable in names
        ]
        yield from table(("variable", "what it is", *stacks(environments)), rows)


def _meaning(demands: Demands, name: str, items: Sequence[tuple[str, Workload]]) -> str:
    says = next((one.says for pattern, one in demands.variables.items() if fnmatchcase(name, pattern)), "")
    known = {one.known for _, workload in items for one in workload.environment if one.name == name}
    return f"{says} (after deployment)" if "deployed" in known else says


def _value(stack: str, name: str, items: Sequence[tuple[str, Workload]]) -> str:
    found = [
        (workload.region, f"`{one.value}`")
        for where, workload in items
        if where == stack
        for one in workload.environment
        if one.name == name
    ]
    return merged(found) if found else ABSENT


def secrets_part(environments: Sequence[Given]) -> Iterator[str]:
    yield from section("Secrets in variables")
    found = {
        (one.name, one.secret, one.version, name)
        for name, items in _named(environments).items()
        for _, workload in items
        for one in workload.secrets
    }
    keys = sorted({(name, secret, version) for name, secret, version, _ in found})
    rows = [
        (
            f"`{key[0]}`",
            f"`{key[1]}`",
            _VERSIONS[key[2]],
            code(sorted(one[3] for one in found if one[:3] == key)),
        )
        for key in keys
    ]
    yield from table(("variable", "secret", "version", "workloads"), rows)
    yield from bullets(
        (
            "An instance gets its versions when it starts; a rotation reaches it by a new revision.",
            "The version before stays valid until no revision reads it.",
        )
    )


def mounts_part(environments: Sequence[Given]) -> Iterator[str]:
    yield from section("Mounts")
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for name, items in _named(environments).items():
        for _, workload in items:
            for one in workload.mounts:
                what = f"{_TITLES[one.kind]} `{one.secret}`" if one.secret else _TITLES[one.kind]
                files = (
                    code(one.files) if one.kind == "secret" else "one for each instance that a variable names"
                )
                version = _VERSIONS[one.version] if one.version else ""
                found.setdefault((one.path, what, files, version), []).append(name)
    rows = [
        (f"`{path}`", what, files, version, code(dict.fromkeys(names)))
        for (path, what, files, version), names in sorted(found.items())
    ]
    yield from table(("path", "what", "files", "version", "workloads"), rows)


def probes_part(environments: Sequence[Given]) -> Iterator[str]:
    yield from section("Ports and probes")
    found: dict[tuple[object, ...], list[str]] = {}
    for name, items in _named(environments).items():
        for _, workload in items:
            for one in workload.probes:
                key = (one.kind, one.path, one.port, one.period_seconds, one.timeout_seconds, one.failures)
                found.setdefault(key, []).append(name)
    rows = [
        (code(dict.fromkeys(names)), kind, f"GET `{path}`", port, f"{period} s", f"{timeout} s", failures)
        for (kind, path, port, period, timeout, failures), names in found.items()
    ]
    heads = ("workload", "probe", "asks", "port", "every", "answer within", "failures until it counts")
    yield from table(heads, rows)
    outside = [
        (
            one.stack,
            f"`https://{check.host}{check.path}`",
            code(f"{k} = {v}" for k, v in check.body.items()),
            f"{check.timeout_seconds} s",
        )
        for one in environments
        for check in one.uptime
    ]
    yield from table(("environment", "asked from outside", "body", "answer within"), outside)


def queues_part(
    demands: Demands, messages: Mapping[str, Message], environments: Sequence[Given]
) -> Iterator[str]:
    yield from section("Topics and messages", *demands.message_rules)
    found = {
        (stack, queue.purpose): queue for one in environments for stack in [one.stack] for queue in one.queues
    }
    for purpose in sorted({purpose for _, purpose in found}):
        here = [(stack, found[stack, purpose]) for stack in stacks(environments) if (stack, purpose) in found]
        message = messages[demands.queues[purpose].message]
        yield from (
            f"### `{purpose}`: {message.schema['title']}, version {message.version}",
            "",
            str(message.schema["description"]),
            "",
        )
        facts = [(stack, _queue(one)) for stack, one in here]
        yield from table(
            ("what", "value"),
            [(what, merged([(stack, values[what]) for stack, values in facts])) for what in facts[0][1]],
        )
        yield from _fields(message)


def _queue(one: QueueOf) -> dict[str, str]:
    waits = f"{one.minimum_backoff_seconds} to {one.maximum_backoff_seconds} s apart"
    return {
        "topic": f"`{one.topic}`",
        "published by": code(one.publishers),
        "subscription": f"`{one.subscription}`",
        "pulled by": code(one.consumers),
        "first lease": f"{one.ack_deadline_seconds} s",
        "attempts": f"{one.attempts}, {waits}",
        "kept": days(one.kept_seconds),
        "dead letters": f"`{one.dead_letter_subscription}`, kept {days(one.dead_letters_kept_seconds)}",
    }


def _fields(message: Message) -> Iterator[str]:
    required = message.schema["required"]
    fields = cast("Mapping[str, Mapping[str, Any] | bool]", message.schema["properties"])
    rows = [
        (f"`{name}`", "yes" if name in required else "no", _form(field), field.get("description", ""))
        for name, field in fields.items()
        # False: a field that must not be there.
        if not isinstance(field, bool)
    ]
    yield from table(("field", "always", "form", "what"), rows)


def _form(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return code(field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    bounds = [
        f"{key} {field[key]}" for key in ("minLength", "maxLength", "minimum", "maximum") if key in field
    ]
    return ", ".join([str(field["type"]), *bounds])


def buckets_part(demands: Demands, environments: Sequence[Given]) -> Iterator[str]:
    yield from section("Buckets")
    rows = [
        (
            one.purpose,
            given.stack,
            f"`{one.name}`",
            one.location,
            one.data_class,
            "; ".join(
                f"{account} {', '.join(role.removeprefix('roles/storage.') for role in roles)}"
                for account, roles in one.roles.items()
            ),
            "never" if one.deleted_after_days is None else f"after {one.deleted_after_days} days",
            code(one.cors_origins),
        )
        for given in environments
        for one in given.buckets
    ]
    heads = ("bucket", "environment", "name", "place", "data class", "roles", "deleted", "origins of uploads")
    yield from table(heads, sorted(rows))
    methods = ", ".join(demands.uploads.cors_methods)
    yield from bullets(
        (f"Origins may {methods}, and keep the answer {demands.uploads.cors_max_age_seconds} s.",)
    )
