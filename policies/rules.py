"""All rules, in the order in which they are reported."""

from __future__ import annotations

from policies import (
    access,
    armor,
    connections,
    drill,
    edge,
    edge_routes,
    federation,
    iam,
    kms,
    labels,
    logs,
    memorystore,
    monitoring,
    network,
    pubsub,
    recovery,
    run,
    run_shares,
    secret_manager,
    sql,
    sql_replicas,
    storage,
    tasks,
)
from policies.model import Rule

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (
    *labels.RULES,
    *iam.RULES,
    *access.RULES,
    *federation.RULES,
    *kms.RULES,
    *secret_manager.RULES,
    *network.RULES,
    *sql.RULES,
    *sql_replicas.RULES,
    *connections.RULES,
    *drill.RULES,
    *recovery.RULES,
    *memorystore.RULES,
    *storage.RULES,
    *pubsub.RULES,
    *tasks.RULES,
    *run.RULES,
    *run_shares.RULES,
    *edge.RULES,
    *edge_routes.RULES,
    *armor.RULES,
    *logs.RULES,
    *monitoring.RULES,
)
