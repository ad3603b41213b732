"""Catalogue ids that touch the platform's types and are not enforced, each with its reason."""

from __future__ import annotations

from typing import Final

__all__ = ["COVERED", "SILENT", "reason"]

SILENT: Final = "Google accepts it: a quiet failure, no refusal"

COVERED: Final[dict[str, str]] = {
    "AGT-007": "AGT-001",
    "AGT-009": "API-001",
    "API-004": "API-001",
    "ARM-005": "ARM-004",
    "ARM-006": "ARM-004",
    "ARM-008": "ARM-007",
    "ARM-014": "ARM-012",
    "ARM-015": "ARM-013",
    "CRT-002": "CRT-001",
    "DNS-007": "DNS-006",
    "IAM-004": "REF-001",
    "IAM-021": "IAM-020",
    "KMS-006": "KMS-005",
    "KMS-009": "KMS-001",
    "KMS-016": "KMS-012",
    "KMS-018": "KMS-022",
    "KMS-019": "KMS-020",
    "KMS-021": "KMS-020",
    "KMS-023": "KMS-022",
    "LB-025": "REF-001",
    "LB-045": "LB-044",
    "LB-058": "REF-001",
    "LOG-010": "KMS-020",
    "LOG-021": "IAM-001",
    "LOG-030": "LOG-029",
    "MON-008": "MON-007",
    "MON-011": "REF-001",
    "PUB-001": "REF-001",
    "PUB-002": "REF-001",
    "PUB-009": "PUB-008",
    "PUB-029": "REF-001",
    "RUN-017": "RUN-016",
    "RUN-033": "REF-001",
    "SCH-012": "QTA-007",
    "SEC-021": "REF-001",
    "SQL-007": "SQL-006",
    "SQL-008": "SQL-009",
    "SQL-014": "REF-001",
    "SQL-025": "SQL-024",
    "SVN-013": "API-001",
}
"""Refused here under the other id, which says the same more generally."""

_REASONS: Final[dict[str, str]] = {
    "depends on the rights of whoever deploys, unknown offline": (
        "IAM-033 IAM-034 SVN-014 SQL-074 PUB-020 SEC-026 BUD-001 BUD-002 BUD-013 API-012 API-013 "
        "RUN-031 RUN-037 "
    ),
    "organisation policy, billing, subscription or quota, unknown offline": (
        "API-010 IAM-012 IAM-032 IAM-022 SEC-011 SQL-077 SQL-078 GCS-017 PUB-036 QTA-001 QTA-002 "
        "QTA-003 QTA-004 QTA-008 QTA-009 ARM-041 ARM-045 SVN-015 LOG-014 RED-020 PUB-035 IAM-026 "
        "RUN-010 RUN-045 RUN-049 RUN-060 BUD-003 BUD-016 "
    ),
    "a matter of moments: the same call succeeds later; played by faults": (
        "API-002 API-006 AGT-014 IAM-006 IAM-007 IAM-025 KMS-024 SVN-004 SVN-012 SVN-017 SQL-045 "
        "SQL-079 NET-008 RED-015 MON-019 MON-020 QTA-005 QTA-006 GCS-020 LOG-022 SCH-011 MON-001 "
        "MON-002 RUN-053 "
    ),
    "Google Cloud's documentation says otherwise: the name can be reused at once": "SQL-022",
    "Google Cloud's documentation says otherwise: SSL policies go with EXTERNAL_MANAGED": "LB-040",
    "within seven days the provider brings the role back, and no day of deletion is kept": "IAM-028",
    "when an object was written is not kept, so the end of its retention is unknown": "GCS-023",
    "which places Google offers changes, and only those of the European Union are kept": "GCS-005 SCH-009",
    "depends on data, versions or names outside of the deployment": (
        "API-003 IAM-005 SQL-037 SQL-038 SQL-044 SQL-070 SQL-080 SQL-081 SVN-005 SVN-011 KMS-025 "
        "KMS-026 KMS-028 GCS-001 GCS-006 GCS-007 GCS-015 SEC-015 SEC-025 SEC-027 RED-014 ART-010 "
        "ART-006 LOG-007 LOG-009 LB-018 CRT-016 RUN-015 RUN-026 RUN-030 "
        "AGT-011 BDR-015 MON-014 "
    ),
}
_BY_ID: Final[dict[str, str]] = {id: why for why, ids in _REASONS.items() for id in ids.split()}


def reason(id: str, refused_by: str) -> str:
    """Why the id is not enforced, or an empty text."""
    if refused_by == "silent":
        return SILENT
    return f"refused as {COVERED[id]}" if id in COVERED else _BY_ID.get(id, "")
