"""For each kind of resource of the platform the deployer holds a role, the drift reader a read.

Reads: what the provider calls to read the type. Roles: the one that makes and changes it.
"""

from __future__ import annotations

import pytest

from components.delivery.deploy_identity import ROLES
from components.delivery.drift_reader import PERMISSIONS
from sandbox.cloud import World
from sandbox.cloud.world import WorldFacts
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import load_project, load_stack
from tests.bootstrap.deploying import FOLDER, deploy

ROOT = FOLDER.parent
STACKS = ["dev", "staging", "prod"]
PROJECT = "roles/resourcemanager.projectIamAdmin"
KEYS = "roles/cloudkms.admin"

# Type without `gcp:` and its second half: role of the deployer, reads of the reader.
RIGHTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "artifactregistry/repository": ("artifactregistry.admin", ("artifactregistry.repositories.get",)),
    "artifactregistry/repositoryIamMember": (
        "artifactregistry.admin",
        ("artifactregistry.repositories.getIamPolicy",),
    ),
    "binaryauthorization/attestor": (
        "binaryauthorization.attestorsAdmin",
        ("binaryauthorization.attestors.get",),
    ),
    "binaryauthorization/attestorIamMember": (
        "binaryauthorization.attestorsAdmin",
        ("binaryauthorization.attestors.getIamPolicy",),
    ),
    "binaryauthorization/policy": ("binaryauthorization.policyEditor", ("binaryauthorization.policy.get",)),
    "certificatemanager/certificate": ("certificatemanager.owner", ("certificatemanager.certs.get",)),
    "certificatemanager/certificateMap": ("certificatemanager.owner", ("certificatemanager.certmaps.get",)),
    "certificatemanager/certificateMapEntry": (
        "certificatemanager.owner",
        ("certificatemanager.certmapentries.get",),
    ),
    "certificatemanager/dnsAuthorization": (
        "certificatemanager.owner",
        ("certificatemanager.dnsauthorizations.get",),
    ),
    # The deployer runs the job of migrations by the same role.
    "cloudrunv2/job": ("run.admin", ("run.jobs.get",)),
    "cloudrunv2/jobIamMember": ("run.admin", ("run.jobs.getIamPolicy",)),
    "cloudrunv2/service": ("run.admin", ("run.services.get",)),
    "cloudrunv2/serviceIamMember": ("run.admin", ("run.services.getIamPolicy",)),
    "cloudrunv2/workerPool": ("run.admin", ("run.workerpools.get",)),
    "cloudrunv2/workerPoolIamMember": ("run.admin", ("run.workerpools.getIamPolicy",)),
    "cloudscheduler/job": ("cloudscheduler.admin", ("cloudscheduler.jobs.get",)),
    "compute/address": ("compute.networkAdmin", ("compute.addresses.get",)),
    "compute/backendService": ("compute.loadBalancerAdmin", ("compute.backendServices.get",)),
    "compute/firewall": ("compute.securityAdmin", ("compute.firewalls.get",)),
    "compute/globalAddress": ("compute.networkAdmin", ("compute.globalAddresses.get",)),
    "compute/globalForwardingRule": ("compute.loadBalancerAdmin", ("compute.globalForwardingRules.get",)),
    "compute/network": ("compute.networkAdmin", ("compute.networks.get",)),
    "compute/regionNetworkEndpointGroup": (
        "compute.loadBalancerAdmin",
        ("compute.regionNetworkEndpointGroups.get",),
    ),
    "compute/router": ("compute.networkAdmin", ("compute.routers.get",)),
    "compute/routerNat": ("compute.networkAdmin", ("compute.routers.get",)),
    "compute/sSLPolicy": ("compute.securityAdmin", ("compute.sslPolicies.get",)),
    "compute/securityPolicy": ("compute.securityAdmin", ("compute.securityPolicies.get",)),
    "compute/subnetwork": ("compute.networkAdmin", ("compute.subnetworks.get",)),
    "compute/targetHttpProxy": ("compute.loadBalancerAdmin", ("compute.targetHttpProxies.get",)),
    "compute/targetHttpsProxy": ("compute.loadBalancerAdmin", ("compute.targetHttpsProxies.get",)),
    "compute/uRLMap": ("compute.loadBalancerAdmin", ("compute.urlMaps.get",)),
    "containeranalysis/note": ("containeranalysis.admin", ("containeranalysis.notes.get",)),
    "containeranalysis/noteIamMember": (
        "containeranalysis.admin",
        ("containeranalysis.notes.getIamPolicy",),
    ),
    "dns/managedZone": ("dns.admin", ("dns.managedZones.get",)),
    "dns/policy": ("dns.admin", ("dns.policies.get",)),
    "dns/recordSet": ("dns.admin", ("dns.resourceRecordSets.list",)),
    "kms/cryptoKey": ("cloudkms.admin", ("cloudkms.cryptoKeys.get", "cloudkms.cryptoKeyVersions.list")),
    "kms/cryptoKeyIAMMember": ("cloudkms.admin", ("cloudkms.cryptoKeys.getIamPolicy",)),
    "kms/keyRing": ("cloudkms.admin", ("cloudkms.keyRings.get",)),
    "logging/metric": ("logging.configWriter", ("logging.logMetrics.get",)),
    "logging/projectBucketConfig": (
        "logging.configWriter",
        ("logging.buckets.get", "logging.settings.get"),
    ),
    "logging/projectExclusion": ("logging.configWriter", ("logging.exclusions.get",)),
    "logging/projectSink": ("logging.configWriter", ("logging.sinks.get",)),
    "monitoring/alertPolicy": ("monitoring.editor", ("monitoring.alertPolicies.get",)),
    "monitoring/customService": ("monitoring.editor", ("monitoring.services.get",)),
    "monitoring/dashboard": ("monitoring.editor", ("monitoring.dashboards.get",)),
    "monitoring/notificationChannel": ("monitoring.editor", ("monitoring.notificationChannels.get",)),
    "monitoring/slo": ("monitoring.editor", ("monitoring.slos.get",)),
    "monitoring/uptimeCheckConfig": ("monitoring.editor", ("monitoring.uptimeCheckConfigs.get",)),
    "projects/iAMAuditConfig": (
        "resourcemanager.projectIamAdmin",
        ("resourcemanager.projects.getIamPolicy",),
    ),
    "projects/iAMMember": ("resourcemanager.projectIamAdmin", ("resourcemanager.projects.getIamPolicy",)),
    "projects/serviceIdentity": ("serviceusage.serviceUsageConsumer", ("serviceusage.services.get",)),
    "pubsub/subscription": ("pubsub.admin", ("pubsub.subscriptions.get",)),
    "pubsub/subscriptionIAMMember": ("pubsub.admin", ("pubsub.subscriptions.getIamPolicy",)),
    "pubsub/topic": ("pubsub.admin", ("pubsub.topics.get",)),
    "pubsub/topicIAMMember": ("pubsub.admin", ("pubsub.topics.getIamPolicy",)),
    "redis/instance": ("redis.admin", ("redis.instances.get", "redis.instances.getAuthString")),
    "secretmanager/secret": ("secretmanager.admin", ("secretmanager.secrets.get",)),
    "secretmanager/secretIamMember": ("secretmanager.admin", ("secretmanager.secrets.getIamPolicy",)),
    "secretmanager/secretVersion": ("secretmanager.admin", ("secretmanager.versions.get",)),
    "serviceaccount/account": ("iam.serviceAccountAdmin", ("iam.serviceAccounts.get",)),
    "serviceaccount/iAMMember": ("iam.serviceAccountAdmin", ("iam.serviceAccounts.getIamPolicy",)),
    "servicenetworking/connection": ("compute.networkAdmin", ("servicenetworking.services.get",)),
    "sql/database": ("cloudsql.admin", ("cloudsql.databases.get",)),
    "sql/databaseInstance": (
        "cloudsql.admin",
        ("cloudsql.instances.get", "cloudsql.instances.list", "cloudsql.users.list"),
    ),
    "sql/user": ("cloudsql.admin", ("cloudsql.users.list",)),
    "workflows/workflow": ("workflows.admin", ("workflows.workflows.get", "workflows.operations.get")),
    "storage/bucket": ("storage.admin", ("storage.buckets.get",)),
    "storage/bucketIAMMember": ("storage.admin", ("storage.buckets.get", "storage.buckets.getIamPolicy")),
}
# Granted to the reader on the resource itself: on the project it would open customers' data.
ON_THE_RESOURCE = {"storage/bucketObject": ("storage.admin", ())}


