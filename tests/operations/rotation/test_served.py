"""The function as it is deployed: an archive of its own, served by functions-framework, called by HTTP."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.operations.rotation.server import USERS
from tests.operations.rotation.stand_in import PROJECT
from tests.operations.rotation.world import GRACE, SECRET, World

SOURCE = Path(__file__).parents[3] / "operations" / "rotation"


@pytest.fixture
def address(world: World, tmp_path: Path) -> Iterator[str]:
    """Only the function's own files are there, as in the archive."""
    shutil.copytree(SOURCE, tmp_path / "rotation", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "main.py").write_text("from rotation.entry import handle\n")
    config: dict[str, Any] = {
        "project": PROJECT,
        "grace_seconds": GRACE,
        "databases": {
            SECRET: {
                "instance": "main",
                "database": "postgres",
                "users": list(USERS),
                "host": "127.0.0.1",
                "port": world.server.port,
                "ca_file": world.server.ca_file,
            }
        },
        "vendors": {},
        "reminders": {"cache-auth": "follow the page"},
        "consumers": {SECRET: []},
        "endpoints": {name: f"{world.root}/{name}" for name in ("sql", "run")}
        | {"secrets": f"{world.root}/secretmanager"},
        "metadata": f"{world.root}/metadata",
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = tmp_path / "out"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    output = log.open("w")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "functions_framework", "--source", "main.py", "--target", "handle"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        cwd=tmp_path,
        env=environment | {"ROTATION_CONFIG": json.dumps(config)},
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    try:
        for _ in range(100):
            assert process.poll() is None, log.read_text()
            try:
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(timeout=20)
        output.close()


def push(attributes: dict[str, str], published: datetime) -> dict[str, Any]:
    """A push envelope as Pub/Sub writes it."""
    return {
        "message": {
            "attributes": attributes,
            "data": "e30=",
            "messageId": "1",
            "publishTime": published.isoformat().replace("+00:00", "Z"),
        },
        "subscription": f"projects/{PROJECT}/subscriptions/rotation",
    }


def test_a_push_rotates_once_however_often_it_is_delivered(address: str, world: World) -> None:
    world.time = time.time() + 1
    world.google.versions[SECRET][0]["createTime"] = "2026-01-01T00:00:00Z"
    due = {"eventType": "SECRET_ROTATE", "secretId": f"projects/123456789012/secrets/{SECRET}"}
    message = push(due, datetime.now(UTC) - timedelta(seconds=5))
    assert [httpx.post(address, json=message, timeout=60).status_code for _ in range(2)] == [204, 204]
    assert world.google.secrets[SECRET]["versionAliases"] == {"current": "2", "previous": "1"}
    assert world.works()
    back = push({"eventType": "AIPROD_ROLLBACK", "secretId": SECRET}, datetime.now(UTC))
    assert [httpx.post(address, json=back, timeout=60).status_code for _ in range(2)] == [204, 204]
    assert world.google.secrets[SECRET]["versionAliases"]["current"] == "1"


def test_what_a_person_changes_is_a_ticket_and_what_nobody_knows_an_alarm(
    address: str, world: World, tmp_path: Path
) -> None:
    for secret in ("cache-auth", "forgotten"):
        message = push({"eventType": "SECRET_ROTATE", "secretId": secret}, datetime.now(UTC))
        assert httpx.post(address, json=message, timeout=60).status_code == 204
    lost = push({"eventType": "AIPROD_ROLLBACK", "secretId": "forgotten"}, datetime.now(UTC))
    assert httpx.post(address, json=lost, timeout=60).status_code == 204
    lines = [json.loads(one) for one in (tmp_path / "out").read_text().splitlines() if one.startswith("{")]
    assert [(one["rotation"]["secret"], one["rotation"]["kind"]) for one in lines] == [
        ("cache-auth", "ticket"),
        ("forgotten", "alarm"),
        ("forgotten", "failed"),
    ]
    assert world.google.calls == []


def test_a_probe_is_answered_without_doing_anything(address: str, world: World) -> None:
    assert httpx.get(f"{address}health", timeout=60).status_code == 204
    assert world.google.calls == []


def test_other_messages_are_acknowledged_and_ignored(address: str, world: World) -> None:
    for kind in ("TOPIC_CONFIGURED", "SECRET_UPDATE", "SECRET_VERSION_ADD"):
        message = push({"eventType": kind, "secretId": SECRET}, datetime.now(UTC))
        assert httpx.post(address, json=message, timeout=60).status_code == 204
    assert world.google.calls == []


def test_what_fails_is_delivered_again_and_what_is_no_push_is_not(address: str, world: World) -> None:
    del world.google.secrets[SECRET]
    due = push({"eventType": "SECRET_ROTATE", "secretId": SECRET}, datetime.now(UTC))
    assert httpx.post(address, json=due, timeout=60).status_code == 500
    assert httpx.post(address, json={"no": "push"}, timeout=60).status_code == 400
