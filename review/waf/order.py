"""What the order of the rules gives away: requests let through before the sets, and rules never asked.

These are properties of the policy, not of a corpus: a rule that lets requests through before the last
preconfigured set is a bypass for every attack that fits it, even when no attack of a corpus happens to. Only
a rule that is provably confined to paths which the program itself probes from outside is none.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from facts.cel import outside_quotes
from review.waf.corpus import Request
from review.waf.expressions import QUOTED, set_calls
from review.waf.judge import Judge
from review.waf.policy import Policy, Rule

__all__ = ["Bypass", "Shadow", "bypasses", "early_rules", "shadows"]

_RANGES: Final = re.compile(r"inIpRange\([^,]*,\s*['\"]([^'\"]+)['\"]\s*\)")
_PATH_IS: Final = re.compile(r"request\.path\s*==\s*(?:'([^'\\]*)'|\"([^\"\\]*)\")")
_PATH_MATCHES: Final = re.compile(r"request\.path\.matches\(\s*'\^(?:\(\?:([^()\\]*)\)|([^()|\\]*))\$'\s*\)")
_PLAIN: Final = re.compile(r"(?:[A-Za-z0-9/_-]|\[\.\])+")


@dataclass(frozen=True, slots=True)
class Bypass:
    """A rule that lets requests through before the sets, and an attack of the corpus that profits."""

    rule: Rule
    request: str | None
    address: str | None = None
    """Where the attack must come from, when not from where the corpus sends it."""
    attacks: int = 0
    """How many attacks of the corpus the rule let through as they are."""

    @property
    def sentence(self) -> str:
        """For a reader."""
        if self.attacks:
            more = f" and {self.attacks - 1} more attacks" if self.attacks > 1 else ""
            return f"rule {self.rule.label} lets {self.request}{more} through before the sets"
        if self.request is None:
            return f"rule {self.rule.label} lets requests through before the sets, and nothing confines it"
        where = f" from {self.address}" if self.address else ""
        return f"rule {self.rule.label} would let {self.request}{where} through before the sets"


@dataclass(frozen=True, slots=True)
class Shadow:
    """A rule that is never asked, because earlier ones take all that it would match."""

    rule: Rule
    by: tuple[Rule, ...]
    proven: bool
    """True: for every request. False: for every request of the corpus that it matches."""
    requests: int = 0

    @property
    def sentence(self) -> str:
        """For a reader."""
        takers = ", ".join(rule.label for rule in self.by)
        if self.proven:
            return f"rule {self.rule.label} is shadowed: {takers} takes every request that it could match"
        return (
            f"rule {self.rule.label} is shadowed: all {self.requests} requests that it matches "
            f"are taken by {takers}"
        )


def early_rules(policy: Policy) -> list[Rule]:
    """Enforced rules that can let a request through before the last enforced set."""
    last = max((rule.priority for rule in policy.rules if rule.is_waf and not rule.preview), default=-1)
    return [rule for rule in policy.rules if rule.lets_through and not rule.preview and rule.priority < last]


def bypasses(judge: Judge, attacks: Sequence[Request]) -> list[Bypass]:
    """One bypass for each early rule that is not confined to probed paths, with a witness if there is one."""
    policy = judge.policy
    found: list[Bypass] = []
    for rule in early_rules(policy):
        if not _confined(rule, policy.probe_paths):
            request, address = _witness(judge, rule, attacks)
            found.append(Bypass(rule, request, address))
    return found


def _witness(judge: Judge, rule: Rule, attacks: Iterable[Request]) -> tuple[str | None, str | None]:
    texts = [text for text in rule.ranges if text != "*"] + _RANGES.findall(rule.expression)
    addresses = [str(ipaddress.ip_network(text, strict=False)[0]) for text in texts]
    for attack in attacks:
        if judge.matches_rule(rule, attack):
            return attack.id, None
        for address in addresses:
            if judge.matches_rule(rule, replace(attack, address=address)):
                return attack.id, address
    return None, None


def _confined(rule: Rule, paths: frozenset[str]) -> bool:
    """Whether one of the conditions joined by `&&` admits only these paths."""
    if not rule.expression or "||" in outside_quotes(rule.expression):
        return False
    for part in _conditions(rule.expression):
        equal = _PATH_IS.fullmatch(part)
        if equal is not None and (equal[1] or equal[2]) in paths:
            return True
        listed = _PATH_MATCHES.fullmatch(part)
        if listed is not None:
            alternatives = (listed[1] or listed[2] or "").split("|")
            if all(_PLAIN.fullmatch(one) and one.replace("[.]", ".") in paths for one in alternatives):
                return True
    return False


def _conditions(expression: str) -> list[str]:
    masked = re.sub(QUOTED, lambda text: "q" * len(text[0]), expression)
    parts: list[str] = []
    start = 0
    for operator in re.finditer("&&", masked):
        parts.append(expression[start : operator.start()].strip())
        start = operator.end()
    return [*parts, expression[start:].strip()]


def shadows(policy: Policy) -> Iterator[Shadow]:
    """Rules that no request can reach, where that shows in the rules themselves; the default is never one."""
    before: list[Rule] = []
    for rule in policy.rules:
        if rule.is_default:
            return
        taker = next((earlier for earlier in before if _takes_all(earlier, rule)), None)
        if taker is not None:
            yield Shadow(rule, (taker,), proven=True)
        if not rule.preview:
            before.append(rule)


def _takes_all(earlier: Rule, later: Rule) -> bool:
    if earlier.matches_everybody:
        return True
    if earlier.expression and earlier.expression.split() == later.expression.split():
        return not earlier.exclusions or earlier.exclusions == later.exclusions
    if earlier.ranges and later.ranges and not (earlier.expression or later.expression):
        return all(any(_covers(outer, inner) for outer in earlier.ranges) for inner in later.ranges)
    return _asks_no_more(earlier, later)


def _covers(outer: str, inner: str) -> bool:
    if "*" in {outer, inner}:
        return outer == "*"
    one, other = ipaddress.ip_network(outer, strict=False), ipaddress.ip_network(inner, strict=False)
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and other.subnet_of(one)
    return isinstance(other, ipaddress.IPv6Network) and other.subnet_of(one)


def _asks_no_more(earlier: Rule, later: Rule) -> bool:
    """Whether both are one call of one set, and the earlier enables all that the later does."""
    if not (_is_one_call(earlier) and _is_one_call(later)) or earlier.exclusions:
        return False
    one, other = set_calls(earlier.expression)[0], set_calls(later.expression)[0]
    return (
        one.name == other.name
        and one.sensitivity >= other.sensitivity
        and one.opt_out <= other.opt_out
        and one.opt_in >= other.opt_in
    )


def _is_one_call(rule: Rule) -> bool:
    return rule.is_waf and re.fullmatch(r"\s*\w+\([^()]*\)\s*", outside_quotes(rule.expression)) is not None
