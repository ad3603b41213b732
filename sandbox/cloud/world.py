"""What exists at the stand-in cloud: resources, what Google keeps of deleted ones, and facts from outside.

A world is plain data. ``to_json`` holds no readable secret: each is replaced by a salted digest, and comes
back as an encrypted value that cannot be read.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets as random_bytes
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, Final, Protocol, cast

from sandbox.cloud.data import Values, transform
from sandbox.cloud.paths import canonical
from sandbox.cloud.remembered import REMEMBERED
from sandbox.cloud.seeds import project_number_of
from sandbox.cloud.world_facts import WorldFacts
from sandbox.values import UNKNOWN, Archive, Asset, Opaque, Secret

__all__ = ["Record", "World", "WorldFacts"]

_DIGEST: Final = "secretDigest"
_FILE: Final = "fileHash"
_FILES: Final = "archiveHash"
_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
# A setting of a project, its policy on images say, is named like the project and holds nothing of it.
_OWNER: Final = re.compile(r"(projects|folders|organizations)/[^/]+")
_OWNERS: Final = frozenset({"gcp:organizations/project:Project", "gcp:organizations/folder:Folder"})
_BY_INSTANCE: Final = frozenset({"gcp:sql/user:User", "gcp:sql/sslCert:SslCert"})


class _ResourceLike(Protocol):
    @property
    def type(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...
    @property
    def outputs(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Record:
    """One resource at the cloud. ``leftover`` says why Google keeps it after its deletion."""

    type: str
    id: str
    inputs: Values
    outputs: Values
    leftover: str = ""

    @property
    def path(self) -> str:
        """The relative resource name by which others refer to it."""
        link = self.outputs.get("selfLink")
        if self.type == "gcp:storage/bucket:Bucket":
            return f"b/{self.id}"
        return canonical(link) if isinstance(link, str) and link else self.id


def _now() -> datetime:
    return datetime.now(UTC)


class World:
    """The resources that exist, by type and id and by relative name."""

    def __init__(self, facts: WorldFacts | None = None, *, salt: str | None = None) -> None:
        self.facts = facts or WorldFacts()
        self._salt = salt or random_bytes.token_hex(16)
        self._records: dict[tuple[str, str], Record] = {}
        self._by_path: dict[str, tuple[str, str]] = {}
        self._borrowed: set[tuple[str, str]] = set()
        self.clock: Callable[[], datetime] = _now
        """What time it is at the cloud; only what must lie in the future asks."""

    @classmethod
    def from_resources(cls, resources: Iterable[_ResourceLike]) -> World:
        """The world in which exactly these managed resources exist."""
        world = cls()
        for resource in resources:
            if resource.id and resource.type.startswith("gcp:"):
                world.add(resource.type, resource.id, dict(resource.inputs), dict(resource.outputs))
        return world

    def __len__(self) -> int:
        return sum(1 for record in self._records.values() if not record.leftover)

    @property
    def gone(self) -> int:
        """How many deleted resources Google still remembers: what is made anew differs from before."""
        return len(self._records) - len(self)

    def __iter__(self) -> Iterator[Record]:
        return (record for record in list(self._records.values()) if not record.leftover)

    def add(self, type: str, id: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Record:
        """Put a resource into the world, in place of one with the same type and id."""
        return self._put(Record(type, id, dict(inputs), dict(outputs)))

    def borrow(self, other: Record) -> None:
        """Show a resource that another stack manages; it is not kept with this world."""
        if (other.type, other.id) not in self._records:
            self._put(other)
            self._borrowed.add((other.type, other.id))

    def own(self, keys: Iterable[tuple[str, str]]) -> None:
        """What has these types and ids is kept, though it was borrowed."""
        self._borrowed.difference_update(keys)

    def _put(self, record: Record) -> Record:
        key = (record.type, record.id)
        old = self._records.get(key)
        if old is not None:
            self._by_path.pop(old.path, None)
        self._borrowed.discard(key)
        self._records[key] = record
        self._by_path[record.path] = key
        return record

    def get(self, type: str, id: str) -> Record | None:
        """The live resource, or None."""
        record = self._records.get((type, id))
        return None if record is None or record.leftover else record

    def leftover(self, type: str, id: str) -> Record | None:
        """What Google keeps for ever of a deleted resource, or None; an import takes it up again."""
        record = self._records.get((type, id))
        kept = record is not None and record.leftover and type not in REMEMBERED
        return record if kept else None

    def remembered(self, type: str, id: str) -> Record | None:
        """The deleted resource whose name Google does not give again for a while, or None."""
        record = self._records.get((type, id))
        return record if record is not None and record.leftover and type in REMEMBERED else None

    def at(self, path: str) -> Record | None:
        """The live resource with this relative name, or None."""
        key = self._by_path.get(path)
        return None if key is None else self.get(*key)

    def remove(self, type: str, id: str, *, leftover: str = "") -> None:
        """Take a resource out of the world; with ``leftover`` Google keeps it for the reason given."""
        record = self._records.get((type, id))
        if record is None:
            return
        if leftover:
            self._records[type, id] = Record(type, id, record.inputs, record.outputs, leftover)
            return
        del self._records[type, id]
        self._by_path.pop(record.path, None)

    def remove_with_contents(self, type: str, id: str) -> None:
        """Take a resource out of the world with what lives inside it: databases, versions, grants."""
        record = self._records.get((type, id))
        if record is None:
            return
        holds = type in _OWNERS or _OWNER.fullmatch(record.path) is None
        inside = f"{record.path}/"
        gone = [
            (other.type, other.id)
            for other in self._records.values()
            if (holds and other.path.startswith(inside))
            or (other.type in _BY_INSTANCE and type == _SQL and other.inputs.get("instance") == id)
        ]
        for key in gone:
            self.remove(*key)
        self.remove(type, id, leftover=REMEMBERED.get(type, ""))

    def find(self, *types: str) -> list[Record]:
        """The live resources of some types."""
        return [record for record in self if record.type in types]

    def project_number(self, project: str) -> str:
        """The number of a project: as a fixture says, else derived from its id."""
        return self.facts.project_numbers.get(project) or project_number_of(project)

    def copy(self) -> World:
        """An independent world with the same content."""
        world = World(self.facts.copy(), salt=self._salt)
        world._records = dict(self._records)
        world._by_path = dict(self._by_path)
        world._borrowed = set(self._borrowed)
        world.clock = self.clock
        return world

    def replace_with(self, other: World) -> None:
        """Take over another world's content."""
        self.facts = other.facts.copy()
        self._salt = other._salt
        self._records = dict(other._records)
        self._by_path = dict(other._by_path)
        self._borrowed = set(other._borrowed)

    def to_json(self) -> dict[str, Any]:
        """The world as JSON data, without any readable secret and without what is borrowed."""
        return {
            "version": 1,
            "salt": self._salt,
            "facts": self.facts.to_json(),
            "resources": [
                {
                    "type": record.type,
                    "id": record.id,
                    "inputs": transform(record.inputs, self._veil),
                    "outputs": transform(record.outputs, self._veil),
                    **({"leftover": record.leftover} if record.leftover else {}),
                }
                for key, record in self._records.items()
                if key not in self._borrowed
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> World:
        """The world that ``to_json`` wrote."""
        facts = WorldFacts.from_json(data["facts"])
        world = cls(facts, salt=str(data["salt"]))
        for item in data["resources"]:
            record = Record(
                type=item["type"],
                id=item["id"],
                inputs=_unveil(item["inputs"]),
                outputs=_unveil(item["outputs"]),
                leftover=item.get("leftover", ""),
            )
            world._put(record)
        return world

    def mark(self) -> World:
        """The content as it is now, for ``since``."""
        return self.copy()

    def since(self, mark: World) -> dict[str, Any]:
        """What changed since ``mark``, as JSON data for ``apply``; empty when nothing did."""
        changed = World(self.facts, salt=self._salt)
        for key, record in self._records.items():
            if mark._records.get(key) is not record and key not in self._borrowed:
                changed._put(record)
        gone = [list(key) for key in mark._records if key not in self._records]
        if not changed._records and not gone and self.facts.asked_agents == mark.facts.asked_agents:
            return {}
        return {**changed.to_json(), "gone": gone}

    def apply(self, change: Mapping[str, Any]) -> None:
        """Take over what ``since`` said."""
        for type, id in change["gone"]:
            self.remove(type, id)
        given = World.from_json(change)
        for record in given._records.values():
            self._put(record)
        self.facts.asked_agents |= given.facts.asked_agents

    def told(self, values: Values, known: Mapping[str, Any] | None) -> Values:
        """``values``, where a secret or file kept as a digest is taken from ``known`` when it is the same."""
        return {key: self._told(value, (known or {}).get(key)) for key, value in values.items()}

    def _told(self, value: Any, known: Any) -> Any:
        if isinstance(value, Asset | Archive):
            # Only the hash is kept here; whoever asks knows where the content lies.
            return known if value == known else value
        if isinstance(value, Secret) and isinstance(value.value, Opaque):
            same = known if isinstance(known, Secret) else Secret(known)
            return same if self._veil(same) == self._veil(value) else value
        if isinstance(value, dict):
            items = cast("Values", value)
            others = cast("Values", known) if isinstance(known, dict) else {}
            return {key: self._told(item, others.get(key)) for key, item in items.items()}
        if isinstance(value, list):
            several = cast("list[Any]", value)
            beside = cast("list[Any]", known) if isinstance(known, list) else []
            return [self._told(item, other) for item, other in zip_longest(several, beside[: len(several)])]
        return value

    def _veil(self, value: Any) -> Any:
        if isinstance(value, Secret):
            inner = value.value
            if isinstance(inner, Opaque):
                return {_DIGEST: inner.ciphertext}
            text = json.dumps(inner, sort_keys=True, default=repr)
            return {_DIGEST: hashlib.sha256(f"{self._salt}\0{text}".encode()).hexdigest()}
        if isinstance(value, Asset):
            return {_FILE: value.hash}
        if isinstance(value, Archive):
            return {_FILES: value.hash}
        return None if value is UNKNOWN else value


def _unveil(value: Any) -> Any:
    if isinstance(value, dict):
        items = cast("Values", value)
        if set(items) == {_DIGEST}:
            return Secret(Opaque(str(items[_DIGEST])))
        if set(items) == {_FILE}:
            return Asset(hash=str(items[_FILE]))
        if set(items) == {_FILES}:
            return Archive(hash=str(items[_FILES]))
        return {key: _unveil(item) for key, item in items.items()}
    if isinstance(value, list):
        return [_unveil(item) for item in cast("list[Any]", value)]
    return value
