"""Rate rules over a sequence of requests with a clock.

Google counts approximately, by region and load balancer; here one counter counts exactly, over a window that
slides. A throttle counts what it lets through. A ban counts all that match: what exceeds the threshold is
refused, and the key is banned, at once or, with a ban threshold, when the exceeding requests exceed that too.
A banned key is refused until its time is over and then starts with empty counts.

Source: Google Cloud documentation, "Rate limiting overview" (keys and what they fall back to, throttle, ban,
ban threshold, 128 bytes of a key's value).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from review.waf.corpus import Request
from review.waf.policy import Action, Policy, RateLimit, Rule

__all__ = ["Counters", "key_of"]

KEY_BYTES: Final = 128

Key = tuple[str, ...]


@dataclass(slots=True)
class _Count:
    """What one rule knows of one key. Times are seconds on the sequence's clock."""

    counted: deque[float] = field(default_factory=deque[float])
    exceeding: deque[float] = field(default_factory=deque[float])
    banned_until: float | None = None


@dataclass(slots=True)
class Counters:
    """The state of all rate rules of a policy during one sequence."""

    policy: Policy
    counts: dict[tuple[int, Key], _Count] = field(default_factory=dict[tuple[int, Key], _Count])

    def ask(self, rule: Rule, request: Request, now: float) -> Action:
        """Count one matching request, and what the rule does with it: its conforming or exceeding action."""
        rate = rule.rate
        if rate is None:
            return rule.action
        key = key_of(rate, request, self.policy.user_ip_headers)
        count = self.counts.setdefault((rule.priority, key), _Count())
        if count.banned_until is not None:
            if now < count.banned_until:
                return rate.exceed
            count.banned_until = None
        _forget(count.counted, now - rate.seconds)
        if not rate.ban_seconds:
            if len(count.counted) >= rate.count:
                return rate.exceed
            count.counted.append(now)
            return rule.action
        count.counted.append(now)
        if len(count.counted) <= rate.count:
            return rule.action
        if _bans(rate, count, now):
            count.banned_until = now + rate.ban_seconds
            count.counted.clear()
            count.exceeding.clear()
        return rate.exceed


def _bans(rate: RateLimit, count: _Count, now: float) -> bool:
    if not rate.ban_count:
        return True
    _forget(count.exceeding, now - rate.ban_interval)
    count.exceeding.append(now)
    return len(count.exceeding) > rate.ban_count


def _forget(times: deque[float], until: float) -> None:
    while times and times[0] <= until:
        times.popleft()


def key_of(rate: RateLimit, request: Request, user_ip_headers: tuple[str, ...]) -> Key:
    """What requests are counted together under."""
    parts: list[str] = []
    for kind, name in rate.keys:
        match kind:
            case "ALL":
                value = None
            case "IP":
                value = request.address
            case "USER_IP":
                value = user_ip(request, user_ip_headers)
            case "XFF_IP":
                value = (request.header("x-forwarded-for") or "").split(",")[0].strip() or request.address
            case "HTTP_HEADER":
                value = request.header(name.lower())
            case "HTTP_COOKIE":
                value = _cookie(request, name)
            case "HTTP_PATH":
                value = request.path
            case "SNI":
                value = request.host
            case "REGION_CODE":
                value = request.region
            case "TLS_JA3_FINGERPRINT" | "TLS_JA4_FINGERPRINT":
                # A corpus knows no handshake; Google falls back to all where it has no fingerprint.
                value = None
        parts.append("ALL" if value is None else f"{kind}={value.encode()[:KEY_BYTES]!r}")
    return tuple(parts)


def user_ip(request: Request, headers: tuple[str, ...]) -> str:
    """The address that a trusted header names, else the client's."""
    for name in headers:
        value = (request.header(name) or "").split(",")[0].strip()
        if value:
            return value
    return request.address


def _cookie(request: Request, name: str) -> str | None:
    for piece in (request.header("cookie") or "").split(";"):
        key, equals, value = piece.strip().partition("=")
        if equals and key == name:
            return value
    return None
