"""A world in a file that several share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.cloud.store import FileWorld
from sandbox.errors import CloudError, UsageError
from sandbox.values import Secret


def test_what_one_keeps_another_sees(tmp_path: Path) -> None:
    first, second = FileWorld(tmp_path / "world.json"), FileWorld(tmp_path / "world.json")
    with second.open(keep=False) as world:
        assert len(world) == 0
    with first.open(keep=True) as world:
        world.add("gcp:x/y:Y", "a", {"password": Secret("hidden")}, {})
    with second.open(keep=False) as world:
        assert [record.id for record in world] == ["a"]
    assert "hidden" not in (tmp_path / "world.json").read_text(encoding="utf-8")


def test_an_error_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    store = FileWorld(tmp_path / "world.json")

    def refuse() -> None:
        with store.open(keep=True) as world:
            world.add("gcp:x/y:Y", "a", {}, {})
            raise CloudError(400, "INVALID", "no")

    with pytest.raises(CloudError):
        refuse()
    with store.open(keep=False) as world:
        assert len(world) == 0


def test_nobody_loses_what_the_others_did(tmp_path: Path) -> None:
    stores = [FileWorld(tmp_path / "world.json") for _ in range(4)]

    def work(number: int) -> None:
        with stores[number % 4].open(keep=True) as world:
            world.add("gcp:x/y:Y", f"r{number}", {}, {})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    with stores[0].open(keep=False) as world:
        assert len(world) == 40


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(UsageError, match="no world of the stand-in cloud"), FileWorld(path).open(keep=False):
        pass
