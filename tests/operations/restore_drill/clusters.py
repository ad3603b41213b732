"""Real PostgreSQL servers: one that archives its log, and those that are restored from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from operations.restore_drill.service import _connector  # pyright: ignore[reportPrivateUsage]

__all__ = ["Cluster", "archiving", "connector", "recovered", "writing"]

# PostgreSQL refuses to run as root.
USER = "postgres" if os.geteuid() == 0 else None
PORT = 5432


def programs() -> Path:
    """The folder of `initdb`, `postgres` and what dumps and restores."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent


@dataclass(frozen=True)
class Cluster:
    """One server, reached by the socket in its folder."""

    folder: Path

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    def run(self, program: str, *arguments: str | Path) -> str:
        command = [programs() / program, "-h", self.folder, "-U", "postgres", *arguments]
        done = subprocess.run(
            command, user=USER, check=False, capture_output=True, text=True, cwd=self.folder
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, statement: str, database: str = "app") -> list[tuple[Any, ...]]:
        with psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True) as one:
            found = one.execute(statement.encode())
            return found.fetchall() if found.description else []


def connector(clusters: dict[str, Cluster], user: str = "postgres", database: str = "app") -> Any:
    """What the deployed function connects with, by instance."""
    addresses = {name: [str(cluster.folder), PORT] for name, cluster in clusters.items()}
    return _connector({"user": user, "database": database, "addresses": addresses})


@contextmanager
def _started(folder: Path, **settings: object) -> Generator[Cluster]:
    options = {
        "listen_addresses": "",
        "port": PORT,
        "unix_socket_directories": folder,
        "fsync": "off",
        **settings,
    }
    words = [text for key, value in options.items() for text in ("-c", f"{key}={value}")]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [programs() / "postgres", "-D", folder / "data", *words],
            user=USER,
            stdout=log,
            stderr=log,
            cwd=folder,
        )
        try:
            _ready(folder, process)
            yield Cluster(folder)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _ready(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Until it takes writes: a server in recovery does not yet."""
    for _ in range(600):
        assert process.poll() is None, (folder / "log").read_text()
        try:
            with psycopg.connect(host=str(folder), user="postgres", dbname="postgres") as one:
                if one.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                    return
        except psycopg.OperationalError:
            pass
        time.sleep(0.1)
    raise AssertionError((folder / "log").read_text())


def _owned(folder: Path) -> None:
    folder.chmod(0o755)
    if USER is not None:
        subprocess.run(["chown", "-R", USER, folder], check=True)


@contextmanager
def archiving() -> Generator[Cluster]:
    """A server with an empty database `app`, a base backup and an archive of everything since."""
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    (folder / "archive").mkdir()
    _owned(folder)
    try:
        command = [programs() / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "--no-sync"]
        subprocess.run([*command, "-E", "UTF8"], user=USER, check=True, capture_output=True, cwd=folder)
        with _started(folder, archive_mode="on", archive_command=f"cp %p {folder / 'archive'}/%f") as cluster:
            cluster.sql("CREATE DATABASE app", "postgres")
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def recovered(source: Cluster, at: datetime) -> Generator[Cluster]:
    """The source as it was at that time: its base backup, and its log replayed until then."""
    source.sql("SELECT pg_switch_wal()")
    wanted = source.sql("SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")[0][0]
    for _ in range(300):
        if (source.archive / wanted).exists():
            break
        time.sleep(0.1)
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    try:
        shutil.copytree(source.backup, folder / "data")
        (folder / "data").chmod(0o700)
        (folder / "data" / "recovery.signal").touch()
        _owned(folder)
        with _started(
            folder,
            restore_command=f"cp {source.archive}/%f %p",
            recovery_target_time=at.isoformat(),
            recovery_target_action="promote",
            archive_mode="off",
        ) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def writing(cluster: Cluster, *, old_rows: bool = False) -> Generator[None]:
    """Somebody adds, changes and deletes young jobs all the while, and old ones too with `old_rows`."""
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(host=str(cluster.folder), user="postgres", dbname="app", autocommit=True) as one:
            while not stop.wait(0.01):
                (new,) = one.execute("INSERT INTO jobs (prompt) VALUES ('new') RETURNING id").fetchone() or (
                    0,
                )
                one.execute("UPDATE jobs SET prompt = 'again', updated_at = now() WHERE id = %s", [new])
                one.execute("DELETE FROM jobs WHERE id = %s AND id > 300", [new - 5])
                if old_rows:
                    one.execute(
                        "UPDATE jobs SET prompt = 'late', updated_at = now() WHERE id = %s", [100 + new % 200]
                    )

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
