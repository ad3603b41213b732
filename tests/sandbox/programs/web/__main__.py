"""A classic web stack: a network, instances in a loop behind a global load balancer."""

import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()
count = config.get_int("instances") or 2
machine_type = config.get("machineType", "e2-small")

network = gcp.compute.Network("web", auto_create_subnetworks=False)
subnet = gcp.compute.Subnetwork(
    "web", network=network.id, ip_cidr_range="10.10.0.0/24", region="europe-west1"
)
gcp.compute.Firewall(
    "web",
    network=network.self_link,
    allows=[gcp.compute.FirewallAllowArgs(protocol="tcp", ports=["80"])],
    source_ranges=["35.191.0.0/16", "130.211.0.0/22"],
    target_tags=["web"],
)
script = "#!/bin/sh\nbusybox httpd -p 80\n"
instances = []
for index in range(count):
    instance = gcp.compute.Instance(
        f"web-{index}",
        machine_type=machine_type,
        zone="europe-west1-b",
        tags=["web"],
        metadata_startup_script=script,
        boot_disk=gcp.compute.InstanceBootDiskArgs(
            initialize_params=gcp.compute.InstanceBootDiskInitializeParamsArgs(image="debian-cloud/debian-12")
        ),
        network_interfaces=[
            gcp.compute.InstanceNetworkInterfaceArgs(
                subnetwork=subnet.id,
                access_configs=[gcp.compute.InstanceNetworkInterfaceAccessConfigArgs()],
            )
        ],
    )
    instances.append(instance)

address = gcp.compute.GlobalAddress("web")
pulumi.export("address", address.address)
pulumi.export("names", pulumi.Output.all(*[item.name for item in instances]).apply(sorted))
pulumi.export("url", pulumi.Output.format("http://{0}/", address.address))
