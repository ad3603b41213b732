"""Compiles preconfigured sets: what the expression asks of Google, and what the sets do not read.

A set with signatures that files and media set off by chance is asked twice: without those signatures for
every request, and with them where the body is JSON or a form, or there is none.

Sources: Google Cloud documentation, "Tune preconfigured WAF rules"; the provider's schema of exclusions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, get_args

import pulumi_gcp as gcp

from components.edge.armor_limits import DESCRIPTION_CHARACTERS, check_items, check_pattern, check_range
from components.edge.armor_rules import Exclusion, WafGroup, WafSet, WafSetName
from facts.refusal import RefusedError

__all__ = ["waf_description", "waf_exclusions", "waf_expression", "waf_slot"]

_MAX_EXCLUSIONS: Final = 10
_MAX_GROUP: Final = 5
_SLOTS: Final[tuple[WafSetName, ...]] = get_args(WafSetName)
# The end of a signature's id where it is not the set's own first word.
_FAMILIES: Final[Mapping[str, str]] = {"json": "sqli"}
_TYPE: Final = "request.headers['content-type']"
_READABLE: Final = f"(!has({_TYPE}) || {_TYPE}.matches('(?i:json|x-www-form-urlencoded)'))"


def waf_slot(rule: WafSet | WafGroup) -> int:
    """The place among all sets; a group stands where the first of its sets would."""
    for each in _sets(rule):
        if each.rule_set not in _SLOTS:
            raise RefusedError(
                f"rule_set must be one of {', '.join(_SLOTS)}, got {each.rule_set!r}: correct it"
            )
    return min(_SLOTS.index(each.rule_set) for each in _sets(rule))


def waf_description(rule: WafSet | WafGroup) -> str:
    """The sets by name, without the version that all share; of a long group the first and the number."""
    names = [each.rule_set.removesuffix("-v33-stable") for each in _sets(rule)]
    described = "WAF " + ", ".join(names)
    if len(described) <= DESCRIPTION_CHARACTERS:
        return described
    return f"WAF {names[0]} and {len(names) - 1} more sets"


def waf_expression(rule: WafSet | WafGroup) -> str:
    """One expression for all sets of the rule."""
    if isinstance(rule, WafSet):
        return _expression(rule)
    check_items("sets", [each.rule_set for each in rule.sets], 2, _MAX_GROUP)
    for each in rule.sets:
        if each.preview:
            raise RefusedError(f"preview must be the group's, got it for {each.rule_set}: set it there")
        if each.exempt_paths:
            raise RefusedError(
                f"exempt_paths must not be given in a group, got them for {each.rule_set}: let it stand alone"
            )
    return " || ".join(_expression(each) for each in rule.sets)


def waf_exclusions(
    rule: WafSet | WafGroup,
) -> list[gcp.compute.SecurityPolicyRulePreconfiguredWafConfigExclusionArgsDict]:
    """One target for each set and group of signatures, with its parts gathered."""
    made: list[gcp.compute.SecurityPolicyRulePreconfiguredWafConfigExclusionArgsDict] = []
    for each in _sets(rule):
        groups: dict[tuple[str, ...], list[Exclusion]] = {}
        for exclusion in each.exclusions:
            _check_signatures("signatures", each.rule_set, exclusion.signatures)
            groups.setdefault(tuple(exclusion.signatures), []).append(exclusion)
        made += [_target(each.rule_set, signatures, group) for signatures, group in groups.items()]
    return made


def _sets(rule: WafSet | WafGroup) -> Sequence[WafSet]:
    return [rule] if isinstance(rule, WafSet) else rule.sets


def _expression(rule: WafSet) -> str:
    check_range("sensitivity", rule.sensitivity, 1, 4)
    _check_signatures("opt_out", rule.rule_set, rule.opt_out)
    _check_signatures("file_opt_out", rule.rule_set, rule.file_opt_out)
    if twice := sorted(set(rule.opt_out) & set(rule.file_opt_out)):
        raise RefusedError(
            f"file_opt_out must name what opt_out does not, got {twice[0]!r} in both: drop one"
        )
    check_pattern("exempt_paths", rule.exempt_paths, r"/[A-Za-z0-9/_-]+", "a path")
    made = _call(rule, rule.opt_out)
    if rule.file_opt_out:
        made = f"{_call(rule, (*rule.opt_out, *rule.file_opt_out))} || ({made} && {_READABLE})"
    if rule.exempt_paths:
        paths = "|".join(rule.exempt_paths)
        made = f"({made}) && !request.path.matches('^(?:{paths})$')"
    return made


def _call(rule: WafSet, opt_out: Sequence[str]) -> str:
    options = f"{{'sensitivity': {rule.sensitivity}"
    if opt_out:
        options += f", 'opt_out_rule_ids': [{', '.join(repr(signature) for signature in opt_out)}]"
    return f"evaluatePreconfiguredWaf('{rule.rule_set}', {options}}})"


def _check_signatures(field: str, rule_set: WafSetName, signatures: Sequence[str]) -> None:
    family, _, version = rule_set.partition("-")
    number = "v030301-" if version == "v33-stable" else "(?:v[0-9]{6}-)?"
    check_pattern(
        field,
        signatures,
        rf"owasp-crs-{number}id[0-9]{{6}}-{_FAMILIES.get(family, family)}",
        f"a signature of {rule_set}, the set that is used,",
    )


def _target(
    rule_set: WafSetName, signatures: Sequence[str], group: Sequence[Exclusion]
) -> gcp.compute.SecurityPolicyRulePreconfiguredWafConfigExclusionArgsDict:
    made: gcp.compute.SecurityPolicyRulePreconfiguredWafConfigExclusionArgsDict = {
        "target_rule_set": rule_set
    }
    if signatures:
        made["target_rule_ids"] = list(signatures)
    if headers := _parts(rule_set, group, "header"):
        made["request_headers"] = headers
    if cookies := _parts(rule_set, group, "cookie"):
        made["request_cookies"] = cookies
    if uris := _parts(rule_set, group, "uri"):
        made["request_uris"] = uris
    if parameters := _parts(rule_set, group, "query_param"):
        made["request_query_params"] = parameters
    return made


def _parts(
    rule_set: WafSetName, group: Sequence[Exclusion], part: str
) -> Sequence[gcp.compute.SecurityPolicyRulePreconfiguredWafConfigExclusionRequestHeaderArgsDict]:
    """The exclusions of one part of the request; the four parts have one form."""
    chosen = [exclusion for exclusion in group if exclusion.part == part]
    if len(chosen) > _MAX_EXCLUSIONS:
        raise RefusedError(
            f"exclusions of {rule_set} must hold at most {_MAX_EXCLUSIONS} of one part, "
            f"got {len(chosen)} of {part}: write broader ones"
        )
    for exclusion in chosen:
        if (exclusion.value is None) != (exclusion.operator == "EQUALS_ANY"):
            raise RefusedError(
                f"value must be given unless operator is EQUALS_ANY, got operator {exclusion.operator} and "
                f"value {exclusion.value!r}: correct the exclusion of {rule_set}"
            )
        if exclusion.value == "":
            raise RefusedError(
                f"value must not be empty, which {exclusion.operator} compares with every name, got it in "
                f"the exclusion of {rule_set}: name the field"
            )
    return [
        {"operator": exclusion.operator}
        if exclusion.value is None
        else {"operator": exclusion.operator, "value": exclusion.value}
        for exclusion in chosen
    ]
