"""Service agents: who exists only after somebody asked, and who never exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from facts.google.service_agents import agent_email, service_of
from sandbox.cloud.behaviours.grants import granted
from sandbox.cloud.behaviours.iam_forms import GRANTS, grants
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.paths import canonical

_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_IDENTITY: Final = "gcp:projects/serviceIdentity:ServiceIdentity"
_ON_DEFAULT: Final = frozenset({"pubsub", "run"})
_DOMAIN: Final = r"\.iam\.gserviceaccount\.com"
_STORAGE: Final = re.compile(rf"service-(\d+)@gs-project-accounts{_DOMAIN}")
_LOGGING: Final = re.compile(rf"(?:service-|cmek-p)(\d+)@gcp-sa-logging{_DOMAIN}")
_BIGQUERY: Final = re.compile(rf"bq-(\d+)@bigquery-encryption{_DOMAIN}")
_ANY: Final = re.compile(rf"service-(\d+)@([a-z0-9-]+){_DOMAIN}")
# Domains that people compose after the usual pattern, and that no agent has: the service of each.
_COMPOSED: Final = {
    "gcp-sa-cloudrun": "run",
    "gcp-sa-cloudsql": "sqladmin",
    "gcp-sa-redis": "redis",
    "gcp-sa-run": "run",
    "gcp-sa-secret-manager": "secretmanager",
    "gcp-sa-service-networking": "servicenetworking",
    "gcp-sa-servicenetworking": "servicenetworking",
    "gcp-sa-sql": "sqladmin",
    "gcp-sa-sqladmin": "sqladmin",
}


def _mails(call: Call) -> Iterator[tuple[str, str]]:
    for grant in grants(call):
        kind, _, mail = grant.member.partition(":")
        if kind == "serviceAccount":
            yield grant.where, mail


def _unasked(call: Call, form: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Agents of this project that come into being with a look-up, and for which nobody looked."""
    for where, mail in _mails(call):
        match = form.fullmatch(mail)
        if match is not None and match[1] == call.number and mail not in call.world.facts.asked_agents:
            yield where, mail


@behaviour(
    "AGT-001", GRANTS, _BOTH, 400, _REASON, "GoogleCloudPlatform/magic-modules#3075; google-cloud.md 0.2"
)
def agent_missing(call: Call) -> Iterator[Problem]:
    """A service agent that nobody has asked for yet."""
    for where, mail in _unasked(call, _BIGQUERY):
        yield Problem(
            where,
            f"`{where}`: the service agent {mail} does not exist until it is asked for; read it with "
            "bigquery.get_default_service_account.",
        )
    for where, mail in _mails(call):
        service = service_of(mail)
        if service is None or service in _ON_DEFAULT:
            continue
        number = mail.split("@")[0].removeprefix("service-")
        if number == call.number and not _asked_for(call, service):
            yield Problem(
                where,
                f"`{where}`: the service agent {mail} does not exist; declare projects.ServiceIdentity for "
                f"{service}.googleapis.com and depend on it.",
            )


def _asked_for(call: Call, service: str) -> bool:
    id = f"projects/{call.project}/services/{service}.googleapis.com"
    return call.world.get(_IDENTITY, id) is not None


@behaviour("AGT-002", GRANTS, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#9969")
def storage_agent_missing(call: Call) -> Iterator[Problem]:
    """The agent of Cloud Storage before anybody has looked it up."""
    for where, mail in _unasked(call, _STORAGE):
        yield Problem(
            where,
            f"`{where}`: the service agent {mail} does not exist until it is asked for; read it with "
            "storage.get_project_service_account instead of composing it.",
        )


@behaviour("AGT-003", GRANTS, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#10114")
def logging_agent_missing(call: Call) -> Iterator[Problem]:
    """The agent of Cloud Logging before a sink or its settings made it."""
    for where, mail in _unasked(call, _LOGGING):
        yield Problem(
            where,
            f"`{where}`: the service agent {mail} does not exist yet; grant to the writerIdentity of the "
            "sink (or to what logging.get_project_cmek_settings gives) instead of composing it.",
        )


@behaviour(
    "AGT-004",
    "gcp:artifactregistry/repository:Repository",
    Phase.CREATE,
    400,
    "FAILED_PRECONDITION",
    "hashicorp/terraform-provider-google#15572",
)
def registry_agent_missing(call: Call) -> Iterator[Problem]:
    """A repository with a key before Artifact Registry has its agent."""
    agent, key = agent_email("artifactregistry", call.number) or "", canonical(call.text("kmsKeyName"))
    roles = frozenset({"roles/cloudkms.cryptoKeyEncrypterDecrypter"})
    # Who holds a grant exists; an older project has its agent without a resource for it.
    exists = _asked_for(call, "artifactregistry") or granted(call.world, key, roles, agent, call.project)
    if key and not exists:
        yield Problem(
            "kmsKeyName",
            f"`kmsKeyName`: the service agent {agent} does not exist; declare projects.ServiceIdentity for "
            "artifactregistry.googleapis.com, grant it the key, and depend on the grant.",
        )


@behaviour("AGT-008", GRANTS, _BOTH, 400, _REASON, "pulumi/pulumi-gcp#1682; google-cloud.md 0.2")
def agent_of_no_product(call: Call) -> Iterator[Problem]:
    """An agent's address with a domain that the product does not have."""
    for where, mail in _mails(call):
        match = _ANY.fullmatch(mail)
        service = _COMPOSED.get(match[2]) if match is not None else None
        if match is not None and service is not None:
            yield Problem(
                where,
                f"`{where}`: {mail} does not exist; the agent of {service}.googleapis.com is "
                f"{agent_email(service, match[1])}, best taken from projects.ServiceIdentity.",
            )
