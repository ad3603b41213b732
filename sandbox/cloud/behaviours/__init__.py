"""What the stand-in cloud refuses, grouped by service. Importing this registers everything."""

from __future__ import annotations

from sandbox.cloud.behaviours import (
    armor,
    certificates,
    common,
    expressions,
    iam,
    in_use,
    kms,
    limits,
    load_balancing,
    network,
    network_documented,
    observability,
    provider_rules,
    pubsub,
    redis,
    references,
    run,
    secrets,
    services,
    shapes,
    sql,
    sql_flags,
    sql_replicas,
    sql_users,
    storage,
    taken,
)
from sandbox.cloud.behaviours.table import (
    BEHAVIOURS,
    Behaviour,
    Call,
    Phase,
    check_phase,
    run_phase,
    switched_off,
)

__all__ = ["BEHAVIOURS", "Behaviour", "Call", "Phase", "check_phase", "run_phase", "switched_off"]

for _module in (
    armor,
    certificates,
    common,
    expressions,
    iam,
    in_use,
    kms,
    limits,
    load_balancing,
    network,
    network_documented,
    observability,
    provider_rules,
    pubsub,
    redis,
    references,
    run,
    secrets,
    services,
    shapes,
    sql,
    sql_flags,
    sql_replicas,
    sql_users,
    storage,
    taken,
):
    assert _module.__name__
