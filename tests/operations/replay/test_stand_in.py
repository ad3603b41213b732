"""The stand-in's Pub/Sub: leases end, messages come again, and the fifth failure makes a dead letter."""

from __future__ import annotations

import pytest

from tests.operations.replay.pubsub import JOBS, KEPT, WORKER, Json, PubSub, RefusedCallError


class World:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.google = PubSub(lambda: self.time)
        self.google.call(f"{JOBS}:publish", {"messages": [{"data": "YQ==", "orderingKey": "k"}]})

    def pull(self, name: str = WORKER) -> list[Json]:
        return self.google.call(f"{name}:pull", {"maxMessages": 10}).get("receivedMessages", [])


def test_a_message_is_leased_and_comes_again_when_the_lease_ends() -> None:
    world = World()
    (first,) = world.pull()
    assert world.pull() == []
    world.time += 59
    extended = {"ackIds": [first["ackId"]], "ackDeadlineSeconds": 30}
    world.google.call(f"{WORKER}:modifyAckDeadline", extended)
    world.time += 29
    assert world.pull() == []
    world.time += 1
    (again,) = world.pull()
    assert (first["deliveryAttempt"], again["deliveryAttempt"]) == (1, 2)
    # What is acknowledged too late was not.
    world.google.call(f"{WORKER}:acknowledge", {"ackIds": [first["ackId"]]})
    assert len(world.google.waiting(WORKER)) == 1
    world.google.call(f"{WORKER}:acknowledge", {"ackIds": [again["ackId"]]})
    assert world.google.waiting(WORKER) == []


@pytest.mark.parametrize("by_nack", [True, False])
def test_the_fifth_failure_makes_a_dead_letter(by_nack: bool) -> None:
    world = World()
    for _ in range(5):
        (one,) = world.pull()
        if by_nack:
            refused = {"ackIds": [one["ackId"]], "ackDeadlineSeconds": 0}
            world.google.call(f"{WORKER}:modifyAckDeadline", refused)
        else:
            world.time += 60
    assert world.pull() == []
    (dead,) = world.pull(KEPT)
    assert "deliveryAttempt" not in dead
    assert (dead["message"]["data"], dead["message"]["orderingKey"]) == ("YQ==", "k")
    assert dead["message"]["attributes"]["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"


REFUSED: list[tuple[str, Json, int]] = [
    (f"{JOBS}:publish", {"messages": [{}]}, 400),
    (f"{JOBS}:publish", {"messages": [{"attributes": {"googclient_x": "1"}}]}, 400),
    (f"{JOBS}:publish", {"messages": [{"attributes": {f"a{n}": "" for n in range(101)}}]}, 400),
    (f"{WORKER}:pull", {"maxMessages": 0}, 400),
    (f"{WORKER}:acknowledge", {"ackIds": []}, 400),
    (f"{WORKER}:modifyAckDeadline", {"ackIds": ["x"], "ackDeadlineSeconds": 601}, 400),
    ("projects/aiprod-dev/topics/none:publish", {"messages": [{"data": "YQ=="}]}, 404),
]


@pytest.mark.parametrize(("path", "body", "code"), REFUSED)
def test_fails_when_google_would(path: str, body: Json, code: int) -> None:
    with pytest.raises(RefusedCallError) as refused:
        World().google.call(path, body)
    assert refused.value.code == code
