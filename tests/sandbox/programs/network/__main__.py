"""Networking in two regions with explicit providers, a router and NAT each."""

import pulumi
import pulumi_gcp as gcp

network = gcp.compute.Network("shared", auto_create_subnetworks=False, routing_mode="GLOBAL")
regions = {"europe-west1": "10.0.0.0/20", "us-central1": "10.1.0.0/20"}
ids: dict[str, pulumi.Output[str]] = {}
for region, cidr in regions.items():
    provider = gcp.Provider(region, project="example-project", region=region)
    opts = pulumi.ResourceOptions(provider=provider)
    subnet = gcp.compute.Subnetwork(
        f"subnet-{region}",
        network=network.id,
        ip_cidr_range=cidr,
        private_ip_google_access=True,
        opts=opts,
    )
    router = gcp.compute.Router(f"router-{region}", network=network.id, opts=opts)
    gcp.compute.RouterNat(
        f"nat-{region}",
        router=router.name,
        region=router.region,
        nat_ip_allocate_option="AUTO_ONLY",
        source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
        opts=pulumi.ResourceOptions(provider=provider, custom_timeouts={"create": "10m", "delete": "1h30m"}),
    )
    ids[region] = subnet.id
pulumi.export("network", {"id": network.id, "subnets": ids, "regions": list(regions)})
