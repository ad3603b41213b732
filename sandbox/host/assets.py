"""Files that a program passes as values: the hash of their content, which decides whether they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sandbox.values import Archive, Asset, Secret

__all__ = ["with_hashes"]


def with_hashes(values: dict[str, Any]) -> dict[str, Any]:
    """``values`` with the hash of each file in them. Raises ValueError when one cannot be read."""
    return {key: _hashed(value) for key, value in values.items()}


def _hashed(value: Any) -> Any:
    if isinstance(value, Asset):
        return value if value.hash else replace(value, hash=hashlib.sha256(_content(value)).hexdigest())
    if isinstance(value, Archive):
        if value.hash:
            return value
        members = {key: _hashed(item) for key, item in value.assets.items()}
        return replace(value, assets=members, hash=_digest(value, members))
    if isinstance(value, Secret):
        return Secret(_hashed(value.value))
    if isinstance(value, dict):
        return {key: _hashed(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_hashed(item) for item in cast("list[Any]", value)]
    return value


def _content(asset: Asset) -> bytes:
    """What an asset holds; of a remote one only its address is known here."""
    if asset.path:
        return _read(Path(asset.path))
    return (asset.uri or asset.text).encode()


def _digest(archive: Archive, members: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    if archive.path:
        for name, content in _files(Path(archive.path)):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    digest.update(archive.uri.encode())
    for name, member in sorted(members.items()):
        digest.update(f"{name}\0{member.hash}\0".encode())
    return digest.hexdigest()


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if not path.is_dir():
        yield path.name, _read(path)
        return
    for file in sorted(path.rglob("*")):
        if file.is_file():
            yield file.relative_to(path).as_posix(), _read(file)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        shown = path.name if path.is_absolute() else path.as_posix()
        reason = (error.strerror or "unreadable").lower()
        raise ValueError(f"file {shown} cannot be read ({reason}): correct the path") from error
