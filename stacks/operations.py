"""What looks after the platform by itself: rotation of secrets, the watch over their age, the restore drill.

Google builds all from `operations/`, so they run before the first release, and need no image of the sibling.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.data.restore_drill import RestoreDrill, RestoreDrillArgs
from components.foundation.age_watch import AgeWatch, AgeWatchArgs
from components.foundation.secret_rotation import (
    RotatedDatabase,
    RotationConsumer,
    SecretRotation,
    SecretRotationArgs,
    VendorProbe,
)
from config import Settings
from config_database import Drill
from stacks.compute import Compute
from stacks.data import CACHE_AUTH, CACHE_CA, PASSWORD_USERS, Data
from stacks.functions import SOURCE, Functions
from stacks.providers import after

__all__ = ["CLONES", "DRILL", "ROTATION_SUBSCRIPTION", "operations"]

ROTATION_SUBSCRIPTION = "rotation"
# By `Names.resource`: the drill's workflow, and what begins the name of its clones.
DRILL = "restore-drill"
CLONES = "drill"

# A GET that only a valid key is allowed. The others' vendors document none: a person confirms the version.
# https://freesound.org/docs/api/authentication.html, https://elevenlabs.io/docs/api-reference/user/get
_PROBES = {
    "freesound-api-key": VendorProbe(
        url="https://freesound.org/apiv2/search/text/?query=rain&page_size=1",
        header="Authorization",
        prefix="Token ",
    ),
    "elevenlabs-api-key": VendorProbe(url="https://api.elevenlabs.io/v1/user", header="xi-api-key"),
}


def operations(functions: Functions, data: Data, compute: Compute) -> tuple[str, ...]:
    """Returns the short ids of the secrets that the rotator tells of.

    The rotator and the drill wait for the database, the age watch for nothing but its own.
    """
    settings, names = functions.settings, functions.names
    reminders = {
        names.resource(CACHE_AUTH): "rotate it in a maintenance window, docs/runbooks/cache-auth.md",
        names.resource(CACHE_CA): "Google renews it; `make refresh` and `make up` hand it on",
    }
    _rotation(functions, data, compute, reminders)
    _age_watch(functions)
    if settings.drill is not None:
        _restore_drill(functions, data, settings.drill)
    return settings.secrets.database, *settings.secrets.vendor, *reminders


def _rotation(functions: Functions, data: Data, compute: Compute, reminders: Mapping[str, str]) -> None:
    settings, names, foundation = functions.settings, functions.names, functions.foundation
    keys, identity = foundation.keys[settings.region], foundation.identities["rotator"]
    push = foundation.identities["pubsub-push"]
    SecretRotation(
        "rotator",
        SecretRotationArgs(
            project=settings.project_id,
            location=settings.region,
            service_name=names.resource("rotator"),
            source=SOURCE / "rotation",
            build=functions.build,
            service_account=identity.email,
            member=identity.member,
            kms_key=keys.key_ids["run"],
            topic_kms_key=foundation.keys[settings.home].key_ids["pubsub"],
            topic=foundation.rotation_topic.topic_id,
            subscription_name=ROTATION_SUBSCRIPTION,
            caller=push.email,
            caller_member=push.member,
            role_prefix=names.role_id("rotation"),
            secrets_role=functions.role("rotation-secrets"),
            passwords_role=functions.role("rotation-passwords"),
            pubsub_agent=foundation.agents.members["pubsub"],
            vpc=functions.vpc,
            labels=names.labels("rotation", "restricted"),
            databases={
                settings.secrets.database: RotatedDatabase(
                    instance=data.name(settings, settings.writer(settings.region)),
                    connection_name=data.connection(settings, settings.writer(settings.region)),
                    database=data.postgres.database,
                    users=PASSWORD_USERS,
                )
            },
            vendors={vendor: _PROBES.get(vendor) for vendor in settings.secrets.vendor},
            reminders=reminders,
            consumers=_consumers(settings, compute),
            deletion_protection=settings.deletion_protection,
        ),
        after(
            functions.providers.resources,
            *functions.ready,
            identity,
            push,
            foundation.private_services,
            *foundation.secrets.values(),
            foundation.database_password,
            data.postgres,
        ),
    )


def _consumers(settings: Settings, compute: Compute) -> dict[str, RotationConsumer]:
    services = {
        f"api-{region}": RotationConsumer(kind="services", location=region, name=service.service_name)
        for region, service in compute.services.items()
    }
    pools = {
        role: RotationConsumer(kind="workerPools", location=settings.region, name=pool.name)
        for role, pool in compute.workers.items()
    }
    return {**services, **pools}


def _age_watch(functions: Functions) -> None:
    settings, names, foundation = functions.settings, functions.names, functions.foundation
    identity, scheduler = foundation.identities["age-watch"], foundation.identities["scheduler"]
    AgeWatch(
        "age-watch",
        AgeWatchArgs(
            project=settings.project_id,
            location=settings.region,
            service_name=names.resource("age-watch"),
            source=SOURCE / "age_watch",
            build=functions.build,
            service_account=identity.email,
            member=identity.member,
            scheduler=scheduler.email,
            scheduler_member=scheduler.member,
            role_id=names.role_id("age-watch"),
            role=functions.role("age-watch"),
            kms_key=foundation.keys[settings.region].key_ids["run"],
            vpc=functions.vpc,
            labels=names.labels("age-watch", "internal"),
            exceptions={secret: one.until for secret, one in settings.secrets.exceptions.items()},
            deletion_protection=settings.deletion_protection,
        ),
        after(functions.providers.resources, *functions.ready, identity, scheduler),
    )


def _restore_drill(functions: Functions, data: Data, drill: Drill) -> None:
    settings, names, foundation = functions.settings, functions.names, functions.foundation
    keys, identity = foundation.keys[settings.region], foundation.identities["drill"]
    # What everybody writes to: a drill of an instance that was given up would pass and prove nothing.
    source = settings.writer(settings.region)
    RestoreDrill(
        "restore-drill",
        RestoreDrillArgs(
            project=settings.project_id,
            location=settings.region,
            workflow_name=names.resource(DRILL),
            service_name=names.resource(f"{DRILL}-check"),
            source=SOURCE / "restore_drill",
            build=functions.build,
            service_account=identity.email,
            member=identity.member,
            database_user=data.postgres.iam_logins["drill"],
            role_prefix=names.role_id(DRILL),
            role=functions.role(f"{DRILL}-reads"),
            clones_role=functions.role(f"{DRILL}-clones"),
            instance=data.name(settings, source),
            instance_region=settings.region_of(source),
            database=data.postgres.database,
            clone_prefix=f"{names.resource(CLONES)}-",
            disk_size_gb=settings.postgres.disk_size_gb,
            kms_key=keys.key_ids["run"],
            workflow_kms_key=keys.key_ids["workflows"],
            vpc=functions.vpc,
            labels=names.labels("restore-drill", "restricted"),
            schedule=drill.schedule,
            deletion_protection=settings.deletion_protection,
        ),
        after(
            functions.providers.resources,
            *functions.ready,
            identity,
            foundation.private_services,
            data.postgres,
        ),
    )
