"""The JSON of ``pulumi stack export``: deployment version 3 and 4, resources as ``apitype.ResourceV3``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from sandbox.errors import UsageError
from sandbox.model import PendingOperation, ResourceState, Snapshot
from sandbox.protobuf import SECRET_SIGNATURE, SIGNATURE_KEY
from sandbox.state.secrets import PassphraseCrypter
from sandbox.values import UNKNOWN, UNKNOWN_SENTINEL, Archive, Asset, Opaque, ResourceReference, Secret

__all__ = ["read_export", "resources_from_json", "snapshot_from_json", "snapshot_to_json"]

ENGINE_VERSION: Final = "v3.272.0-sandbox"
_ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"

# Field of the file -> attribute of ResourceState; the value is written as it is and left out when empty.
_PLAIN: Final = {
    "parent": "parent",
    "protect": "protect",
    "external": "external",
    "dependencies": "dependencies",
    "initErrors": "init_errors",
    "provider": "provider",
    "propertyDependencies": "property_dependencies",
    "pendingReplacement": "pending_replacement",
    "additionalSecretOutputs": "additional_secret_outputs",
    "aliases": "aliases",
    "customTimeouts": "custom_timeouts",
    "importID": "import_id",
    "retainOnDelete": "retain_on_delete",
    "deletedWith": "deleted_with",
    "replaceWith": "replace_with",
    "created": "created",
    "modified": "modified",
    "sourcePosition": "source_position",
    "ignoreChanges": "ignore_changes",
    "replaceOnChanges": "replace_on_changes",
}
# What the file holds under a field; text where nothing is said.
_SHAPES: Final[dict[str, type]] = {
    **dict.fromkeys(("protect", "external", "pending_replacement", "retain_on_delete"), bool),
    **dict.fromkeys(("inputs", "outputs", "property_dependencies", "custom_timeouts"), dict),
    **dict.fromkeys(
        (
            "dependencies",
            "init_errors",
            "additional_secret_outputs",
            "aliases",
            "replace_with",
            "ignore_changes",
            "replace_on_changes",
        ),
        list,
    ),
}
_KNOWN: Final = frozenset(
    {*_PLAIN, "urn", "type", "custom", "id", "delete", "inputs", "outputs", "replacementTrigger"}
)


class _Encoder:
    def __init__(self, crypter: PassphraseCrypter) -> None:
        self._crypter = crypter
        self.secrets = 0

    def value(self, value: Any) -> Any:
        if isinstance(value, Secret):
            self.secrets += 1
            inner = value.value
            if isinstance(inner, Opaque):
                return {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": inner.ciphertext}
            text = json.dumps(self.value(inner), separators=(",", ":"))
            return {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": self._crypter.encrypt(text)}
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in cast("Mapping[str, Any]", value).items()}
        if isinstance(value, list):
            return [self.value(item) for item in cast("list[Any]", value)]
        if value is UNKNOWN:
            return UNKNOWN_SENTINEL
        if isinstance(value, ResourceReference):
            reference = {SIGNATURE_KEY: _REFERENCE, "urn": value.urn, "packageVersion": value.package_version}
            return reference if value.id is None else {**reference, "id": self.value(value.id)}
        if isinstance(value, Asset):
            return {
                SIGNATURE_KEY: _ASSET,
                "hash": value.hash,
                **_some(path=value.path, uri=value.uri, text=value.text),
            }
        if isinstance(value, Archive):
            members = {"assets": self.value(value.assets)} if value.assets else {}
            return {
                SIGNATURE_KEY: _ARCHIVE,
                "hash": value.hash,
                **_some(path=value.path, uri=value.uri),
                **members,
            }
        return value


def _some(**parts: str) -> dict[str, str]:
    return {key: part for key, part in parts.items() if part}


def snapshot_to_json(snapshot: Snapshot, crypter: PassphraseCrypter) -> dict[str, Any]:
    """The document of ``pulumi stack export`` for ``snapshot``; secrets under ``crypter``."""
    encoder = _Encoder(crypter)
    resources = [_resource_to_json(resource, encoder) for resource in snapshot.resources]
    pending = [
        {"resource": _resource_to_json(item.resource, encoder), "type": item.type}
        for item in snapshot.pending_operations
    ]
    deployment: dict[str, Any] = {
        "manifest": {
            "time": datetime.now(UTC).isoformat(),
            "magic": hashlib.sha256(ENGINE_VERSION.encode()).hexdigest(),
            "version": ENGINE_VERSION,
        },
        "secrets_providers": {"type": "passphrase", "state": crypter.state if encoder.secrets else {}},
        "resources": resources,
        "metadata": snapshot.metadata,
    }
    if not encoder.secrets:
        del deployment["secrets_providers"]
    if snapshot.pending_operations:
        deployment["pending_operations"] = pending
    return {"version": 3, "deployment": deployment}


def _resource_to_json(resource: ResourceState, encoder: _Encoder) -> dict[str, Any]:
    record: dict[str, Any] = {"urn": resource.urn, "custom": resource.custom}
    if resource.delete:
        record["delete"] = True
    if resource.id:
        record["id"] = resource.id
    record["type"] = resource.type
    for key, values in (("inputs", resource.inputs), ("outputs", resource.outputs)):
        if values:
            record[key] = encoder.value(values)
    for key, attribute in _PLAIN.items():
        value = getattr(resource, attribute)
        if value:
            record[key] = value
    if resource.replacement_trigger is not None:
        record["replacementTrigger"] = encoder.value(resource.replacement_trigger)
    return {**record, **resource.extra}


class _Decoder:
    def __init__(self, crypter: PassphraseCrypter | None) -> None:
        self._crypter = crypter

    def value(self, value: Any) -> Any:
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            signature = members.get(SIGNATURE_KEY)
            if signature is not None:
                return self._special(signature, members)
            return {key: self.value(item) for key, item in members.items()}
        if isinstance(value, list):
            return [self.value(item) for item in cast("list[Any]", value)]
        if value == UNKNOWN_SENTINEL:
            return UNKNOWN
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    def _special(self, signature: Any, members: dict[str, Any]) -> Any:
        text = {key: item if isinstance(item, str) else "" for key, item in members.items()}
        if signature == SECRET_SIGNATURE:
            if "plaintext" in members:
                return Secret(self.value(json.loads(text["plaintext"])))
            plain = self._crypter.decrypt(text["ciphertext"]) if self._crypter else None
            return Secret(Opaque(text["ciphertext"]) if plain is None else self.value(json.loads(plain)))
        if signature == _REFERENCE:
            return ResourceReference(
                text["urn"], self.value(members.get("id")), text.get("packageVersion", "")
            )
        if signature == _ASSET:
            return Asset(
                text.get("hash", ""), text.get("path", ""), text.get("text", ""), text.get("uri", "")
            )
        if signature == _ARCHIVE:
            assets = self.value(members.get("assets") or {})
            return Archive(text.get("hash", ""), text.get("path", ""), text.get("uri", ""), assets)
        raise UsageError(
            f"the state holds an object of an unknown kind ({signature}): export it with a current CLI"
        )


def snapshot_from_json(document: Any, where: str, crypter: PassphraseCrypter | None) -> Snapshot:
    """The snapshot of an exported document.

    ``where`` names the document in messages. Secrets that ``crypter``'s passphrase does not open stay opaque.
    Raises UsageError when the document is not a stack export.
    """
    if not isinstance(document, dict):
        raise UsageError(
            f"{where} must hold a JSON object as `pulumi stack export` writes it: export the stack again"
        )
    members = cast("dict[str, Any]", document)
    if "checkpoint" in members:
        raise UsageError(
            f"{where} is a checkpoint of a file backend, not an export: use `pulumi stack export`"
        )
    version, deployment = members.get("version"), members.get("deployment")
    if version not in (3, 4) or not isinstance(deployment, dict):
        raise UsageError(
            f"{where} must be a stack export of version 3 or 4, got version {version!r}: "
            "use `pulumi stack export`"
        )
    body = cast("dict[str, Any]", deployment)
    decoder = _Decoder(_crypter_for(body.get("secrets_providers"), crypter))
    records: Any = body.get("resources") or []
    if not isinstance(records, list):
        raise UsageError(f"{where}: deployment.resources must be a list: export the stack again")
    resources = [_resource_from_json(record, where, decoder) for record in cast("list[Any]", records)]
    _check_references(resources, where)
    return Snapshot(
        resources=resources,
        pending_operations=[
            PendingOperation(_resource_from_json(item.get("resource"), where, decoder), str(item.get("type")))
            for item in cast("list[dict[str, Any]]", body.get("pending_operations") or [])
        ],
        metadata=dict(body.get("metadata") or {}),
    )


def resources_from_json(
    records: list[Any], where: str, provider: Any, crypter: PassphraseCrypter
) -> list[ResourceState]:
    """Single resources of a document whose ``secrets_providers`` is ``provider``."""
    decoder = _Decoder(_crypter_for(provider, crypter))
    return [_resource_from_json(record, where, decoder) for record in records]


def _crypter_for(provider: Any, crypter: PassphraseCrypter | None) -> PassphraseCrypter | None:
    members = cast("dict[str, Any]", provider) if isinstance(provider, dict) else {}
    state = members.get("state")
    if crypter is None or members.get("type") != "passphrase" or not isinstance(state, dict):
        return None
    return crypter.same_passphrase(cast("dict[str, Any]", state))


def _resource_from_json(record: Any, where: str, decoder: _Decoder) -> ResourceState:
    fields = cast("dict[str, Any]", record) if isinstance(record, dict) else {}
    urn, type_ = fields.get("urn"), fields.get("type")
    if not isinstance(urn, str) or urn.count("::") < 3 or not isinstance(type_, str):
        raise UsageError(f"{where}: a resource has no urn or type ({urn!r}): export the stack again")
    plain = {attribute: fields[key] for key, attribute in _PLAIN.items() if fields.get(key) is not None}
    for key, attribute in {**_PLAIN, "inputs": "inputs", "outputs": "outputs"}.items():
        expected = _SHAPES.get(attribute, str)
        if fields.get(key) is not None and not isinstance(fields[key], expected):
            raise UsageError(
                f"{where}: {key} of resource {urn} must be a {expected.__name__}, got {fields[key]!r:.60}: "
                "export the stack again"
            )
    return ResourceState(
        urn=urn,
        type=type_,
        custom=bool(fields.get("custom")),
        id=str(fields.get("id", "")),
        delete=bool(fields.get("delete")),
        inputs=decoder.value(fields.get("inputs") or {}),
        outputs=decoder.value(fields.get("outputs") or {}),
        replacement_trigger=decoder.value(fields.get("replacementTrigger")),
        extra={key: value for key, value in fields.items() if key not in _KNOWN},
        **plain,
    )


def _check_references(resources: list[ResourceState], where: str) -> None:
    seen: set[str] = set()
    for resource in resources:
        named = [*resource.dependencies, *([resource.parent] if resource.parent else [])]
        if resource.provider:
            named.append(resource.provider.rsplit("::", 1)[0])
        for urn in named:
            if urn not in seen:
                raise UsageError(
                    f"{where}: resource {resource.urn} refers to {urn}, which does not come before it: "
                    "repair the state with `pulumi state repair`"
                )
        seen.add(resource.urn)


def read_export(
    path: Path, *, project: str, stack: str, crypter: PassphraseCrypter | None = None
) -> Snapshot:
    """The snapshot in a file of ``pulumi stack export``; it must be of this project and stack."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"state file {path} does not exist: give the path of a `pulumi stack export`"
        ) from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(
            f"state file {path} is not readable JSON ({_reason(error)}): "
            "export the stack again or restore a copy"
        ) from error
    snapshot = snapshot_from_json(document, f"state file {path}", crypter)
    for resource in snapshot.resources:
        _, _, owner, owner_project, *_rest = [*resource.urn.replace("::", ":").split(":"), "", "", "", ""]
        if (owner, owner_project) != (stack, project):
            raise UsageError(
                f"state file {path} belongs to stack {owner} of project {owner_project}, "
                f"not to stack {stack} of project {project}: give the export of that stack"
            )
    return snapshot


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}: {error.msg}"
    return getattr(error, "strerror", None) or type(error).__name__
