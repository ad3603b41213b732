"""Physical names and labels of one environment; pure. A name Google would refuse is refused, never cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from facts.names import check_labels, check_name

__all__ = ["DataClass", "Names"]

# Whom the data may harm when it leaks; the label that policy reads.
DataClass = Literal["public", "internal", "confidential", "restricted"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """Names made from system, environment and project. They are the same in every environment, each having
    a project of its own; buckets, whose names are global, carry the project id."""

    system: str
    environment: str
    project_id: str

    def __post_init__(self) -> None:
        check_name("compute resource", self.system)
        check_name("label value", self.environment)
        check_name("project id", self.project_id)

    def resource(self, role: str) -> str:
        """ "<system>-<role>", for anything named by the common rule of Compute Engine."""
        return check_name("compute resource", f"{self.system}-{role}")

    def service_account(self, role: str) -> str:
        """The account id "<system>-<role>", 6 to 30 characters."""
        return check_name("service account id", f"{self.system}-{role}")

    def role_id(self, purpose: str) -> str:
        """The id "<system>_<purpose>" of a role of the project's own."""
        return f"{self.system}_{purpose}".replace("-", "_")

    def role(self, purpose: str) -> str:
        """The full name of that role, as a grant takes it."""
        return f"projects/{self.project_id}/roles/{self.role_id(purpose)}"

    @property
    def deployer(self) -> str:
        """IAM member of the account that bootstrap makes and GitHub deploys as."""
        return self.deployer_of(self.project_id)

    def deployer_of(self, project_id: str) -> str:
        """The same account of another environment's project."""
        return f"serviceAccount:{self.service_account('deployer')}@{project_id}.iam.gserviceaccount.com"

    @property
    def drift_reader(self) -> str:
        """IAM member of the account that bootstrap makes and the scheduled look for drift runs as."""
        account = self.service_account("drift-reader")
        return f"serviceAccount:{account}@{self.project_id}.iam.gserviceaccount.com"

    def bucket(self, purpose: str) -> str:
        """ "<project id>-<purpose>", 3 to 63 characters."""
        return check_name("bucket", f"{self.project_id}-{purpose}")

    def key(self, consumer: str) -> str:
        """The encryption key of one class of consumers."""
        return check_name("key", f"{self.system}-{consumer}-key")

    def labels(self, component: str, data_class: DataClass | None = None) -> dict[str, str]:
        """Labels of everything in one component; `data_class` where it holds data."""
        labels = {
            "system": self.system,
            "environment": self.environment,
            "managed-by": "pulumi",
            "component": component,
        }
        if data_class is not None:
            labels["data-class"] = data_class
        return check_labels(labels)
