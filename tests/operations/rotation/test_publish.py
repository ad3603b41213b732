"""`make rotate` and `make rotate-rollback`: what is sent where, and what is refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "operations" / "rotation" / "publish.sh"
# Answers like the Google Cloud CLI and keeps what it was asked.
GCLOUD = """#!/usr/bin/env bash
echo "$@" >> "$CALLS"
case "$*" in
  *describe*) echo projects/p/topics/rotation ;;
  *list-subscriptions*) echo "$SUBSCRIPTIONS" ;;
esac
"""


def publish(
    tmp_path: Path, *arguments: str, subscriptions: str = "rotator"
) -> tuple[subprocess.CompletedProcess[str], str]:
    program = tmp_path / "gcloud"
    program.write_text(GCLOUD)
    program.chmod(0o755)
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  aiprod:project_id: p\n")
    calls = tmp_path / "calls"
    calls.touch()
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "SUBSCRIPTIONS": subscriptions,
    }
    done = subprocess.run(
        [SCRIPT, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    return done, calls.read_text()


@pytest.mark.parametrize("event", ["SECRET_ROTATE", "AIPROD_ROLLBACK"])
def test_sends_to_the_topic_of_the_secret(tmp_path: Path, event: str) -> None:
    done, calls = publish(tmp_path, "gcp", "dev", "db", event)
    assert done.returncode == 0, done.stderr
    wanted = f"pubsub topics publish projects/p/topics/rotation --project=p --attribute=eventType={event}"
    assert f"{wanted},secretId=db" in calls


def test_the_sandbox_sends_nothing(tmp_path: Path) -> None:
    done, calls = publish(tmp_path, "sandbox", "dev", "db", "SECRET_ROTATE")
    assert "nothing is sent" in done.stdout
    assert calls == ""


@pytest.mark.parametrize(
    ("arguments", "subscriptions", "said"),
    [
        (("gcp", "dev", "", "SECRET_ROTATE"), "one", "SECRET must name a secret"),
        (("gcp", "qa", "db", "SECRET_ROTATE"), "one", "STACK must be a stack"),
        (("gcp", "dev", "db", "SECRET_ROTATE"), "", "nothing subscribes"),
    ],
)
def test_fails_when_nobody_would_act(
    tmp_path: Path, arguments: tuple[str, ...], subscriptions: str, said: str
) -> None:
    done, calls = publish(tmp_path, *arguments, subscriptions=subscriptions)
    assert done.returncode != 0
    assert said in done.stderr
    assert "publish projects" not in calls