@pytest.fixture(autouse=True)
def _platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def platform(stack: str, world: World) -> Outcome:
    program = load_project(ROOT)
    config = load_stack(program, stack)
    return run(program, stack=stack, config=config, snapshot=Snapshot(), world=world, mode=Mode.UPDATE)


@pytest.mark.parametrize("stack", STACKS)
def test_each_kind_of_resource_can_be_deployed_and_read_with_the_services_that_are_on(
    stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    services = set(deploy(stack).outputs["services"])
    monkeypatch.chdir(ROOT)
    outcome = platform(stack, World(WorldFacts(enabled_services=services)))
    assert outcome.refusals == []
    kinds = {
        state.type.removeprefix("gcp:").partition(":")[0]
        for state in outcome.resources
        if state.type.startswith("gcp:")
    }
    rights = {**RIGHTS, **ON_THE_RESOURCE}
    assert kinds - set(rights) == set(), "say who may make and read these"
    held = {*ROLES, PROJECT, KEYS}
    assert {kind for kind in kinds if f"roles/{rights[kind][0]}" not in held} == set()
    assert {read for kind in kinds for read in rights[kind][1]} - set(PERMISSIONS) == set()


def test_the_deployer_holds_no_role_that_no_resource_needs() -> None:
    # For queues and builds from source, which are no resources of their own in every program.
    spare = {
        "roles/cloudbuild.builds.editor",
        "roles/cloudtasks.admin",
        "roles/serviceusage.serviceUsageConsumer",
    }
    assert spare <= set(ROLES)
    assert set(ROLES) - spare == {f"roles/{role}" for role, _ in RIGHTS.values()} - {PROJECT, KEYS} - spare


def test_bootstrap_needs_no_service_that_it_does_not_switch_on_but_the_two_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(FOLDER)
    first = {"serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com"}
    assert deploy("prod", world=World(WorldFacts(enabled_services=first))).refusals == []
