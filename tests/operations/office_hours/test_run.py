"""`make sleep` and `make wake`: which jobs run in which order, and what is refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "operations" / "office_hours" / "run.sh"
# Answers like the Google Cloud CLI, keeps what it was asked and tried; $CODE is what jobs end with.
GCLOUD = """#!/usr/bin/env bash
echo "$*" >> "$CALLS"
if [[ -n $BROKEN && "$*" == *"$BROKEN"* ]]; then
  echo "ERROR: (gcloud) PERMISSION_DENIED" >&2
  exit 1
fi
case "$*" in
  *" list "*) printf '%s' "$FOUND" ;;
  *" run "*) [[ -n $DEAF ]] || echo "$4" >> "$TRIED" ;;
  *lastAttemptTime*) grep -c -x -e "$4" "$TRIED" || true ;;
  *status.code*) echo "$CODE" ;;
esac
"""
# Knows dev with its two jobs and prod without any, as `python -m review schedules` would.
REVIEW = """#!/usr/bin/env bash
case "$*" in
  "schedules --stack dev --target "*" --moment "*" --command "*)
    printf 'p\\nr office-hours-database-%s\\nr office-hours-batch-%s\\n' "$7" "$7" ;;
  *) echo "refused: $*" >&2; exit 2 ;;
esac
"""


def run(
    folder: Path,
    *arguments: str,
    found: str | None = None,
    code: str = "",
    deaf: str = "",
    review: str = REVIEW,
    broken: str = "",
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    for name, text in (("gcloud", GCLOUD), ("review", review)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    calls, tried = folder / "calls", folder / "tried"
    calls.write_text("")
    tried.touch()
    moment = arguments[-1]
    if found is None:
        found = f"office-hours-batch-{moment}-1a\noffice-hours-database-{moment}-2b\n"
    environment = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "REVIEW": str(folder / "review"),
        "CALLS": str(calls),
        "TRIED": str(tried),
        "FOUND": found,
        "CODE": code,
        "DEAF": deaf,
        "BROKEN": broken,
        "WAIT": "0",
    }
    done = subprocess.run(
        [SCRIPT, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done, calls.read_text().splitlines()


@pytest.mark.parametrize(
    ("moment", "order"),
    [
        ("stop", ["office-hours-batch-stop-1a", "office-hours-database-stop-2b"]),
        ("start", ["office-hours-database-start-2b", "office-hours-batch-start-1a"]),
    ],
)
def test_runs_the_jobs_of_the_schedule_and_twice_changes_nothing(
    tmp_path: Path, moment: str, order: list[str]
) -> None:
    calls: list[str] = []
    for _ in range(2):
        done, calls = run(tmp_path, "gcp", "dev", moment)
        assert done.returncode == 0, done.stderr
        ran = [call for call in calls if call.startswith("scheduler jobs run ")]
        assert ran == [f"scheduler jobs run {job} --project=p --location=r --quiet" for job in order]
    (listed,) = (call for call in calls if " list " in call)
    assert f"description~'^{moment.capitalize()} at '" in listed


@pytest.mark.parametrize(
    ("moment", "order"),
    [("stop", ["scaler", "batch", "database"]), ("start", ["database", "batch", "scaler"])],
)
def test_the_scaler_rests_before_a_pool_that_it_would_start_again(
    tmp_path: Path, moment: str, order: list[str]
) -> None:
    three = REVIEW.replace("printf 'p\\n", "printf 'p\\nr office-hours-scaler\\n")
    assert three != REVIEW
    found = "".join(f"office-hours-{one}-{moment}-1a\n" for one in sorted(order))
    done, calls = run(tmp_path, "gcp", "dev", moment, found=found, review=three)
    assert done.returncode == 0, done.stderr
    assert [call.split()[3] for call in calls if call.startswith("scheduler jobs run ")] == [
        f"office-hours-{one}-{moment}-1a" for one in order
    ]


@pytest.mark.parametrize("target", ["sandbox", "sandbox-cli"])
@pytest.mark.parametrize(("moment", "command"), [("stop", "sleep"), ("start", "wake")])
def test_the_sandbox_says_what_it_does_not_run(
    tmp_path: Path, target: str, moment: str, command: str
) -> None:
    done, calls = run(tmp_path, target, "dev", moment)
    assert (done.returncode, calls) == (0, [])
    assert done.stdout.startswith(f"{command} (sandbox): nothing is changed. TARGET=gcp would {moment} what")
    assert f"r office-hours-database-{moment}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gpc", "dev", "stop"), "sleep: TARGET must be sandbox, sandbox-cli or gcp, got 'gpc'"),
        (("", "dev", "start"), "wake: TARGET must be sandbox, sandbox-cli or gcp, got ''"),
        (
            ("gcp", "prod", "stop"),
            "refused: schedules --stack prod --target gcp --moment stop --command sleep",
        ),
    ],
)
def test_fails_before_google_is_asked(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done, calls = run(tmp_path, *arguments)
    assert (done.returncode, calls) == (2, [])
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("found", ["", "office-hours-database-stop-2b\n"])
def test_fails_when_google_has_other_jobs_than_the_program(tmp_path: Path, found: str) -> None:
    done, calls = run(tmp_path, "gcp", "dev", "stop", found=found)
    assert done.returncode == 1
    assert "sleep: dev must have 2 jobs that stop something in p, it has" in done.stderr
    assert "run make up STACK=dev TARGET=gcp" in done.stderr
    assert not [call for call in calls if " run " in call]


@pytest.mark.parametrize(
    ("broken", "said"),
    [({"code": "7"}, "with code 7: read its log"), ({"deaf": "yes"}, "must be tried within two minutes")],
)
def test_fails_when_a_job_does_not_do_its_work(tmp_path: Path, broken: dict[str, str], said: str) -> None:
    done, _ = run(tmp_path, "gcp", "dev", "start", **broken)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    ("broken", "said", "ran"),
    [
        (" list ", "sleep: Google must list the jobs of p in r, it did not, and nothing was run", 0),
        (" run ", "sleep: Google must run job office-hours-batch-stop-1a, it did not", 1),
        ("lastAttemptTime", "sleep: Google must show job office-hours-batch-stop-1a, it did not", 0),
        ("status.code", "sleep: Google must show job office-hours-batch-stop-1a, it did not", 1),
    ],
)
def test_a_call_that_fails_is_no_answer(tmp_path: Path, broken: str, said: str, ran: int) -> None:
    """A list that cannot be read is not an empty one."""
    done, calls = run(tmp_path, "gcp", "dev", "stop", broken=broken)
    assert done.returncode == 1
    (own,) = (line for line in done.stderr.splitlines() if line.startswith("sleep: "))
    assert own.startswith(said)
    assert len([call for call in calls if " run " in call]) == ran
