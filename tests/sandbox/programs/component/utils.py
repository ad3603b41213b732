from collections.abc import Callable, Mapping

import pulumi

from naming import LABELLED


def labelled(
    labels: Mapping[str, str],
) -> Callable[[pulumi.ResourceTransformArgs], pulumi.ResourceTransformResult | None]:
    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ not in LABELLED:
            return None
        merged = {**(args.props.get("labels") or {}), **labels}
        return pulumi.ResourceTransformResult(props={**args.props, "labels": merged}, opts=args.opts)

    return transform
