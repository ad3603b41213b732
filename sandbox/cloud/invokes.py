"""Provider functions: what a program may ask of the cloud without declaring anything."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.cloud.data import Values, as_list, plain
from sandbox.cloud.lookups import SOURCE as _SOURCE
from sandbox.cloud.lookups import from_fixture, from_world, not_answered
from sandbox.cloud.scope import Scope
from sandbox.cloud.world import World
from sandbox.errors import CloudError

__all__ = ["invoke"]


class _Call:
    def __init__(self, world: World, args: Values, scope: Scope) -> None:
        self.world = world
        self.args = args
        self.scope = scope

    @property
    def project(self) -> str:
        project = self.args.get("project") or self.args.get("projectId") or self.scope.project
        if not project:
            raise CloudError(
                400,
                "INVALID_ARGUMENT",
                "`project` is not set and the provider has none; set `gcp:project` or pass the project.",
                behaviour="INV-001",
                source=_SOURCE,
            )
        return str(project)

    @property
    def number(self) -> str:
        return self.world.project_number(self.project)


def _project(call: _Call) -> Values:
    project = call.project
    return {
        "id": f"projects/{project}",
        "projectId": project,
        "name": project,
        "number": call.number,
        "autoCreateNetwork": True,
        "billingAccount": "",
        "deletionPolicy": "PREVENT",
        "effectiveLabels": {},
        "folderId": "",
        "labels": {},
        "orgId": "",
        "pulumiLabels": {},
        "tags": {},
    }


def _client_config(call: _Call) -> Values:
    scope = call.scope
    return {
        "id": f'projects/"{scope.project}"/regions/"{scope.region}"/zones/"{scope.zone}"/scopes/[]',
        "project": scope.project,
        "region": scope.region,
        "zone": scope.zone,
        "accessToken": "",
        "defaultLabels": {},
    }


def _storage_account(call: _Call) -> Values:
    email = f"service-{call.number}@gs-project-accounts.iam.gserviceaccount.com"
    call.world.facts.asked_agents.add(email)
    return {"id": email, "emailAddress": email, "member": f"serviceAccount:{email}", "project": call.project}


def _bigquery_account(call: _Call) -> Values:
    email = f"bq-{call.number}@bigquery-encryption.iam.gserviceaccount.com"
    call.world.facts.asked_agents.add(email)
    return {"id": email, "email": email, "member": f"serviceAccount:{email}", "project": call.project}


def _logging_cmek(call: _Call) -> Values:
    email = f"cmek-p{call.number}@gcp-sa-logging.iam.gserviceaccount.com"
    call.world.facts.asked_agents.add(email)
    return {
        "id": f"projects/{call.project}/cmekSettings",
        "name": f"projects/{call.project}/cmekSettings",
        "project": call.project,
        "kmsKeyName": call.args.get("kmsKeyName") or "",
        "kmsKeyVersionName": "",
        "serviceAccountId": email,
    }


def _key_ring(call: _Call) -> Values:
    location, name = str(call.args.get("location")), str(call.args.get("name"))
    id = f"projects/{call.project}/locations/{location}/keyRings/{name}"
    type = "gcp:kms/keyRing:KeyRing"
    if call.world.get(type, id) is None and call.world.leftover(type, id) is None:
        raise CloudError(
            404,
            "NOT_FOUND",
            f"key ring {id} does not exist; create it or correct its name and location.",
            behaviour="INV-002",
            source=_SOURCE,
        )
    return {"id": id, "name": name, "location": location, "project": call.project}


def _key_rings(call: _Call) -> Values:
    location = str(call.args.get("location"))
    prefix = f"projects/{call.project}/locations/{location}/keyRings/"
    found = [
        {"id": record.id, "name": record.id.removeprefix(prefix)}
        for record in call.world.find("gcp:kms/keyRing:KeyRing")
        if record.id.startswith(prefix)
    ]
    return {"id": prefix.rstrip("/"), "location": location, "project": call.project, "keyRings": found}


def _key_version(call: _Call) -> Values:
    key, version = str(call.args.get("cryptoKey") or ""), int(call.args.get("version") or 1)
    found = call.world.get("gcp:kms/cryptoKey:CryptoKey", key)
    if found is None:
        raise CloudError(
            404,
            "NOT_FOUND",
            f"`cryptoKey` {key} does not exist; create it first.",
            behaviour="INV-002",
            source=_SOURCE,
        )
    template = as_list(plain(found.inputs.get("versionTemplate"))) or [{}]
    algorithm, name = str(template[0].get("algorithm") or ""), f"{key}/cryptoKeyVersions/{version}"
    # Not a key: what stands between the lines tells one version from another, and signs nothing.
    body = base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"
    signs = found.inputs.get("purpose") in {"ASYMMETRIC_SIGN", "ASYMMETRIC_DECRYPT"}
    return {
        "id": f"//cloudkms.googleapis.com/v1/{name}",
        "name": name,
        "cryptoKey": key,
        "version": version,
        "algorithm": algorithm,
        "protectionLevel": str(template[0].get("protectionLevel") or "SOFTWARE"),
        "state": "ENABLED",
        "publicKeys": [{"algorithm": algorithm, "pem": pem}] if signs else [],
    }


def _zones(call: _Call) -> Values:
    region = str(call.args.get("region") or call.scope.region or "europe-west1")
    letters = "bcd" if region in {"europe-west1", "us-east1"} else "abc"
    return {
        "id": f"projects/{call.project}/regions/{region}",
        "names": [f"{region}-{letter}" for letter in letters],
        "project": call.project,
        "region": region,
    }


def _iam_policy(call: _Call) -> Values:
    bindings = [
        {"members": sorted(item.get("members", [])), "role": item.get("role")}
        for item in as_list(call.args.get("bindings")) or []
    ]
    return {
        "id": "policy",
        "policyData": json.dumps({"bindings": bindings}, sort_keys=True),
        "bindings": call.args.get("bindings") or [],
    }


def _ip_ranges(call: _Call) -> Values:
    del call
    health = ["35.191.0.0/16", "130.211.0.0/22"]
    return {
        "id": "netblock-ip-ranges",
        "cidrBlocks": health,
        "cidrBlocksIpv4s": health,
        "cidrBlocksIpv6s": [],
    }


_FUNCTIONS: Final[dict[str, Callable[[_Call], Values]]] = {
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": _bigquery_account,
    "gcp:compute/getNetblockIPRanges:getNetblockIPRanges": _ip_ranges,
    "gcp:compute/getZones:getZones": _zones,
    "gcp:kms/getKMSCryptoKeyVersion:getKMSCryptoKeyVersion": _key_version,
    "gcp:kms/getKMSKeyRing:getKMSKeyRing": _key_ring,
    "gcp:kms/getKeyRings:getKeyRings": _key_rings,
    "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": _logging_cmek,
    "gcp:organizations/getClientConfig:getClientConfig": _client_config,
    "gcp:organizations/getIAMPolicy:getIAMPolicy": _iam_policy,
    "gcp:organizations/getProject:getProject": _project,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": _storage_account,
}


def invoke(
    world: World,
    token: str,
    args: Mapping[str, Any],
    provider: Mapping[str, Any],
    read: Callable[[str, str], Any],
) -> Values:
    """The answer of a provider function: a fixture's, this module's, or what exists in the world."""
    arguments, scope = plain(dict(args)), Scope.of(provider)
    answer = from_fixture(world.facts.lookups, token, arguments)
    if answer is not None:
        return answer
    function = _FUNCTIONS.get(token)
    if function is not None:
        return function(_Call(world, arguments, scope))
    found = from_world(world, token, args, scope, read)
    if found is None:
        raise not_answered(token, args)
    return found
