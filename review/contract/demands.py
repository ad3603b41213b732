"""What the images must offer, as data: the form of demands.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["DEMANDS_FILE", "Demands", "Endpoint", "load_demands"]

DEMANDS_FILE: Final = Path(__file__).with_name("demands.yaml")

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Path_ = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._{}/-]*$")]
Text = Annotated[str, Field(min_length=1)]
Texts = tuple[Text, ...]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]
MetricName = Annotated[str, Field(pattern=r"^[a-z_:][a-z0-9_:]*$")]
Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]


class Part(BaseModel):
    """Any part of the file: frozen, no unknown key."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Login(Part):
    """Who issues tokens; `{project}` is the environment's project."""

    issuer: Text
    audience: Text
    keys: Text
    algorithm: Literal["RS256"]
    header: HeaderName
    rules: Texts


class Marker(Part):
    """A header with its one value."""

    name: HeaderName
    value: Text


class Verification(Part):
    """What a verification may use without cost or effect."""

    user: Text
    tier: Text
    job_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    marker: Marker
    rules: Texts


class Endpoint(Part):
    """One method of one path. `{id}` stands for an id; `inside` is never answered through the edge."""

    id: Text
    method: Method
    path: Path_
    reach: Literal["public", "inside"]
    token: bool
    statuses: Annotated[tuple[int, ...], Field(min_length=1)]
    maximum_ms: Positive
    content_type: Text
    body: Mapping[str, str] = {}
    headers: Mapping[HeaderName, str] = {}
    source: Text
    says: Text


class ErrorStatus(Part):
    """When a status is answered, with the headers it must have."""

    status: Annotated[int, Field(ge=400, le=599)]
    when: Text
    headers: Mapping[HeaderName, str] = {}


class Errors(Part):
    """How the image refuses."""

    form: Text
    statuses: tuple[ErrorStatus, ...]


class RequestHeader(Part):
    """A header that the image reads."""

    name: HeaderName
    sender: Literal["edge", "caller"] = Field(alias="from")
    says: Text


class ResponseHeader(Part):
    """A header that the image sets."""

    name: HeaderName
    says: Text


class Uploads(Part):
    """Sizes and types of what comes in."""

    max_body_bytes: Positive
    over_limit_status: Literal[413]
    direct_content_types: Texts
    max_object_bytes: Positive
    object_content_types: Texts
    url_version: Literal["V4"]
    url_seconds: Annotated[int, Field(ge=60, le=604_800)]
    cors_methods: tuple[Method, ...]
    cors_max_age_seconds: Count
    kept_days: Mapping[str, Positive]
    rules: Texts


class EdgeLimits(Part):
    """What the load balancer lets through."""

    methods: tuple[Method, ...]
    requests_per_minute: Positive
    ban_seconds: Count
    paths_per_minute: Mapping[Path_, Positive]
    closed: tuple[Path_, ...]
    denied_headers: Texts
    rules: Texts


class Tier(Part):
    """Limits of one user; None is no limit."""

    requests_per_minute: Positive
    requests_per_hour: Positive
    requests_per_day: Positive | None
    batch_per_minute: Positive
    concurrent_jobs: Positive
    max_batch_items: Positive
    webhooks: bool


class Limits(Part):
    """What the application limits, by user."""

    store: Text
    key: Text
    tier_label: MetricName
    without_tier: Mapping[str, Positive]
    tiers: Annotated[Mapping[str, Tier], Field(min_length=1)]
    rules: Texts


class Batch(Part):
    """Sizes of a batch."""

    minimum_items: Positive
    maximum_items: Positive
    result: Text
    rules: Texts


class Webhooks(Part):
    """How customers are told."""

    events: Texts
    signature_header: HeaderName
    signature: Text
    event_header: HeaderName
    timestamp_header: HeaderName
    replay_window_seconds: Positive
    timeout_seconds: Positive
    attempts: Positive
    dead_letter_days: Positive
    disabled_after_failures: Positive
    maximum_per_user: Positive
    rules: Texts


class Workers(Part):
    """How messages are worked on."""

    stop_seconds: Annotated[int, Field(ge=1, le=10)]
    keep_work_after_seconds: Positive
    lease_extension: Literal[True]
    maximum_lease_seconds: Positive
    concurrent_jobs: Positive
    replay_of_attribute: MetricName
    replays_attribute: MetricName
    rules: Texts


