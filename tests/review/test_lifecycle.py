"""A resource's life on both engines: adopted, changed, protected, retained, remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.review.engines import TARGETS, Mini, changes

HEAD = """\
import pulumi
import pulumi_gcp as gcp

gcp_project = "some-project"
options = pulumi.ResourceOptions
"""
TOPIC = "projects/some-project/topics/live"
ACCOUNT = "projects/some-project/serviceAccounts/api-runtime@some-project.iam.gserviceaccount.com"
POOL = """\
gcp.iam.WorkloadIdentityPool("pool", project=gcp_project, workload_identity_pool_id="github")
"""
LIVE = {
    "resources": [
        {
            "type": "gcp:pubsub/topic:Topic",
            "id": TOPIC,
            "inputs": {"name": "live", "project": "some-project", "labels": {"a": "b"}},
        },
        {
            "type": "gcp:serviceaccount/account:Account",
            "id": ACCOUNT,
            "inputs": {"accountId": "api-runtime", "project": "some-project"},
        },
    ]
}


def adopting(label: str = "b", *, protect: bool = True, account: bool = True) -> str:
    made = f'''
gcp.pubsub.Topic(
    "topic",
    name="live",
    project=gcp_project,
    labels={{"a": "{label}"}},
    opts=options(import_="{TOPIC}", retain_on_delete=True),
)
'''
    if account:
        made += f'''
gcp.serviceaccount.Account(
    "account",
    account_id="api-runtime",
    project=gcp_project,
    opts=options(import_="{ACCOUNT}", protect={protect}),
)
'''
    return HEAD + made


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Mini:
    monkeypatch.chdir(tmp_path)
    return Mini(tmp_path, request.param)


def ops(mini: Mini, fixture: object = None) -> dict[str, str]:
    code, report = mini.run("up", fixture)
    assert code == 0, report["errors"]
    return {name: op for name, (op, _) in changes(report).items() if name in {"topic", "account"}}


def left(mini: Mini) -> dict[str, str]:
    """What stands at the stand-in cloud, and why where it is only remembered."""
    inside = "dev.cloud.json" if mini.target == "sandbox" else "cli/dev/cloud.json"
    cloud = json.loads((mini.folder / ".sandbox" / inside).read_text())
    return {record["id"]: record.get("leftover", "") for record in cloud["resources"]}


@pytest.mark.parametrize("mini", TARGETS, indirect=True)
def test_a_live_project_is_adopted_and_let_go(mini: Mini) -> None:
    mini.write(adopting())
    assert mini.run("up")[0] == 1, "nothing to import yet"
    mini.write(adopting("c"))
    assert ops(mini, LIVE) == {"account": "import", "topic": "update"}
    assert ops(mini) == {}
    mini.write(adopting())
    assert ops(mini) == {"topic": "update"}
    mini.write(adopting(account=False))
    code, report = mini.run("up")
    assert code == 1
    assert "protect" in report["errors"][0]["message"]
    assert "\n" not in report["errors"][0]["message"]
    mini.write(adopting(protect=False))
    ops(mini)
    mini.write(HEAD)
    assert ops(mini) == {"account": "delete", "topic": "delete"}
    assert left(mini)[TOPIC] == "", "retained"
    assert "30 days" in left(mini)[ACCOUNT]


@pytest.mark.parametrize("mini", TARGETS, indirect=True)
def test_a_deleted_id_is_remembered(mini: Mini) -> None:
    mini.write(HEAD + POOL)
    ops(mini)
    assert mini.run("down")[0] == 0
    code, report = mini.run("up")
    (error,) = report["errors"]
    assert (code, error["code"]) == (1, 409)
    assert "a deleted pool keeps its id for 30 days" in error["message"]
