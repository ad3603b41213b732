"""docs/service-contract.md: the contract for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from review.contract.demands import Demands
from review.contract.messages import Message
from review.contract.page_demands import (
    endpoints_part,
    headers_part,
    limits_part,
    login_part,
    stores_part,
    telemetry_part,
    webhooks_part,
    workers_part,
)
from review.contract.page_given import (
    buckets_part,
    mounts_part,
    probes_part,
    queues_part,
    secrets_part,
    variables_part,
    workloads_part,
)
from review.contract.page_pieces import section
from review.contract.program import Given

__all__ = ["render"]

_HEAD: Final = """# Service contract

Generated from the evaluated program and from `review/contract/demands.yaml` by `make contract`; do not
edit. The same for machines: [contract.json](contract.json), with its [schema](contract.schema.json).

The application images are built elsewhere. This page is all that the two sides agree on: what an image gets
in each environment, and what it must offer. `make contract-check URL=... [STACK=...]` asks a running image
for what can be asked from outside. Where the program and `demands.yaml` speak of the same thing, a test
fails as soon as they differ.

Secrets stand here by name and by who chooses their version, never by value. *after deployment* marks a value
that Google chooses; what is shown is the sandbox's. Where the project id is the operator's to choose, its
documented example is shown.
"""


def render(demands: Demands, messages: Mapping[str, Message], environments: Sequence[Given]) -> str:
    """The page."""
    lines = [
        _HEAD,
        *workloads_part(environments),
        *variables_part(demands, environments),
        *secrets_part(environments),
        *mounts_part(environments),
        *probes_part(environments),
        *endpoints_part(demands, environments),
        *login_part(demands, environments),
        *headers_part(demands, environments),
        *limits_part(demands, environments),
        *webhooks_part(demands, environments),
        *queues_part(demands, messages, environments),
        *workers_part(demands),
        *buckets_part(demands, environments),
        *stores_part(demands),
        *telemetry_part(demands, environments),
        *section("Images", *demands.image_rules),
        *section("Clients on phones and in browsers", *demands.sdk.rules),
    ]
    return "\n".join(lines).rstrip() + "\n"
