"""What bootstrap needs to know of a project; read from its own stack file."""

from __future__ import annotations

from typing import Annotated

import pulumi
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from facts.names import check_name
from facts.places import EuRegion

__all__ = ["BootstrapSettings", "SettingsError", "load"]

PROJECT = "aiprod-bootstrap"
UNSET = "REPLACE_ME"


class SettingsError(ValueError):
    """Settings that cannot be used; the message is one sentence."""


class BootstrapSettings(BaseModel):
    """One project."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    environment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,19}$")]
    project_id: str
    region: EuRegion

    @field_validator("project_id")
    @classmethod
    def _project_id(cls, value: str) -> str:
        return check_name("project id", value)


def load() -> BootstrapSettings:
    """The settings of the stack that Pulumi is running."""
    config = pulumi.Config(PROJECT)
    values = {key: config.get(key) for key in BootstrapSettings.model_fields}
    for key, value in values.items():
        if value is None or value == UNSET:
            raise SettingsError(
                f"{PROJECT}:{key} must be given by an operator, got {value or 'nothing'}; "
                f"set it with `pulumi config set {key} VALUE`"
            )
    try:
        return BootstrapSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0])
        raise SettingsError(
            f"{PROJECT}:{key} is not usable, got {values[key]!r}: {first['msg']}; correct the stack file"
        ) from None
