"""The age watch, told by what Secret Manager lists."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import flask
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.age_watch.watch import LIMIT, too_old, watch
from tests.loopback import Handler, LoopbackServer

NOW = datetime(2027, 6, 1, tzinfo=UTC)


def version(age: timedelta, state: str = "ENABLED", number: int = 1) -> dict[str, Any]:
    made = (NOW - age).isoformat().replace("+00:00", "Z")
    return {"name": f"projects/1/secrets/s/versions/{number}", "createTime": made, "state": state}


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(["ENABLED", "DISABLED", "DESTROYED"])), max_size=6
    )
)
def test_only_the_newest_enabled_version_counts(versions: list[tuple[int, str]]) -> None:
    found = too_old(
        [version(timedelta(days=days), state, number) for number, (days, state) in enumerate(versions, 1)],
        NOW,
    )
    enabled = [days for days, state in versions if state == "ENABLED"]
    if not enabled:
        assert found == "no version is enabled"
    else:
        youngest = min(enabled)
        assert (found is not None) == (youngest > 90)
        assert found is None or f"{youngest} days old" in found


@pytest.mark.parametrize(
    ("age", "old"), [(LIMIT, False), (LIMIT + timedelta(seconds=1), True), (timedelta(days=91), True)]
)
def test_the_limit_is_90_days(age: timedelta, old: bool) -> None:
    assert (too_old([version(age)], NOW) is not None) == old


@pytest.mark.parametrize(("current", "old"), [("1", True), ("2", False), ("3", False), (None, False)])
def test_the_version_in_use_counts_where_it_is_known(current: str | None, old: bool) -> None:
    versions = [version(timedelta(days=91)), version(timedelta(days=1), number=2)]
    assert (too_old(versions, NOW, current) is not None) == old


@pytest.fixture
def google() -> Generator[str]:
    """Two pages of secrets, one of them old; a fault when asked for `broken`."""
    days = {"young": 3, "old": 100}

    class Answering(Handler):
        def answer(self) -> None:
            path = self.path.split("?")[0]
            made = datetime.now(UTC) - timedelta(days=days.get(path.split("/")[-2], 0))
            body: dict[str, Any] = {"access_token": "local"}
            if path.endswith("/versions"):
                body = {"versions": [{"name": "v/1", "createTime": made.isoformat(), "state": "ENABLED"}]}
            elif path.endswith("/secrets"):
                second = "pageToken=next" in self.path
                name = "old" if second else "young"
                body = {"secrets": [{"name": f"projects/1/secrets/{name}"}]}
                body |= {} if second else {"nextPageToken": "next"}
            self.send_json(503 if "broken" in path else 200, body)

    with LoopbackServer(Answering) as server:
        yield server.url


def run(google: str, project: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    monkeypatch.setenv("AGE_WATCH_PROJECT", project)
    monkeypatch.setenv("AGE_WATCH_ROOT", google)
    monkeypatch.setenv("AGE_WATCH_METADATA", f"{google}/a/token")
    return watch(flask.Request({}))


def test_writes_a_line_for_what_is_old_and_one_at_the_end(
    google: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(google, "p", monkeypatch) == ("", 204)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["severity"], one["ageWatch"]["kind"], one["ageWatch"]["secret"]) for one in lines] == [
        ("ERROR", "old", "old"),
        ("INFO", "done", None),
    ]


@pytest.mark.parametrize(("days", "kind"), [(1, "spared"), (0, "spared"), (-1, "old")])
def test_spares_an_exception_until_its_last_day(
    google: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    days: int,
    kind: str,
) -> None:
    until = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    monkeypatch.setenv("AGE_WATCH_EXCEPTIONS", json.dumps({"old": until}))
    assert run(google, "p", monkeypatch) == ("", 204)
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert first["ageWatch"] == {"kind": kind, "secret": "old"}


def test_a_probe_is_answered_without_looking(
    google: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch(flask.Request({"PATH_INFO": "/health"})) == ("", 204)
    assert capsys.readouterr().out == ""


def test_does_not_say_that_it_is_done_when_a_secret_could_not_be_seen(
    google: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        run(google, "broken", monkeypatch)
    assert capsys.readouterr().out == ""
