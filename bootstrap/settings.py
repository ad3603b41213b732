"""What bootstrap needs to know of a project; read from its own stack file.

Three levels of power stand apart, each granted with what it needs or withheld: rights on the project, on the
billing account, on the organisation. Whoever runs bootstrap may hold only some of them; what a withheld one
leaves unguarded is said by `unguarded` and put out with every run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias, cast

import pulumi
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from components.delivery.github_federation import check_github_id
from components.foundation.essential_contacts import Category
from facts.codes import CURRENCIES
from facts.names import check_name
from facts.places import EuRegion
from facts.refusal import RefusedError

__all__ = [
    "BillingLevel",
    "BootstrapSettings",
    "OrganisationLevel",
    "ProjectLevel",
    "SettingsError",
    "Withheld",
    "load",
    "unguarded",
]

PROJECT = "aiprod-bootstrap"
UNSET = "REPLACE_ME"
_ADDRESS = re.compile(r"[^@\s:/?]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}")
LEVELS = ("project", "billing", "organisation")

MISSING = {
    "project": (
        "project level withheld: nobody can deploy or look for drift without a person's own credentials, "
        "Google's default account keeps its rights, the project can be deleted, nobody is written to, groups "
        "have no access"
    ),
    "billing": "billing level withheld: no budget watches what the project spends",
    "organisation": (
        "organisation level withheld: an owner can create keys of service accounts, make buckets and "
        "databases public and leave the European Union, and there is no break-glass entitlement, only "
        "standing rights"
    ),
}


class SettingsError(ValueError):
    """Settings that cannot be used; the message is one sentence."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _address(value: str) -> str:
    if _ADDRESS.fullmatch(value) is None:
        raise RefusedError(
            f"must be an address such as team@example.com without a prefix, got {value!r}; correct it"
        )
    return value


def _billing_account(value: str) -> str:
    if re.fullmatch(r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}", value) is None:
        raise RefusedError(
            "must be the billing account's id such as 012345-6789AB-CDEF01 "
            f"(`gcloud billing accounts list`), got {value!r}; correct it"
        )
    return value


def _organisation_id(value: str) -> str:
    if re.fullmatch(r"[0-9]{5,19}", value) is None:
        raise RefusedError(
            f"must be the organisation's number (`gcloud organizations list`), got {value!r}; a name "
            "is refused"
        )
    return value


_Address: TypeAlias = Annotated[str, AfterValidator(_address)]


class Withheld(_Model):
    """Whoever runs bootstrap does not hold this level."""

    level: Literal["withheld"]


class Github(_Model):
    """The repository that deploys, by numbers: `gh api repos/OWNER/NAME --jq '.id, .owner.id'`."""

    repository_id: str
    owner_id: str
    # The protected branch.
    branch: str = "main"

    @field_validator("repository_id", "owner_id")
    @classmethod
    def _number(cls, value: str, info: ValidationInfo) -> str:
        return check_github_id(str(info.field_name), value)


class Groups(_Model):
    """Addresses of groups; `operators` run bootstrap and open the state, so every secret in it."""

    on_call: _Address
    data: _Address
    platform: _Address
    operators: _Address


class ContactSettings(_Model):
    """One address that Google writes to."""

    email: _Address
    categories: Annotated[list[Category], Field(min_length=1)]


class ProjectLevel(_Model):
    """Rights to change the project's policy: federation, identities, groups, contacts, guards."""

    level: Literal["granted"]
    github: Github
    groups: Groups
    contacts: Annotated[dict[str, ContactSettings], Field(min_length=1)]


class BillingLevel(_Model):
    """Rights on the billing account: a budget, with mail at half, four fifths and all of it."""

    level: Literal["granted"]
    billing_account: Annotated[str, AfterValidator(_billing_account)]
    monthly_amount: Annotated[int, Field(ge=1)]
    # The billing account's own, which Google compares it with.
    currency: str
    notify: _Address

    @field_validator("currency")
    @classmethod
    def _currency(cls, value: str) -> str:
        if value not in CURRENCIES:
            raise RefusedError(f"must be a currency code of ISO 4217 such as USD, got {value!r}; correct it")
        return value


class BreakGlassSettings(_Model):
    """Who may ask for emergency rights, who approves, who hears."""

    requesters: _Address
    approvers: _Address
    notify: _Address
    runbook_base_url: Annotated[str, Field(pattern=r"^https://.*[^/]$")]
    max_duration_seconds: int = 3_600


class OrganisationLevel(_Model):
    """Rights of the organisation: deny policy, organisation policies, break-glass."""

    level: Literal["granted"]
    organisation_id: Annotated[str, AfterValidator(_organisation_id)]
    break_glass: BreakGlassSettings


_Project: TypeAlias = Annotated[ProjectLevel | Withheld, Field(discriminator="level")]
_Billing: TypeAlias = Annotated[BillingLevel | Withheld, Field(discriminator="level")]
_Organisation: TypeAlias = Annotated[OrganisationLevel | Withheld, Field(discriminator="level")]


class BootstrapSettings(_Model):
    """One project."""

    environment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,19}$")]
    project_id: str
    region: EuRegion
    project: _Project
    billing: _Billing
    organisation: _Organisation

    @field_validator("project_id")
    @classmethod
    def _project_id(cls, value: str) -> str:
        return check_name("project id", value)


def unguarded(settings: BootstrapSettings) -> dict[str, str]:
    """What the withheld levels leave open."""
    return {level: MISSING[level] for level in LEVELS if isinstance(getattr(settings, level), Withheld)}


def load() -> BootstrapSettings:
    """The settings of the stack that Pulumi is running."""
    config = pulumi.Config(PROJECT)
    values: dict[str, Any] = {}
    for key in BootstrapSettings.model_fields:
        text = config.get(key)
        values[key] = _level(key, text) if key in LEVELS and text is not None else text
        for path, value in _leaves(key, values[key]):
            if value is None or value == UNSET:
                raise SettingsError(
                    f"{PROJECT}:{path} must be given by an operator, got {value or 'nothing'}; "
                    f"set it with `pulumi config set --path {path} VALUE`"
                )
    try:
        return BootstrapSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        refused: Any = (first.get("ctx") or {}).get("error")
        # The name of the union's member is no part of the path.
        place = [part for part in first["loc"] if part not in {"granted", "withheld"}]
        untold = first["type"].startswith("union_tag")
        if untold:
            place.append("level")
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
        if isinstance(refused, RefusedError):
            raise SettingsError(f"{PROJECT}:{path}: {refused}") from None
        found = dict(_leaves(str(place[0]), values[str(place[0])])).get(path)
        shown = "" if found is None else f", got {found!r}"
        rule = "it must be granted or withheld" if untold else first["msg"]
        raise SettingsError(
            f"{PROJECT}:{path} is not usable{shown}: {rule}; correct the stack file"
        ) from None


def _level(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise SettingsError(
            f"{PROJECT}:{key} must be an object such as level: withheld, got {text!r}; correct the stack file"
        ) from None


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _leaves(f"{path}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _leaves(f"{path}[{index}]", item)
    else:
        yield path, value
