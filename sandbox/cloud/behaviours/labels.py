"""Labels: Google's rules for keys and values, the same in every service that has them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from facts.provider import all_types, facts_for
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_map, at, plain

_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_SECRETS: Final = ("gcp:secretmanager/secret:Secret", "gcp:secretmanager/regionalSecret:RegionalSecret")
_BUCKET: Final = "gcp:storage/bucket:Bucket"
_MOST: Final = 64
_LONGEST: Final = 63
_LETTERS: Final = frozenset({"Ll", "Lo"})
_NUMBERS: Final = frozenset({"Nd", "Nl", "No"})


def _labelled() -> tuple[str, ...]:
    """The types whose labels are Google's; the provider computes ``effectiveLabels`` for those alone."""
    found = ((name, facts_for(name)) for name in all_types())
    return tuple(
        name
        for name, facts in found
        if facts is not None and "effectiveLabels" in facts.properties and name not in {_BUCKET, *_SECRETS}
    )


@behaviour(
    "GCS-019",
    _BUCKET,
    Phase.CHECK,
    400,
    "invalid",
    "terraform-provider-google-beta google-beta/services/storage/resource_sto",
)
def bucket_labels(call: Call) -> Iterator[Problem]:
    """Labels of a bucket are lower case and at most 63 characters."""
    yield from _wrong(call)


@behaviour(
    "SEC-014",
    _SECRETS,
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta website/docs/r/secret_manager_secret",
)
def secret_labels(call: Call) -> Iterator[Problem]:
    """Labels of a secret are lower case, at most 63 characters, and at most 64."""
    yield from _wrong(call)


@behaviour(
    "QTA-010",
    (*_labelled(), _SQL),
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "Google Cloud documentation: Resource Manager, labels",
)
def labels(call: Call) -> Iterator[Problem]:
    """Labels are lower case, at most 63 characters, and at most 64."""
    yield from _wrong(call, "settings.userLabels" if call.type == _SQL else "labels")


def _wrong(call: Call, field: str = "labels") -> Iterator[Problem]:
    given = as_map(plain(at(call.inputs, field))) or {}
    if len(given) > _MOST:
        yield Problem(field, f"`{field}` must be at most {_MOST}, not {len(given)}; remove some.")
    for key, value in given.items():
        where = f"{field}.{key}"
        if not key or unicodedata.category(key[0]) not in _LETTERS or not _plain(key):
            yield Problem(
                where,
                f"`{where}`: a key starts with a lower-case letter and holds lower-case letters, digits, "
                f"dashes and underscores, at most {_LONGEST}.",
            )
        if isinstance(value, str) and not _plain(value):
            yield Problem(
                where,
                f"`{where}` must be lower-case letters, digits, dashes and underscores, at most {_LONGEST}, "
                f"not {value!r}.",
            )


def _plain(text: str) -> bool:
    return len(text) <= _LONGEST and all(
        character in "-_" or unicodedata.category(character) in _LETTERS | _NUMBERS for character in text
    )
