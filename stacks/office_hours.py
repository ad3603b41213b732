"""Who runs on working days only: the database, the worker pools, by their schedules in the configuration."""

from __future__ import annotations

from components.compute.office_hours import OfficeHours, OfficeHoursArgs, ScheduledPool
from components.compute.pool_scaler import PoolScaler
from config import Settings
from config_sections import OfficeHours as Hours
from config_sections import Scaling
from naming import Names
from stacks.compute import Compute
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.providers import Providers
from stacks.runtimes import Role

__all__ = ["office_hours"]


def office_hours(
    settings: Settings,
    names: Names,
    providers: Providers,
    foundation: Foundation,
    data: Data,
    compute: Compute,
    scaler: PoolScaler | None,
) -> None:
    """One schedule where database and workers keep the same hours, else one each."""
    database, workers = settings.postgres.schedule, settings.workers.schedule
    pools = _pools(settings, foundation, compute)
    for hours in dict.fromkeys((database, workers)):
        if not isinstance(hours, Hours):
            continue
        mine = pools if workers == hours else {}
        if database != hours and not mine:
            continue
        role = "office-hours" if hours == database else "worker-hours"
        OfficeHours(
            role,
            OfficeHoursArgs(
                project=settings.project_id,
                region=settings.region,
                account_id=names.service_account(role),
                role_id=names.role_id(role),
                # Bootstrap made one for both schedules, where its deployer deploys.
                role=names.role("office-hours") if settings.deployed_by == "github" else None,
                start_hour=hours.start_hour,
                stop_hour=hours.stop_hour,
                time_zone=hours.time_zone,
                database=data.postgres.instance_name if hours == database else None,
                pools=mine,
                clocks={"scaler": scaler.clock} if mine and scaler is not None else {},
                deployer=names.deployer if settings.deployed_by == "github" else None,
            ),
            providers.resources,
        )


def _pools(settings: Settings, foundation: Foundation, compute: Compute) -> dict[str, ScheduledPool]:
    """The pools of the release."""
    config = settings.workers
    scalings: dict[Role, Scaling | None] = {"worker": config.scaling, "batch": config.batch_scaling}
    return {
        role: ScheduledPool(
            pool_name=pool.name,
            # Woken outside the hours, nothing scales a pool: one worker takes what there is.
            instances=max(1, scaling.min_instances),
            account_id=foundation.identities[role].name,
        )
        for role, pool in compute.workers.items()
        if (scaling := scalings[role]) is not None
    }
