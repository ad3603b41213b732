"""For each behaviour a smallest way to meet it: what is done to the platform of ``stage``, and how the inputs
differ from those that the cloud accepts."""

from __future__ import annotations

from typing import Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.cases_back import BACK
from tests.sandbox.cloud.cases_builds import BUILDS, BUILDS_FINE
from tests.sandbox.cloud.cases_databases import DATABASES
from tests.sandbox.cloud.cases_documented import DOCUMENTED
from tests.sandbox.cloud.cases_edge import EDGE
from tests.sandbox.cloud.cases_filters import FILTERS
from tests.sandbox.cloud.cases_front import FRONT
from tests.sandbox.cloud.cases_limits import LIMITS
from tests.sandbox.cloud.cases_names import NAMES
from tests.sandbox.cloud.cases_operations import OPERATIONS
from tests.sandbox.cloud.cases_provider import PROVIDER_RULES
from tests.sandbox.cloud.cases_pubsub import PUBSUB
from tests.sandbox.cloud.cases_run import RUN_DOCUMENTED
from tests.sandbox.cloud.cases_tasks import TASKS
from tests.sandbox.cloud.cases_url_maps import URL_MAPS
from tests.sandbox.cloud.neighbours import NEIGHBOURS_FOUNDATION
from tests.sandbox.cloud.neighbours_back import NEIGHBOURS_BACK
from tests.sandbox.cloud.neighbours_databases import NEIGHBOURS_DATABASES
from tests.sandbox.cloud.neighbours_front import NEIGHBOURS_FRONT

__all__ = ["CASES", "NEIGHBOURS"]

CASES: Final[tuple[Case, ...]] = (
    *FRONT,
    *DATABASES,
    *DOCUMENTED,
    *BACK,
    *NAMES,
    *LIMITS,
    *OPERATIONS,
    *PROVIDER_RULES,
    *PUBSUB,
    *RUN_DOCUMENTED,
    *TASKS,
    *EDGE,
    *URL_MAPS,
    *FILTERS,
    *BUILDS,
)

NEIGHBOURS: Final[tuple[Case, ...]] = (
    *NEIGHBOURS_FOUNDATION,
    *NEIGHBOURS_BACK,
    *NEIGHBOURS_DATABASES,
    *NEIGHBOURS_FRONT,
    *BUILDS_FINE,
)
"""What stands just inside the line of a behaviour, and must be accepted."""
