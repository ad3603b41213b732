"""Stack configuration as one frozen, validated object. The only reader of `pulumi.Config`.

Every key of `Pulumi.<stack>.yaml` under `aiprod:` is one field of `Settings`, spelt the same; its parts are
in `config_sections`. A value that breaks a rule raises `ConfigError` with one sentence: field, rule, value,
remedy, never a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, cast, get_args

import pulumi
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SkipValidation,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from config_capacity import check_connections, check_instances
from config_database import Drill, Postgres, check_loss, check_places
from config_edge import Edge, Observability, check_variants
from config_messaging import Messaging
from config_release import Admission, Images, Release, check_readers, check_release, check_shares, registry_of
from config_sections import (
    Api,
    Buckets,
    Keys,
    Migration,
    Network,
    Redis,
    Scaling,
    Secrets,
    Workers,
    default_buckets,
)
from config_types import PATTERNS, Hostname, Region
from facts.addresses import AddressPlan, plan_addresses
from facts.names import check_name
from facts.refusal import RefusedError
from facts.secret_forms import named_like_secret, secret_form

__all__ = ["ConfigError", "Settings", "load", "parse"]

PROJECT = "aiprod"
UNSET = "REPLACE_ME"
# A secret is a top-level key of its own, encrypted in the stack file.
SECRET_KEYS = ("slack_token",)

_ABSENT = frozenset(
    {("admission", "{}"), ("buckets", "{}"), ("drill", "{}"), ("lost_region", ""), ("slack_token", "")}
    | {("release", text) for text in ("{}", "null", "")}
)
_LONG_VALUE = 80


class ConfigError(RefusedError):
    """A configuration that cannot be used; the message is one sentence for the person who wrote it."""


class Settings(BaseModel):
    """Everything that differs between environments, validated once."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    # The stack's own name: labels carry it, and policies are as strict as it says.
    environment: Literal["dev", "staging", "prod"]
    project_id: str
    region: Region
    second_region: Region
    # The region that is out of reach: nothing there is touched, and the other one carries everything.
    lost_region: Region | None = None
    # Keeps the second region's cache, workers and buckets when the lost region is back.
    stand_ins: bool = False
    host: Hostname
    repository: str
    images: Images = Images()
    # Who deploys: bootstrap's account for GitHub, which may then act as each runtime, or people by rights of
    # their own, where bootstrap's project level was withheld and there is no such account.
    deployed_by: Literal["github", "people"] = "people"
    # One switch for Pulumi protection, Google's own locks and the provider's guard.
    deletion_protection: bool
    network: Network
    keys: Keys = Keys()
    secrets: Secrets
    postgres: Postgres
    redis: Redis
    buckets: Buckets = Field(default_factory=default_buckets)
    messaging: Messaging = Messaging()
    api: Api
    workers: Workers
    migration: Migration = Migration()
    edge: Edge
    observability: Observability
    # None: no restore is rehearsed.
    drill: Drill | None = None
    release: Release | None = None
    admission: Admission | None = None
    slack_token: SkipValidation[pulumi.Output[str] | None] = Field(default=None, repr=False)

    @field_validator("project_id")
    @classmethod
    def _project_id(cls, value: str) -> str:
        return check_name("project id", value)

    @field_validator("repository")
    @classmethod
    def _repository(cls, value: str) -> str:
        return check_name("repository", value)

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.region == self.second_region:
            raise RefusedError(
                f"second_region must differ from region, got {self.second_region!r} twice; change one"
            )
        for field, region in (("region", self.region), ("second_region", self.second_region)):
            if region not in self.keys.regions:
                raise RefusedError(
                    f"keys.regions must name {field} {region}, got {', '.join(self.keys.regions)}; append it "
                    "and remove none: Google never deletes a key ring"
                )
        for key in self.buckets:
            try:
                check_name("bucket", f"{self.project_id}-{key}")
            except RefusedError as error:
                raise RefusedError(f"buckets.{key}: {error}") from None
        check_places(self.postgres, self.regions)
        check_loss(
            self.lost_region,
            self.regions,
            stand_ins=self.stand_ins,
            second_serves=self.api.second_region is not None,
            writer=self.postgres.writer,
            writer_region=self.region_of(self.postgres.writer),
        )
        domain = self.edge.zone.domain
        if self.host != domain and not self.host.endswith(f".{domain}"):
            raise RefusedError(f"host must be in edge.zone.domain {domain}, got {self.host!r}; correct one")
        check_variants(self.edge.variants, self.api.service, self.api_regions)
        check_readers(self.admission, self.environment)
        if self.release is not None:
            check_release(self.release, f"{self.registry}/", self.secrets.vendor)
            api, pools = (self.api.service, self.api_regions), (self.workers.names, self.homes)
            check_shares(self.release, *api, self.edge.variants, *pools)
        check_instances(self.api_regions, self.homes, self.workers, self.network.run_prefix)
        check_connections(self.postgres, self.workers, self.api.database_pool_size, self.api_regions.values())
        _ = self.addresses
        return self

    @property
    def registry(self) -> str:
        """Where images are, as their names begin."""
        return registry_of(self.images, self.project_id, self.environment, self.repository)

    @property
    def regions(self) -> tuple[str, str]:
        """Both regions, the first one first."""
        return self.region, self.second_region

    @property
    def api_regions(self) -> Mapping[str, Scaling]:
        """Where the API runs, and how large."""
        second = {} if self.api.second_region is None else {self.second_region: self.api.second_region}
        return {self.region: self.api.scaling, **second}

    @property
    def serving_regions(self) -> tuple[str, ...]:
        """Where requests are answered: where the API runs, without a region that is lost."""
        return tuple(region for region in self.api_regions if region != self.lost_region)

    @property
    def home(self) -> str:
        """Where stands what stands once: cache, workers, buckets, keys of topics."""
        return self.second_region if self.lost_region == self.region else self.region

    @property
    def homes(self) -> tuple[str, ...]:
        """Home and the first region, whose resources stay declared; with `stand_ins` both regions."""
        return self.regions if self.stand_ins else tuple(dict.fromkeys((self.region, self.home)))

    def region_of(self, instance: str) -> str:
        """Where a database instance lies, the primary or a replica."""
        replica = self.postgres.replicas.get(instance)
        return self.region if replica is None else replica.region

    def writer(self, region: str) -> str:
        """The instance that services of a region write to; those of a lost region stay as they were."""
        return self.postgres.name if region == self.lost_region else self.postgres.writer

    def reader(self, region: str) -> str:
        """The instance that services of a region read from: a copy of its writer there, or the writer."""
        writer = self.writer(region)
        copies = self.postgres.followers(writer)
        return next((name for name in copies if self.region_of(name) == region), writer)

    @property
    def addresses(self) -> AddressPlan:
        """The address plan. Both regions are planned even where the second one is not used yet."""
        return plan_addresses(
            self.network.base_range,
            self.regions,
            {"run": self.network.run_prefix, "operations": self.network.operations_prefix},
            {f"network.peered_ranges.{name}": text for name, text in self.network.peered_ranges.items()},
            field="network.base_range",
        )

    @property
    def first_rotation_time(self) -> str:
        """When a new secret's first rotation message is due."""
        return f"{self.secrets.first_rotation}T00:00:00Z"


