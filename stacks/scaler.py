"""What scales the worker pools on their queues, from the release that runs them."""

from __future__ import annotations

from components.compute.pool_scaler import PoolScaler, PoolScalerArgs, ScaledPool, ScaledQueue
from config_sections import OfficeHours, Scaling
from stacks.compute import Compute
from stacks.functions import SOURCE, Functions
from stacks.messaging import Messaging
from stacks.providers import after
from stacks.runtimes import Role

__all__ = ["scaler"]


def scaler(functions: Functions, messaging: Messaging, compute: Compute) -> PoolScaler | None:
    """Nothing without a pool. While the first region is lost, the other one's pools run their upper bound."""
    if not compute.workers:
        return None
    settings, names, foundation = functions.settings, functions.names, functions.foundation
    identity, scheduler = foundation.identities["scaler"], foundation.identities["scheduler"]
    hours = settings.workers.schedule
    return PoolScaler(
        "scaler",
        PoolScalerArgs(
            project=settings.project_id,
            location=settings.region,
            service_name=names.resource("scaler"),
            source=SOURCE / "scaler",
            build=functions.build,
            service_account=identity.email,
            member=identity.member,
            scheduler=scheduler.email,
            scheduler_member=scheduler.member,
            role_prefix=names.role_id("scaler"),
            metrics_role=functions.role("scaler-metrics"),
            pools_role=functions.role("scaler-pools"),
            kms_key=foundation.keys[settings.region].key_ids["run"],
            vpc=functions.vpc,
            labels=names.labels("scaler", "internal"),
            pools={
                role: _pool(functions, messaging, compute, role, scaling)
                for role, scaling in settings.workers.scalings.items()
                if role in compute.workers
            },
            # Its last call is before the schedule stops the pools.
            schedule=f"* {hours.start_hour}-{hours.stop_hour - 1} * * 1-5"
            if isinstance(hours, OfficeHours)
            else "* * * * *",
            time_zone=hours.time_zone if isinstance(hours, OfficeHours) else "Etc/UTC",
            deletion_protection=settings.deletion_protection,
        ),
        after(functions.providers.resources, *functions.ready, identity, scheduler),
    )


def _pool(
    functions: Functions, messaging: Messaging, compute: Compute, role: Role, scaling: Scaling
) -> ScaledPool:
    settings = functions.settings
    return ScaledPool(
        pool_name=compute.workers[role].name,
        location=settings.region,
        account_id=functions.foundation.identities[role].name,
        minimum=scaling.min_instances,
        maximum=scaling.max_instances,
        jobs_per_instance=settings.workers.jobs_per_instance,
        queues=tuple(
            ScaledQueue(
                subscription=messaging.queues[purpose].subscription_name,
                promise_seconds=settings.messaging.queues[purpose].promise_seconds,
                job_seconds=settings.messaging.queues[purpose].job_seconds,
            )
            for purpose in messaging.consumed[role]
        ),
    )
