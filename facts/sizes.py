"""Sizes that Google accepts: database tiers, processors with memory, waits between deliveries.

Each check takes the field's name as a person wrote it and refuses with one sentence.
"""

from __future__ import annotations

import re

from facts.refusal import RefusedError

__all__ = [
    "MEMORY_MIB",
    "check_cpu_and_memory",
    "check_data_cache",
    "check_plus_tier",
    "check_read_replicas",
    "check_tier",
    "check_waits",
    "connection_limit",
    "log_days_limit",
]

_TIER = re.compile(r"db-custom-(\d+)-(\d+)")
# Cloud SQL, edition ENTERPRISE_PLUS: 8 GB a processor.
_PLUS_TIER = re.compile(r"db-(?:perf-optimized-N|c4a-highmem)-(\d+)(-lssd)?")
_PLUS_MEMORY_MB = 8 * 1024
# Memorystore for Redis, read replicas.
_READ_REPLICAS_FROM_GB = 5
_MEMORY_STEP_MB = 256
_MEMORY_MINIMUM_MB = 3840
# Google's default max_connections by memory of the instance: at least so many MB, so many connections.
_CONNECTIONS_BY_MEMORY_MB = (
    (122_880, 1000),
    (61_440, 800),
    (30_720, 600),
    (15_360, 500),
    (7_680, 400),
    (6_144, 200),
    (0, 100),
)
# Cloud Run, instance-based billing or GEN2: MiB from and to, by CPUs.
MEMORY_MIB = {"1": (512, 4096), "2": (512, 8192), "4": (2048, 16384), "8": (4096, 32768)}


def check_tier(field: str, tier: str) -> str:
    """A dedicated tier of edition ENTERPRISE, db-custom-CPUS-MB."""
    match = _TIER.fullmatch(tier)
    if match is None:
        raise RefusedError(
            f"{field} must be db-custom-CPUS-MEMORY in edition ENTERPRISE, got {tier!r}; "
            "write it such as db-custom-2-7680"
        )
    cpus, memory = int(match[1]), int(match[2])
    if cpus != 1 and (cpus % 2 or not 2 <= cpus <= 96):
        raise RefusedError(
            f"{field} must have 1 processor or an even number from 2 to 96, got {tier!r}; "
            "change the first number"
        )
    if memory % _MEMORY_STEP_MB or memory < _MEMORY_MINIMUM_MB:
        raise RefusedError(
            f"{field} must have {_MEMORY_MINIMUM_MB} MB or more in steps of {_MEMORY_STEP_MB} MB, "
            f"got {tier!r}; change the second number"
        )
    if not 0.9 * 1024 * cpus <= memory <= 6.5 * 1024 * cpus:
        raise RefusedError(
            f"{field} must have 0.9 to 6.5 GB for each processor, got {tier!r}; change one of the numbers"
        )
    return tier


def check_plus_tier(field: str, tier: str) -> str:
    """A tier of edition ENTERPRISE_PLUS, db-perf-optimized-N-CPUS or db-c4a-highmem-CPUS."""
    match = _PLUS_TIER.fullmatch(tier)
    if match is None or (match[2] and not tier.startswith("db-c4a")):
        raise RefusedError(
            f"{field} must be db-perf-optimized-N-CPUS or db-c4a-highmem-CPUS in edition ENTERPRISE_PLUS, "
            f"got {tier!r}; write it such as db-perf-optimized-N-2"
        )
    return tier


def check_data_cache(field: str, tier: str) -> None:
    """Refuse a data cache where there is no local disk for it."""
    if tier.startswith("db-c4a") and not tier.endswith("-lssd"):
        raise RefusedError(
            f"{field} must be off for a tier without local disks, got {tier!r}; choose {tier}-lssd"
        )


def check_read_replicas(field: str, count: int, memory_size_gb: int) -> None:
    """Refuse replicas of Redis that answer reads where nodes are too small for them."""
    if count and memory_size_gb < _READ_REPLICAS_FROM_GB:
        raise RefusedError(
            f"{field} must be 0 below {_READ_REPLICAS_FROM_GB} GB, got {count} with memory_size_gb "
            f"{memory_size_gb}; raise memory_size_gb or leave them out"
        )


def log_days_limit(edition: str) -> int:
    """The most days of write-ahead log that an edition of Cloud SQL keeps."""
    return 35 if edition == "ENTERPRISE_PLUS" else 7


def connection_limit(tier: str) -> int:
    """How many connections an instance of that tier takes by default."""
    plus = _PLUS_TIER.fullmatch(tier)
    memory_mb = int(plus[1]) * _PLUS_MEMORY_MB if plus else int(tier.rsplit("-", maxsplit=1)[-1])
    return next(limit for least, limit in _CONNECTIONS_BY_MEMORY_MB if memory_mb >= least)


def check_cpu_and_memory(field: str, cpu: str, memory: str) -> None:
    """A pair that Cloud Run takes; `field` names the memory."""
    if cpu not in MEMORY_MIB:
        raise RefusedError(f"cpu must be one of {', '.join(MEMORY_MIB)}, got {cpu!r}; choose one of them")
    match = re.fullmatch(r"([1-9]\d*)(Mi|Gi)", memory)
    if match is None:
        raise RefusedError(f"{field} must be a number with Mi or Gi, got {memory!r}; write it such as 2Gi")
    mebibytes = int(match[1]) * (1024 if match[2] == "Gi" else 1)
    low, high = MEMORY_MIB[cpu]
    if not low <= mebibytes <= high:
        raise RefusedError(
            f"{field} must be between {low} and {high} Mi for {cpu} cpu, got {memory!r}; change it or cpu"
        )


def check_waits(minimum: str, shortest: int, maximum: str, longest: int) -> None:
    """A shortest wait that is not above the longest; both are given with their fields' names."""
    if shortest > longest:
        raise RefusedError(f"{minimum} must be at most {maximum} {longest}, got {shortest}; lower it")
