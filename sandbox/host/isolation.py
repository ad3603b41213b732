"""Keeps the modules of a program apart from those of the sandbox and of other programs run here."""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from typing_extensions import override

from sandbox.project import Program

__all__ = ["program_on_path"]

# Rooms of this repository that hold no state of a program: loading them anew would only cost time.
_KEPT: Final = frozenset({"sandbox", "review", "policies", "facts", "tests", "conftest"})
_HOME: Final = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def program_on_path(program: Program | None) -> Generator[None]:
    """Make the program's own modules importable, loaded anew, and this repository's unreachable for it.

    Whoever imported modules of the same names before the run, such as a test, finds them again after it. The
    folder of the program's main file is the current one, as the CLI has it.
    """
    if program is None:
        yield
        return
    before, cwd = list(sys.path), Path.cwd()
    folder = program.main if program.main.is_dir() else program.main.parent
    own = _names_in(folder) - _kept(folder)
    at_home = _is_platform(folder) or folder.parent == _HOME
    hidden = frozenset[str]() if at_home else _names_in(_HOME) - own - _KEPT
    removed = _forget(folder, own | hidden)
    finder = _Hidden(hidden)
    sys.meta_path.insert(0, finder)
    sys.path[:] = [str(folder), *(entry for entry in before if entry != str(folder))]
    importlib.invalidate_caches()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(cwd)
        sys.meta_path.remove(finder)
        _forget(folder, own)
        sys.modules.update(removed)
        sys.path[:] = before


class _Hidden(importlib.abc.MetaPathFinder):
    """Says of modules that only this repository has that there are none."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    @override
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.split(".", 1)[0] in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def _is_platform(folder: Path) -> bool:
    """Whether the program is this repository, or another revision of it."""
    return (folder / "sandbox" / "engine").is_dir()


def _kept(folder: Path) -> frozenset[str]:
    """The rooms that stay loaded: another revision brings its own facts, another program whatever it has."""
    if not _is_platform(folder):
        return frozenset()
    return _KEPT if (folder / "facts").resolve() == _HOME / "facts" else _KEPT - {"facts"}


def _names_in(folder: Path) -> frozenset[str]:
    """What can be imported from a folder."""
    files = {path.stem for path in folder.glob("*.py")}
    folders = {path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    return frozenset((files | folders) - {"__main__"})


def _forget(folder: Path, names: frozenset[str]) -> dict[str, ModuleType]:
    """Unload the modules of these names and those from within the folder; return them."""
    kept = _kept(folder)
    removed: dict[str, ModuleType] = {}
    for name, module in list(sys.modules.items()):
        root = name.split(".", 1)[0]
        if root in names or (root not in kept and root != "__main__" and _lies_in(module, folder)):
            removed[name] = sys.modules.pop(name)
    return removed


def _lies_in(module: ModuleType, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.startswith(f"{folder}{os.sep}"):
        return False
    return "site-packages" not in Path(file).parts
