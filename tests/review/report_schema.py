"""What the published schema says of a document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol, cast

from jsonschema import Draft202012Validator

__all__ = ["schema_errors"]

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "review" / "report.schema.json").read_text(encoding="utf-8")
)


class _Error(Protocol):
    message: str
    json_path: str


def schema_errors(instance: Any, definition: str = "report") -> list[str]:
    """What is wrong with ``instance``, judged by one definition of the schema."""
    schema = {**SCHEMA, "$ref": f"#/$defs/{definition}"}
    Draft202012Validator.check_schema(schema)
    validator: Any = Draft202012Validator(schema)
    return [
        f"{error.json_path}: {error.message}"
        for error in cast("list[_Error]", list(validator.iter_errors(instance)))
    ]
