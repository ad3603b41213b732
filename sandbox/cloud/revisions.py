"""Revisions of Cloud Run: their names as Google numbers them, and which ones a service or a pool has.

A change of the template makes the next one; those before it stay. Nothing is kept for it: a name follows from
its number, so that one that was never made is told from one that was.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sandbox.cloud.data import Values, at, plain
from sandbox.cloud.seeds import Seeds
from sandbox.cloud.world import World

__all__ = ["first_revision", "has_revision", "next_revision"]

_NUMBERED: Final = re.compile(r"-([0-9]{5})-[a-z]{3}")
_LETTERS: Final = "bcdfghjklmnpqrstvwxz"


def first_revision(id: str, template: Any) -> str:
    """Path of the revision that comes with a new service or pool."""
    return f"{id}/revisions/{at(template, 'revision') or _name(id, 1)}"


def next_revision(id: str, template: Any, old_template: Any, newest: str) -> str:
    """Path of the newest revision after an update: another one where the template is another."""
    if plain(template) == plain(old_template):
        return newest
    given = at(template, "revision")
    return f"{id}/revisions/{given or _name(id, _number(id, newest) + 1)}"


def has_revision(world: World, type: str, id: str, name: str, template: Values) -> bool:
    """Whether there is such a revision, or the call makes it; what a fixture lists is there."""
    if world.facts.assume_revisions:
        return True
    if name in world.facts.revisions.get(id, ()) or name == at(template, "revision"):
        return True
    record = world.get(type, id)
    if record is None:
        return False
    newest = str(plain(record.outputs).get("latestCreatedRevision") or "")
    if at(plain(record.inputs), "template.revision"):
        # Named by hand: there is no telling what was there before.
        return True
    number = _number(id, f"/{name}")
    if not 1 <= number <= _number(id, newest) or not name.startswith(_stem(id)):
        return False
    # A state that came from Google has letters that nobody can guess.
    ours = newest.endswith(f"/{_name(id, _number(id, newest))}")
    return name == _name(id, number) if ours else True


def _stem(id: str) -> str:
    return f"{id.rsplit('/', 1)[-1]}-"


def _name(id: str, number: int) -> str:
    return f"{_stem(id)}{number:05d}-{Seeds('revision', id).pick(str(number), _LETTERS, 3)}"


def _number(id: str, path: str) -> int:
    found = _NUMBERED.fullmatch(path.rsplit("/", 1)[-1].removeprefix(_stem(id).rstrip("-")))
    return int(found[1]) if found else 0
