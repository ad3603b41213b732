"""Who may do what on the project, at the project's level and at the organisation's."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi

from bootstrap.settings import BootstrapSettings, OrganisationLevel, ProjectLevel
from components.compute.office_hours import OFFICE_HOURS_ROLE
from components.compute.pool_scaler import METRICS_ROLE, POOLS_ROLE
from components.data.restore_drill import DRILL_CLONES_ROLE, DRILL_ROLE
from components.delivery.deploy_identity import DeployIdentity, DeployIdentityArgs
from components.delivery.drift_reader import DriftReader, DriftReaderArgs
from components.delivery.github_federation import GithubFederation, GithubFederationArgs
from components.delivery.image_admission import PROMOTION_ROLE
from components.foundation.age_watch import AGE_WATCH_ROLE
from components.foundation.break_glass import BreakGlass, BreakGlassArgs
from components.foundation.essential_contacts import Contact, EssentialContacts, EssentialContactsArgs
from components.foundation.human_access import HumanAccess, HumanAccessArgs
from components.foundation.organisation_guard import OrganisationGuard, OrganisationGuardArgs
from components.foundation.own_roles import OwnRoles, OwnRolesArgs
from components.foundation.project_guard import ProjectGuard, ProjectGuardArgs
from components.foundation.secret_rotation import PASSWORDS_ROLE, SECRETS_ROLE
from naming import Names

__all__ = ["StateAccess", "organisation_level", "project_level"]

# What the platform grants on the project; everything else it grants on resources.
GRANTABLE = frozenset(
    {
        "roles/cloudsql.client",
        "roles/cloudsql.instanceUser",
        "roles/cloudtrace.agent",
        "roles/logging.bucketWriter",
        "roles/logging.logWriter",
        "roles/monitoring.metricWriter",
    }
)


# The project's own roles, by purpose. Made here, so that the deployer needs no power over roles.
OWN_ROLES = {
    "office-hours": OFFICE_HOURS_ROLE,
    "age-watch": AGE_WATCH_ROLE,
    "rotation-passwords": PASSWORDS_ROLE,
    "rotation-secrets": SECRETS_ROLE,
    "scaler-metrics": METRICS_ROLE,
    "scaler-pools": POOLS_ROLE,
    "promotion": PROMOTION_ROLE,
    "restore-drill-reads": DRILL_ROLE,
    "restore-drill-clones": DRILL_CLONES_ROLE,
}
# Those of them that the platform grants on the project.
GRANTABLE_OWN = (
    "age-watch",
    "office-hours",
    "promotion",
    "rotation-passwords",
    "scaler-metrics",
    "restore-drill-reads",
    "restore-drill-clones",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StateAccess:
    """Who opens the state: members by name."""

    writers: dict[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    readers: dict[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])


def project_level(
    settings: BootstrapSettings,
    level: ProjectLevel,
    names: Names,
    key_ring: str,
    number: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> StateAccess:
    """Federation, its two identities, people, contacts and the project's guards."""
    project, environment = settings.project_id, settings.environment
    drift = f"{environment}-drift"
    federation = GithubFederation(
        "github",
        GithubFederationArgs(
            project_id=project,
            repository_id=level.github.repository_id,
            owner_id=level.github.owner_id,
            branch=level.github.branch,
            environments=frozenset({environment, drift}),
        ),
        opts,
    )
    OwnRoles(
        "roles",
        OwnRolesArgs(
            project_id=project,
            roles={names.role_id(purpose): role for purpose, role in OWN_ROLES.items()},
        ),
        opts,
    )
    deployer = DeployIdentity(
        "deployer",
        DeployIdentityArgs(
            project_id=project,
            account_id=names.service_account("deployer"),
            subject=federation.subjects[environment],
            grantable_roles=GRANTABLE,
            key_rings_apart=key_ring,
            custom_roles=frozenset(names.role_id(purpose) for purpose in GRANTABLE_OWN),
        ),
        opts,
    )
    reader = DriftReader(
        "drift-reader",
        DriftReaderArgs(
            project_id=project,
            account_id=names.service_account("drift-reader"),
            subject=federation.subjects[drift],
        ),
        opts,
    )
    groups = level.groups
    HumanAccess(
        "people",
        HumanAccessArgs(
            project_id=project,
            on_call=groups.on_call,
            data=groups.data,
            platform=groups.platform,
            databases=names.resource("postgres"),
        ),
        opts,
    )
    contacts = {
        key: Contact(email=contact.email, categories=frozenset(contact.categories))
        for key, contact in level.contacts.items()
    }
    EssentialContacts("contacts", EssentialContactsArgs(project_id=project, contacts=contacts), opts)
    ProjectGuard("guard", ProjectGuardArgs(project_id=project, project_number=number), opts)
    pulumi.export("workload_identity_provider", federation.provider)
    pulumi.export("deployer", deployer.email)
    pulumi.export("drift_reader", reader.email)
    return StateAccess(
        writers={"deployer": deployer.member, "operators": f"group:{groups.operators}"},
        readers={"drift-reader": reader.member},
    )


def organisation_level(
    settings: BootstrapSettings, level: OrganisationLevel, names: Names, opts: pulumi.ResourceOptions
) -> None:
    """What not even an owner can do, and the way out of it in an emergency."""
    OrganisationGuard("organisation", OrganisationGuardArgs(project_id=settings.project_id), opts)
    glass = level.break_glass
    entitlement = BreakGlass(
        "break-glass",
        BreakGlassArgs(
            project_id=settings.project_id,
            organisation_id=level.organisation_id,
            environment=settings.environment,
            requesters=glass.requesters,
            approvers=glass.approvers,
            notify=glass.notify,
            runbook_base_url=glass.runbook_base_url,
            labels=names.labels("access"),
            max_duration_seconds=glass.max_duration_seconds,
        ),
        opts,
    )
    pulumi.export("break_glass", entitlement.entitlement)
