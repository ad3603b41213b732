"""The function, told by stand-ins of Cloud Monitoring and of Cloud Run that speak HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import flask
import pytest

from components.observability.alert_policy import LogMatch
from components.observability.scaler_alerts import scaler_alerts
from operations.scaler.scale import scale
from tests.loopback import Handler, LoopbackServer

JOBS, RESULTS, BATCH = "aiprod-job-processor", "aiprod-result-notifier", "aiprod-batch-processor"


class Google:
    """Two pools and three subscriptions; samples from the oldest to the one of two minutes ago."""

    def __init__(self) -> None:
        self.instances: dict[str, int] = {"worker": 1, "batch": 2}
        self.backlog: dict[str, list[int]] = {JOBS: [0] * 20, RESULTS: [0] * 20, BATCH: [0] * 20}
        self.acknowledged: dict[str, list[int]] = {}
        self.dead: dict[str, list[int]] = {}
        self.filters: dict[str, str] = {}
        self.age: dict[str, list[int]] = {}
        self.latency: dict[str, tuple[int, float]] = {}
        self.behind = 2
        self.fail: dict[str, int] = {}
        self.patches: list[tuple[str, dict[str, list[str]], dict[str, Any]]] = []
        self.tokens: set[str | None] = set()
        self.changed_meanwhile = False
        # What a pool shows beside its number, and how a change ends that fails at once.
        self.shown: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, Any] = {}

    def series(self, metric: str, names: list[str]) -> list[dict[str, Any]]:
        values: dict[str, Callable[[str], list[Any]]] = {
            "num_undelivered_messages": lambda name: self.backlog.get(name, []),
            "oldest_unacked_message_age": lambda name: self.age.get(name, [30]),
            "ack_message_count": lambda name: self.acknowledged.get(name, []),
            "dead_letter_message_count": lambda name: self.dead.get(name, []),
            "ack_latencies": lambda name: [self.latency[name]] if name in self.latency else [],
        }
        return [
            {
                "metric": {},
                "resource": {"type": "pubsub_subscription", "labels": {"subscription_id": name}},
                "metricKind": "GAUGE",
                "valueType": "INT64",
                "points": self.points(points),
            }
            for name in names
            if (points := values[metric](name))
        ]

    def points(self, values: list[Any]) -> list[dict[str, Any]]:
        """The newest first, as Google answers."""
        newest = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=self.behind)
        found: list[dict[str, Any]] = []
        for back, value in enumerate(reversed(values)):
            end = (newest - timedelta(minutes=back)).strftime("%Y-%m-%dT%H:%M:%SZ")
            written: dict[str, Any] = {"int64Value": str(value)}
            if isinstance(value, tuple):
                count, seconds = cast("tuple[int, float]", value)
                written = {"distributionValue": {"count": str(count), "mean": seconds * 1_000}}
            found.append({"interval": {"startTime": end, "endTime": end}, "value": written})
        return found


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Generator[Google]:
    world = Google()

    class Answering(Handler):
        verbs = ("GET", "PATCH")

        def answer(self) -> None:
            return self.scale() if self.command == "PATCH" else self.read()

        def read(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            if parts.path == "/metadata":
                return self.send_json(200, {"access_token": "local"})
            world.tokens.add(self.headers["Authorization"])
            if parts.path == "/monitoring/v3/projects/p/timeSeries":
                metric = re.search(r'subscription/(\w+)"', query["filter"][0])
                names = re.search(r"one_of\((.*)\)", query["filter"][0])
                assert metric
                assert names
                world.filters[metric[1]] = query["filter"][0]
                if status := world.fail.get(metric[1]):
                    return self.send_json(status, {"error": {"message": "no"}})
                found = world.series(metric[1], json.loads(f"[{names[1]}]"))
                # A page for each series.
                page = int(query.get("pageToken", ["0"])[0])
                more = {"nextPageToken": str(page + 1)} if page + 1 < len(found) else {}
                return self.send_json(200, {"timeSeries": found[page : page + 1], **more})
            name = parts.path.rsplit("/", 1)[-1]
            assert parts.path == f"/run/v2/projects/p/locations/europe-west1/workerPools/{name}"
            if status := world.fail.get(name):
                return self.send_json(status, {"error": {"message": "no"}})
            count = world.instances[name]
            # Google leaves out a zero.
            scaling = {"manualInstanceCount": count} if count else {}
            return self.send_json(
                200, {"name": name, "etag": f"e{count}", "scaling": scaling, **world.shown.get(name, {})}
            )

        def scale(self) -> None:
            parts = urlsplit(self.path)
            name = parts.path.rsplit("/", 1)[-1]
            body = json.loads(self.content())
            world.patches.append((name, parse_qs(parts.query), body))
            if world.changed_meanwhile or body["etag"] != f"e{world.instances[name]}":
                return self.send_json(409, {"error": {"status": "ABORTED"}})
            if world.refused:
                return self.send_json(200, {"name": "operations/1", "done": True, "error": world.refused})
            world.instances[name] = body["scaling"]["manualInstanceCount"]
            return self.send_json(200, {"name": "operations/1"})

    server = LoopbackServer(Answering)
    root = server.url
    interactive = {"promise_seconds": 300, "job_seconds": 60}
    pool = {"location": "europe-west1", "maximum": 20, "jobs_per_instance": 1}
    config = {
        "project": "p",
        "pools": {
            "worker": {**pool, "minimum": 1, "queues": {JOBS: interactive, RESULTS: interactive}},
            "batch": {
                **pool,
                "minimum": 0,
                "queues": {BATCH: {"promise_seconds": 1_800, "job_seconds": 60}},
            },
        },
    }
    monkeypatch.setenv("SCALER_CONFIG", json.dumps(config))
    monkeypatch.setenv("SCALER_ROOT", root)
    monkeypatch.setenv("SCALER_METADATA", f"{root}/metadata")
    with server:
        yield world


def call(path: str = "/") -> int:
    with flask.Flask("scaler").test_request_context(path):
        return scale(flask.request)[1]


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {line["scaler"].get("pool", "all"): line for line in lines}


def test_a_burst_on_one_queue_scales_its_pool_and_silence_stops_the_other(
    google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    google.backlog[JOBS] = [0] * 19 + [40]
    assert call() == 204
    assert google.instances == {"worker": 8, "batch": 0}
    lines = told(capsys)
    assert lines["worker"]["scaler"] == {
        "kind": "load",
        "pool": "worker",
        "from": 1,
        "to": 8,
        "load": 7.4,
    }
    assert lines["batch"]["scaler"]["to"] == 0
    assert lines["all"]["scaler"] == {"kind": "done"}
    assert google.tokens == {"Bearer local"}
    assert all(query == {"updateMask": ["scaling.manualInstanceCount"]} for _, query, _ in google.patches)


def test_what_is_right_already_is_not_touched(google: Google) -> None:
    google.instances = {"worker": 1, "batch": 0}
    assert call() == 204
    assert call() == 204
    assert google.patches == []


def test_a_measured_job_time_counts(google: Google) -> None:
    """A thousand jobs of two seconds against a configured minute: a backlog of 40 needs little."""
    google.backlog[JOBS] = [0] * 19 + [40]
    google.latency[JOBS] = (1_000, 2.0)
    assert call() == 204
    assert google.instances["worker"] == 1


def test_without_a_fresh_sample_nothing_is_taken_away(
    google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    google.behind = 20
    assert call() == 204
    assert google.instances == {"worker": 1, "batch": 2}
    batch = told(capsys)["batch"]
    assert (batch["severity"], batch["scaler"]["kind"]) == ("WARNING", "unknown")


def test_a_subscription_without_a_series_takes_nothing_away(google: Google) -> None:
    google.backlog[BATCH] = []
    assert call() == 204
    assert google.instances["batch"] == 2


def test_messages_without_an_age_take_nothing_away(google: Google) -> None:
    """The age shows a minute after the backlog: that is no age of zero, which would ask for less."""
    google.instances["batch"] = 20
    google.backlog[BATCH] = [40] * 20
    google.age[BATCH] = []
    assert call() == 204
    assert google.instances["batch"] == 20


def test_workers_that_finish_nothing_are_told_of(google: Google, capsys: pytest.CaptureFixture[str]) -> None:
    google.backlog[BATCH] = [500] * 20
    google.acknowledged[BATCH] = [0] * 20
    assert call() == 204
    batch = told(capsys)["batch"]
    assert (batch["severity"], batch["scaler"]["kind"], google.instances["batch"]) == (
        "WARNING",
        "stalled",
        2,
    )


def test_workers_that_fail_every_message_finish_nothing(
    google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    """Google counts what it moved to the dead letters as acknowledged, too."""
    google.backlog[BATCH] = [500] * 20
    google.acknowledged[BATCH] = google.dead[BATCH] = [*[9] * 18, 0, 0]
    assert call() == 204
    assert (told(capsys)["batch"]["scaler"]["kind"], google.instances["batch"]) == ("stalled", 2)


def test_only_messages_that_left_a_queue_by_a_worker_or_as_dead_letters_are_asked_for(google: Google) -> None:
    assert call() == 204
    assert 'metric.labels.delivery_type != "filter"' in google.filters["ack_message_count"]
    assert 'metric.labels.response_code = "success"' in google.filters["dead_letter_message_count"]


def timed(shown: dict[str, Any]) -> dict[str, Any]:
    """With the moment that lies so many minutes back."""
    if "updateTime" not in shown:
        return shown
    moment = datetime.now(UTC) - timedelta(minutes=shown["updateTime"])
    return {**shown, "updateTime": moment.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            {
                "terminalCondition": {
                    "state": "CONDITION_FAILED",
                    "message": "Quota exceeded:\n CPU  limit 20.",
                }
            },
            "batch: 2 instances are wanted, but Google says: Quota exceeded: CPU limit 20.",
        ),
        (
            {"terminalCondition": {"state": "CONDITION_FAILED", "reason": "REVISION_FAILED"}},
            "batch: 2 instances are wanted, but Google says: REVISION_FAILED",
        ),
        (
            {"reconciling": True, "updateTime": 12.1},
            "batch: 2 instances are wanted, but Google has not made them for 12 minutes",
        ),
    ],
)
def test_what_google_could_not_make_is_told_a_minute_later_and_the_pool_is_scaled_on(
    google: Google, capsys: pytest.CaptureFixture[str], shown: dict[str, Any], expected: str
) -> None:
    """Google answers a change before it is made; the number that it shows is the wanted one either way."""
    google.shown["batch"] = timed(shown)
    assert call() == 204
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failed = [line for line in lines if line["scaler"]["kind"] == "failed"]
    assert failed == [
        {"severity": "ERROR", "message": expected, "scaler": {"kind": "failed", "pool": "batch"}}
    ]
    assert google.instances["batch"] == 0
    assert lines[-1]["scaler"] == {"kind": "done"}


@pytest.mark.parametrize(
    "shown",
    [
        {"terminalCondition": {"state": "CONDITION_SUCCEEDED"}},
        {"terminalCondition": {"state": "CONDITION_RECONCILING"}, "reconciling": True, "updateTime": 3},
        {"reconciling": True},
        {"updateTime": 500},
    ],
)
def test_a_change_that_is_made_or_still_under_way_is_no_failure(
    google: Google, capsys: pytest.CaptureFixture[str], shown: dict[str, Any]
) -> None:
    google.shown["batch"] = timed(shown)
    assert call() == 204
    assert "failed" not in capsys.readouterr().out


def test_a_change_that_google_refuses_at_once_is_told(
    google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    google.refused = {"code": 8, "message": "Quota exceeded for total allowable CPU."}
    assert call() == 500
    batch = told(capsys)["batch"]
    assert (batch["severity"], batch["scaler"]["kind"]) == ("ERROR", "failed")
    assert batch["message"] == "batch: Google did not set 0: Quota exceeded for total allowable CPU."


def test_the_alert_finds_the_line_of_each_failure() -> None:
    condition = scaler_alerts("devops", always_on=True)["scaler-failed"].condition
    assert isinstance(condition, LogMatch)
    assert condition.filter == 'resource.type="cloud_run_revision" AND jsonPayload.scaler.kind="failed"'


@pytest.mark.parametrize(("what", "status"), [("worker", 404), ("worker", 503), ("worker", 403)])
def test_one_pool_that_fails_leaves_the_others_scaled_and_is_told(
    google: Google, capsys: pytest.CaptureFixture[str], what: str, status: int
) -> None:
    google.fail[what] = status
    assert call() == 500
    assert google.instances == {"worker": 1, "batch": 0}
    lines = told(capsys)
    assert lines["worker"]["severity"] == "ERROR"
    assert str(status) in lines["worker"]["message"]
    assert "all" not in lines
    assert "local" not in json.dumps(lines)


def test_monitoring_that_fails_changes_nothing(google: Google) -> None:
    google.fail["num_undelivered_messages"] = 503
    assert call() == 500
    assert google.patches == []


def test_whoever_changed_the_pool_meanwhile_has_the_last_word(
    google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    google.changed_meanwhile = True
    assert call() == 500
    assert google.instances == {"worker": 1, "batch": 2}
    assert "409" in told(capsys)["batch"]["message"]


def test_a_probe_asks_nobody(google: Google) -> None:
    assert call("/health") == 204
    assert google.tokens == set()
