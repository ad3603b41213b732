"""Writes docs/policies.md from the rules. `python -m tools.policy_page --check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from policies.model import Rule
from policies.rules import RULES

__all__ = ["PAGE", "render"]

PAGE = Path(__file__).parent.parent / "docs" / "policies.md"

_GROUPS = {
    "labels": "Everything",
    "location": "Everything",
    "stateful": "Everything",
    "type": "Everything",
    "provider": "Everything",
    "service": "Everything",
    "scheduler": "Everything",
    "iam": "Access",
    "kms": "Keys",
    "secret": "Secrets",
    "network": "Network",
    "subnet": "Network",
    "firewall": "Network",
    "nat": "Network",
    "dns": "Network",
    "compute": "Network",
    "sql": "Cloud SQL",
    "redis": "Redis",
    "bucket": "Buckets and images",
    "registry": "Buckets and images",
    "pubsub": "Pub/Sub",
    "tasks": "Cloud Tasks",
    "run": "Cloud Run",
    "backend": "Load balancer",
    "tls": "Load balancer",
    "https": "Load balancer",
    "http": "Load balancer",
    "forwarding": "Load balancer",
    "url": "Load balancer",
    "endpoint": "Load balancer",
    "certificate": "Load balancer",
    "armor": "Cloud Armor",
    "log": "Logs",
    "audit": "Logs",
    "alert": "Alerts",
    "uptime": "Alerts",
}

_HEAD = """# Policies

Generated from the rules in `policies/` by `python -m tools.policy_page`; do not edit.

{total} rules hold in every preview, {mandatory} of them mandatory: a mandatory violation ends a preview
with exit code 1 and stops the real `pulumi up --policy-pack policies` before the step. A rule reads a
resource's inputs; a rule marked *stack* looks at all resources together. A value that is not known yet
never violates, a rule that fails itself counts as violated, and a secret is never shown.

How strict a rule is comes from the resource's `environment` label: `dev`, `staging`, and everything else, a
missing label among it, counts as `prod`. *Controls* are ids of the house's control catalogue, *also demanded
by* names who else asks for the same.

A rule is one function in `policies/<service>.py`, one line in that module's `RULES`, and a good and a bad
case in `tests/policies/`.
"""


def render() -> str:
    """The page."""
    mandatory = sum(rule.level == "mandatory" for rule in RULES)
    lines = [_HEAD.format(total=len(RULES), mandatory=mandatory)]
    for title, rules in groupby(RULES, _group):
        lines += [f"## {title}", "", *_table(list(rules)), ""]
    return "\n".join(lines)


def _group(rule: Rule) -> str:
    return _GROUPS[rule.id.split("-", maxsplit=1)[0]]


def _table(rules: list[Rule]) -> Iterator[str]:
    yield "| rule | what must hold | level | controls | also demanded by |"
    yield "|---|---|---|---|---|"
    for rule in rules:
        title = rule.title if rule.check_stack is None else f"{rule.title} (*stack*)"
        yield f"| `{rule.id}` | {title} | {rule.level} | {', '.join(rule.controls)} | {rule.source} |"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    text = render()
    if "--check" not in arguments:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/policies.md must equal what the rules say, got another text; run python -m tools.policy_page")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
