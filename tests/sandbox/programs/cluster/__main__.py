"""A Kubernetes cluster with its own node pool, and a kubeconfig made of what Google computes."""

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp import container
from pulumi_gcp.config import project, zone

config = pulumi.Config()
nodes = config.get_int("nodeCount", 2)
net = gcp.compute.Network("gke-net", auto_create_subnetworks=False)
sub = gcp.compute.Subnetwork(
    "gke-sub",
    network=net.id,
    ip_cidr_range="10.0.0.0/20",
    private_ip_google_access=True,
    secondary_ip_ranges=[
        {"range_name": "pods", "ip_cidr_range": "10.4.0.0/14"},
        {"range_name": "services", "ip_cidr_range": "10.8.0.0/20"},
    ],
)
sa = gcp.serviceaccount.Account("nodes", account_id="gke-nodes", display_name="nodes")
cluster = container.Cluster(
    "cluster",
    location=zone,
    network=net.name,
    subnetwork=sub.name,
    initial_node_count=1,
    remove_default_node_pool=True,
    deletion_protection=False,
    ip_allocation_policy=container.ClusterIpAllocationPolicyArgs(
        cluster_secondary_range_name="pods", services_secondary_range_name="services"
    ),
    workload_identity_config={"workload_pool": f"{project}.svc.id.goog"},
    release_channel={"channel": "REGULAR"},
    private_cluster_config={"enable_private_nodes": True, "master_ipv4_cidr_block": "172.16.0.0/28"},
)
pool = container.NodePool(
    "pool",
    cluster=cluster.id,
    node_count=nodes,
    node_config=container.NodePoolNodeConfigArgs(
        machine_type="e2-medium",
        preemptible=True,
        service_account=sa.email,
        oauth_scopes=["https://www.googleapis.com/auth/cloud-platform"],
        labels={"a": "b"},
    ),
)


def kube(a):
    name, endpoint, auth = a
    return f"{project}_{zone}_{name} {endpoint} {auth['cluster_ca_certificate']}"


pulumi.export(
    "kubeconfig",
    pulumi.Output.secret(pulumi.Output.all(cluster.name, cluster.endpoint, cluster.master_auth).apply(kube)),
)
pulumi.export("name", cluster.name)
