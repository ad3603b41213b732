"""The replay as a person runs it, against Pub/Sub's REST API on a loopback port."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.operations.replay.conftest import Google, Say, options
from tests.operations.replay.pubsub import JOBS, KEPT, Json, RefusedCallError

NO_LOGIN = "replay: the Google Cloud CLI must be logged in, it is not: run `gcloud auth login`\n"

ROOT = Path(__file__).parents[3]


def test_a_look_counts_and_consumes_nothing(google: Google, say: Say) -> None:
    ids = google.dead(12)
    code, out, err = say()
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == [
        "worker-dlq: 12 dead letters seen",
        "  12 would be published to jobs",
    ]
    assert out.splitlines()[-2:] == [
        "nothing was moved and nothing is held",
        "to move them: make replay QUEUE=jobs STACK=dev TARGET=gcp RUN=true EXPECT=12",
    ]
    assert f"  {ids[0]} " in out
    assert "  and 2 more" in out
    assert {path.rpartition(":")[2] for path, _ in google.calls} == {"pull", "modifyAckDeadline"}
    assert (google.kept(), google.pubsub.leased(KEPT)) == (ids, 0)


def test_what_a_message_says_is_never_shown(google: Google, say: Say) -> None:
    google.dead(attributes={"customer": "Dupont"})
    _, out, err = say()
    assert not any(word in out + err for word in ("c2VjcmV0", "secret", "Dupont", "customer", "ya29"))


def test_nothing_is_found_where_nothing_is(say: Say) -> None:
    code, out, _ = say()
    assert (code, out.splitlines()) == (
        0,
        [
            "worker-dlq: 0 dead letters seen",
            "  0 would be published to jobs",
            "nothing was moved and nothing is held",
        ],
    )


def test_a_run_publishes_what_was_published_before_and_acknowledges(google: Google, say: Say) -> None:
    own = {"trace": "1", "googclient_schemaencoding": "JSON", "googclient_deliveryattempt": "5"}
    (id,) = google.dead(attributes=own, orderingKey="customer-7")
    assert say("--run", "--expect", "1")[0] == 0
    assert google.jobs() == [
        {
            "data": "c2VjcmV0",
            "attributes": {"kind": "video", "trace": "1", "aiprod_replay_of": id, "aiprod_replays": "1"},
            "orderingKey": "customer-7",
        }
    ]
    assert google.kept() == []


def test_publishing_comes_before_acknowledging(google: Google, say: Say) -> None:
    google.dead(3)
    assert say("--run", "--expect", "3")[0] == 0
    verbs = [path.rpartition(":")[2] for path, _ in google.calls]
    assert [verb for verb in verbs if verb in ("publish", "acknowledge")] == ["publish", "acknowledge"] * 3


def test_oldest_go_first(google: Google, say: Say) -> None:
    for at in ("2026-11-29T20:00:02Z", "2026-11-29T20:00:00.5Z", "2026-11-29T20:00:01.123456789Z"):
        google.dead(at=at, attributes={"at": at})
    assert say("--run", "--expect", "3")[0] == 0
    assert [message["attributes"]["at"][17:19] for message in google.jobs()] == ["00", "01", "02"]


@pytest.mark.parametrize("expect", ["1", "3"])
def test_fails_when_the_number_is_not_the_one_that_was_seen(google: Google, say: Say, expect: str) -> None:
    ids = google.dead(2)
    code, out, err = say("--run", "--expect", expect)
    assert (code, out) == (1, "")
    said = f"2 messages would be moved now, not the {expect} that were seen: look again, nothing was moved"
    assert err == f"replay: {said}\n"
    assert (google.jobs(), google.kept(), google.pubsub.leased(KEPT)) == ([], ids, 0)


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ((), {"old", "new", "audio"}),
        (("--attribute", "kind=video"), {"old", "new"}),
        (("--attribute", "kind=video", "--attribute", "size=1"), set[str]()),
        (("--older-than", "2h"), {"old"}),
        (("--younger-than", "2h"), {"new", "audio"}),
        (("--older-than", "5m", "--attribute", "kind=audio"), set[str]()),
        (("--id", "old"), {"old"}),
        (("--id", "old", "--id", "audio"), {"old", "audio"}),
    ],
)
def test_only_what_is_asked_for_moves(
    google: Google, say: Say, arguments: tuple[str, ...], chosen: set[str]
) -> None:
    now = time.time()
    google.pubsub.now = lambda: now - 3 * 3600
    ids = {"old": google.dead()[0]}
    google.pubsub.now = time.time
    ids |= {"new": google.dead()[0], "audio": google.dead(attributes={"kind": "audio"})[0]}
    given = [ids.get(argument, argument) for argument in arguments]
    _, out, _ = say(*given)
    assert f"  {len(chosen)} would be published to jobs" in out
    if chosen:
        assert say(*given, "--run", "--expect", str(len(chosen)))[0] == 0
    assert {message["attributes"]["aiprod_replay_of"] for message in google.jobs()} == {
        ids[name] for name in chosen
    }
    assert set(google.kept()) == {id for name, id in ids.items() if name not in chosen}


def test_a_message_comes_back_three_times_and_then_stays(google: Google, say: Say) -> None:
    (first,) = google.dead()
    for count in ("1", "2", "3"):
        assert say("--run", "--expect", "1")[0] == 0
        message = google.jobs()[-1]
        assert (message["attributes"]["aiprod_replay_of"], message["attributes"]["aiprod_replays"]) == (
            first,
            count,
        )
        google.dead(attributes=message["attributes"])
    code, out, _ = say()
    assert code == 0
    assert "  1 were replayed 3 times already and stay" in out
    assert "  0 would be published to jobs" in out
    assert say("--most-replays", "4", "--run", "--expect", "1")[0] == 0


def test_what_the_topic_does_not_take_stays_and_holds_back_its_key(google: Google, say: Say) -> None:
    google.pubsub.schema = lambda message: "Invalid data in message." if message["data"] == "YmFk" else ""
    (bad,) = google.dead(data="YmFk", orderingKey="a")
    (behind,) = google.dead(orderingKey="a", at="2026-11-29T20:00:01Z")
    google.dead(orderingKey="b")
    google.dead()
    code, out, _ = say("--run", "--expect", "4")
    assert code == 1
    assert "2 of 4 published to jobs and acknowledged" in out
    assert "  1 wait behind a refused message of their ordering key" in out
    assert f"  refused: {bad}" in out
    assert "Google answered 400 INVALID_ARGUMENT: Invalid data in message." in out
    assert (google.kept(), google.pubsub.leased(KEPT)) == ([bad, behind], 0)


@pytest.mark.parametrize("verb", [f"{KEPT}:pull", f"{JOBS}:publish"])
def test_fails_when_the_person_may_not(google: Google, say: Say, verb: str) -> None:
    ids = google.dead(2)
    google.pubsub.denied = {verb}
    code, out, err = say("--run", "--expect", "2")
    assert (code, out) == (1, "")
    assert err.startswith("replay: Google answered 403 PERMISSION_DENIED: User not authorized")
    assert err.endswith("ask for a group of messaging.operators and run it again\n")
    assert err.count("\n") == 1
    assert (google.kept(), google.pubsub.leased(KEPT)) == (ids, 0)


def test_a_call_that_may_succeed_later_is_repeated(google: Google, say: Say) -> None:
    google.dead()
    turns: dict[str, int] = {}

    def twice(path: str, _body: Json) -> None:
        turns[path] = turns.get(path, 0) + 1
        if turns[path] <= 2:
            raise RefusedCallError(503, "UNAVAILABLE", "try again")

    google.before = twice
    assert say("--run", "--expect", "1")[0] == 0
    assert google.kept() == []


def test_what_cannot_be_acknowledged_is_told_and_comes_twice_with_one_name(google: Google, say: Say) -> None:
    (id,) = google.dead()
    google.pubsub.denied = {f"{KEPT}:acknowledge"}
    code, out, _ = say("--run", "--expect", "1")
    assert code == 1
    assert "  1 published but not acknowledged: another run publishes them once more" in out
    google.pubsub.denied = set()
    assert say("--run", "--expect", "1")[0] == 0
    assert [message["attributes"]["aiprod_replay_of"] for message in google.jobs()] == [id, id]
    assert [message["attributes"]["aiprod_replays"] for message in google.jobs()] == ["1", "1"]


def test_a_kill_between_publishing_and_acknowledging_leaves_a_duplicate(
    google: Google, say: Say, gcloud: Path
) -> None:
    (id,) = google.dead()
    process: subprocess.Popen[bytes]

    def kill(path: str, _body: Json) -> None:
        if path.endswith(":acknowledge"):
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise RefusedCallError(503, "UNAVAILABLE", "never arrives")

    google.before = kill
    with google.lock:
        command = [
            sys.executable,
            "-m",
            "operations.replay",
            *options(google.endpoint),
            "--run",
            "--expect",
            "1",
        ]
        process = subprocess.Popen(command, cwd=ROOT, env={"PATH": f"{gcloud.parent}:/usr/bin:/bin"})
    process.wait(timeout=60)
    assert process.returncode == -signal.SIGKILL
    # Published, and still a dead letter under a lease that ends by itself.
    assert (len(google.jobs()), google.kept(), google.pubsub.leased(KEPT)) == (1, [id], 1)
    google.before = lambda _path, _body: None
    google.pubsub.now = lambda: time.time() + 601
    # The copy failed as well: the two are one message.
    google.dead(attributes=google.jobs()[0]["attributes"])
    _, out, _ = say()
    assert "  1 would be published to jobs\n  1 are duplicates of those and go with them" in out
    assert say("--run", "--expect", "1")[0] == 0
    assert (google.jobs()[-1]["attributes"]["aiprod_replays"], google.kept()) == ("2", [])


def test_a_limit_is_told(google: Google, say: Say) -> None:
    google.dead(5)
    _, out, _ = say("--limit", "3")
    assert out.startswith("worker-dlq: 3 dead letters seen, and there are more\n  3 would be published")
    assert say("--limit", "3", "--run", "--expect", "3")[0] == 0
    assert len(google.kept()) == 2


def test_what_pubsub_would_not_take_is_told_by_a_look(google: Google, say: Say) -> None:
    (id,) = google.dead(attributes={f"a{number}": "" for number in range(98)})
    _, out, _ = say()
    assert f"  stays: {id}" in out
    assert "101 attributes, at most 100" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--run",), "EXPECT must be the number that the look printed, got nothing"),
        (("--expect", "3"), "RUN must be 'true' where EXPECT is given, got EXPECT=3 alone"),
        (("--run", "--expect", "0"), "must be a number from 1 to 10000, got '0'"),
        (("--run", "--expect", "-1"), "argument --expect"),
        (("--rate", "101"), "must be a number from 1 to 100, got '101'"),
        (("--limit", "10001"), "must be a number from 1 to 10000, got '10001'"),
        (("--most-replays", "11"), "must be a number from 1 to 10, got '11'"),
        (("--older-than", "2"), "must be a number with s, m, h or d such as 2h, got '2'"),
        (("--attribute", "kind"), "must be KEY=VALUE, got 'kind'"),
        (("--everything",), "unrecognized arguments: --everything"),
    ],
)
def test_fails_before_google_is_asked(
    google: Google, say: Say, arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = say(*arguments)
    assert (code, out, google.calls) == (2, "", [])
    assert said in err
    assert err.startswith("replay: ")
    assert err.count("\n") == 1


def test_fails_when_nobody_is_logged_in(say: Say, gcloud: Path) -> None:
    gcloud.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    code, _, err = say()
    assert (code, err) == (
        1,
        NO_LOGIN,
    )


def test_fails_when_the_cli_is_not_there(say: Say, gcloud: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(gcloud.parent / "elsewhere"))
    code, out, err = say()
    said = "replay: the Google Cloud CLI (gcloud) must be on PATH, it is not: install it\n"
    assert (code, out, err) == (1, "", said)


@pytest.mark.parametrize("verb", ["pull", "modifyAckDeadline", "publish", "acknowledge"])
def test_a_login_that_ends_meanwhile_ends_the_run_in_one_sentence(
    google: Google, say: Say, gcloud: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Whatever is called then: a publication, an acknowledgement, or giving the leases back."""
    monkeypatch.setattr("operations.replay.pubsub._TOKEN_SECONDS", -1)
    google.dead(3)

    def ended(path: str, _: Json) -> None:
        if path.endswith(f":{verb}"):
            gcloud.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")

    google.before = ended
    code, out, err = say("--run", "--expect", "3")
    assert (code, out) == (1, "")
    assert err == NO_LOGIN
    assert len(google.kept()) == (2 if verb == "acknowledge" else 3)


