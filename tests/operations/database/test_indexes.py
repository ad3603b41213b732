"""The check of the indexes on a real PostgreSQL: present, missing, invalid, twice, unused, unknown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from operations.database.catalog import Statistics, read_indexes, read_statistics, read_tables
from operations.database.check import main
from operations.database.indexes import EXPECTED, Finding, Thresholds, judge
from tests.operations.database.world import World, execute

TABLES = (
    "CREATE TABLE jobs (id bigint PRIMARY KEY, user_id text, status text, created_at timestamptz)",
    "CREATE TABLE results (id bigint PRIMARY KEY, job_id bigint, created_at timestamptz)",
    "CREATE TABLE pipeline_jobs (id bigint PRIMARY KEY, status text, created_at timestamptz)",
)
RUNS = "CREATE TABLE pipeline_runs (id bigint PRIMARY KEY, job_id bigint, created_at timestamptz)"
INDEXES = (
    "CREATE INDEX idx_jobs_status ON jobs (status)",
    "CREATE INDEX idx_jobs_created_at ON jobs (created_at DESC)",
    "CREATE INDEX idx_jobs_user_status ON jobs (user_id, status)",
    "CREATE INDEX idx_results_job_id ON results (job_id)",
    "CREATE INDEX idx_results_created_at ON results (created_at DESC)",
    "CREATE INDEX idx_pipeline_jobs_status ON pipeline_jobs (status)",
    "CREATE INDEX idx_pipeline_jobs_created_at ON pipeline_jobs (created_at DESC)",
    "CREATE INDEX idx_pipeline_jobs_id_status ON pipeline_jobs (id, status)",
)
OLD = Statistics(days=30)
ANY = Thresholds(days=0, rows=0)


def make(world: World, *statements: str, without: str = "") -> None:
    """The tables and their indexes, but for one, and more."""
    kept = [one for one in INDEXES if not without or without not in one]
    for statement in (*TABLES, *kept, *statements):
        execute(world.operator, statement)


def found(
    world: World,
    statistics: Statistics = OLD,
    thresholds: Thresholds | None = None,
    schema: str = "public",
) -> tuple[Finding, ...]:
    world.operator.execute("ANALYZE")
    return judge(
        read_indexes(world.operator, schema),
        read_tables(world.operator, schema),
        statistics,
        thresholds=thresholds,
    )


def wrong(findings: Sequence[Finding]) -> set[tuple[str, str, str | None]]:
    return {(one.state, one.table, one.index) for one in findings if not one.ok}


def test_all_indexes_of_the_roadmap_are_looked_for() -> None:
    assert {(want.table, ", ".join(want.columns)) for want in EXPECTED} == {
        ("jobs", "status"),
        ("jobs", "created_at DESC"),
        ("jobs", "user_id, status"),
        ("results", "job_id"),
        ("results", "created_at DESC"),
        ("pipeline_jobs", "status"),
        ("pipeline_jobs", "created_at DESC"),
        ("pipeline_jobs", "id, status"),
        ("pipeline_runs", "job_id"),
        ("pipeline_runs", "created_at DESC"),
    }


def test_the_indexes_of_the_roadmap_are_fine_where_there_are_no_runs(world: World) -> None:
    make(world)
    findings = found(world)
    assert wrong(findings) == set()
    assert {one.index for one in findings[:8]} == {text.split()[2] for text in INDEXES}
    assert [one.state for one in findings[8:10]] == ["no-table", "no-table"]


def test_runs_need_their_indexes_where_they_are(world: World) -> None:
    make(world, RUNS)
    assert wrong(found(world)) == {("missing", "pipeline_runs", None)}
    world.operator.execute("CREATE INDEX ON pipeline_runs (job_id)")
    world.operator.execute("CREATE INDEX ON pipeline_runs (created_at DESC)")
    assert wrong(found(world)) == set()


@pytest.mark.parametrize("index", [text.split()[2] for text in INDEXES])
def test_fails_when_an_index_is_missing(world: World, index: str) -> None:
    make(world, without=f"{index} ")
    findings = [one for one in found(world) if not one.ok]
    assert [(one.state, one.index) for one in findings] == [("missing", None)]
    assert "make it concurrently, in a migration" in findings[0].message


def test_fails_when_a_table_is_missing(world: World) -> None:
    make(world)
    world.operator.execute("DROP TABLE results")
    assert wrong(found(world)) == {("missing", "results", None)}


@pytest.mark.parametrize(
    ("instead", "serves"),
    [
        ("CREATE INDEX one ON jobs (created_at DESC)", True),
        ("CREATE INDEX one ON jobs (created_at)", True),
        ("CREATE INDEX one ON jobs (created_at ASC NULLS LAST)", True),
        ("CREATE INDEX one ON jobs (created_at DESC, id)", True),
        ("CREATE UNIQUE INDEX one ON jobs (created_at DESC)", True),
        ("CREATE INDEX one ON jobs (created_at DESC) INCLUDE (status)", True),
        ("CREATE INDEX one ON jobs (created_at DESC NULLS LAST)", False),
        ("CREATE INDEX one ON jobs (created_at ASC NULLS FIRST)", False),
        ("CREATE INDEX one ON jobs (id, created_at DESC)", False),
        ("CREATE INDEX one ON jobs (created_at DESC) WHERE status = 'done'", False),
        ("CREATE INDEX one ON jobs USING brin (created_at)", False),
        ("CREATE INDEX one ON jobs USING hash (created_at)", False),
        ("CREATE INDEX one ON jobs ((created_at IS NULL))", False),
        ("CREATE INDEX one ON results (created_at, id)", False),
    ],
)
def test_an_index_counts_by_what_it_serves_in_either_direction(
    world: World, instead: str, serves: bool
) -> None:
    make(world, instead, without="idx_jobs_created_at ")
    states = {(one.state, one.index) for one in found(world) if one.columns == ("created_at DESC",)}
    assert (("missing", None) in states) is not serves


def test_both_directions_of_two_columns_are_not_one_of_each(world: World) -> None:
    make(world, "CREATE INDEX one ON jobs (user_id DESC, status)", without="idx_jobs_user_status ")
    assert wrong(found(world)) == {("missing", "jobs", None)}


def test_fails_when_an_index_was_not_finished(world: World) -> None:
    make(world, "INSERT INTO jobs SELECT n, 'u', 'done' FROM generate_series(1, 3) AS n")
    world.operator.execute("DROP INDEX idx_jobs_status")
    with pytest.raises(psycopg.errors.UniqueViolation):
        world.operator.execute("CREATE UNIQUE INDEX CONCURRENTLY idx_jobs_status ON jobs (status)")
    assert wrong(found(world)) == {("invalid", "jobs", "idx_jobs_status")}
    # One that nobody looks for is told too, and what is not finished makes no other one needless.
    with pytest.raises(psycopg.errors.UniqueViolation):
        world.operator.execute("CREATE UNIQUE INDEX CONCURRENTLY other ON jobs (user_id, status)")
    assert wrong(found(world)) == {("invalid", "jobs", "idx_jobs_status"), ("invalid", "jobs", "other")}


@pytest.mark.parametrize("column", ["indisvalid", "indisready"])
def test_fails_when_an_index_is_built_and_not_valid_or_valid_and_not_kept(world: World, column: str) -> None:
    make(world)
    which = "WHERE indexrelid = 'idx_jobs_status'::regclass"
    execute(world.operator, f"UPDATE pg_index SET {column} = false {which}")
    assert wrong(found(world)) == {("invalid", "jobs", "idx_jobs_status")}


@pytest.mark.parametrize(
    ("more", "needless"),
    [
        ("CREATE INDEX twin ON jobs (status)", "idx_jobs_status"),
        ("CREATE INDEX twin ON jobs (created_at)", "idx_jobs_created_at"),
        ("CREATE INDEX twin ON jobs (user_id)", "twin"),
        ("CREATE INDEX twin ON jobs (user_id) INCLUDE (status)", "twin"),
        ("CREATE INDEX twin ON jobs (id)", "twin"),
        ("CREATE UNIQUE INDEX twin ON jobs (id)", "twin"),
        ("CREATE INDEX twin ON results USING btree (job_id, created_at)", "idx_results_job_id"),
        ("CREATE INDEX twin ON jobs (user_id) INCLUDE (created_at)", None),
        ("CREATE INDEX twin ON jobs (status text_pattern_ops)", None),
        ('CREATE INDEX twin ON jobs (status COLLATE "C")', None),
        ("CREATE INDEX twin ON jobs (status) WHERE user_id IS NULL", None),
        ("CREATE INDEX twin ON jobs (created_at DESC NULLS LAST)", None),
        ("CREATE INDEX twin ON jobs (lower(status))", None),
        ("CREATE INDEX twin ON jobs USING hash (status)", None),
        ("CREATE INDEX twin ON jobs (status, user_id, id) WHERE id > 5", None),
        ("CREATE UNIQUE INDEX twin ON jobs (user_id)", None),
    ],
)
def test_of_two_indexes_that_do_the_same_one_is_named(world: World, more: str, needless: str | None) -> None:
    make(world, more)
    expected = set[tuple[str, str | None]]() if needless is None else {("duplicate", needless)}
    assert {(state, index) for state, _, index in wrong(found(world))} == expected


def test_of_two_equal_conditions_or_expressions_one_is_named(world: World) -> None:
    for name in ("a", "b"):
        make_more = (
            f"CREATE INDEX {name}_expression ON jobs (lower(user_id))",
            f"CREATE INDEX {name}_condition ON jobs (id, user_id) WHERE status = 'new'",
        )
        make(world, *make_more) if name == "a" else [execute(world.operator, one) for one in make_more]
    assert {index for _, _, index in wrong(found(world))} == {"a_expression", "a_condition"}


def test_composite_on_the_primary_key_is_noted_and_no_failure(world: World) -> None:
    make(world)
    notes = [one for one in found(world) if one.state == "superfluous"]
    assert [(one.index, one.ok) for one in notes] == [("idx_pipeline_jobs_id_status", True)]
    assert "begins with the whole key of pipeline_jobs_pkey" in notes[0].message


def test_other_schemas_neither_help_nor_hurt(world: World) -> None:
    make(world, without="idx_jobs_status ")
    for statement in (
        "CREATE SCHEMA other",
        "CREATE TABLE other.jobs (LIKE public.jobs)",
        "CREATE INDEX idx_jobs_status ON other.jobs (status)",
        "CREATE INDEX twin ON other.jobs (status)",
    ):
        execute(world.operator, statement)
    assert wrong(found(world)) == {("missing", "jobs", None)}
    assert ("duplicate", "jobs", "idx_jobs_status") in wrong(found(world, schema="other"))


def filled(world: World) -> None:
    make(
        world,
        "INSERT INTO jobs SELECT n, 'u' || n, 's' || n % 500, now() - n * interval '1 s' "
        "FROM generate_series(1, 5000) AS n",
    )


def state(findings: Sequence[Finding], index: str) -> Finding:
    return next(one for one in findings if one.index == index)


def test_fails_when_an_index_of_a_large_table_is_never_scanned(world: World) -> None:
    filled(world)
    findings = found(world)
    assert wrong(findings) == {
        ("unused", "jobs", f"idx_jobs_{name}") for name in ("status", "created_at", "user_status")
    }
    assert "not scanned in 30.0 days with about 5000 rows" in state(findings, "idx_jobs_status").message
    # Of small tables nothing is known.
    assert state(findings, "idx_results_job_id").state == "no-data"
    assert "about 0 rows" in state(findings, "idx_results_job_id").message


def test_young_counts_prove_nothing(world: World) -> None:
    filled(world)
    findings = found(world, Statistics(days=6.9))
    assert wrong(findings) == set()
    assert "no data yet: scans are counted for 6.9 days, 7 are needed" in (
        state(findings, "idx_jobs_status").message
    )


def test_a_scan_is_a_scan_however_young_the_count_and_small_the_table(world: World) -> None:
    filled(world)
    with world.operator.transaction():
        world.operator.execute("SET LOCAL enable_seqscan = off")
        world.operator.execute("SELECT * FROM jobs WHERE status = 's3'")
        world.operator.execute("SELECT * FROM results WHERE job_id = 3")
    world.operator.execute("SELECT pg_stat_force_next_flush()")
    findings = found(world, Statistics(days=0.1))
    assert state(findings, "idx_jobs_status").state == "used"
    assert state(findings, "idx_jobs_status").scans == 1
    assert state(findings, "idx_results_job_id").state == "used"


def test_counts_are_as_old_as_their_reset(world: World) -> None:
    assert 0 <= read_statistics(world.operator).days < 1
    world.operator.execute("SELECT pg_stat_reset()")
    assert read_statistics(world.operator).days < 0.001


def test_a_partitioned_tables_index_is_present_and_has_no_count(world: World) -> None:
    make(world, without="ON results ")
    for statement in (
        "DROP TABLE results",
        "CREATE TABLE results (job_id bigint, created_at timestamptz) PARTITION BY RANGE (created_at)",
        "CREATE TABLE results_1 PARTITION OF results DEFAULT",
        "CREATE INDEX idx_results_job_id ON results (job_id)",
        "CREATE INDEX idx_results_created_at ON results (created_at DESC)",
    ):
        execute(world.operator, statement)
    findings = found(world, thresholds=Thresholds(days=0, rows=10**9))
    assert wrong(findings) == set()
    assert "only the indexes of the partitions are counted" in state(findings, "idx_results_job_id").message


def command(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, list[dict[str, Any]], str]:
    for name, value in {
        "PGHOST": world.server.folder,
        "PGPORT": str(world.server.port),
        "PGUSER": "postgres",
        "PGDATABASE": world.name,
    }.items():
        monkeypatch.setenv(name, value)
    code = main(arguments)
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_command_prints_a_line_for_each_finding_and_ends_as_they_say(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(world)
    code, lines, error = command(world, monkeypatch, capsys)
    assert (code, error) == (0, "")
    assert lines[0] == {
        "check": "index",
        "schema": "public",
        "state": "no-data",
        "ok": True,
        "table": "jobs",
        "columns": ["status"],
        "index": "idx_jobs_status",
        "scans": 0,
        "message": lines[0]["message"],
    }
    summary = lines[-1]
    assert (summary["check"], summary["ok"]) == ("summary", True)
    assert (summary["wanted"], summary["present"]) == (10, 8)
    assert summary["states"] == {"no-data": 8, "no-table": 2, "superfluous": 1}

    world.operator.execute("DROP INDEX idx_jobs_status")
    code, lines, _ = command(world, monkeypatch, capsys)
    assert (code, lines[0]["state"], lines[-1]["ok"], lines[-1]["present"]) == (1, "missing", False, 7)


def test_command_takes_schema_and_thresholds(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(world)
    code, lines, _ = command(world, monkeypatch, capsys, "--days", "0", "--rows", "0")
    assert code == 1
    assert lines[-1]["states"]["unused"] == 8
    code, lines, _ = command(world, monkeypatch, capsys, "--schema", "nowhere")
    assert (code, lines[-1]["states"]) == (1, {"missing": 8, "no-table": 2})


def test_fails_when_the_database_does_not_answer_and_tells_no_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PGHOST", "/nowhere")
    monkeypatch.setenv("PGPASSWORD", "hidden-value")
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("database-check: the database must answer, got ")
    assert "hidden-value" not in captured.out + captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--days", "-1"], "must be 0 or more, got '-1'; correct it"),
        (["--rows", "many"], "must be 0 or more, got 'many'; correct it"),
        (["--days", "nan"], "must be 0 or more, got 'nan'; correct it"),
        (["--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_fails_when_an_option_cannot_be_used(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
