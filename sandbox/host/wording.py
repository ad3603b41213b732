"""What a program's exception says to a person: one sentence, where it was raised, no path of this machine."""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from pathlib import Path

import pulumi

__all__ = ["place", "sentence_of", "without_paths"]

_LONGEST = 600


def place(file: str, line: int, directory: Path | None) -> str:
    """`` at file:line`` for a file of the program's own, else nothing."""
    path = Path(file)
    if directory is None or not file or file.startswith("<") or "site-packages" in path.parts:
        return ""
    if not path.is_absolute():
        path = directory / path
    return f" at {path.relative_to(directory)}:{line}" if path.is_relative_to(directory) else ""


def without_paths(text: str, directory: Path | None) -> str:
    """``text`` in one line, with the program's folder and this machine's left out."""
    folders = [sysconfig.get_path("purelib"), sys.prefix, sys.base_prefix, str(Path.home()), str(Path.cwd())]
    if directory is not None:
        folders.insert(0, str(directory))
    for folder in folders:
        if len(folder) > 1:
            text = text.replace(folder + os.sep, "").replace(folder, ".")
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def sentence_of(failure: BaseException, directory: Path | None) -> str:
    """What the program raised, and where."""
    text = without_paths(str(failure), directory) or "no message"
    if isinstance(failure, pulumi.RunError):
        return text
    where = ""
    for frame in reversed(traceback.extract_tb(failure.__traceback__)):
        where = place(frame.filename, frame.lineno or 0, directory)
        if where:
            break
    if isinstance(failure, SystemExit):
        code = failure.code if isinstance(failure.code, int) else text
        return f"the program ended itself with sys.exit{where}: {code}"
    if isinstance(failure, SyntaxError):
        file = without_paths(failure.filename or "", directory)
        return f"the program is not valid Python at {file}:{failure.lineno}: {failure.msg}"
    if isinstance(failure, ModuleNotFoundError) and failure.name:
        return (
            f"the program imports {failure.name}{where}, which is not installed here: "
            "install it, or correct the name"
        )
    return f"the program raised {type(failure).__name__}{where}: {text}"
