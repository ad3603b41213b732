"""Every grant of a program as a row, and which of them nobody uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from policies.access import Grant, broad, grants, unused
from policies.model import UNKNOWN, Resource
from tests.policies.good import GOOD

Deps = Mapping[str, tuple[str, ...]] | None
EMAIL = "aiprod-api@p.iam.gserviceaccount.com"
API = "serviceAccount:aiprod-api@p.iam.gserviceaccount.com"
ACCOUNT = "serviceaccount/account:Account"


def made(token: str, name: str, props: dict[str, Any], deps: Deps = None) -> Resource:
    type = f"gcp:{token}"
    return Resource(
        urn=f"urn:pulumi:prod::aiprod::{type}::{name}",
        type=type,
        name=name,
        props=props,
        property_dependencies={path: tuple(urns) for path, urns in (deps or {}).items()},
    )


def account(name: str = "api") -> Resource:
    return made(ACCOUNT, name, {"accountId": f"aiprod-{name}"})


def service(runs_as: Any = EMAIL, deps: Deps = None) -> Resource:
    return made("cloudrunv2/service:Service", "run", {"template": {"serviceAccount": runs_as}}, deps)


def topic_grant(
    name: str = "publishes", topic: Any = "jobs", member: Any = API, deps: Deps = None
) -> Resource:
    props = {"topic": topic, "role": "roles/pubsub.publisher", "member": member}
    return made("pubsub/topicIAMMember:TopicIAMMember", name, props, deps)


def project_grant(role: str = "roles/pubsub.publisher", member: str = API) -> Resource:
    return made("projects/iAMMember:IAMMember", "wide", {"role": role, "member": member, "project": "p"})


def reasons(*resources: Resource) -> list[str]:
    return [reason for _, reason in unused(resources)]


def test_a_grant_is_a_row_with_holder_role_and_target() -> None:
    (row,) = grants([account(), topic_grant()])
    assert (row.identity, row.kind, row.role, row.target, row.condition) == (
        "aiprod-api",
        "runtime",
        "roles/pubsub.publisher",
        "Topic jobs",
        "",
    )


@pytest.mark.parametrize(
    ("member", "identity", "kind"),
    [
        ("group:ops@aiprod.ai", "ops@aiprod.ai", "group"),
        ("user:cto@aiprod.ai", "cto@aiprod.ai", "person"),
        ("allUsers", "allUsers", "everybody"),
        ("serviceAccount:x@other.iam.gserviceaccount.com", "x@other.iam.gserviceaccount.com", "account"),
        (
            "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com",
            "service-1@gcp-sa-pubsub.iam.gserviceaccount.com",
            "agent",
        ),
        (
            "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/g/*",
            "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/g/*",
            "federated",
        ),
    ],
)
def test_every_form_of_a_holder_has_its_kind(member: str, identity: str, kind: str) -> None:
    (row,) = grants([topic_grant(member=member)])
    assert (row.identity, row.kind) == (identity, kind)


def test_a_holder_that_is_not_known_yet_is_the_account_it_comes_from() -> None:
    own = account()
    (row,) = grants([own, topic_grant(member=UNKNOWN, deps={"member": (own.urn,)})])
    assert (row.identity, row.kind) == ("aiprod-api", "runtime")


def test_a_grant_whose_account_runs_is_used() -> None:
    own = account()
    assert reasons(own, topic_grant(), service()) == []
    assert reasons(own, topic_grant(), service(UNKNOWN, {"template": (own.urn,)})) == []


def test_a_grant_whose_account_nothing_runs_as_is_not() -> None:
    other = account("drill")
    found = reasons(account(), other, topic_grant(), service())
    assert found == []
    member = "serviceAccount:aiprod-drill@p.iam.gserviceaccount.com"
    assert reasons(account(), other, topic_grant(member=member), service()) == [
        "nothing runs as this account"
    ]


def test_a_database_login_alone_runs_nothing() -> None:
    user = made("sql/user:User", "api", {"name": "aiprod-api@p.iam"}, {"name": (account().urn,)})
    assert reasons(account(), topic_grant(), user, service("other@p.iam.gserviceaccount.com"))


def test_an_account_that_cannot_be_read_may_be_any() -> None:
    assert reasons(account(), topic_grant(), service(UNKNOWN)) == []


def test_before_the_first_release_grants_precede_what_runs() -> None:
    assert reasons(account(), topic_grant()) == []


def test_a_federated_login_uses_an_account() -> None:
    login = made(
        "serviceaccount/iAMMember:IAMMember",
        "login",
        {
            "serviceAccountId": "projects/p/serviceAccounts/aiprod-drill@p.iam.gserviceaccount.com",
            "role": "roles/iam.workloadIdentityUser",
            "member": "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/g/*",
        },
    )
    member = "serviceAccount:aiprod-drill@p.iam.gserviceaccount.com"
    assert reasons(account(), account("drill"), login, topic_grant(member=member), service()) == []


def test_a_grant_that_stands_twice_is_unused_and_one_in_another_region_is_not() -> None:
    assert reasons(topic_grant("a"), topic_grant("b")) == ["the same grant stands twice"] * 2
    one, other = (
        "projects/p/locations/a/keyRings/r/cryptoKeys/k",
        "projects/p/locations/b/keyRings/r/cryptoKeys/k",
    )
    assert reasons(topic_grant("a", topic=one), topic_grant("b", topic=other)) == []


def test_a_grant_on_a_table_says_so_and_tables_of_two_datasets_are_two() -> None:
    props = {"tableId": "jobs", "role": "roles/bigquery.dataEditor", "member": API}
    here, there = (
        made("bigquery/iamMember:IamMember", dataset, {**props, "datasetId": dataset})
        for dataset in ("a", "b")
    )
    assert [row.target for row in grants([account(), here, there])] == ["Table jobs", "Table jobs"]
    assert reasons(account(), service(), here, there) == []


def test_a_grant_that_the_project_gives_already_is_unused() -> None:
    assert reasons(topic_grant(), project_grant()) == ["the same role is granted on the whole project"]


@pytest.mark.parametrize(
    ("role", "count"),
    [("roles/owner", 1), ("roles/editor", 1), ("roles/run.admin", 1), ("roles/run.viewer", 0)],
)
def test_owner_editor_and_admin_roles_on_the_project_are_counted(role: str, count: int) -> None:
    found: list[Grant] = grants([project_grant(role)])
    assert len(broad(found)) == count


def test_the_good_platform_has_neither() -> None:
    assert unused(GOOD) == []
