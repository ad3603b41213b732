"""`make database-roles`: what is asked of Google in which order, what is left behind, and what is refused."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "operations" / "database" / "roles.sh"
GCLOUD = r"""#!/usr/bin/env bash
echo "$@" >> "$CALLS"
case "$*" in
  *"instances describe"*) echo "$ACCOUNT" ;;
  *"get-iam-policy"*) cat "$GRANTED" ;;
  *"add-iam-policy-binding"*) sed 's/.*--member=\([^ ]*\) .*/\1/' <<<"$*" >> "$GRANTED" ;;
  *"remove-iam-policy-binding"*)
    gone=$(sed 's/.*--member=\([^ ]*\) .*/\1/' <<<"$*")
    grep -vxF -e "$gone" "$GRANTED" > "$GRANTED.new"; mv "$GRANTED.new" "$GRANTED" ;;
  *"import sql"*)
    if [[ -n $KILLED ]]; then kill -9 $PPID; fi
    if [[ $(grep -c "import sql" "$CALLS") -le $FAILURES ]]; then echo "$SAID" >&2; exit 1; fi ;;
esac
"""
REVIEW = """#!/usr/bin/env bash
if [[ "$*" == "primaries --stack dev --target "*" --command database-roles" ]]; then
  printf "p\n$PRIMARIES"
  exit 0
