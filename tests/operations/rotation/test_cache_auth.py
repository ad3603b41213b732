"""`make rotate-cache`: what is asked of Google in which order, and what is refused before anything is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "operations" / "rotation" / "cache_auth.sh"
CACHE = "projects/p/locations/r/instances/aiprod-redis"
# Answers like the Google Cloud CLI, keeps what it was asked and whether AUTH is on; FAILS names what fails.
GCLOUD = """#!/usr/bin/env bash
echo "gcloud $*" >> "$CALLS"
[[ -n "$FAILS" && "$*" == *"$FAILS"* ]] && exit 1
case "$*" in
  *" list "*) printf '%s' "$FOUND" ;;
  *describe*) cat "$STATE" ;;
  *--no-enable-auth*) echo False > "$STATE" ;;
  *--enable-auth*) echo True > "$STATE" ;;
esac
"""
# Knows stack dev, as `python -m review project` would.
REVIEW = """#!/usr/bin/env bash
if [[ "$*" == "project --stack dev --target "*" --command rotate-cache" ]]; then echo p; exit 0; fi
echo "refused: $*" >&2
exit 2
"""
MAKE = """#!/usr/bin/env bash
echo "make $*" >> "$CALLS"
"""


def rotate(
    folder: Path, *arguments: str, found: str = CACHE + "\n", fails: str = ""
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    for name, text in (("gcloud", GCLOUD), ("make", MAKE), ("review", REVIEW)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    calls, state = folder / "calls", folder / "state"
    calls.write_text("")
    if not state.exists():
        state.write_text("True\n")
    environment = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "MAKE": "make",
        "REVIEW": str(folder / "review"),
        "CALLS": str(calls),
        "STATE": str(state),
        "FOUND": found,
        "FAILS": fails,
    }
    done = subprocess.run(
        [SCRIPT, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done, [line for line in calls.read_text().splitlines() if " list " not in line]


def test_switches_auth_off_and_on_and_deploys_the_new_string(tmp_path: Path) -> None:
    done, calls = rotate(tmp_path, "gcp", "dev", "outage")
    assert done.returncode == 0, done.stderr
    assert calls == [
        f"gcloud redis instances describe {CACHE} --format=value(authEnabled)",
        f"gcloud redis instances update {CACHE} --no-enable-auth --quiet",
        f"gcloud redis instances update {CACHE} --enable-auth --quiet",
        "make refresh STACK=dev TARGET=gcp",
        "make up STACK=dev TARGET=gcp",
    ]


def test_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    done, _ = rotate(tmp_path, "gcp", "dev", "outage", fails=" --enable-auth")
    assert done.returncode != 0
    done, calls = rotate(tmp_path, "gcp", "dev", "outage")
    assert done.returncode == 0
    assert not any("--no-enable-auth" in call for call in calls)
    assert calls[-1] == "make up STACK=dev TARGET=gcp"


def test_the_sandbox_changes_nothing(tmp_path: Path) -> None:
    done, calls = rotate(tmp_path, "sandbox", "dev")
    assert (done.returncode, calls) == (0, [])
    assert "nothing is changed" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "found", "said"),
    [
        (("gcp", "dev"), CACHE, "CONFIRM must be 'outage', got ''"),
        (("gcp", "dev", "yes"), CACHE, "CONFIRM must be 'outage', got 'yes'"),
        (("gcp", "qa", "outage"), CACHE, "refused: project --stack qa --target gcp"),
        (("gpc", "dev", "outage"), CACHE, "TARGET must be sandbox, sandbox-cli or gcp, got 'gpc'"),
        (("", "dev", "outage"), CACHE, "TARGET must be sandbox, sandbox-cli or gcp, got ''"),
        (("sandbox", "qa"), CACHE, "refused: project --stack qa --target sandbox"),
        (("gcp", "dev", "outage"), "", "exactly one cache must carry the labels"),
        (("gcp", "dev", "outage"), "a\nb\n", "got 2"),
    ],
)
def test_fails_before_anything_is_changed(
    tmp_path: Path, arguments: tuple[str, ...], found: str, said: str
) -> None:
    done, calls = rotate(tmp_path, *arguments, found=found)
    assert done.returncode != 0
    assert said in done.stderr
    assert calls == []
