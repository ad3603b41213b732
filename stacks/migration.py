"""The job that brings the database's schema to what a release needs, run before the release serves.

Nothing of it exists without a release. It runs an image of the release with the sibling's migration command,
on the private path, logged in to the primary as itself. Declaring it runs nothing: `make up TARGET=gcp` runs
it between what serves nothing and what does, `make migrate` runs it alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.compute.job import DirectVpc, Job, JobArgs, ProjectPolicy
from config import Settings
from config_release import Release
from naming import Names
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.providers import Providers, after

__all__ = ["migration"]

_OWNER = "aiprod_owner"


def migration(
    settings: Settings, names: Names, providers: Providers, foundation: Foundation, data: Data
) -> Mapping[str, pulumi.Input[str]]:
    """Returns where the job is, as whoever runs it needs to know it: project, location, job; or nothing.

    One stands at home; that of a lost region is left as it is.
    """
    if settings.release is None:
        return {}
    jobs: dict[str, Job] = {}
    for region in settings.homes:
        suffix = "" if region == settings.region else f"-{region}"
        jobs[region] = Job(
            f"migration-job{suffix}",
            _args(settings, settings.release, region, names, foundation, data),
            after(
                providers.resources,
                foundation.identities["migration"],
                foundation.keys[region],
                foundation.network,
                foundation.private_dns,
                foundation.private_services,
                foundation.egress[region],
                data.postgres,
            ),
        )
    job = jobs[settings.home]
    return {"project": settings.project_id, "location": job.location, "job": job.name}


def _args(
    settings: Settings,
    release: Release,
    region: str,
    names: Names,
    foundation: Foundation,
    data: Data,
) -> JobArgs:
    config, network = settings.migration, foundation.network
    database = data.connection(settings, settings.writer(region))
    # What operates the platform has a subnet of its own in the first region only.
    subnet = f"operations-{region}" if region == settings.region else f"run-{region}"
    return JobArgs(
        project=settings.project_id,
        job_name=config.job,
        location=region,
        image=release.images.get("migration", release.images["api"]),
        image_admission=None if settings.admission is None else ProjectPolicy(),
        command=config.command,
        service_account=foundation.identities["migration"].email,
        kms_key=foundation.keys[region].key_ids["run"],
        vpc=DirectVpc(network=network.network_id, subnetwork=network.subnet_ids[subnet]),
        labels=names.labels("migration", "restricted"),
        cpu=config.cpu,
        memory=config.memory,
        task_timeout_seconds=config.timeout_seconds,
        # What failed half-way is looked at before it runs again.
        max_retries=0,
        # Names that every workload knows; the primary only.
        environment={
            "ENVIRONMENT": settings.environment,
            "GOOGLE_CLOUD_PROJECT": settings.project_id,
            "GOOGLE_CLOUD_REGION": region,
            "DATABASE_INSTANCE": database,
            "DATABASE_NAME": data.postgres.database,
            "DATABASE_USER": data.postgres.iam_logins["migration"],
            # What it makes belongs to the role that outlives its login: operations/database/roles.sql.
            "DATABASE_ROLE": _OWNER,
            "PGOPTIONS": f"-c role={_OWNER}",
        },
        cloud_sql_instances=(database,),
        executors={address.partition("@")[0]: f"group:{address}" for address in config.operators},
        deletion_protection=settings.deletion_protection,
    )
