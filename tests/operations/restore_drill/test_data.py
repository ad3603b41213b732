"""The check's own statements on real servers: restored by replay of the log, and from a dump."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pg8000.dbapi
import pytest

from operations.restore_drill.data import reading
from operations.restore_drill.service import compare, reference
from tests.operations.restore_drill.clusters import Cluster, archiving, connector, recovered, writing

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE jobs (id serial PRIMARY KEY, prompt text, created_at timestamptz NOT NULL DEFAULT now(),
                   updated_at timestamptz);
CREATE TABLE settings (key text, value jsonb);
CREATE SCHEMA audit;
CREATE TABLE audit."Odd ""name" (at timestamptz, what bytea, much float8, took interval);
CREATE TABLE clicks (n int);
CREATE UNLOGGED TABLE scratch (n int);
INSERT INTO users SELECT n, 'u' || n || '@example.com', now() - n * interval '2 hours'
FROM generate_series(1, 500) n;
INSERT INTO jobs (prompt, created_at) SELECT 'old ' || n, now() - interval '2 days'
FROM generate_series(1, 300) n;
INSERT INTO settings VALUES ('a', '{"b": 1}'), ('a', '{"b": 1}');
INSERT INTO audit."Odd ""name" SELECT now(), '\\x00ff', n / 3.0, n * interval '1 min'
FROM generate_series(1, 50) n;
INSERT INTO scratch VALUES (1);
CREATE ROLE drill LOGIN IN ROLE pg_read_all_data;
"""
CLONE = "aiprod-drill-1796083200"


@pytest.fixture(name="source", scope="module")
def _source() -> Iterator[Cluster]:
    with archiving() as one:
        one.sql(SCHEMA)
        one.run("pg_basebackup", "-D", one.backup, "-X", "none", "--checkpoint=fast")
        yield one


@pytest.fixture(name="taken", scope="module")
def _taken(source: Cluster) -> dict[str, Any]:
    """A reference that was taken while the source was written to, and was written to afterwards."""
    with writing(source):
        taken = reference(connector({"source": source}, user="drill"), "source")
        time.sleep(1)
    source.sql("UPDATE users SET email = 'changed since' WHERE id = 7; DELETE FROM settings")
    return taken


@pytest.fixture(name="clone", scope="module")
def _clone(source: Cluster, taken: dict[str, Any]) -> Iterator[Cluster]:
    with recovered(source, datetime.fromisoformat(taken["at"])) as one:
        yield one


