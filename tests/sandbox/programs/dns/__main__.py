"""A DNS zone with records from a table; one of them looked up again."""

import pulumi
import pulumi_gcp as gcp

DOMAIN = "example.org."
zone = gcp.dns.ManagedZone("main", name="main", dns_name=DOMAIN, description="Example")
records = [
    ("www", "A", 300, ["192.0.2.10"]),
    ("api", "CNAME", 300, [f"www.{DOMAIN}"]),
    ("", "MX", 3600, [f"10 mail.{DOMAIN}"]),
    ("", "TXT", 3600, ['"v=spf1 -all"']),
]
for host, type_, ttl, values in records:
    gcp.dns.RecordSet(
        f"{host or 'apex'}-{type_.lower()}",
        managed_zone=zone.name,
        name=f"{host}.{DOMAIN}" if host else DOMAIN,
        type=type_,
        ttl=ttl,
        rrdatas=values,
    )
same = gcp.dns.get_managed_zone_output(name=zone.name)
pulumi.export("servers", zone.name_servers)
pulumi.export("domain", same.dns_name)