fi
echo "refused: $*" >&2
exit 2
"""
UNKNOWN_YET = (
    "ERROR: (gcloud.sql.import.sql) HTTPError 412: The service account does not have the required "
    "permissions for the bucket."
)
ASKED = ("dev", "aiprod-postgres", "aiprod")


def run(
    tmp_path: Path,
    *arguments: str,
    failures: int = 0,
    account: str = "p1@gcp-sa-cloud-sql.iam",
    primaries: str = "aiprod-postgres",
    said: str = UNKNOWN_YET,
    killed: bool = False,
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    for name, text in (("gcloud", GCLOUD), ("review", REVIEW)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()
    granted = tmp_path / "granted"
    granted.touch()
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "ACCOUNT": account,
        "PRIMARIES": primaries,
        "FAILURES": str(failures),
        "GRANTED": str(granted),
        "SAID": said,
        "KILLED": "yes" if killed else "",
        "WAIT": "0",
        "REVIEW": str(tmp_path / "review"),
    }
    done = subprocess.run(
        [SCRIPT, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    found = calls.read_text().splitlines()
    return done, [re.sub(r"roles-[0-9a-f]{12}\.sql", "roles.sql", call) for call in found]


COPY = f"storage cp {ROOT}/operations/database/roles.sql gs://p-sources/database/roles.sql"
BINDING = "gs://p-sources --member=serviceAccount:p1@gcp-sa-cloud-sql.iam --role=roles/storage.objectViewer"
IMPORT = (
    "sql import sql aiprod-postgres gs://p-sources/database/roles.sql --database=aiprod --user=postgres "
    "--project=p --quiet"
)
GRANTED = (
    "storage buckets get-iam-policy gs://p-sources --flatten=bindings[].members "
    "--filter=bindings.role=roles/storage.objectViewer AND bindings.members~@gcp-sa-cloud-sql[.] "
    "--format=value(bindings.members)"
)
CLEANED = [
    GRANTED,
    f"storage buckets remove-iam-policy-binding {BINDING} --quiet",
    "storage rm gs://p-sources/database/roles-*.sql --quiet",
]


def test_cloud_sql_runs_the_file_as_postgres_and_nothing_is_left(tmp_path: Path) -> None:
    done, calls = run(tmp_path, "gcp", *ASKED)
    assert done.returncode == 0, done.stderr
    assert calls == [
        "sql instances describe aiprod-postgres --project=p --format=value(serviceAccountEmailAddress)",
        COPY,
        f"storage buckets add-iam-policy-binding {BINDING} --quiet",
        IMPORT,
        *CLEANED,
    ]
    assert "ran in database aiprod of aiprod-postgres" in done.stdout


def test_a_grant_that_google_does_not_know_yet_is_waited_for(tmp_path: Path) -> None:
    done, calls = run(tmp_path, "gcp", *ASKED, failures=2)
    assert done.returncode == 0
    assert calls.count(IMPORT) == 3
    assert calls[-3:] == CLEANED


@pytest.mark.parametrize(
    ("said", "attempts"),
    [
        (UNKNOWN_YET, 3),
        ("ERROR: (gcloud.sql.import.sql) HTTPError 409: Operation failed because another operation was", 3),
        ("ERROR: (gcloud.sql.import.sql) HTTPError 503: The service is currently unavailable.", 3),
        ("ERROR: (gcloud.sql.import.sql) [ERROR_RDBMS] exit status 3: permission denied for table jobs", 1),
        ("ERROR: (gcloud.sql.import.sql) HTTPError 403: The client is not authorized to do this.", 1),
        ("ERROR: (gcloud.sql.import.sql) HTTPError 404: The Cloud SQL instance does not exist.", 1),
    ],
)
def test_only_what_passes_is_tried_again(tmp_path: Path, said: str, attempts: int) -> None:
    done, calls = run(tmp_path, "gcp", *ASKED, failures=9, said=said)
    assert (done.returncode, calls.count(IMPORT)) == (1, attempts)
    assert said in done.stderr
    assert done.stderr.splitlines()[-1].startswith("database-roles: roles.sql did not run in database aiprod")
    assert calls[-3:] == CLEANED


def test_what_a_killed_run_left_is_taken_away_by_the_next_one(tmp_path: Path) -> None:
    """Another instance may have been meant by then."""
    granted = tmp_path / "granted"
    killed, _ = run(tmp_path, "gcp", *ASKED, account="p1-old@gcp-sa-cloud-sql.iam", killed=True)
    assert killed.returncode == -9
    assert granted.read_text() == "serviceAccount:p1-old@gcp-sa-cloud-sql.iam\n"
    done, calls = run(tmp_path, "gcp", *ASKED)
    assert done.returncode == 0, done.stderr
    assert granted.read_text() == ""
    assert calls[-1] == "storage rm gs://p-sources/database/roles-*.sql --quiet"


def test_fails_when_it_does_not_run_and_nothing_is_left(tmp_path: Path) -> None:
    done, calls = run(tmp_path, "gcp", *ASKED, failures=9)
    assert done.returncode == 1
    assert calls.count(IMPORT) == 3
    assert calls[-3:] == CLEANED
    assert "roles.sql did not run in database aiprod of aiprod-postgres" in done.stderr


@pytest.mark.parametrize("target", ["sandbox", "sandbox-cli"])
def test_sandbox_asks_google_nothing(tmp_path: Path, target: str) -> None:
    done, calls = run(tmp_path, target, *ASKED)
    assert (done.returncode, calls) == (0, [])
    assert "database-roles (sandbox): nothing is done. TARGET=gcp would run" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("gpc", *ASKED), 2, "TARGET must be sandbox, sandbox-cli or gcp, got 'gpc': name one of them"),
        (
            ("gcp", "dev", "aiprod-postgres-replica-1", "aiprod"),
            2,
            "takes writes, got 'aiprod-postgres-replica-1': name aiprod-postgres\n",
        ),
        (("gcp", "dev", "aiprod-postgres", "a b"), 2, "DATABASE must be the name of a database such as"),
        (("gcp", "qa", "aiprod-postgres", "aiprod"), 2, "refused: primaries --stack qa"),
    ],
)
def test_fails_when_an_argument_cannot_be_used(
    tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done, calls = run(tmp_path, *arguments)
    assert (done.returncode, calls) == (code, [])
    assert message in done.stderr


def test_fails_when_the_instance_is_not_there(tmp_path: Path) -> None:
    done, calls = run(tmp_path, "gcp", *ASKED, account="")
    assert (done.returncode, len(calls)) == (1, 1)
    assert "run make up STACK=dev TARGET=gcp" in done.stderr


@pytest.mark.parametrize("instance", ["", "aiprod-postgres", "aiprod-postgres-17 aiprod-postgres-replica-2"])
def test_fails_when_the_live_instance_is_no_database_of_the_program(tmp_path: Path, instance: str) -> None:
    made = "aiprod-postgres-17\naiprod-postgres-replica-2"
    done, calls = run(tmp_path, "gcp", "dev", instance, "aiprod", primaries=made)
    assert (done.returncode, calls) == (2, [])
    assert "name aiprod-postgres-17 aiprod-postgres-replica-2" in done.stderr


def test_without_a_name_it_is_the_only_one_that_takes_writes(tmp_path: Path) -> None:
    done, calls = run(tmp_path, "gcp", "dev", "", "aiprod", primaries="aiprod-postgres-17")
    assert done.returncode == 0, done.stderr
    assert "sql import sql aiprod-postgres-17 gs://p-sources" in "\n".join(calls)
