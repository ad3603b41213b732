"""The policy pack that the real Pulumi CLI runs: `pulumi preview --policy-pack policies`.

One policy per rule, under the rule's id and level, so that a policy configuration file can name it. The only
module that imports `pulumi_policy`.
"""

from __future__ import annotations

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from policies.evaluate import judge, judge_stack
from policies.model import Resource, Rule
from policies.pack import Requests, resource
from policies.rules import RULES

_LEVELS = {"mandatory": EnforcementLevel.MANDATORY, "advisory": EnforcementLevel.ADVISORY}
_single = Requests()
_whole = Requests()


def _resource_policy(index: int, rule: Rule) -> Policy:
    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        _single.enter(index, args.urn)
        if rule.types is None or args.resource_type in rule.types:
            one = _single.once(lambda: resource(args, UnknownValueError))
            for verdict in judge(rule, one):
                report_violation(verdict.message, verdict.urn)

    return ResourceValidationPolicy(
        rule.id, rule.title, validate, enforcement_level=_LEVELS[rule.level], tags=list(rule.controls)
    )


def _stack_policy(index: int, rule: Rule) -> Policy:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        _whole.enter(index, "stack")
        resources = _whole.once(lambda: [_from_stack(one) for one in args.resources])
        for verdict in judge_stack(rule, resources):
            report_violation(verdict.message, verdict.urn)

    return StackValidationPolicy(
        rule.id, rule.title, validate, enforcement_level=_LEVELS[rule.level], tags=list(rule.controls)
    )


def _from_stack(one: PolicyResource) -> Resource:
    return resource(
        one,
        UnknownValueError,
        parent=None if one.parent is None else one.parent.urn,
        dependencies=tuple(other.urn for other in one.dependencies),
        property_dependencies={
            name: tuple(other.urn for other in others) for name, others in one.property_dependencies.items()
        },
    )


if __name__ == "__main__":
    # The constructor serves until the engine ends the process.
    PolicyPack(
        "aiprod",
        [
            _stack_policy(index, rule) if rule.check is None else _resource_policy(index, rule)
            for index, rule in enumerate(RULES)
        ],
    )
