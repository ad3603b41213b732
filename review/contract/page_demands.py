"""The part of the page that demands.yaml says: what an image must offer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from review.contract.demands import Demands, Endpoint
from review.contract.page_given import KINDS
from review.contract.page_pieces import bullets, code, pairs, section, table
from review.contract.program import Given

__all__ = [
    "endpoints_part",
    "headers_part",
    "limits_part",
    "login_part",
    "stores_part",
    "telemetry_part",
    "webhooks_part",
    "workers_part",
]


def endpoints_part(demands: Demands, environments: Sequence[Given]) -> Iterator[str]:
    yield from section("Endpoints")
    yield from table(
        ("endpoint", "reach", "token", "statuses", "within", "content type", "what", "source"),
        [_endpoint(one) for one in demands.endpoints],
    )
    yield from bullets(
        (
            f"The API has version {demands.api_version}, in `info.version` of /openapi.json.",
            "*inside* is never answered through the load balancer.",
            "Without a token where one is needed the answer is 401, within the same time.",
        )
    )
    yield from (f"Errors: {demands.errors.form}.", "")
    rows = [(one.status, one.when, pairs(one.headers)) for one in demands.errors.statuses]
    yield from table(("status", "when", "headers"), rows)


def _endpoint(one: Endpoint) -> tuple[object, ...]:
    return (
        f"{one.method} `{one.path}`",
        one.reach,
        "yes" if one.token else "no",
        ", ".join(map(str, one.statuses)),
        f"{one.maximum_ms} ms",
        f"{one.content_type}{', with ' + pairs(one.body) if one.body else ''}",
        one.says,
        one.source,
    )


def login_part(demands: Demands, environments: Sequence[Given]) -> Iterator[str]:
    login, verification = demands.login, demands.verification
    yield from section("Login and verification", *login.rules, *verification.rules)
    rows: list[tuple[str, str]] = [
        ("keys", f"`{login.keys}`, {login.algorithm}"),
        ("synthetic user", f"`{verification.user}`, tier {verification.tier}"),
        ("dry run of POST /pipeline/run", f"`{verification.marker.name}: {verification.marker.value}`"),
        ("job for verification", f"`{verification.job_id}`"),
    ]
    for one in environments:
        issuer, audience = (text.replace("{project}", one.project) for text in (login.issuer, login.audience))
        rows.insert(0, (f"issuer and audience in {one.stack}", f"`{issuer}`, `{audience}`"))
    yield from table(("what", "value"), rows)


def headers_part(demands: Demands, environments: Sequence[Given]) -> Iterator[str]:
    yield from section("Headers")
    rows = [(f"`{one.name}`", one.sender, one.says) for one in demands.request_headers]
    yield from table(("request header", "set by", "what"), rows)
    rows = [(f"`{one.name}`", "image", one.says) for one in demands.response_headers]
    sent = {
        name: value for one in environments if one.edge for name, value in one.edge.response_headers.items()
    }
    rows += [(f"`{name}`", "edge", f"`{value}`") for name, value in sent.items()]
    yield from table(("response header", "set by", "what"), rows)


def limits_part(demands: Demands, environments: Sequence[Given]) -> Iterator[str]:
    uploads, limits = demands.uploads, demands.limits
    yield from section("Sizes, uploads and limits", *uploads.rules, *demands.edge.rules, *demands.batch.rules)
    rows: list[tuple[str, object]] = [
        (
            "body, through the edge",
            f"{uploads.max_body_bytes} bytes; above it {uploads.over_limit_status}, at the edge 403",
        ),
        ("content types of a body", code(uploads.direct_content_types)),
        (
            "object, by signed URL",
            f"{uploads.max_object_bytes} bytes, {uploads.url_version}, valid {uploads.url_seconds} s",
        ),
        ("content types of an object", code(uploads.object_content_types)),
        ("items of a batch", f"{demands.batch.minimum_items} to {demands.batch.maximum_items}"),
        ("methods", code(demands.edge.methods)),
        ("closed paths", code(demands.edge.closed)),
        ("denied headers", code(demands.edge.denied_headers)),
        (
            "requests of an address",
            f"{demands.edge.requests_per_minute} a minute, then banned {demands.edge.ban_seconds} s",
        ),
        *(
            (f"requests of an address below `{path}`", f"{count} a minute")
            for path, count in demands.edge.paths_per_minute.items()
        ),
        *((f"{name.replace('_', ' ')}, no tier", count) for name, count in limits.without_tier.items()),
    ]
    yield from table(("what", "limit"), rows)
    modes = ", ".join(
        f"{one.stack} {'enforced' if one.edge and one.edge.enforced else 'preview'}" for one in environments
    )
    yield from (
        f"Denials of the edge: {modes}.",
        "",
        f"Limits of a tier, kept in {limits.store}, by {limits.key}:",
        "",
    )
    names = list(limits.tiers)
    fields = list(next(iter(limits.tiers.values())).model_dump())
    yield from table(
        ("limit", *names),
        [
            (field.replace("_", " "), *(_limit(limits.tiers[name].model_dump()[field]) for name in names))
            for field in fields
        ],
    )
    yield from bullets(limits.rules)


def _limit(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def webhooks_part(demands: Demands, environments: Sequence[Given]) -> Iterator[str]:
    hooks = demands.webhooks
    yield from section("Webhooks", *hooks.rules)
    addresses = "; ".join(
        f"{one.stack}: {', '.join(f'{count} in {region}' for region, count in one.egress_addresses.items())}"
        for one in environments
    )
    yield from table(
        ("what", "value"),
        [
            ("events", code(hooks.events)),
            (f"`{hooks.signature_header}`", hooks.signature),
            (f"`{hooks.event_header}`", "the event"),
            (
                f"`{hooks.timestamp_header}`",
                f"UTC; a receiver refuses what is older than {hooks.replay_window_seconds} s",
            ),
            ("answer within", f"{hooks.timeout_seconds} s"),
            ("attempts", f"{hooks.attempts}, then a dead letter for {hooks.dead_letter_days} days"),
            ("disabled after", f"{hooks.disabled_after_failures} failures in a row"),
            ("of one user", f"{hooks.maximum_per_user} at most"),
            ("egress addresses", addresses),
        ],
    )


def workers_part(demands: Demands) -> Iterator[str]:
    workers = demands.workers
    yield from section("Workers", *workers.rules)
    yield from table(
        ("what", "value"),
        [
            ("stop after SIGTERM, within", f"{workers.stop_seconds} s"),
            ("work is kept, by jobs that may take longer, each", f"{workers.keep_work_after_seconds} s"),
            ("longest lease", f"{workers.maximum_lease_seconds} s, extended all along"),
            ("jobs at a time", workers.concurrent_jobs),
            (
                "attributes of a replayed message",
                code((workers.replay_of_attribute, workers.replays_attribute)),
            ),
        ],
    )


def stores_part(demands: Demands) -> Iterator[str]:
    database, cache = demands.database, demands.cache
    yield from section("Database", *database.rules)
    sizes = ", ".join(f"{KINDS.get(kind, kind)} {size}" for kind, size in database.pool_sizes.items())
    yield from table(
        ("what", "value"),
        [
            ("login", f"{database.login}, scope `{database.scope}`"),
            ("socket", f"`{database.socket}`"),
            ("connections of an instance", sizes),
        ],
    )
    yield from section("Cache", *cache.rules)
    ttl = cache.ttl_seconds
    yield from table(
        ("what", "value"), [("TTL", f"{ttl.minimum} to {ttl.maximum} s"), ("eviction", cache.eviction)]
    )


def telemetry_part(demands: Demands, environments: Sequence[Given]) -> Iterator[str]:
    metrics, logs = demands.metrics, demands.logs
    yield from section("Metrics", *metrics.rules)
    standard = code(metrics.standard_prefixes)
    yield from bullets(
        [
            f"At least {metrics.minimum} metrics, {metrics.custom_minimum} of them custom.",
            f"At most {metrics.maximum_parse_errors} lines that cannot be parsed.",
            f"Standard prefixes: {standard}.",
        ]
    )
    read = {name for one in environments for name in one.metrics_read}
    yield from table(
        ("metric", "type", "labels", "what", "read by an alert or a board"),
        [
            (f"`{one.name}`", one.type, code(one.labels), one.says, "yes" if one.name in read else "no")
            for one in metrics.required
        ],
    )
    yield from section("Logs", f"{logs.form}.", *logs.rules)
    yield from table(
        ("where", "fields"),
        [
            ("every line", code(logs.required)),
            ("lines of a request", code(logs.of_requests)),
            ("lines of a job", code(logs.of_jobs)),
            ("severities", code(logs.severities)),
        ],
    )
