"""Who compares what is there with what is declared: an account that can read and never change.

Makes the account without a key, the login of one federated subject of a protected environment of its own,
and a custom role of single reads, smaller than `roles/viewer`, which also exports databases and reads API
keys. Reads no secret's value through Secret Manager. It opens the state, though, and with it every secret
in it, so its environment is protected as the deployer's is, and no pull request ever runs as it. It holds
`redis.instances.getAuthString`, without which a refresh of Redis fails. Writes no state: `pulumi preview
--refresh` takes no lock. Free of charge. Sources: what the provider calls to read each type, the
exceptions that a refresh needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.delivery._federated_account import federated_account
from facts.names import check_name

__all__ = ["DriftReader", "DriftReaderArgs"]

PERMISSIONS = (
    "artifactregistry.repositories.get",
    "artifactregistry.repositories.getIamPolicy",
    "binaryauthorization.attestors.get",
    "binaryauthorization.attestors.getIamPolicy",
    "binaryauthorization.policy.get",
    "certificatemanager.certmapentries.get",
    "certificatemanager.certmaps.get",
    "certificatemanager.certs.get",
    "certificatemanager.dnsauthorizations.get",
    "certificatemanager.operations.get",
    "cloudkms.cryptoKeyVersions.get",
    "cloudkms.cryptoKeyVersions.list",
    "cloudkms.cryptoKeyVersions.viewPublicKey",
    "cloudkms.cryptoKeys.get",
    "cloudkms.cryptoKeys.getIamPolicy",
    "cloudkms.keyRings.get",
    "cloudscheduler.jobs.get",
    "cloudsql.databases.get",
    "cloudsql.instances.get",
    "cloudsql.instances.list",
    "cloudsql.users.list",
    "cloudtasks.queues.get",
    "cloudtasks.queues.getIamPolicy",
    "compute.addresses.get",
    "compute.backendServices.get",
    "compute.firewalls.get",
    "compute.globalAddresses.get",
    "compute.globalForwardingRules.get",
    "compute.globalOperations.get",
    "compute.networks.get",
    "compute.projects.get",
    "compute.regionNetworkEndpointGroups.get",
    "compute.regionOperations.get",
    "compute.routers.get",
    "compute.securityPolicies.get",
    "compute.sslPolicies.get",
    "compute.subnetworks.get",
    "compute.targetHttpProxies.get",
    "compute.targetHttpsProxies.get",
    "compute.urlMaps.get",
    "containeranalysis.notes.get",
    "containeranalysis.notes.getIamPolicy",
    "dns.changes.get",
    "dns.managedZones.get",
    "dns.policies.get",
    "dns.resourceRecordSets.list",
    "iam.roles.get",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.getIamPolicy",
    "logging.buckets.get",
    "logging.exclusions.get",
    "logging.logMetrics.get",
    "logging.settings.get",
    "logging.sinks.get",
    "monitoring.alertPolicies.get",
    "monitoring.dashboards.get",
    "monitoring.notificationChannels.get",
    "monitoring.services.get",
    "monitoring.slos.get",
    "monitoring.uptimeCheckConfigs.get",
    "pubsub.schemas.get",
    "pubsub.subscriptions.get",
    "pubsub.subscriptions.getIamPolicy",
    "pubsub.topics.get",
    "pubsub.topics.getIamPolicy",
    "redis.instances.get",
    "redis.instances.getAuthString",
    "redis.operations.get",
    "resourcemanager.projects.get",
    "resourcemanager.projects.getIamPolicy",
    "run.jobs.get",
    "run.jobs.getIamPolicy",
    "run.operations.get",
    "run.services.get",
    "run.services.getIamPolicy",
    "run.workerpools.get",
    "run.workerpools.getIamPolicy",
    "secretmanager.secrets.get",
    "secretmanager.secrets.getIamPolicy",
    "secretmanager.versions.get",
    "servicenetworking.operations.get",
    "servicenetworking.services.get",
    "serviceusage.services.get",
    "serviceusage.services.list",
    "serviceusage.services.use",
    "storage.buckets.get",
    "storage.buckets.getIamPolicy",
    "workflows.operations.get",
    "workflows.workflows.get",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftReaderArgs:
    """One environment's reader."""

    project_id: str
    # 6 to 30 characters; part of the address, so a contract.
    account_id: str
    # The federated principal that may log in.
    subject: pulumi.Input[str]

    def __post_init__(self) -> None:
        check_name("service account id", self.account_id)


class DriftReader(pulumi.ComponentResource):
    """One reader."""

    email: pulumi.Output[str]
    # "serviceAccount:<email>", ready to be granted something.
    member: pulumi.Output[str]

    def __init__(self, name: str, args: DriftReaderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:delivery:DriftReader", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = federated_account(
            name,
            args.project_id,
            args.account_id,
            "Reads what is there, to find drift",
            args.subject,
            child,
        )
        role = gcp.projects.IAMCustomRole(
            f"{name}-role",
            project=args.project_id,
            role_id=args.account_id.replace("-", "_"),
            title="Drift reader",
            description="Single reads of what the platform declares",
            permissions=list(PERMISSIONS),
            opts=child,
        )
        gcp.projects.IAMMember(
            f"{name}-reads",
            project=args.project_id,
            role=role.name,
            member=account.member,
            opts=child,
        )
        self.email = account.email
        self.member = account.member
        self.register_outputs({"email": self.email, "member": self.member})
