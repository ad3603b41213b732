"""Is the API reachable from outside? Google's checkers ask one path of one host from several places.

Makes one `monitoring.UptimeCheckConfig` over HTTPS with the certificate validated, so that the days left on
the certificate are measured too. The checkers come through the load balancer and Cloud Armor like everybody
else.

Does not make: the alert (`alert_policy.py`), checks of private addresses. Host and path kind cannot be
changed in place. Cost: free up to Google's monthly number of executions, by location and period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["CheckRegion", "UptimeCheck", "UptimeCheckArgs"]

CheckRegion = Literal[
    "USA", "USA_OREGON", "USA_IOWA", "USA_VIRGINIA", "EUROPE", "SOUTH_AMERICA", "ASIA_PACIFIC"
]
_LOCATIONS_OF_USA = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class UptimeCheckArgs:
    """What is asked, from where, how often."""

    project: pulumi.Input[str]
    host: str
    path: str
    display_name: str
    json_path: str
    """JSON path in the answer that must hold `json_value`, such as `$.status`."""
    json_value: str
    labels: Mapping[str, str]
    regions: Sequence[CheckRegion] = ("EUROPE", "USA_VIRGINIA", "ASIA_PACIFIC")
    """At least three locations; USA counts as three."""
    period_seconds: Literal[60, 300, 600, 900] = 60
    timeout_seconds: int = 10
    """1 to 60 seconds, not above the period."""

    def __post_init__(self) -> None:
        locations = sum(_LOCATIONS_OF_USA if region == "USA" else 1 for region in set(self.regions))
        if locations < 3:
            raise RefusedError(
                f"regions must cover at least 3 locations, got {locations} in {list(self.regions)}: add one"
            )
        if not 1 <= self.timeout_seconds <= 60:
            raise RefusedError(
                f"timeout_seconds must be between 1 and 60 seconds, got {self.timeout_seconds}: correct it"
            )
        if not self.path.startswith("/"):
            raise RefusedError(f"path must begin with a slash, got {self.path!r}: add it")


class UptimeCheck(pulumi.ComponentResource):
    """An HTTPS uptime check."""

    check_id: pulumi.Output[str]

    def __init__(self, name: str, args: UptimeCheckArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:observability:UptimeCheck", name, None, opts)
        check = gcp.monitoring.UptimeCheckConfig(
            name,
            display_name=args.display_name,
            monitored_resource={
                "type": "uptime_url",
                "labels": {"project_id": args.project, "host": args.host},
            },
            http_check={
                "path": args.path,
                "port": 443,
                "request_method": "GET",
                "use_ssl": True,
                "validate_ssl": True,
                "accepted_response_status_codes": [{"status_class": "STATUS_CLASS_2XX"}],
            },
            content_matchers=[
                {
                    "content": f'"{args.json_value}"',
                    "matcher": "MATCHES_JSON_PATH",
                    "json_path_matcher": {"json_path": args.json_path, "json_matcher": "EXACT_MATCH"},
                }
            ],
            period=f"{args.period_seconds}s",
            timeout=f"{args.timeout_seconds}s",
            selected_regions=list(args.regions),
            log_check_failures=True,
            user_labels=args.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.check_id = check.uptime_check_id
        self.register_outputs({"check_id": self.check_id})
