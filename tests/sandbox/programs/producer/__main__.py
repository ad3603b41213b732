"""What another stack refers to: a network and a password."""

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

network = gcp.compute.Network("base", auto_create_subnetworks=False)
password = random.RandomPassword("password", length=20)
pulumi.export("network", {"id": network.id, "name": network.name})
pulumi.export("password", password.result)
