"""What a switchover of Cloud SQL changes beside the instance that it is asked of: the old primary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.cloud.data import as_list, bare
from sandbox.cloud.drift import Drift
from sandbox.cloud.world import World

__all__ = ["follow"]

_INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"


def follow(
    world: World, type: str, id: str, old_inputs: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Exchange the roles where an update asks for it, as the provider's `isSwitchoverRequested` reads it.

    A replica becomes an instance of its own and names its old primary among its replicas. Google then makes
    that one a replica, without backups.
    """
    primary = str(bare(old_inputs.get("masterInstanceName")) or "").rsplit("/", 1)[-1]
    named = [str(bare(item)) for item in as_list(bare(values.get("replicaNames"))) or []]
    if type != _INSTANCE or not primary or primary not in named:
        return
    if bare(values.get("instanceType")) != "CLOUD_SQL_INSTANCE":
        return
    roles = {"instanceType": "READ_REPLICA_INSTANCE", "masterInstanceName": id}
    Drift(
        type=_INSTANCE,
        id=primary,
        inputs={
            **roles,
            "replicationCluster.failoverDrReplicaName": "",
            "settings.backupConfiguration.enabled": False,
            "settings.backupConfiguration.pointInTimeRecoveryEnabled": False,
        },
        outputs={**roles, "replicaNames": []},
    ).apply(world)
