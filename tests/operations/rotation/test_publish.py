"""`make rotate` and `make rotate-rollback`: what is sent where, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "operations" / "rotation" / "publish.sh"
# Answers like the Google Cloud CLI and keeps what it was asked.
GCLOUD = """#!/usr/bin/env bash
echo "$@" >> "$CALLS"
case "$*" in
  *describe*) echo "$TOPIC" ;;
  *list-subscriptions*) echo "$SUBSCRIPTIONS" ;;
esac
"""
# Knows stack dev and its secret db, as `python -m review project` would.
REVIEW = """#!/usr/bin/env bash
if [[ "$*" == "project --stack dev --target "*" --secret db --command rotate"* ]]; then echo p; exit 0; fi
echo "refused: $*" >&2
exit 2
"""


def publish(
    tmp_path: Path,
    *arguments: str,
    topic: str = "projects/p/topics/rotation",
    subscriptions: str = "rotator",
    review: str = "",
    folder: Path | None = None,
) -> tuple[subprocess.CompletedProcess[str], str]:
    for name, text in (("gcloud", GCLOUD), ("review", REVIEW)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "SUBSCRIPTIONS": subscriptions,
        "TOPIC": topic,
        "REVIEW": review or str(tmp_path / "review"),
    }
    done = subprocess.run(
        [SCRIPT, *arguments],
        cwd=folder or tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done, calls.read_text()


@pytest.mark.parametrize("event", ["SECRET_ROTATE", "AIPROD_ROLLBACK"])
def test_sends_to_the_topic_of_the_secret(tmp_path: Path, event: str) -> None:
    done, calls = publish(tmp_path, "gcp", "dev", "db", event)
    assert done.returncode == 0, done.stderr
    wanted = f"pubsub topics publish projects/p/topics/rotation --project=p --attribute=eventType={event}"
    assert f"{wanted},secretId=db" in calls


@pytest.mark.parametrize(
    ("more", "attributes"),
    [(("3",), "confirmed=3"), (("", "true"), "atOnce=true"), (("12", "true"), "confirmed=12,atOnce=true")],
)
def test_sends_what_the_rotator_may_be_told_besides(
    tmp_path: Path, more: tuple[str, ...], attributes: str
) -> None:
    done, calls = publish(tmp_path, "gcp", "dev", "db", "SECRET_ROTATE", *more)
    assert done.returncode == 0, done.stderr
    assert calls.endswith(f"--attribute=eventType=SECRET_ROTATE,secretId=db,{attributes}\n")


@pytest.mark.parametrize("target", ["sandbox", "sandbox-cli"])
def test_the_sandbox_says_what_it_does_not_send(tmp_path: Path, target: str) -> None:
    done, calls = publish(tmp_path, target, "dev", "db", "SECRET_ROTATE", "4")
    assert done.returncode == 0, done.stderr
    assert "nothing is sent" in done.stdout
    assert "eventType=SECRET_ROTATE,secretId=db,confirmed=4 " in done.stdout
    assert calls == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("gpc", "dev", "db"), 2, "TARGET must be sandbox, sandbox-cli or gcp, got 'gpc'"),
        (("", "dev", "db"), 2, "TARGET must be sandbox, sandbox-cli or gcp, got ''"),
        (("gcp", "dev", ""), 2, "SECRET must name a secret"),
        (("gcp", "qa", "db"), 2, "refused: project --stack qa --target gcp"),
        (("sandbox", "dev", "nope"), 2, "refused: project --stack dev --target sandbox --secret nope"),
    ],
)
@pytest.mark.parametrize("event", ["SECRET_ROTATE", "AIPROD_ROLLBACK"])
def test_fails_before_google_is_asked(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str, event: str
) -> None:
    done, calls = publish(tmp_path, *arguments, event)
    assert (done.returncode, calls) == (code, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("0",), "CONFIRMED must be the number of a version, 1 or more, got '0'"),
        (("-1",), "CONFIRMED must be"),
        (("1,secretId=x",), "CONFIRMED must be"),
        (("latest",), "CONFIRMED must be"),
        (("", "yes"), "AT_ONCE must be 'true' or left out, got 'yes'"),
    ],
)
def test_fails_when_what_is_told_besides_is_no_good(tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    done, calls = publish(tmp_path, "sandbox", "dev", "db", "SECRET_ROTATE", *more)
    assert (done.returncode, calls) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    ("topic", "subscriptions", "said"),
    [
        ("", "one", "secret db in p must have a topic for its rotation, it has none"),
        ("projects/p/topics/rotation", "", "nothing subscribes to projects/p/topics/rotation"),
    ],
)
@pytest.mark.parametrize(
    ("event", "command"), [("SECRET_ROTATE", "rotate"), ("AIPROD_ROLLBACK", "rotate-rollback")]
)
def test_fails_when_nobody_would_act(
    tmp_path: Path, topic: str, subscriptions: str, said: str, event: str, command: str
) -> None:
    done, calls = publish(tmp_path, "gcp", "dev", "db", event, topic=topic, subscriptions=subscriptions)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{command}: {said}")
    assert done.stderr.count("\n") == 1
    assert "publish projects" not in calls


def test_the_sandbox_knows_the_secrets_that_the_program_declares(tmp_path: Path) -> None:
    review = f"{sys.executable} -m review"
    done, _ = publish(tmp_path, "sandbox", "dev", "nope", "AIPROD_ROLLBACK", review=review, folder=ROOT)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "rotate-rollback: SECRET must be one that dev declares, got 'nope': name aiprod-"
    )
    done, _ = publish(tmp_path, "sandbox", "dev", "suno-api-key", "SECRET_ROTATE", review=review, folder=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rotate (sandbox): nothing is sent")