def load() -> Settings:
    """The settings of the stack that Pulumi is running."""
    config = pulumi.Config(PROJECT)
    raw = _raw_values()
    for key in SECRET_KEYS:
        if key in raw and not pulumi.runtime.is_config_secret(f"{PROJECT}:{key}"):
            raise ConfigError(
                f"{PROJECT}:{key} must be encrypted, got a readable value; "
                f"set it with `pulumi config set --secret {PROJECT}:{key}`"
            )
    secrets = {key: config.require_secret(key) for key in SECRET_KEYS if key in raw}
    settings = parse({key: _decode(key, text) for key, text in raw.items() if key not in SECRET_KEYS})
    if settings.environment != pulumi.get_stack():
        raise ConfigError(
            f"{PROJECT}:environment must be the name of the stack, {pulumi.get_stack()}, "
            f"got {settings.environment!r}; correct it in the stack file"
        )
    if settings.observability.slack_channel is not None and "slack_token" not in secrets:
        raise ConfigError(
            f"{PROJECT}:slack_token must be set while observability.slack_channel is, got none; "
            f"set it with `pulumi config set --secret {PROJECT}:slack_token`"
        )
    return settings.model_copy(update=secrets)


def parse(values: Mapping[str, Any]) -> Settings:
    """Settings from plain data keyed like the stack file without its prefix. Secrets are not among them."""
    for path, value in _leaves(values, ()):
        _refuse_readable_secret(path, value)
        if value == UNSET:
            raise ConfigError(
                f"{_path(path)} must be given by an operator, got {UNSET}; "
                f"set it with `pulumi config set --path '{_path(path)}' VALUE`"
            )
    try:
        return Settings.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise ConfigError(_sentence(error.errors(include_url=False)[0])) from None


