"""State files: round trip, secrets, refusal of what is no state of this stack, lock, atomic replacement."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.errors import UsageError
from sandbox.model import ResourceState, Snapshot
from sandbox.state import (
    PassphraseCrypter,
    StateStore,
    read_export,
    snapshot_from_json,
    snapshot_to_json,
    write_atomically,
)
from sandbox.values import UNKNOWN, Asset, Opaque, ResourceReference, Secret

_CRYPTER = PassphraseCrypter("correct horse")
_HIDDEN = "hunter2-never-stored"


def _urn(name: str, stack: str = "dev", project: str = "aiprod") -> str:
    return f"urn:pulumi:{stack}::{project}::gcp:pubsub/topic:Topic::{name}"


def _state(name: str, **changes: Any) -> ResourceState:
    return ResourceState(urn=_urn(name), type="gcp:pubsub/topic:Topic", custom=True, id=name, **changes)


_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=6) | st.just(UNKNOWN),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)
        | st.builds(Secret, inner)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(st.dictionaries(st.text(min_size=1, max_size=5), _values, max_size=4), st.booleans())
def test_a_snapshot_survives_its_file(outputs: dict[str, Any], protect: bool) -> None:
    snapshot = Snapshot(
        resources=[_state("a"), _state("b", outputs=outputs, protect=protect, dependencies=[_urn("a")])]
    )
    document = json.loads(json.dumps(snapshot_to_json(snapshot, _CRYPTER)))
    assert snapshot_from_json(document, "here", _CRYPTER).resources == snapshot.resources


def test_a_secret_is_stored_unreadable_and_opens_with_the_passphrase() -> None:
    state = _state("a", inputs={"password": Secret({"deep": _HIDDEN})})
    text = json.dumps(snapshot_to_json(Snapshot(resources=[state]), _CRYPTER))
    assert _HIDDEN not in text
    same = PassphraseCrypter("correct horse")
    assert snapshot_from_json(json.loads(text), "here", same).resources[0].inputs == state.inputs


def test_a_secret_of_another_passphrase_stays_opaque_and_is_written_back_as_it_came() -> None:
    state = _state("a", inputs={"password": Secret(_HIDDEN)})
    document = snapshot_to_json(Snapshot(resources=[state]), _CRYPTER)
    read = snapshot_from_json(document, "here", PassphraseCrypter("another"))
    value = read.resources[0].inputs["password"]
    assert isinstance(value.value, Opaque)
    again = snapshot_to_json(read, _CRYPTER)
    assert again["deployment"]["resources"][0]["inputs"] == document["deployment"]["resources"][0]["inputs"]


def test_special_values_survive_their_file() -> None:
    inputs = {"a": Asset("ab" * 32, path="x"), "r": ResourceReference(_urn("z"), "1", "1.0")}
    snapshot = Snapshot(resources=[_state("a", inputs=inputs)])
    document = json.loads(json.dumps(snapshot_to_json(snapshot, _CRYPTER)))
    read = snapshot_from_json(document, "here", None).resources[0].inputs
    assert read == inputs
    # Where an asset lies is no part of its equality.
    assert read["a"].path == "x"


def test_fields_of_a_newer_format_are_kept() -> None:
    document = snapshot_to_json(Snapshot(resources=[_state("a")]), _CRYPTER)
    document["deployment"]["resources"][0]["snippetId"] = "x"
    read = snapshot_from_json(document, "here", None)
    assert snapshot_to_json(read, _CRYPTER)["deployment"]["resources"][0]["snippetId"] == "x"


def _broken(**fields: Any) -> str:
    resource = {"urn": _urn("a"), "type": "gcp:pubsub/topic:Topic", "custom": True, **fields}
    return json.dumps({"version": 3, "deployment": {"resources": [resource]}})


@pytest.mark.parametrize("salt", ["v1:x:y", "v2:AAAA:y", "v1:AAAA", ""])
def test_fails_when_the_salt_is_none(salt: str) -> None:
    document = snapshot_to_json(Snapshot(resources=[_state("a", inputs={"p": Secret("x")})]), _CRYPTER)
    document["deployment"]["secrets_providers"]["state"] = {"salt": salt}
    with pytest.raises(UsageError, match=r"secrets_providers\.state\.salt"):
        snapshot_from_json(document, "here", _CRYPTER)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not readable JSON"),
        ("[]", "must hold a JSON object"),
        ('{"version": 1, "checkpoint": {}}', "checkpoint of a file backend"),
        ('{"version": 9, "deployment": {}}', "version 3 or 4"),
        ('{"version": 3, "deployment": {"resources": [{"custom": true}]}}', "no urn or type"),
        ('{"version": 3, "deployment": {"resources": 4}}', "must be a list"),
        (_broken(dependencies=5), "dependencies of resource .* must be a list, got 5"),
        (_broken(provider=5), "provider of resource .* must be a str"),
        (_broken(inputs=5), "inputs of resource .* must be a dict"),
        (_broken(protect="yes"), "protect of resource .* must be a bool"),
        (
            json.dumps(
                {
                    "version": 3,
                    "deployment": {
                        "resources": [
                            {"urn": _urn("a"), "type": "t", "custom": True, "dependencies": [_urn("b")]}
                        ]
                    },
                }
            ),
            "does not come before it",
        ),
        (
            json.dumps(
                {"version": 3, "deployment": {"resources": [{"urn": _urn("a", "prod"), "type": "t"}]}}
            ),
            "belongs to stack prod",
        ),
        (
            json.dumps(
                {"version": 3, "deployment": {"resources": [{"urn": _urn("a", "dev", "x"), "type": "t"}]}}
            ),
            "of project x",
        ),
    ],
)
def test_fails_when_a_file_is_no_state_of_this_stack(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=sentence):
        read_export(path, project="aiprod", stack="dev")


def test_fails_when_a_state_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_export(tmp_path / "no.json", project="aiprod", stack="dev")


def test_a_store_keeps_the_last_good_state_and_points_to_it(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "sandbox", "aiprod")
    assert store.load("dev") == Snapshot()
    store.save("dev", Snapshot(resources=[_state("a")]), {})
    store.save("dev", Snapshot(resources=[_state("b")]), {})
    assert [state.id for state in store.load("dev").resources] == ["b"]
    store.path("dev").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"last good state is .*dev\.json\.bak"):
        store.load("dev")


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    write_atomically(path, "before")

    def full(*_args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "after")
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def _hold(folder: str, ready: Any, done: Any) -> None:
    with StateStore(Path(folder), "aiprod").lock("dev"):
        ready.set()
        done.wait(30)


def test_fails_when_another_process_holds_the_lock(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path), ready, done))
    process.start()
    try:
        assert ready.wait(60)
        with (
            pytest.raises(UsageError, match="locked by another process"),
            StateStore(tmp_path, "aiprod").lock("dev"),
        ):
            pass
    finally:
        done.set()
        process.join(30)
    with StateStore(tmp_path, "aiprod").lock("dev"):
        pass


def test_the_passphrase_of_a_folder_is_readable_by_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    first = PassphraseCrypter.in_folder(tmp_path)
    assert (tmp_path / "passphrase").stat().st_mode & 0o077 == 0
    sealed = first.encrypt("text")
    fitting = PassphraseCrypter.in_folder(tmp_path).same_passphrase(first.state)
    assert fitting is not None
    assert fitting.decrypt(sealed) == "text"
    assert fitting.decrypt("no ciphertext") is None
