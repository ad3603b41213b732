"""The one line of a stack file that says which image runs: found and replaced, everything else kept.

The line is looked for as the stack files write it, `images:` inside `aiprod:release:` in block form, and the
result is read again as YAML: only that value may differ. Anything else is refused, never guessed.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

import yaml

from sandbox.errors import UsageError

__all__ = ["image_in", "without_images", "written"]

_RELEASE: Final = "aiprod:release"
_KEY: Final = re.compile(r"^(?P<indent> *)(?P<key>[\w:.-]+):(?P<value>.*)$")
_VALUE: Final = re.compile(r"""^( *)("[^"\n]*"|'[^'\n]*'|[^\s#]+)(.*)$""")


def image_in(text: str, file: str, image: str) -> str | None:
    """What the release of a stack file names as ``image``; None where it names none."""
    found = _images(_parsed(text, file)).get(image)
    return None if found is None else str(found)


def written(text: str, file: str, image: str, digest: str) -> str:
    """The file with ``digest`` in the line of ``image``. Raises UsageError where there is no such line."""
    if image_in(text, file, image) == digest:
        return text
    lines = text.splitlines(keepends=True)
    at = _lines_of_images(lines).get(image)
    value = None if at is None else _VALUE.match(lines[at].partition(f"{image}:")[2])
    if at is None or value is None:
        raise UsageError(
            f"{file} must have a line release.images.{image}, got none: write the release block first, with "
            "REPLACE_ME as the image"
        )
    start = lines[at].partition(f"{image}:")[0]
    end = lines[at][len(lines[at].rstrip("\r\n")) :]
    lines[at] = f"{start}{image}:{value[1]}{digest}{value[3].rstrip()}{end}"
    after = "".join(lines)
    old, new = _parsed(text, file), _parsed(after, file)
    _images(old)[image] = digest
    if new != old:
        raise UsageError(
            f"{file} is written in a form that cannot be edited line by line: write release.images.{image} "
            "by hand"
        )
    return after


def without_images(text: str) -> str:
    """The file without the lines of its images, to see whether anything else was changed."""
    lines = text.splitlines(keepends=True)
    left_out = set(_lines_of_images(lines).values())
    return "".join(line for at, line in enumerate(lines) if at not in left_out)


def _lines_of_images(lines: list[str]) -> dict[str, int]:
    """Line number of each image in the release block."""
    found: dict[str, int] = {}
    path: list[tuple[int, str]] = []
    for at, line in enumerate(lines):
        match = _KEY.match(line.rstrip("\r\n"))
        if match is None:
            continue
        indent = len(match["indent"])
        while path and path[-1][0] >= indent:
            path.pop()
        path.append((indent, match["key"]))
        if [key for _, key in path[:-1]] == ["config", _RELEASE, "images"]:
            found[match["key"]] = at
    return found


def _images(document: dict[str, Any]) -> dict[str, Any]:
    section: Any = document
    for key in ("config", _RELEASE, "images"):
        section = cast("dict[str, Any]", section).get(key) if isinstance(section, dict) else None
    return cast("dict[str, Any]", section) if isinstance(section, dict) else {}


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{file} is not valid YAML: correct it") from error
    return dict(cast("dict[str, Any]", document)) if isinstance(document, dict) else {}
