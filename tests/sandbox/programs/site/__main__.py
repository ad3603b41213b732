"""A static web site: files found on disk, a bucket behind the CDN, HTTP and HTTPS."""

import mimetypes
from pathlib import Path

import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()
path = config.get("path") or "./www"
bucket = gcp.storage.Bucket(
    "bucket",
    location="US",
    website=gcp.storage.BucketWebsiteArgs(main_page_suffix="index.html", not_found_page="error.html"),
    uniform_bucket_level_access=True,
    force_destroy=True,
    cors=[{"origins": ["*"], "methods": ["GET"], "max_age_seconds": 3600}],
)
gcp.storage.BucketIAMBinding("b", bucket=bucket.name, role="roles/storage.objectViewer", members=["allUsers"])
for file in sorted(Path(path).rglob("*.*")):
    name = file.relative_to(path).as_posix()
    gcp.storage.BucketObject(
        name.replace("/", "-"),
        bucket=bucket.name,
        name=name,
        source=pulumi.FileAsset(file),
        content_type=mimetypes.guess_type(file)[0],
    )
backend = gcp.compute.BackendBucket(
    "backend",
    bucket_name=bucket.name,
    enable_cdn=True,
    cdn_policy={"cache_mode": "CACHE_ALL_STATIC", "default_ttl": 3600, "max_ttl": 86400, "client_ttl": 3600},
)
ip = gcp.compute.GlobalAddress("ip")
um = gcp.compute.URLMap(
    "um",
    default_service=backend.self_link,
    host_rules=[{"hosts": ["example.com"], "path_matcher": "all"}],
    path_matchers=[
        {
            "name": "all",
            "default_service": backend.self_link,
            "path_rules": [{"paths": ["/*"], "service": backend.self_link}],
        }
    ],
)
proxy = gcp.compute.TargetHttpProxy("proxy", url_map=um.self_link)
gcp.compute.GlobalForwardingRule(
    "fr", ip_address=ip.address, ip_protocol="TCP", port_range="80", target=proxy.self_link
)
cert = gcp.compute.ManagedSslCertificate("cert", managed={"domains": ["example.com."]})
sp = gcp.compute.TargetHttpsProxy("sproxy", url_map=um.self_link, ssl_certificates=[cert.self_link])
gcp.compute.GlobalForwardingRule(
    "sfr",
    ip_address=ip.address,
    ip_protocol="TCP",
    port_range="443",
    target=sp.self_link,
    load_balancing_scheme="EXTERNAL",
)
pulumi.export(
    "originURL", pulumi.Output.concat("https://storage.googleapis.com/", bucket.name, "/index.html")
)
pulumi.export("cdn", ip.address.apply(lambda a: f"http://{a}"))