def test_a_login_that_ends_before_the_last_acknowledgement_is_told_as_a_double(
    google: Google, say: Say, gcloud: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.replay.pubsub._TOKEN_SECONDS", -1)
    google.dead()

    def ended(path: str, _: Json) -> None:
        if path.endswith(":publish"):
            gcloud.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")

    google.before = ended
    code, out, err = say("--run", "--expect", "1")
    assert (code, err) == (1, "")
    assert "1 published but not acknowledged: another run publishes them once more" in out


def test_leases_that_cannot_be_given_back_hide_no_other_error(
    google: Google, say: Say, gcloud: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.replay.pubsub._TOKEN_SECONDS", -1)
    google.dead(2)
    pulls = 0

    def ended(path: str, _: Json) -> None:
        nonlocal pulls
        pulls += path.endswith(":pull")
        # After the last of the empty pulls.
        if pulls > 5:
            gcloud.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")

    google.before = ended
    code, _, err = say("--run", "--expect", "1")
    assert code == 1
    assert err.startswith("replay: 2 messages would be moved now, not the 1 that were seen")


def test_an_answer_that_is_not_pubsubs_is_told(google: Google, say: Say) -> None:
    google.text = "<html>sign in</html>"
    code, out, err = say()
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "does not answer as Pub/Sub does: no JSON" in err


def test_an_interruption_is_one_sentence_and_nothing_stays_leased(
    google: Google, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    google.dead(2)
    monkeypatch.setattr("operations.replay.replay.make_plan", interrupted)
    code, out, err = say()
    assert (code, out) == (130, "")
    assert err == "replay: interrupted: what was not moved stays a dead letter, run it again\n"
    assert google.pubsub.leased(KEPT) == 0