class Queue(Part):
    """The messages of one purpose; `schema` names a file of messages/."""

    message: Text = Field(alias="schema")
    ack_deadline_seconds: Annotated[int, Field(ge=10, le=600)]
    attempts: Annotated[int, Field(ge=5, le=100)]


class Database(Part):
    """How an image logs in, and how many connections it opens, by kind of workload."""

    login: Literal["IAM"]
    socket: Text
    scope: Text
    pool_sizes: Mapping[str, Positive]
    rules: Texts


class Range(Part):
    """Both ends belong to it."""

    minimum: Positive
    maximum: Positive

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.minimum > self.maximum:
            raise ValueError(
                f"minimum must be at most maximum {self.maximum}, got {self.minimum}; correct one"
            )
        return self


class Cache(Part):
    """How the cache is used."""

    ttl_seconds: Range
    eviction: Text
    rules: Texts


class Metric(Part):
    """A family of metrics by its name in the text format, `_total` included."""

    name: MetricName
    type: Literal["counter", "gauge", "histogram", "summary"]
    labels: tuple[MetricName, ...]
    says: Text


class Metrics(Part):
    """What `/metrics` holds."""

    path: Path_
    minimum: Positive
    custom_minimum: Positive
    maximum_parse_errors: Count
    standard_prefixes: Texts
    required: Annotated[tuple[Metric, ...], Field(min_length=1)]
    rules: Texts


class Logs(Part):
    """What a line of the log holds."""

    form: Text
    required: Texts
    of_requests: Texts
    of_jobs: Texts
    severities: Texts
    rules: Texts


class Sdk(Part):
    """What clients on phones and in browsers rely on."""

    attestation_header: HeaderName
    rules: Texts


class Variable(Part):
    """What a variable means, and which kind of workload always has it; `some`: it depends."""

    of: Literal["all", "service", "worker_pool", "job", "some"]
    says: Text


class Demands(Part):
    """The whole file."""

    contract_version: Positive
    api_version: Annotated[str, Field(pattern=r"^[0-9]+[.][0-9]+[.][0-9]+$")]
    login: Login
    verification: Verification
    endpoints: Annotated[tuple[Endpoint, ...], Field(min_length=8)]
    errors: Errors
    request_headers: tuple[RequestHeader, ...]
    response_headers: tuple[ResponseHeader, ...]
    uploads: Uploads
    edge: EdgeLimits
    limits: Limits
    batch: Batch
    webhooks: Webhooks
    workers: Workers
    image_rules: Texts
    queues: Mapping[str, Queue]
    message_rules: Texts
    database: Database
    cache: Cache
    metrics: Metrics
    logs: Logs
    sdk: Sdk
    variables: Mapping[str, Variable]

    @model_validator(mode="after")
    def _consistent(self) -> Demands:
        names = [f"{one.method} {one.path}" for one in self.endpoints]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"endpoints must hold each method and path once, got {name} twice; drop one")
        read = {one.name for one in self.request_headers}
        for header in (self.login.header, self.verification.marker.name, self.sdk.attestation_header):
            if header not in read:
                raise ValueError(f"request_headers must describe {header}, which the contract uses; add it")
            if header.lower() in self.edge.denied_headers:
                raise ValueError(
                    f"edge.denied_headers must not hold {header}, which the contract uses; drop it"
                )
        answered = {one.name for one in self.response_headers}
        used = {name for one in (*self.endpoints, *self.errors.statuses) for name in one.headers}
        for header in sorted(used - answered):
            raise ValueError(f"response_headers must describe {header}, which the contract uses; add it")
        if self.verification.tier not in self.limits.tiers:
            raise ValueError(
                f"verification.tier must be one of {', '.join(self.limits.tiers)}, "
                f"got {self.verification.tier!r}; take one of them"
            )
        return self

    def endpoint(self, id: str) -> Endpoint:
        """One endpoint; KeyError for an id that there is none of."""
        return {one.id: one for one in self.endpoints}[id]


@cache
def load_demands() -> Demands:
    """The file beside this module."""
    return Demands.model_validate(yaml.safe_load(DEMANDS_FILE.read_text(encoding="utf-8")))
