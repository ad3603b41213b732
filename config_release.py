"""What runs, who gets it, and where its images are kept: `release` and `images` of the stack file.

Images and secret versions are what a reviewer sees of a release; `traffic` is the step at which it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from config_collector import Collector
from config_types import (
    Digest,
    Groups,
    PoolRole,
    ProjectId,
    ProjectNumber,
    Region,
    RepositoryName,
    RevisionName,
    Section,
    Upstream,
)
from facts.refusal import RefusedError


class ImageReader(Section):
    """Another environment's project, which pulls from the repository: its number names Cloud Run's agent.

    `promoters` are that environment's, who see there whether a digest has a tag.
    """

    project_id: ProjectId
    project_number: ProjectNumber
    promoters: Groups = ()


class Images(Section):
    """The one repository of every environment's images: a digest that is promoted stays where it is.

    It stands in the project `project_id`, the stack's own when left out. There `readers` names the other
    environments; elsewhere nothing is made. `mirrors` keep other people's images beside it: name -> upstream,
    projects/P/locations/L/repositories/R or https://HOST.
    """

    project_id: ProjectId | None = None
    readers: Mapping[Literal["dev", "staging", "prod"], ImageReader] = {}
    mirrors: Mapping[RepositoryName, Upstream] = {}


class Admission(Section):
    """Which images run: those that the environment's attestor vouches for, and what Google builds of source.

    `dryrun` lets everything run and writes to the audit log what `enforced` would block. Without the section
    there are no attestors, and nothing can be promoted. `promoters` are groups that verify here and promote
    into here; `readers` are those that promote from here, the promoters of the environment above.
    """

    mode: Literal["dryrun", "enforced"]
    promoters: Groups = ()
    readers: Groups = ()


class LatestTraffic(Section):
    """Everything to the newest revision."""

    kind: Literal["latest"]


class PinnedTraffic(Section):
    """Everything to one revision in each region, whatever is deployed."""

    kind: Literal["pinned"]
    revisions: Mapping[Region, RevisionName]


class WalkedTraffic(Section):
    """`make release` owns the shares of the API: an `up` makes a revision and leaves them alone."""

    kind: Literal["walked"]


class CanaryTraffic(Section):
    """A step of a slow release: `percent` to the newest revision, the rest to the one that is named.

    At 100 % the stable revision keeps nothing, and stays as the way back.
    """

    kind: Literal["canary"]
    stable_revisions: Mapping[Region, RevisionName]
    percent: Literal[1, 10, 50, 100]


ReleaseTraffic = Annotated[
    LatestTraffic | PinnedTraffic | CanaryTraffic | WalkedTraffic, Field(discriminator="kind")
]
# Shares of a pool's instances; nobody walks them, since no request tells a good worker from a bad one.
PoolSplit = Annotated[LatestTraffic | PinnedTraffic | CanaryTraffic, Field(discriminator="kind")]


class Release(Section):
    """What runs: images by digest, secret versions by number. Without it everything stands but revisions.

    With an image of the metrics collector, one runs beside the API; `collector` says what it reads, when left
    out /metrics of the API each 30 s. The schema is migrated by the image of
    the API, or by one of its own: a release that goes back keeps the newest, which knows every revision.
    `owner` says who decides images after creation, and shares: this file, or a workflow outside; what a
    workflow owns, an `up` leaves alone. `traffic.kind: walked` leaves the shares alone to `make release`.
    `splits` says the same of worker pools, `worker` or `batch`: a pool that is not named runs the newest.
    """

    images: Mapping[Literal["api", "worker", "collector", "migration"], Digest]
    secret_versions: Mapping[str, Annotated[int, Field(ge=1)]]
    owner: Literal["program", "workflow"] = "program"
    traffic: ReleaseTraffic = LatestTraffic(kind="latest")
    splits: Mapping[PoolRole, PoolSplit] = {}
    collector: Collector | None = None

    @model_validator(mode="after")
    def _owned(self) -> Release:
        if self.owner == "workflow" and self.traffic.kind != "latest":
            raise RefusedError(
                f"traffic.kind must be latest while the owner is a workflow, got {self.traffic.kind}; leave "
                "traffic out"
            )
        if self.owner == "workflow" and self.splits:
            raise RefusedError(
                f"splits must be empty while the owner is a workflow, got {', '.join(self.splits)}; leave "
                "splits out"
            )
        if self.collector is not None and "collector" not in self.images:
            raise RefusedError(
                "collector must be left out while images names none, got a config alone; name its image by "
                "digest"
            )
        return self


def _check_traffic(
    release: Release, service: str, regions: Collection[str], variants: Collection[str]
) -> None:
    """Refuse revisions of another service, a region without one, and tags of traffic that a workflow owns."""
    walked = release.traffic.kind == "walked"
    if variants and (walked or release.owner == "workflow"):
        remedy = "release.traffic.kind to latest, pinned or canary" if walked else "release.owner to program"
        raise RefusedError(
            f"edge.variants must be empty while {'a walk' if walked else 'a workflow'} owns the traffic, got "
            f"{', '.join(sorted(variants))}; their tags are part of it: set {remedy}"
        )
    _check_revisions("release.traffic", release.traffic, service, regions, "run revisions list")


def check_shares(
    release: Release,
    service: str,
    regions: Collection[str],
    variants: Collection[str],
    pools: Mapping[PoolRole, str],
    homes: Collection[str],
) -> None:
    """Refuse shares of what does not stand: of the API in its regions, of each pool in `homes`."""
    _check_traffic(release, service, regions, variants)
    _check_splits(release, pools, homes)


def _check_splits(release: Release, pools: Mapping[PoolRole, str], regions: Collection[str]) -> None:
    """Refuse a pool that does not stand, revisions of another pool and a region without one."""
    for role, split in release.splits.items():
        if role not in pools:
            raise RefusedError(
                f"release.splits must name one of {', '.join(pools)}, got {role!r}; its pool stands where "
                "workers.batch_scaling is given"
            )
        listing = "run worker-pools revisions list"
        _check_revisions(f"release.splits.{role}", split, pools[role], regions, listing)


def _check_revisions(
    field: str, chosen: ReleaseTraffic, owner: str, regions: Collection[str], listing: str
) -> None:
    match chosen:
        case PinnedTraffic(revisions=named):
            field = f"{field}.revisions"
        case CanaryTraffic(stable_revisions=named):
            field = f"{field}.stable_revisions"
        case LatestTraffic() | WalkedTraffic():
            return
    if set(named) != set(regions):
        raise RefusedError(
            f"{field} must name a revision in {', '.join(regions)}, got "
            f"{', '.join(sorted(named)) or 'none'}; take them from `gcloud {listing}`"
        )
    for region, revision in named.items():
        if not revision.startswith(f"{owner}-"):
            raise RefusedError(
                f"{field}.{region} must name a revision of {owner}, got {revision!r}; correct it"
            )


def check_release(release: Release, registry: str, vendor: Collection[str]) -> None:
    """Refuse images of another registry and secret versions that do not fit the vendor secrets.

    The collector is somebody else's image: it may come from a mirror, another repository of the same project.
    """
    for key in ("api", "worker", *release.images):
        image = release.images.get(key)
        place = f"{registry.rsplit('/', 2)[0]}/" if key == "collector" else registry
        if image is None or not image.startswith(place):
            raise RefusedError(
                f"release.images.{key} must be {place}NAME@sha256:DIGEST, got {image!r}; "
                "push the image there and name it by digest"
            )
    vendors = set(vendor)
    for secret in release.secret_versions:
        if secret not in vendors:
            raise RefusedError(
                f"release.secret_versions must name one of {', '.join(sorted(vendors))}, "
                f"got {secret!r}; correct the name"
            )
    missing = vendors - set(release.secret_versions)
    if missing:
        raise RefusedError(
            f"release.secret_versions must give a number for every vendor secret, got none for "
            f"{', '.join(sorted(missing))}; add it"
        )


def check_readers(admission: Admission | None, environment: str) -> None:
    """Refuse readers where nothing is promoted from."""
    if admission is not None and admission.readers and environment == "prod":
        raise RefusedError(
            f"admission.readers must be empty in prod, got {', '.join(admission.readers)}; nothing is "
            "promoted from there: remove them"
        )


def registry_of(images: Images, project: str, environment: str, repository: str) -> str:
    """Where the images are, as image names begin. Refuses readers of a repository that stands elsewhere."""
    home = images.project_id or project
    if images.mirrors and home != project:
        raise RefusedError(
            f"images.mirrors must be empty while images.project_id is another project, got "
            f"{', '.join(images.mirrors)}; name them in the stack of {home}"
        )
    if repository in images.mirrors:
        raise RefusedError(
            "images.mirrors must not be named as the repository of our own images, "
            f"got {repository!r}; rename it"
        )
    if images.readers and home != project:
        raise RefusedError(
            f"images.readers must be empty while images.project_id is another project, got "
            f"{', '.join(images.readers)}; name them in the stack of {home}"
        )
    for key, reader in images.readers.items():
        if key == environment or reader.project_id == project:
            raise RefusedError(
                f"images.readers must name other environments in projects of their own, got {key} in "
                f"{reader.project_id}; remove it: the repository's own project reads it anyway"
            )
    return f"europe-docker.pkg.dev/{home}/{repository}"
