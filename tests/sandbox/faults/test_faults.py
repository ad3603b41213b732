"""The words of ``--fault``, the journal, and what is repeated within one ``up``."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from facts.propagation import PROPAGATION, propagation_of
from sandbox.cloud import World
from sandbox.errors import CloudError, UsageError
from sandbox.faults import (
    Fail,
    FaultyCloud,
    HideGrants,
    Kill,
    KillBetweenFiles,
    KilledError,
    Where,
    parse_fault,
)
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import StackSettings
from sandbox.state import StateStore
from sandbox.state.journal import fingerprint

TOPIC = "gcp:pubsub/topic:Topic"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("quota@5", Fail("quota", Where(call=5))),
        ("unavailable@Topic*3", Fail("unavailable", Where(type="Topic", times=3))),
        (f"timeout@{TOPIC}", Fail("timeout", Where(type=TOPIC))),
        ("kill@40", Kill(Where(call=40))),
        ("kill@files", KillBetweenFiles()),
        ("grant*2", HideGrants(2)),
        ("grant@57*2", HideGrants(2, Where(call=57))),
        ("grant@TopicIAMMember", HideGrants(1, Where(type="TopicIAMMember"))),
    ],
)
def test_fault_is_read(text: str, fault: object) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text", ["", "zap@3", "quota", "quota@0", "quota@a b", "quota@3*0", "grant@0", "quota@²", "quota@1*²"]
)
def test_bad_fault_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="--fault"):
        parse_fault(text)


@pytest.mark.parametrize("kind", ["agent", "api", "metric"])
def test_fresh_kinds_are_listed_and_others_are_not(kind: str) -> None:
    for name, listed in ((kind, True), ("quota", False)):
        cloud = FaultyCloud([Fail(name, Where(call=1))])
        with pytest.raises(CloudError) as caught:
            cloud.call(TOPIC, lambda: None)
        assert (propagation_of([str(caught.value)]) is not None) is listed
    assert PROPAGATION


def program() -> None:
    import pulumi_gcp as gcp

    provider = gcp.Provider("gcp", project="p", region="europe-west1")
    import pulumi

    for name in ("one", "two", "three"):
        gcp.pubsub.Topic(name, opts=pulumi.ResourceOptions(provider=provider))


def up(store: StateStore, cloud: FaultyCloud, mode: Mode = Mode.UPDATE) -> Outcome:
    """One ``up`` (or ``down``) of ``program`` as the command does it."""
    snapshot, kept = store.load("dev"), store.load_cloud("dev")
    world = World() if kept is None else World.from_json(kept)
    journal = store.journal("dev", world)
    cloud.called = journal.cloud_called
    try:
        outcome = run(
            program,
            project="test",
            stack="dev",
            config=StackSettings(values={}),
            snapshot=snapshot,
            world=world,
            mode=mode,
            keeper=journal,
            around=lambda inner: cloud.around(inner, world),
        )
    finally:
        journal.close()
    store.save("dev", outcome.snapshot, world.to_json(), between=cloud.between_files)
    return outcome


@pytest.mark.parametrize("fault", ["kill@1", "kill@2", "kill@3", "kill@files"])
def test_a_killed_process_loses_nothing(tmp_path: Path, fault: str) -> None:
    store = StateStore(tmp_path, "test")
    with pytest.raises(KilledError):
        up(store, FaultyCloud([parse_fault(fault)]))
    outcome = up(StateStore(tmp_path, "test"), FaultyCloud([]))
    assert not outcome.refusals
    same_in_state_and_cloud(store)


@pytest.mark.parametrize("fault", ["timeout@2", "kill@2"])
def test_what_an_interrupted_deletion_took_is_made_again(tmp_path: Path, fault: str) -> None:
    store = StateStore(tmp_path, "test")
    up(store, FaultyCloud([]))
    with contextlib.suppress(KilledError):
        up(store, FaultyCloud([parse_fault(fault)]), Mode.DESTROY)
    assert not up(store, FaultyCloud([])).refusals
    same_in_state_and_cloud(store)


def same_in_state_and_cloud(store: StateStore) -> None:
    state = {item.id for item in store.load("dev").resources if item.type == TOPIC}
    kept = store.load_cloud("dev")
    assert kept is not None
    assert state == {record.id for record in World.from_json(kept)}
    assert len(state) == 3
    assert not store.journal_path("dev").exists()


def test_a_torn_or_outdated_journal_does_no_harm(tmp_path: Path) -> None:
    store = StateStore(tmp_path, "test")
    with pytest.raises(KilledError):
        up(store, FaultyCloud([parse_fault("kill@2")]))
    journal = store.journal_path("dev")
    with journal.open("a", encoding="utf-8") as stream:
        stream.write('{"put": 7, "resou')
    assert store.load("dev").pending_operations
    kept = journal.read_text(encoding="utf-8")
    up(store, FaultyCloud([]))
    journal.write_text(kept, encoding="utf-8")
    assert len([item for item in store.load("dev").resources if item.type == TOPIC]) == 3
    assert not store.load("dev").pending_operations
    assert Snapshot() != store.load("dev")


@pytest.mark.parametrize(
    "damage",
    [
        b"[1]\n",
        b"\xd4\x00\xff",
        b'{"base": "BASE"}',
        b'{"base": "BASE", "cloud": {}, "secrets": {}}',
        b'{"base": "BASE", "cloud": [], "secrets": {}}\n{"put": "x"}\n',
    ],
)
def test_a_damaged_journal_is_one_sentence(tmp_path: Path, damage: bytes) -> None:
    store = StateStore(tmp_path, "test")
    up(store, FaultyCloud([]))
    journal = store.journal_path("dev")
    journal.write_bytes(damage.replace(b"BASE", fingerprint(store.path("dev")).encode()))
    with pytest.raises(UsageError, match="delete it, and the stack is as it was before that run"):
        store.load("dev")
    journal.unlink()
    same_in_state_and_cloud(store)
