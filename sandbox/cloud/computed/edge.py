"""Load balancing, certificates, Cloud Armor."""

from __future__ import annotations

from sandbox.cloud.computed.making import Making, computes
from sandbox.cloud.data import Values, as_list


@computes("gcp:certificatemanager/dnsAuthorization:DnsAuthorization")
def _dns_authorization(making: Making) -> Values:
    domain = str(making.get("domain")).rstrip(".")
    target = f"{making.seeds.uuid('target')}.{1 + making.seeds.below('shard', 19)}"
    record = {
        "name": f"_acme-challenge.{domain}.",
        "type": "CNAME",
        "data": f"{target}.authorize.certificatemanager.goog.",
    }
    return {"dnsResourceRecords": [record], "type": "FIXED_RECORD"}


@computes("gcp:certificatemanager/certificate:Certificate")
def _certificate(making: Making) -> Values:
    domains = [str(item) for item in as_list(making.get("managed.domains")) or []]
    return {
        "sanDnsnames": domains,
        "managed": {"state": "ACTIVE", "authorizationAttemptInfos": [], "provisioningIssues": []},
    }


@computes("gcp:certificatemanager/certificateMap:CertificateMap")
def _certificate_map(making: Making) -> Values:
    return {"gclbTargets": []}


@computes("gcp:compute/sSLPolicy:SSLPolicy")
def _ssl_policy(making: Making) -> Values:
    ciphers = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    ]
    return {"enabledFeatures": ciphers}


@computes("gcp:compute/backendService:BackendService")
def _backend_service(making: Making) -> Values:
    return {"generatedId": int(making.seeds.digits("generatedId", 15)), "timeoutSec": 30}


@computes("gcp:compute/globalForwardingRule:GlobalForwardingRule")
def _global_forwarding_rule(making: Making) -> Values:
    return {
        "forwardingRuleId": int(making.seeds.digits("forwardingRuleId", 15)),
        "ipAddress": f"203.0.113.{2 + making.seeds.below('address', 250)}",
        "networkTier": "PREMIUM",
        "pscConnectionStatus": "",
        "baseForwardingRule": "",
    }
