"""What is refused before and during a cut-over: one sentence each, and nothing left behind."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from operations.cut_over.__main__ import main
from tests.operations.cut_over.world import APPLICATION, PASSWORD, World, servers, world
from tests.operations.rotation.server import Server


def refused(capsys: pytest.CaptureFixture[str], one: World, step: str, *options: str) -> str:
    """The sentences of a step that must not go through."""
    capsys.readouterr()
    assert one.run(step, *options) == 1
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert PASSWORD not in said.out + said.err
    return said.out + said.err


ON_OLD = [
    ("CREATE TABLE loose (n integer)", "table public.loose must have a primary key or a replica identity"),
    (
        "CREATE UNLOGGED TABLE fast (n integer PRIMARY KEY)",
        "table public.fast must be logged, got unlogged; SET LOGGED or drop it",
    ),
    (
        "CREATE MATERIALIZED VIEW seen AS SELECT 1 AS n",
        "materialised view public.seen is not replicated; drop it",
    ),
    ("SELECT lo_create(0)", "there must be no large objects, got 1"),
    (
        "ALTER TABLE jobs ENABLE ALWAYS TRIGGER touched",
        "trigger public.jobs: touched must not fire on replicated rows",
    ),
    (
        f"ALTER ROLE {APPLICATION} SET default_transaction_read_only = off",
        f"role {APPLICATION} must have no default_transaction_read_only of its own",
    ),
    (
        "CREATE PUBLICATION cut_over_00000000_forward",
        "old must hold nothing of another cut-over, got publication cut_over_00000000_forward",
    ),
    (
        "SELECT pg_create_logical_replication_slot('cut_over_00000000_forward', 'pgoutput')",
        "old must hold nothing of another cut-over, got slot cut_over_00000000_forward",
    ),
]
ON_NEW = [
    (
        "CREATE TABLE there (n integer)",
        "new: the database must be empty, got 1 relations such as public.there",
    ),
    ("CREATE SEQUENCE there", "new: the database must be empty"),
    ("CREATE PUBLICATION cut_over_00000000_back", "new must hold nothing of another cut-over"),
]


@pytest.fixture
def tidy(small: World) -> Iterator[World]:
    yield small
    small.on(small.old, f"ALTER ROLE {APPLICATION} RESET ALL")


@pytest.mark.parametrize(("statement", "sentence"), ON_OLD + ON_NEW, ids=lambda text: text[:30])
def test_fails_when_the_databases_are_not_fit_for_it(
    tidy: World, capsys: pytest.CaptureFixture[str], statement: str, sentence: str
) -> None:
    server = tidy.new if (statement, sentence) in ON_NEW else tidy.old
    tidy.on(server, statement)
    before = tidy.left()
    said = refused(capsys, tidy, "copy")
    assert sentence in said
    # The refusal is the only one, and the copy did not begin.
    assert "got 1 refusals" in said
    assert tidy.left() == before
    assert tidy.on(tidy.new, "SELECT to_regclass('cut_over.journal')") == [(None,)]


def test_every_refusal_is_said_at_once(small: World, capsys: pytest.CaptureFixture[str]) -> None:
    for statement, _ in ON_OLD[:4]:
        small.on(small.old, statement)
    said = refused(capsys, small, "preflight")
    for _, sentence in ON_OLD[:4]:
        assert sentence in said


def test_fails_when_an_extension_is_missing_or_older_on_new(
    small: World, capsys: pytest.CaptureFixture[str]
) -> None:
    version = "UPDATE pg_extension SET extversion = '9.9' WHERE extname = 'plpgsql'"
    small.on(small.old, version)
    assert "extension plpgsql must be at least of version 9.9 as on old" in refused(
        capsys, small, "preflight"
    )
    small.on(small.old, "UPDATE pg_extension SET extname = 'elsewhere' WHERE extname = 'plpgsql'")
    assert "extension elsewhere must be available, got none" in refused(capsys, small, "preflight")


def test_fails_when_the_log_is_not_logical_but_a_dump_goes_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with servers(wal_level="replica") as pair, world(pair, tmp_path) as one:
        one.fill(50)
        assert (
            "wal_level must be logical, since the copy reads its log, got 'replica'; set the flag"
            in refused(capsys, one, "preflight")
        )
        assert one.run("copy", "--mode", "dump") == 0
        one.steps("switch", "back", "finish")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"max_replication_slots": 2}, "old: max_replication_slots must leave 3 free, got 2 with 0 in use"),
        ({"max_logical_replication_workers": 1}, "old: max_logical_replication_workers must leave 3 free"),
        ({"max_slot_wal_keep_size": "1MB"}, "old: max_slot_wal_keep_size must be -1 or at least the"),
    ],
    ids=["slots", "workers", "log"],
)
def test_fails_when_the_server_has_too_little_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, str | int], sentence: str
) -> None:
    with servers(**settings) as pair, world(pair, tmp_path) as one:
        one.fill(10)
        assert sentence in refused(capsys, one, "preflight")


def test_fails_when_the_program_may_too_little(small: World, capsys: pytest.CaptureFixture[str]) -> None:
    with small.old.operator() as operator:
        operator.execute(f"CREATE ROLE weak LOGIN PASSWORD '{PASSWORD}'".encode())
    try:
        text = small.settings.read_text()
        small.settings.write_text(text.replace("user=cut_over", "user=weak", 1))
        said = refused(capsys, small, "preflight")
    finally:
        with small.old.operator() as operator:
            operator.execute("DROP ROLE weak")
    for sentence in (
        "old: weak must have REPLICATION, got none; run ALTER USER weak WITH REPLICATION",
        "old: weak must be in cloudsqlsuperuser or pg_create_subscription, got neither",
        "old: weak must be a member of pg_read_all_stats to end sessions, got none",
        "old: weak must be in the role that owns the database, got another",
        "old: weak must be a member of postgres, which owns tables; grant it",
    ):
        assert sentence in said


def test_fails_when_the_other_server_cannot_come_in(small: World, capsys: pytest.CaptureFixture[str]) -> None:
    text = small.settings.read_text()
    small.settings.write_text(re.sub(r"(reached_at = \"host=127.0.0.1) port=\d+", r"\1 port=1", text))
    said = refused(capsys, small, "preflight")
    assert "new must reach old at old.reached_at, got:" in said
    assert "old must reach new at new.reached_at, got:" in said
    assert small.left() == []


@pytest.mark.parametrize(
    ("before", "step", "sentence"),
    [
        ((), "switch", "a cut-over must have begun, got no journal on new; run the step copy first"),
        ((), "wait", "a cut-over must have begun"),
        ((), "back", "a cut-over must have begun"),
        (("copy",), "back", "there must have been a switch to go back from, got none; run the step abort"),
        (("copy",), "finish", "a run may be finished after its switch, got none"),
        (("copy", "wait", "switch"), "abort", "got one that has switched; run the step back"),
        (("copy", "wait", "switch"), "copy", "this step must come earlier"),
        (("copy", "wait", "switch"), "wait", "this step must come earlier"),
        (("copy", "wait", "switch", "back"), "switch", "this step must come earlier"),
    ],
)
def test_fails_when_a_step_comes_at_the_wrong_time(
    small: World, capsys: pytest.CaptureFixture[str], before: tuple[str, ...], step: str, sentence: str
) -> None:
    small.steps(*before)
    assert sentence in refused(capsys, small, step)


def test_fails_when_a_table_changed_while_the_copy_ran(
    small: World, capsys: pytest.CaptureFixture[str]
) -> None:
    small.steps("copy", "wait")
    small.on(small.old, "ALTER TABLE jobs ADD COLUMN late text")
    said = refused(capsys, small, "switch")
    assert "old and new must have the same tables while the copy runs" in said
    assert "public.jobs.late" in said
    small.on(small.new, "ALTER TABLE jobs ADD COLUMN late text")
    small.steps("switch")


def test_fails_when_a_row_differs_and_old_takes_writes_again(
    small: World, capsys: pytest.CaptureFixture[str]
) -> None:
    small.steps("copy", "wait")
    small.on(small.new, "UPDATE jobs SET seconds = seconds + 0.5 WHERE id = 7")
    said = refused(capsys, small, "switch")
    assert "every table must be equal on both, got 1 that differ such as public.jobs with 200 rows" in said
    with small.application(small.old) as service:
        service.execute("DELETE FROM results")
    with small.application(small.new) as service, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        service.execute("DELETE FROM results")


def test_fails_when_the_comparison_takes_longer_than_allowed(
    small: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small.steps("copy", "wait")
    monkeypatch.setattr("operations.cut_over.steps.carry_sequences", _slow)
    assert "counts and checksums must be through within the time allowed" in refused(
        capsys, small, "switch", "--seconds", "1"
    )
    with small.application(small.old) as service:
        service.execute("DELETE FROM results")


def _slow(source: object, target: object, margin: int) -> int:
    time.sleep(1.2)
    return margin


def test_fails_when_nobody_follows(small: World, capsys: pytest.CaptureFixture[str]) -> None:
    small.steps("copy", "wait", "switch", "verify")
    [(name,)] = small.on(small.old, "SELECT subname FROM pg_subscription")
    with small.old.operator(small.database) as operator:
        operator.execute("SET TRANSACTION READ WRITE")
        operator.execute(f"ALTER SUBSCRIPTION {name} DISABLE".encode())
    while small.on(small.new, "SELECT 1 FROM pg_replication_slots WHERE active"):
        time.sleep(0.05)
    assert f"old must follow new, got no reader of slot {name}" in refused(capsys, small, "verify")


def test_fails_when_another_program_is_at_it(small: World, capsys: pytest.CaptureFixture[str]) -> None:
    with small.new.operator(small.database) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('cut_over'))")
        assert "one program may run at a time" in refused(capsys, small, "copy")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[old]", "[older]", "must hold the tables old and new, got 'older'; remove it"),
        ("connect =", "conect =", "old must hold connect, reached_at, got 'conect'; remove it"),
        ("user=cut_over", "user=cut_over password=x", "old.connect must hold no password, got one"),
        ("user=cut_over ", "", "old.connect must name user, got none; add user=..."),
        ("dbname=", "dbnme=", "old.connect must be parameters of libpq, got"),
        ('grant_to = ["application"]', 'grant_to = "application"', "new.grant_to must be a list of roles"),
        ('read_by = ["reader"]', "read_by = [1]", "new.read_by must be a list of roles, got [1]; correct it"),
        ('owner = "owner_role"', 'owner = "nobody"', "role nobody of the settings must exist, got none"),
        ("[old]", "[old", "SETTINGS must name a file in TOML"),
    ],
)
def test_fails_when_the_settings_are_wrong(
    small: World, capsys: pytest.CaptureFixture[str], old: str, new: str, sentence: str
) -> None:
    text = small.settings.read_text()
    assert old in text
    small.settings.write_text(text.replace(old, new, 1))
    assert sentence in refused(capsys, small, "preflight")


def test_fails_when_a_password_is_missing(
    small: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUT_OVER_NEW_PASSWORD")
    assert "CUT_OVER_NEW_PASSWORD must hold the password of new, got nothing" in refused(
        capsys, small, "copy"
    )


@pytest.mark.parametrize("arguments", [[""], ["leap"], ["copy"], ["switch", "--seconds", "0"]])
def test_fails_when_the_command_is_used_wrongly(
    pair: tuple[Server, Server], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err
