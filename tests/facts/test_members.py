"""Members in the forms that a program may write."""

from __future__ import annotations

import pytest

from facts.members import check_member, check_members
from facts.refusal import RefusedError

POOL = "iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/github"


@pytest.mark.parametrize(
    "member",
    [
        "serviceAccount:aiprod-api@p.iam.gserviceaccount.com",
        "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com",
        "group:on-call@aiprod.ai",
        "domain:aiprod.ai",
        f"principal://{POOL}/subject/repo:1",
        f"principalSet://{POOL}/attribute.repository_id/1",
        f"principalSet://{POOL}/*",
    ],
)
def test_real_forms_pass(member: str) -> None:
    check_member("member", member)


@pytest.mark.parametrize(
    "member",
    [
        "aiprod-api@p.iam.gserviceaccount.com",
        "serviceaccount:aiprod-api@p.iam.gserviceaccount.com",
        "serviceAccount:aiprod-api",
        "group: on-call@aiprod.ai",
        "allUsers",
        "projectOwner:p",
        "deleted:serviceAccount:a@p.iam.gserviceaccount.com?uid=1",
        "principal://iam.googleapis.com/projects/my-project/locations/global/workloadIdentityPools/github/subject/x",
        f"principalSet://{POOL}/attribute.Repository/1",
        "",
    ],
)
def test_fails_with_field_rule_value_and_remedy(member: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_members("accessors", {"api": member})
    assert str(caught.value).startswith("accessors.api must be written as serviceAccount:NAME@")
    assert str(caught.value).endswith(f"got {member!r}; correct its form")


def test_a_value_that_is_not_known_yet_is_left_alone() -> None:
    check_member("member", object())