def judged(clone: Cluster, taken: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    return compare(connector({CLONE: clone}, **arguments), CLONE, taken)


@contextmanager
def damaged(clone: Cluster, statement: str, mended: str) -> Generator[None]:
    clone.sql(statement)
    try:
        yield
    finally:
        clone.sql(mended)


def test_replay_to_the_point_gives_what_the_source_held_although_it_was_written_to(
    clone: Cluster, taken: dict[str, Any]
) -> None:
    found = judged(clone, taken, user="drill")
    assert found["problems"] == []
    assert found["passed"]
    # jobs was written to: its settled rows are proven, its young ones are not.
    assert found["tables"] == {"exact": 4, "settled": 1, "atLeast": 0, "unproven": 0}
    assert 0 <= found["newestRowAgeSeconds"] < 60


def test_the_reference_knows_which_table_was_written_to(taken: dict[str, Any]) -> None:
    assert {name for name, one in taken["tables"].items() if one["whole"] is None} == {"public.jobs"}
    every = {"public.users", "public.jobs", "public.settings", "public.clicks", 'audit.Odd "name'}
    assert set(taken["tables"]) == every, "an unlogged table is not in the log"
    assert taken["tables"]["public.users"]["whole"]["count"] == 500


@pytest.mark.parametrize(
    ("damage", "mended", "said"),
    [
        (
            "DELETE FROM users WHERE id = 500",
            (
                "INSERT INTO users SELECT 500, 'u500@example.com', created_at - interval '2 hours' "
                "FROM users WHERE id = 499"
            ),
            "public.users: 499 rows, the source had 500",
        ),
        (
            "UPDATE settings SET value = '{\"b\": 2}' WHERE ctid = (SELECT min(ctid) FROM settings)",
            "UPDATE settings SET value = '{\"b\": 1}'",
            "public.settings: 2 rows as on the source, but with other content",
        ),
        (
            "UPDATE jobs SET prompt = 'wrong' WHERE id = 1",
            "UPDATE jobs SET prompt = 'old 1' WHERE id = 1",
            "settled rows as on the source, but with other content",
        ),
        (
            "INSERT INTO users VALUES (900, 'ahead', now() + interval '1 day')",
            "DELETE FROM users WHERE id = 900",
            "after the time restored",
        ),
        ("CREATE TABLE more (n int)", "DROP TABLE more", "public.more: not on the source"),
        (
            "ALTER TABLE clicks RENAME TO moved",
            "ALTER TABLE moved RENAME TO clicks",
            "public.clicks: not there, the source had 0 rows",
        ),
    ],
)
def test_fails_when_the_clone_differs_in_anything(
    clone: Cluster, taken: dict[str, Any], damage: str, mended: str, said: str
) -> None:
    with damaged(clone, damage, mended):
        found = judged(clone, taken)
        assert not found["passed"]
        assert any(said in problem for problem in found["problems"]), found["problems"]
    assert judged(clone, taken)["passed"]


def test_fails_when_the_log_was_replayed_beyond_the_point(source: Cluster, taken: dict[str, Any]) -> None:
    later_on = datetime.now(UTC)
    # A server replays to a time only if something was committed after it.
    source.sql("INSERT INTO clicks VALUES (1)")
    with recovered(source, later_on) as later:
        found = judged(later, taken)
    assert "public.settings: 0 rows, the source had 2" in found["problems"]
    assert "public.users: 500 rows as on the source, but with other content" in found["problems"]


def test_what_was_written_to_in_its_old_rows_is_not_proven_and_counted(source: Cluster) -> None:
    with writing(source, old_rows=True):
        taken = reference(connector({"source": source}), "source")
        time.sleep(0.5)
    with recovered(source, datetime.fromisoformat(taken["at"])) as clone:
        found = judged(clone, taken)
    assert found["passed"], found["problems"]
    assert found["tables"]["unproven"] == 1


def test_fails_when_a_table_may_not_be_read(clone: Cluster, taken: dict[str, Any]) -> None:
    clone.sql("CREATE ROLE nobody LOGIN")
    with pytest.raises(pg8000.dbapi.Error, match="permission denied for"):
        judged(clone, taken, user="nobody")


def test_fails_when_a_policy_hides_rows(clone: Cluster, taken: dict[str, Any]) -> None:
    clone.sql("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    try:
        with pytest.raises(pg8000.dbapi.Error, match="row-level security"):
            judged(clone, taken, user="drill")
    finally:
        clone.sql("ALTER TABLE users DISABLE ROW LEVEL SECURITY")


def test_nothing_is_written_and_nothing_could_be(clone: Cluster) -> None:
    refused = pytest.raises(pg8000.dbapi.Error, match="read-only transaction")
    with reading(connector({CLONE: clone}), CLONE) as connection, refused:
        connection.cursor().execute("DELETE FROM public.users")


@pytest.fixture(name="dumped")
def _dumped(source: Cluster) -> Iterator[tuple[Cluster, str]]:
    """A database of the source, dumped, then changed in every way, and the dump restored beside it."""
    source.sql("CREATE DATABASE origin TEMPLATE app", "postgres")
    began = source.sql("SELECT now()")[0][0].isoformat()
    dump = source.folder / "dump"
    source.run("pg_dump", "-Fc", "-d", "origin", "-f", dump)
    source.sql(
        "INSERT INTO jobs (prompt) SELECT 'later' FROM generate_series(1, 100);"
        "DELETE FROM jobs WHERE id < 20;"
        "UPDATE jobs SET prompt = 'changed', updated_at = now() WHERE id BETWEEN 20 AND 40;"
        "UPDATE users SET email = 'changed' WHERE id = 3;"
        "CREATE TABLE made_later (n int, created_at timestamptz)",
        "origin",
    )
    source.sql("CREATE DATABASE restored", "postgres")
    source.run("pg_restore", "-d", "restored", dump)
    yield source, began
    source.sql("DROP DATABASE origin", "postgres")
    source.sql("DROP DATABASE restored", "postgres")


def test_a_restored_dump_holds_at_least_what_the_source_still_holds(dumped: tuple[Cluster, str]) -> None:
    cluster, began = dumped
    taken = reference(connector({"source": cluster}, database="origin"), "source", backup=began)
    found = judged(cluster, taken, database="restored")
    assert found["passed"], found["problems"]
    # users was changed without a mark and jobs with one; the others have no created_at.
    assert found["tables"] == {"exact": 0, "settled": 0, "atLeast": 2, "unproven": 4}


def test_fails_when_the_restored_dump_lacks_rows(dumped: tuple[Cluster, str]) -> None:
    cluster, began = dumped
    taken = reference(connector({"source": cluster}, database="origin"), "source", backup=began)
    cluster.sql("DELETE FROM users WHERE id > 400", "restored")
    found = judged(cluster, taken, database="restored")
    assert not found["passed"]
    assert found["problems"] == ["public.users: 400 settled rows, the source has 500 still"]


def test_fails_when_there_is_nothing_to_compare(source: Cluster) -> None:
    source.sql("CREATE DATABASE empty", "postgres")
    connect = connector({"source": source, CLONE: source}, database="empty")
    taken = reference(connect, "source", sleep=lambda _: None)
    assert compare(connect, CLONE, taken)["problems"] == ["no table could be compared"]


def test_a_clone_that_lets_nobody_in_yet_is_waited_for(clone: Cluster, taken: dict[str, Any]) -> None:
    inside, waited = connector({CLONE: clone}), list[float]()

    def refusing(instance: str) -> Any:
        if len(waited) < 3:
            raise pg8000.dbapi.InterfaceError("connection refused")
        return inside(instance)

    assert compare(refusing, CLONE, taken, sleep=waited.append)["passed"]
    assert waited == [15.0] * 3
    waited.clear()

    def never(instance: str) -> Any:
        raise pg8000.dbapi.InterfaceError(instance)

    with pytest.raises(pg8000.dbapi.InterfaceError):
        compare(never, CLONE, taken, sleep=waited.append)
    assert len(waited) == 9
