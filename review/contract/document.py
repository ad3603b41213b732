"""The contract as JSON, in the form of its schema, and the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter

from review.contract.demands import Demands
from review.contract.messages import Message
from review.contract.program import Given

__all__ = ["SCHEMA_ID", "document", "schema"]

SCHEMA_ID: Final = "contract.schema.json"


class _Messages(BaseModel):
    """The messages of one kind; the schema is itself a JSON Schema, draft 2020-12."""

    model_config = ConfigDict(extra="forbid")

    version: int
    json_schema: dict[str, Any]
    examples: list[dict[str, Any]]


class _Contract(BaseModel):
    """What the images get in each environment, and what they must offer."""

    model_config = ConfigDict(extra="forbid")

    contract_version: int
    api_version: str
    demands: Demands
    messages: dict[str, _Messages]
    environments: dict[str, Given]


def document(
    demands: Demands, messages: Mapping[str, Message], environments: Sequence[Given]
) -> dict[str, Any]:
    """The whole contract."""
    return {
        "contract_version": demands.contract_version,
        "api_version": demands.api_version,
        "demands": demands.model_dump(mode="json", by_alias=True),
        "messages": {
            name: {"version": one.version, "json_schema": one.schema, "examples": list(one.valid)}
            for name, one in messages.items()
        },
        "environments": {one.stack: TypeAdapter(Given).dump_python(one, mode="json") for one in environments},
    }


def schema() -> dict[str, Any]:
    """JSON Schema of the document, draft 2020-12; it refuses what it does not know."""
    found = _Contract.model_json_schema(by_alias=True, mode="serialization")
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **found}
    return cast("dict[str, Any]", _closed(made))


def _closed(value: Any) -> Any:
    """Every object with properties refuses others; dataclasses do not say so themselves."""
    if isinstance(value, list):
        return [_closed(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    made = {key: _closed(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made["additionalProperties"] = False
        made["required"] = sorted(made["properties"])
    return made
