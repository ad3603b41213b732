"""The check as it is deployed: its own files only, served by functions-framework, called by HTTP."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.operations.restore_drill.clusters import PORT, Cluster, archiving

SOURCE = Path(__file__).parents[3] / "operations" / "restore_drill"
CLONE = "aiprod-drill-1796083200"


@pytest.fixture(name="cluster", scope="module")
def _cluster() -> Iterator[Cluster]:
    with archiving() as one:
        one.sql("CREATE TABLE jobs AS SELECT n, now() AS created_at FROM generate_series(1, 9) n")
        yield one


@pytest.fixture(name="address", scope="module")
def _address(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("archive")
    shutil.copytree(SOURCE, folder / "restore_drill", ignore=shutil.ignore_patterns("__pycache__", "*.yaml"))
    (folder / "main.py").write_text("from restore_drill.service import answer\n")
    config = {
        "user": "postgres",
        "database": "app",
        "source": "aiprod-postgres",
        "prefix": "aiprod-drill-",
        "addresses": {name: [str(cluster.folder), PORT] for name in ("aiprod-postgres", CLONE)},
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with (folder / "out").open("w") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "functions_framework", "--source", "main.py", "--target", "answer"),
                *("--host", "127.0.0.1", "--port", str(port)),
            ],
            cwd=folder,
            env=environment | {"RESTORE_DRILL_CONFIG": json.dumps(config)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            for _ in range(200):
                assert process.poll() is None, (folder / "out").read_text()
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 204:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_the_reference_of_the_source_judges_a_clone(address: str) -> None:
    taken = httpx.post(f"{address}/reference", json={"instance": "aiprod-postgres"}, timeout=60).json()
    assert taken["at"].endswith("Z")
    found = httpx.post(f"{address}/compare", json={"instance": CLONE, "reference": taken}, timeout=60)
    assert found.status_code == 200
    assert found.json()["passed"], found.json()
    assert found.json()["tables"]["exact"] == 1


@pytest.mark.parametrize(
    ("path", "instance", "status", "said"),
    [
        ("/reference", CLONE, 400, "reference is of aiprod-postgres"),
        ("/compare", "aiprod-postgres", 400, "compare is of aiprod-drill- and ten digits"),
        ("/compare", "aiprod-drill-1", 400, "compare is of aiprod-drill- and ten digits"),
        ("/delete", CLONE, 404, "path must be /reference or /compare"),
    ],
)
def test_fails_when_asked_about_anything_else(
    address: str, path: str, instance: str, status: int, said: str
) -> None:
    found = httpx.post(f"{address}{path}", json={"instance": instance, "reference": {}}, timeout=60)
    assert found.status_code == status
    assert said in found.json()["error"]["message"]
