"""A component, transforms on it and on the whole stack, modules named as other projects name theirs."""

import pulumi
from pulumi.runtime import register_resource_transform
from utils import labelled

from components import Bucket
from config import LABELS

register_resource_transform(labelled(LABELS))


def fixed_location(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if args.type_ != "gcp:storage/bucket:Bucket":
        return None
    return pulumi.ResourceTransformResult(props={**args.props, "location": "EU"}, opts=args.opts)


for name in ("one", "two"):
    bucket = Bucket(name, location="US", opts=pulumi.ResourceOptions(transforms=[fixed_location]))
    pulumi.export(name, bucket.url)
