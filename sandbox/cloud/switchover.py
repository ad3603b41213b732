"""What a promotion or a switchover of Cloud SQL changes beside what it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.cloud.data import Values, as_list, bare
from sandbox.cloud.drift import Drift
from sandbox.cloud.world import World

__all__ = ["follow", "standing_alone"]

_INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_ALONE: Final = "CLOUD_SQL_INSTANCE"


def standing_alone(type: str, values: Mapping[str, Any], outputs: Values) -> Values:
    """The outputs of an instance that was promoted: it follows none any more.

    The provider reads that from Google after the update. Its plan does not say so, since a computed field
    that a program leaves out keeps its value there.
    """
    promoted = bare(values.get("instanceType")) == _ALONE and not bare(values.get("masterInstanceName"))
    return {**outputs, "masterInstanceName": ""} if type == _INSTANCE and promoted else outputs


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
    if bare(values.get("instanceType")) != _ALONE:
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
