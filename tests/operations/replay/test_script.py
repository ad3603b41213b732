"""`make replay`: what is asked of the stacks, what the replay is given, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "operations" / "replay" / "replay.sh"
# Knows stack dev and its queue jobs, as `python -m review queue` would.
REVIEW = """#!/usr/bin/env bash
if [[ "$*" == "queue --stack dev --target "*" --queue jobs --command replay" ]]; then
  echo "p europe-west1 topic kept"
  exit 0
fi
echo "refused: $*" >&2
exit 2
"""
# Says what it was given; options are read by the real one.
PYTHON = f"""#!/usr/bin/env bash
if [[ "${{*: -1}}" == --only-read ]]; then
  PYTHONPATH={ROOT} exec {sys.executable} "$@"
fi
for part in "$@"; do echo "$part"; done
"""
ASKED = [
    *("-m", "operations.replay", "--endpoint", "https://europe-west1-pubsub.googleapis.com/v1"),
    *("--project", "p", "--topic", "topic", "--subscription", "kept", "--again"),
]


def replay(
    folder: Path, *arguments: str, review: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    for name, text in (("review", REVIEW), ("python", PYTHON)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    known = {"REVIEW": review or str(folder / "review"), "PYTHON": str(folder / "python")}
    return subprocess.run(
        [SCRIPT, *arguments],
        cwd=cwd or folder,
        env=os.environ | known,
        capture_output=True,
        text=True,
        check=False,
    )


def test_looks_in_the_region_that_the_topic_admits(tmp_path: Path) -> None:
    done = replay(tmp_path, "gcp", "dev", "jobs", "", "")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [*ASKED, "make replay QUEUE=jobs STACK=dev TARGET=gcp"]


def test_moves_with_the_number_and_the_same_choice(tmp_path: Path) -> None:
    done = replay(tmp_path, "gcp", "dev", "jobs", "true", "37", "--older-than", "2h")
    assert done.stdout.splitlines() == [
        *ASKED,
        "make replay QUEUE=jobs STACK=dev TARGET=gcp ARGS='--older-than 2h'",
        *("--run", "--expect", "37", "--older-than", "2h"),
    ]


@pytest.mark.parametrize("target", ["sandbox", "sandbox-cli"])
def test_the_sandbox_asks_nothing(tmp_path: Path, target: str) -> None:
    done = replay(tmp_path, target, "dev", "jobs", "true", "3", "--older-than", "2h", "--rate", "5")
    assert done.returncode == 0
    assert done.stdout.startswith("replay (sandbox): nothing is asked. TARGET=gcp would take from kept")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gpc", "dev", "jobs", "", ""), "TARGET must be sandbox, sandbox-cli or gcp, got 'gpc'"),
        (("gcp", "dev", "", "", ""), "QUEUE must name a queue, got nothing"),
        (("gcp", "dev", "jobs", "yes", "3"), "RUN must be 'true' or left out, got 'yes'"),
        (("gcp", "dev", "jobs", "true", ""), "EXPECT must be the number that the look printed, got nothing"),
        (("gcp", "dev", "jobs", "true", "0"), "EXPECT must be the number that the look printed, got '0'"),
        (("gcp", "dev", "jobs", "true", "all"), "EXPECT must be the number that the look printed, got 'all'"),
        (("gcp", "dev", "jobs", "", "3"), "RUN must be 'true' where EXPECT is given, got EXPECT=3 alone"),
        (("gcp", "qa", "jobs", "", ""), "refused: queue --stack qa"),
        *(
            (("sandbox", "dev", "jobs", "", "", *options), f"replay: argument {options[0]}: ")
            for options in (("--rate", "1000"), ("--older-than", "2x"), ("--limit", "0"))
        ),
        (
            ("sandbox", "dev", "jobs", "", "", "--oldr-than", "2h"),
            "unrecognized arguments: --oldr-than",
        ),
        (("sandbox", "dev", "nope", "", ""), "refused: queue --stack dev --target sandbox --queue nope"),
    ],
)
def test_fails_before_google_is_asked(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = replay(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_sandbox_knows_the_queues_that_the_program_declares(tmp_path: Path) -> None:
    review = f"{sys.executable} -m review"
    done = replay(tmp_path, "sandbox", "prod", "jobs", "", "", review=review, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert (
        "take from aiprod-job-processor-dlq and publish to aiprod-pipeline-jobs in europe-west1"
        in done.stdout
    )
    done = replay(tmp_path, "sandbox", "prod", "nope", "", "", review=review, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.startswith("replay: QUEUE must be one that prod declares, got 'nope': name batch, ")
