"""What a person reads when something beside the two servers is wrong: one sentence, never a traceback."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from operations.cut_over import preflight
from operations.cut_over.__main__ import main


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            OSError(28, "No space left on device"),
            1,
            "this machine refused: [Errno 28] No space left on device",
        ),
        (KeyboardInterrupt(), 130, "interrupted: run the step again, or verify"),
    ],
)
def test_an_error_of_the_machine_or_a_person_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr("operations.cut_over.__main__.load", failing)
    assert main(["copy", "--settings", "cut-over.toml"]) == code
    told = capsys.readouterr().err
    assert told.startswith(f"cut-over copy: {said}")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("#!/bin/sh\necho 'libpq.so.5 is missing' >&2\nexit 127\n", "got 'libpq.so.5 is missing'"),
        ("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.1'\n", "got 'pg_dump (PostgreSQL) 14.1'"),
        ("#!/bin/sh\necho 'pg_dump (PostgreSQL) 17.0'; exit 1\n", "got 'pg_dump (PostgreSQL) 17.0'"),
        ("#!/nowhere\n", "must start, got No such file or directory"),
    ],
)
def test_a_pg_dump_that_does_not_work_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    for name in ("pg_dump", "psql"):
        (tmp_path / name).write_text(program, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def one(_query: str) -> str:
        return "UTF8"

    server = SimpleNamespace(version=15, one=one)
    pair = cast("Any", SimpleNamespace(old=server, new=server))
    (sentence,) = preflight._versions(pair)  # pyright: ignore[reportPrivateUsage]
    assert said in sentence
