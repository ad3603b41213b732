"""Builds on another project's stack."""

import pulumi
import pulumi_gcp as gcp

base = pulumi.StackReference(f"organization/producer/{pulumi.get_stack()}")
network = base.require_output("network")
subnet = gcp.compute.Subnetwork(
    "subnet", network=network["id"], ip_cidr_range="10.20.0.0/24", region="europe-west1"
)
pulumi.export("subnet", subnet.self_link)
pulumi.export("network", network["name"])
pulumi.export("password", base.get_output("password"))
pulumi.export("missing", base.get_output("missing"))
