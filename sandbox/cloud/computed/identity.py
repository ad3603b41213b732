"""Projects, service accounts, service agents, keys, policies."""

from __future__ import annotations

import base64
import json

from facts.google.service_agents import agent_email
from sandbox.cloud.computed.making import Making, computes
from sandbox.cloud.data import Values


@computes("gcp:serviceaccount/account:Account")
def _account(making: Making) -> Values:
    email = f"{making.get('accountId')}@{making.project}.iam.gserviceaccount.com"
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/{making.project}/serviceAccounts/{email}",
        "uniqueId": making.seeds.digits("uniqueId", 21),
        "disabled": bool(making.get("disabled")),
    }


@computes("gcp:serviceaccount/key:Key")
def _key(making: Making) -> Values:
    email = str(making.get("serviceAccountId")).rsplit("/", 1)[-1]
    document = {
        "type": "service_account",
        "project_id": making.project,
        "private_key_id": making.id.rsplit("/", 1)[-1],
        "private_key": "stand-in key",
        "client_email": email,
    }
    return {
        "name": making.id,
        "privateKey": base64.b64encode(json.dumps(document).encode()).decode(),
        "publicKey": making.seeds.base64("publicKey", 64),
        "validAfter": making.seeds.time(),
        "validBefore": "9999-12-31T23:59:59Z",
    }


@computes("gcp:projects/serviceIdentity:ServiceIdentity")
def _service_identity(making: Making) -> Values:
    email = agent_email(str(making.get("service")), making.number)
    return {} if email is None else {"email": email, "member": f"serviceAccount:{email}"}


@computes("gcp:organizations/project:Project")
def _project(making: Making) -> Values:
    project = str(making.get("projectId"))
    return {"number": making.world.project_number(project)}


@computes(
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
)
def _pool(making: Making) -> Values:
    tail = making.id.split("/", 2)[2]
    return {"name": f"projects/{making.number}/{tail}", "state": "ACTIVE"}


@computes("gcp:kms/cryptoKey:CryptoKey")
def _crypto_key(making: Making) -> Values:
    first = {"name": f"{making.id}/cryptoKeyVersions/1", "state": "ENABLED"}
    result: Values = {"primaries": [] if making.get("skipInitialVersionCreation") else [first]}
    result["destroyScheduledDuration"] = making.get("destroyScheduledDuration") or "2592000s"
    return result


@computes("gcp:kms/cryptoKeyVersion:CryptoKeyVersion")
def _crypto_key_version(making: Making) -> Values:
    return {"name": making.id, "state": "ENABLED", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"}


@computes("gcp:secretmanager/secret:Secret", "gcp:secretmanager/regionalSecret:RegionalSecret")
def _secret(making: Making) -> Values:
    return {"name": making.id.replace(f"projects/{making.project}/", f"projects/{making.number}/", 1)}


@computes("gcp:secretmanager/secretVersion:SecretVersion")
def _secret_version(making: Making) -> Values:
    return {"name": making.id, "version": making.id.rsplit("/", 1)[-1]}


@computes("gcp:projects/iAMCustomRole:IAMCustomRole")
def _custom_role(making: Making) -> Values:
    return {"name": making.id, "deleted": False}


@computes("gcp:privilegedaccessmanager/entitlement:entitlement")
def _entitlement(making: Making) -> Values:
    return {"name": making.id, "state": "AVAILABLE", "createTime": making.seeds.time()}


@computes("gcp:resourcemanager/lien:Lien")
def _lien(making: Making) -> Values:
    return {"name": f"liens/{making.id.rsplit('/', 1)[-1]}", "createTime": making.seeds.time()}
