"""How an IAM member is written, for members that a program may grant something to.

Source: IAM's page on principal identifiers. Members that begin with `deleted` and Google's convenience
groups (`projectOwner:`) are real but not accepted: the provider refuses the first, the second follow the
basic roles that this platform does not grant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from facts.refusal import RefusedError

__all__ = ["check_member", "check_members"]

_EMAIL: Final = r"[^@\s:/?]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}"
_POOLS: Final = (
    r"iam\.googleapis\.com/projects/[0-9]{1,19}/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}"
)
_FORMS: Final = re.compile(
    rf"(?:serviceAccount|group|user):{_EMAIL}"
    r"|domain:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}"
    rf"|principal://{_POOLS}/subject/.+"
    rf"|principalSet://{_POOLS}/(?:group/.+|attribute\.[a-z0-9_]{{1,100}}/.+|\*)"
)


def check_member(field: str, member: object) -> None:
    """Refuse a member in a wrong form. None, and what is not known while the program runs, is left alone."""
    if isinstance(member, str) and _FORMS.fullmatch(member) is None:
        raise RefusedError(
            f"{field} must be written as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com, group:ADDRESS "
            f"or a principal of a workload identity pool, got {member!r}; correct its form"
        )


def check_members(field: str, members: Mapping[str, object]) -> None:
    """Refuse the first member in a wrong form, named by its key."""
    for key, member in members.items():
        check_member(f"{field}.{key}", member)
