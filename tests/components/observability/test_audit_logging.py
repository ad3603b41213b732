"""Audit configuration per service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.observability.audit_logging import AuditLogging, AuditLoggingArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> AuditLoggingArgs:
    return replace(
        AuditLoggingArgs(
            project="project",
            services={"cloudkms.googleapis.com": ("DATA_READ",), "cloudsql.googleapis.com": ("DATA_WRITE",)},
        ),
        **changes,
    )


def test_each_service_has_its_own_configuration_without_exemption(build: Build, recorder: Recorder) -> None:
    build(lambda: AuditLogging("audit", example_args()))
    assert recorder.names("IAMAuditConfig") == ["audit-cloudkms", "audit-cloudsql"]
    assert recorder.one("IAMAuditConfig", "audit-cloudkms").inputs == {
        "project": "project",
        "service": "cloudkms.googleapis.com",
        "auditLogConfigs": [{"logType": "DATA_READ"}],
    }


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ({"allServices": ("DATA_READ",)}, "must name hosts that end in .googleapis.com, got 'allServices'"),
        ({"cloudkms.googleapis.com": ()}, "must list at least one kind"),
        ({"cloudkms.googleapis.com": ("DATA_READ", "DATA_READ")}, "each once"),
    ],
)
def test_fails_when_a_service_is_named_wrongly(services: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(services=services)
