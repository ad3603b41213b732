"""The parts of the stack configuration that face outwards: the edge, logs, and who hears of trouble."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from config_types import (
    AddressRange,
    BucketName,
    ChannelKey,
    CountryCode,
    Email,
    HeaderName,
    HostLabel,
    Hostname,
    PathPrefix,
    Region,
    RevisionName,
    Section,
    ShortKey,
    Token,
)
from facts.refusal import RefusedError

# The key of the Slack channel among the channels.
SLACK_KEY = "slack"


class Zone(Section):
    """The public DNS zone of this environment; keys of both maps are names just below `domain`."""

    domain: Hostname
    # Child zones with their name servers, all of those that the child's own deployment reports.
    delegations: Mapping[HostLabel, Annotated[tuple[Hostname, ...], Field(min_length=2)]] = {}
    # Hosts that are served elsewhere, by CNAME.
    aliases: Mapping[HostLabel, Hostname] = {}


class Mark(Section):
    """A header or a cookie that asks for a variant."""

    name: HeaderName
    value: Token


class ApiVariant(Section):
    """A revision of the API beside the main one: for those who ask by header or cookie, for a share, or both.

    `revisions` names it by region; where it is not named the main one answers.
    """

    revisions: Annotated[Mapping[Region, RevisionName], Field(min_length=1)]
    header: Mark | None = None
    cookie: Mark | None = None
    percent: Annotated[int, Field(ge=1, le=99)] | None = None

    @model_validator(mode="after")
    def _reached(self) -> ApiVariant:
        if self.header is None and self.cookie is None and self.percent is None:
            raise RefusedError("percent must be given, or header or cookie, got none of them; add one")
        return self


class ErrorPages(Section):
    """Pages in place of errors, from a bucket outside this project that everyone may read."""

    bucket: BucketName
    # For all answers of 400 to 499, and of 500 to 599; the application's own answers among them.
    client_errors: PathPrefix | None = None
    server_errors: PathPrefix | None = None

    @model_validator(mode="after")
    def _any(self) -> ErrorPages:
        if self.client_errors is None and self.server_errors is None:
            raise RefusedError("server_errors must be given, or client_errors, got neither; add one")
        return self


class Edge(Section):
    """The only way in. WAF rules deny when `enforced`, only log when `preview`."""

    waf: Literal["preview", "enforced"]
    # Addresses exempt from geography and from the ban, never from the WAF.
    allowed_ranges: Annotated[tuple[AddressRange, ...], Field(max_length=4)] = ()
    # Addresses that nothing answers: what an operator fills in an attack.
    denied_ranges: Annotated[tuple[AddressRange, ...], Field(max_length=10)] = ()
    denied_countries: Annotated[tuple[CountryCode, ...], Field(min_length=1)] = ("KP", "IR")
    requests_per_minute: Annotated[int, Field(ge=10, le=10_000)] = 1_000
    # Google's list.
    ban_seconds: Literal[60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600] = 600
    auth_requests_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 60
    # Google's quota SECURITY_POLICY_CEVAL_RULES of this project; 20 unless Google raised it.
    armor_expression_quota: Annotated[int, Field(ge=20, le=1_000)] = 20
    zone: Zone
    # Share of requests that are logged; Cloud Armor's entries are part of the sample.
    log_sample_rate: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    max_body_bytes: Annotated[int, Field(ge=1_024, le=33_554_432)] = 10_485_760
    # Path prefixes that may take more than max_body_bytes.
    upload_path_prefixes: Annotated[tuple[PathPrefix, ...], Field(max_length=3)] = ()
    # Brand to a customer's own domain, which the customer points here (white label).
    customers: Annotated[Mapping[ShortKey, Hostname], Field(max_length=50)] = {}
    variants: Annotated[Mapping[ShortKey, ApiVariant], Field(max_length=5)] = {}
    error_pages: ErrorPages | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Edge:
        for text in self.denied_ranges:
            if text in self.allowed_ranges:
                raise RefusedError(
                    f"denied_ranges must not hold {text}, which allowed_ranges holds; remove one"
                )
        for brand, host in self.customers.items():
            if host == self.zone.domain or host.endswith(f".{self.zone.domain}"):
                raise RefusedError(
                    f"customers.{brand} must be outside zone.domain {self.zone.domain}, got {host!r}; "
                    "use zone.aliases for a name of ours"
                )
            if list(self.customers.values()).count(host) > 1:
                raise RefusedError(
                    f"customers.{brand} must be its own domain, got {host!r} twice; remove one"
                )
        if "main" in self.variants:
            raise RefusedError("variants must not be called main, which is the service itself; rename it")
        total = sum(variant.percent or 0 for variant in self.variants.values())
        if total > 99:
            raise RefusedError(
                f"variants must have at most 99 percent together, got {total}; leave some to the service"
            )
        return self


class Objectives(Section):
    """What the API is measured against over four weeks; shares of requests."""

    availability: Annotated[float, Field(gt=0.0, le=0.9999)] = 0.999
    latency: Annotated[float, Field(gt=0.0, le=0.9999)] = 0.95
    latency_threshold_ms: Annotated[int, Field(ge=1, le=60_000)] = 1_000


class Observability(Section):
    """Logs and who hears of trouble. Slack is used where `slack_channel` is given; it needs `slack_token`."""

    log_retention_days: Annotated[int, Field(ge=30, le=3_650)]
    security_log_retention_days: Annotated[int, Field(ge=30, le=3_650)]
    emails: Annotated[Mapping[ChannelKey, Email], Field(min_length=1)]
    slack_channel: Annotated[str, Field(pattern=r"^#[a-z0-9_-]{1,80}$")] | None = None
    sms_numbers: Mapping[ChannelKey, Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]] = {}
    runbook_base_url: Annotated[str, Field(pattern=r"^https://.*[^/]$")]
    # Team that acts on alerts, as a label value.
    owner: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")] = "platform"
    objectives: Objectives = Objectives()

    @model_validator(mode="after")
    def _keys_differ(self) -> Observability:
        for field, keys in (("emails", self.emails), ("sms_numbers", self.sms_numbers)):
            if SLACK_KEY in keys:
                raise RefusedError(
                    f"{field} must not have the key {SLACK_KEY}, which is the Slack channel's; rename it"
                )
        for key in self.sms_numbers:
            if key in self.emails:
                raise RefusedError(
                    f"sms_numbers must have keys other than emails, got {key} in both; rename one"
                )
        return self


def check_variants(variants: Mapping[str, ApiVariant], service: str, regions: Collection[str]) -> None:
    """Refuse revisions of another service, and of a region where it does not run."""
    for name, variant in variants.items():
        for region, revision in variant.revisions.items():
            if region not in regions or not revision.startswith(f"{service}-"):
                raise RefusedError(
                    f"edge.variants.{name}.revisions must name revisions of {service} in "
                    f"{', '.join(regions)}, got {revision!r} in {region}; correct it"
                )
