"""The whole cut-over and its way back, on two real servers that take writes all the time."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from tests.operations.cut_over.rehearsal import rehearse, show
from tests.operations.cut_over.world import PASSWORD, READER, World, world
from tests.operations.cut_over.writer import writing
from tests.operations.rotation.server import Server

ROWS = 20_000
# Measured between 1 and 2 s on two cores; a machine that does much else at once gets room.
LONGEST_OUTAGE_SECONDS = 10


def test_a_live_database_moves_and_comes_back_without_losing_a_row(
    pair: tuple[Server, Server], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with world(pair, tmp_path) as one:
        figures = rehearse(one, ROWS)
    with capsys.disabled():
        print(f"\n{show(figures)}")
    assert figures.lost_rows == 0
    assert figures.rows_written_on_new_and_kept >= 100
    assert 0 < figures.switch_gap_seconds < LONGEST_OUTAGE_SECONDS
    assert 0 < figures.back_gap_seconds < LONGEST_OUTAGE_SECONDS


def test_the_old_database_follows_the_new_one_and_takes_no_writes(small: World) -> None:
    small.steps("copy", "wait", "switch")
    with writing(small) as writer:
        writer.wait("new", 50)
    assert {place for _, _, place in writer.stored} == {"new"}
    small.steps("verify")
    small.settle("SELECT count(*), sum(hashtext(j::text)::bigint) FROM jobs AS j")


def test_sequences_skip_a_margin_at_the_switch_and_again_on_the_way_back(small: World) -> None:
    last = "SELECT last_value FROM pipeline_numbers"
    assert small.on(small.old, last) == [(996,)]
    small.steps("copy", "wait", "switch")
    assert small.on(small.new, last) == [(996 + 5 * 1_000,)]
    assert small.run("back", "--margin", "10") == 0
    assert small.on(small.old, last) == [(996 + 5 * 1_010,)]


def test_by_dump_without_logical_decoding_on_the_old_server_nothing_is_lost_either(small: World) -> None:
    assert small.run("copy", "--mode", "dump") == 0
    small.steps("wait", "switch", "verify")
    with writing(small) as writer:
        writer.wait("new", 20)
    small.steps("back", "verify", "finish")
    there = {row[0] for row in small.on(small.old, "SELECT token FROM jobs")}
    assert {token for _, token, _ in writer.stored} <= there
    assert small.left() == []


def test_tables_belong_to_the_owner_of_the_settings_and_the_service_may_use_them(small: World) -> None:
    small.steps("copy", "wait", "switch")
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'Billing')"
    assert small.on(small.new, owners) == [("owner_role",)]
    with small.application(small.new) as service:
        assert service.execute('SELECT count(*) FROM "Billing"."Credits"').fetchone() == (50,)


def test_who_only_reads_reads_from_the_switch_on_and_writes_nothing(small: World) -> None:
    small.steps("copy", "wait", "switch")
    with small.application(small.new, READER) as reader:
        reader.autocommit = True
        assert reader.execute('SELECT count(*) FROM "Billing"."Credits"').fetchone() == (50,)
        assert reader.execute("SELECT last_value FROM pipeline_numbers").fetchone() is not None
        for statement in (
            "DELETE FROM jobs",
            "INSERT INTO pipeline_jobs (stage, at) VALUES ('x', now())",
            "SELECT nextval('pipeline_numbers')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement.encode())


def test_no_password_reaches_a_log_or_the_output(
    small: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "Wrong-but-still-secret-1"
    small.steps("copy", "wait", "switch", "back", "finish")
    text = small.settings.read_text()
    small.settings.write_text(re.sub(r"(reached_at = \"host=127.0.0.1) port=\d+", r"\1 port=1", text))
    small.on(small.new, 'DROP SCHEMA public, "Billing" CASCADE; CREATE SCHEMA public')
    assert small.run("preflight") == 1
    monkeypatch.setenv("CUT_OVER_OLD_PASSWORD", wrong)
    assert small.run("preflight") == 1
    said = "".join(capfd.readouterr())
    for text in (said, small.old.log(), small.new.log()):
        assert PASSWORD not in text.replace(f"PASSWORD '{PASSWORD}'", "")
        assert wrong not in text
