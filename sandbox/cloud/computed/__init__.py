"""What Google computes, by service: addresses, links, numbers, addresses of accounts."""

from __future__ import annotations

from sandbox.cloud.computed import edge, identity, network, observability, serving, stores
from sandbox.cloud.computed.making import Making, computed_values

__all__ = ["Making", "computed_values"]

for _module in (edge, identity, network, observability, serving, stores):
    assert _module.__name__
