"""A live project is taken over without a deletion or a replacement, and what is wrong is refused first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from review.inventory import Import, load_inventory
from tests.end_to_end.conftest import REPOSITORY, Platform
from tests.end_to_end.scripted_import import adopted, scripted

TOPIC = "gcp:pubsub/topic:Topic"


@pytest.fixture
def live(platform: Platform) -> Platform:
    shutil.copytree(REPOSITORY / "adoption", platform.folder / "adoption")
    return platform


def change(live: Platform, edit: Callable[[dict[str, Any]], object], name: str = "prod.yaml") -> None:
    path = live.folder / "adoption" / name
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def decision(document: dict[str, Any], id: str) -> dict[str, Any]:
    return next(item for item in document["resources"] if item["id"].endswith(id))


def test_the_live_project_is_adopted_without_a_deletion_or_replacement(
    live: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    report = live.folder / "adoption.json"
    code, said = adopted(capsys, "--json", str(report))
    assert code == 0, said
    assert not (live.folder / ".sandbox" / "prod.json").exists()

    found = json.loads(report.read_text(encoding="utf-8"))
    first, second = found["reports"]
    for phase in (first, second):
        assert {step["op"] for step in phase["steps"]} <= {"create", "update", "same"}
    taken = {row["id"]: row for row in found["adoption"] if row["decision"] == "import"}
    updated = {step["urn"] for step in first["steps"] if step["op"] == "update"}
    assert {row["urn"] for row in taken.values()} == updated
    assert all("kmsKeyName" in row["changes"] for row in taken.values())


def test_the_inventory_of_prod_says_what_runs_there() -> None:
    inventory = load_inventory(REPOSITORY / "adoption" / "prod.yaml")
    fixture = yaml.safe_load((REPOSITORY / "adoption" / "prod.live.yaml").read_text(encoding="utf-8"))
    assert {item.key for item in inventory.resources} == {
        (item["type"], item["id"]) for item in fixture["resources"]
    }
    kinds = [item.type for item in inventory.resources]
    assert kinds.count(TOPIC) == 3
    assert kinds.count("gcp:secretmanager/secret:Secret") == 4
    assert all(isinstance(item, Import) for item in inventory.resources if item.type == TOPIC)


def undecided(document: dict[str, Any]) -> None:
    document["resources"].remove(decision(document, "/suno-api-key"))


def not_there(document: dict[str, Any]) -> None:
    decision(document, "aiprod-job-results").update(id="projects/x/topics/gone")


def name_taken(document: dict[str, Any]) -> None:
    document["settings"].pop("postgres.name")


def no_successor(document: dict[str, Any]) -> None:
    decision(document, "aiprod-postgres").update(successor="other")


def replaced(document: dict[str, Any]) -> None:
    document["settings"].pop("postgres.name")
    database = decision(document, "aiprod-postgres")
    database.pop("successor")
    database.update(decision="import")


def against_policy(document: dict[str, Any]) -> None:
    document["settings"]["postgres.replicas"] = {}


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (
            against_policy,
            'the stack does not come up by itself: sql.DatabaseInstance "postgres": masterInstanceName',
        ),
        (undecided, "/secrets/suno-api-key (gcp:secretmanager/secret:Secret) runs in the project and the"),
        (not_there, "projects/x/topics/gone (gcp:pubsub/topic:Topic) is in the inventory and does not run"),
        (name_taken, "aiprod-postgres (gcp:sql/databaseInstance:DatabaseInstance) is to stay and the stack"),
        (no_successor, "other (gcp:sql/databaseInstance:DatabaseInstance) is to succeed aiprod-postgres and"),
        (replaced, "would be replaced because of encryptionKeyName"),
    ],
)
def test_an_adoption_that_would_lose_something_is_refused(
    live: Platform,
    capsys: pytest.CaptureFixture[str],
    edit: Callable[[dict[str, Any]], object],
    sentence: str,
) -> None:
    change(live, edit)
    code, said = adopted(capsys)
    assert code == 1
    assert sentence in said
    assert not (live.folder / "build" / "adopt-prod.json").exists()


def unknown_decision(document: dict[str, Any]) -> None:
    document["resources"][0].update(decision="delete")


def unknown_key(document: dict[str, Any]) -> None:
    document.update(other=1)


def named_twice(document: dict[str, Any]) -> None:
    document["resources"].append(document["resources"][0])


def nothing_runs(document: dict[str, Any]) -> None:
    document.update(resources=[])


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (unknown_decision, "prod.yaml: resources.0: Input tag 'delete'"),
        (unknown_key, "prod.yaml: other: Extra inputs"),
        (named_twice, "(gcp:pubsub/topic:Topic) twice: keep one decision"),
        (nothing_runs, "prod.yaml: resources: "),
    ],
)
def test_an_inventory_that_cannot_be_read_is_wrong_use(
    live: Platform,
    capsys: pytest.CaptureFixture[str],
    edit: Callable[[dict[str, Any]], object],
    sentence: str,
) -> None:
    change(live, edit)
    code, said = adopted(capsys)
    assert code == 2
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


def test_a_stack_without_an_inventory_is_wrong_use(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = adopted(capsys)
    assert code == 2
    assert "write the inventory of the live project there" in said


def test_google_is_asked_only_when_the_stack_file_has_the_names(
    live: Platform, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = scripted(monkeypatch)
    code, said = adopted(capsys, "--target", "gcp")
    assert code == 2
    assert "Pulumi.prod.yaml: api.service must be" in said
    assert stack.asked == []

    def written(config: dict[str, Any]) -> None:
        settings = yaml.safe_load((live.folder / "adoption" / "prod.yaml").read_text(encoding="utf-8"))
        for path, value in settings["settings"].items():
            section, field = path.split(".")
            config.setdefault(f"aiprod:{section}", {})[field] = value

    live.edit("prod", written)
    code, said = adopted(capsys, "--target", "gcp")
    assert code == 0, said
    assert [len(ids) for ids in stack.asked] == [3]

    topic = "urn:pulumi:prod::aiprod::aiprod:messaging:WorkQueue$gcp:pubsub/topic:Topic::"
    stack.state = [
        {"urn": f"{topic}queue-{name}", "type": TOPIC} for name in ("jobs", "results", "notifications")
    ]
    code, said = adopted(capsys, "--target", "gcp")
    assert code == 0
    assert "everything to import is in the state already" in said
    assert len(stack.asked) == 1


@pytest.mark.real_cli
def test_the_real_cli_adopts_it_too(live: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = adopted(capsys, "--target", "sandbox-cli")
    assert code == 0, said
    assert "6 imported, nothing live deleted or replaced, and a further up changes nothing" in said
