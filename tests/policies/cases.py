"""For every rule, what violates it: each entry is one change to the good platform of `good`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.policies.cases_access import ACCESS
from tests.policies.cases_foundation import FOUNDATION
from tests.policies.cases_services import SERVICES
from tests.policies.changes import Case

__all__ = ["BAD", "Case"]

BAD: Mapping[str, Sequence[Case]] = {**FOUNDATION, **SERVICES, **ACCESS}