def _refuse_readable_secret(path: tuple[str | int, ...], value: Any) -> None:
    """The stack file is kept in the repository, so a value that looks like a secret is refused, not shown."""
    if not isinstance(value, str) or _is_secret(path):
        return
    form = secret_form(value)
    named = isinstance(path[-1], str) and named_like_secret(path[-1])
    if form is not None or (named and value != UNSET and _unknown(path)):
        raise ConfigError(
            f"{_path(path)} must not hold a secret value, got {form or 'a readable text'}; "
            "add it with `gcloud secrets versions add`, and replace it, since it was readable"
        )


def _unknown(path: tuple[str | int, ...]) -> bool:
    return str(path[-1]) not in _known_fields(path[:-1])


def _raw_values() -> dict[str, str]:
    """Every key of this project, unknown ones among them: `pulumi.Config` alone cannot list them."""
    prefix = f"{PROJECT}:"
    merged = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    values = {key.removeprefix(prefix): value for key, value in merged.items() if key.startswith(prefix)}
    # The defaults of Pulumi.yaml for what may be absent: a declared key must have one.
    return {key: value for key, value in values.items() if (key, value) not in _ABSENT}


def _decode(key: str, text: str) -> Any:
    """Pulumi hands every value over as text; all but plain strings are JSON."""
    field = Settings.model_fields.get(key)
    if field is None or field.annotation is str:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterable[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Any]", value).items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _path(location: Iterable[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{PROJECT}:{text.removeprefix('.')}"


# The tag of a discriminated union and the mark of a mapping's key stand in pydantic's path, not in the file.
_NOT_IN_FILE = frozenset(
    ["always", "office_hours", "BASIC", "STANDARD_HA", "latest", "pinned", "canary", "walked", "[key]"]
)


def _sentence(error: ErrorDetails) -> str:
    """One sentence for one finding of pydantic: field, rule, value, remedy."""
    location = tuple(part for part in error["loc"] if part not in _NOT_IN_FILE)
    kind, field, context = error["type"], _path(location), error.get("ctx", {})
    match kind:
        case "missing":
            return f"{field} must be given, got nothing; add it to the stack file"
        case "extra_forbidden":
            known = _known_fields(location[:-1])
            near = get_close_matches(str(location[-1]), known, n=1)
            remedy = f"did you mean {near[0]}" if near else f"remove it or use one of: {', '.join(known)}"
            return f"{field} is not a known key; {remedy}"
        case "value_error":
            return _refused(location, str(context.get("error", error["msg"])))
        case "union_tag_not_found":
            return f"{field}.{_discriminator(context)} must be given, got nothing; add it to the stack file"
        case "union_tag_invalid":
            field = f"{field}.{_discriminator(context)}"
            rule, value = f"one of {context['expected_tags']}", context["tag"]
        case "string_pattern_mismatch":
            rule, value = PATTERNS.get(context["pattern"], f"text like {context['pattern']}"), error["input"]
        case _:
            rule, value = error["msg"].removeprefix("Input should ").removeprefix("be "), error["input"]
    return f"{field} must be {rule}, got {_shown(location, value)}; correct it in the stack file"


def _refused(location: tuple[str | int, ...], text: str) -> str:
    """A validator's own sentence, below the path of what it looked at."""
    field = _path(location)
    if _is_secret(location):
        return f"{field} must be usable, got [secret]; correct it in the stack file"
    first = re.match(r"([A-Za-z_]+)(?:[.\[]| must )", text)
    if text.startswith("must "):
        return f"{field} {text}"
    if not location:
        return f"{field}{text}"
    if first and first[1] == location[-1]:
        return f"{field}{text.removeprefix(first[1])}"
    return f"{field}.{text}" if first and first[1] in _known_fields(location) else f"{field}: {text}"


def _discriminator(context: Mapping[str, Any]) -> str:
    return str(context["discriminator"]).strip("'")


def _shown(location: tuple[str | int, ...], value: Any) -> str:
    """The value as a person wrote it, unless its key is encrypted."""
    if _is_secret(location):
        return "[secret]"
    text = repr(value)
    return text if len(text) <= _LONG_VALUE else f"{text[:_LONG_VALUE]}..."


def _is_secret(location: tuple[str | int, ...]) -> bool:
    return bool(location) and pulumi.runtime.is_config_secret(f"{PROJECT}:{location[0]}")


def _known_fields(location: tuple[str | int, ...]) -> list[str]:
    """The field names of the section that the path leads to; through mappings and unions as well."""
    models: list[type[BaseModel]] = [Settings]
    for part in location:
        found: list[type[BaseModel]] = []
        for model in models:
            field = model.model_fields.get(str(part))
            found += _models_in(field.annotation) if field else [model]
        models = found or models
    return sorted({name for model in models for name in model.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]
