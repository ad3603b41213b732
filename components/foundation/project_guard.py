"""What a fresh project has too much and too little of: a powerful account, no lock on deletion.

Takes the basic role away from Google's default accounts (they stay, without rights; nothing here runs as
one) and never gives it back, also not on a destroy. Puts a lien on the project, so that deleting it is
refused until somebody takes the lien off. The default network is not handled: the platform has its own, and
a project made with `auto_create_network` off or the organisation policy has none. Who makes this needs
`roles/resourcemanager.lienModifier`. Does not make the project itself, nor its billing link: whoever runs
bootstrap has one. Free of charge. Source: CIS 4.1, Google's page on liens.

Nor are tags of the Resource Manager bound, to the project or to anything in it (`TagBinding`,
`LocationTagBinding`): no condition and no policy of the platform reads one; labels say whose a resource is.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

__all__ = ["ProjectGuard", "ProjectGuardArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectGuardArgs:
    """One project."""

    project_id: str
    project_number: pulumi.Input[str]


class ProjectGuard(pulumi.ComponentResource):
    """The guards of one project."""

    # Resource name of the lien.
    lien: pulumi.Output[str]

    def __init__(self, name: str, args: ProjectGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:foundation:ProjectGuard", name, None, opts)
        gcp.projects.DefaultServiceAccounts(
            f"{name}-default-accounts",
            project=args.project_id,
            action="DEPRIVILEGE",
            restore_policy="NONE",
            opts=pulumi.ResourceOptions(parent=self),
        )
        lien = gcp.resourcemanager.Lien(
            f"{name}-lien",
            parent=pulumi.Output.concat("projects/", args.project_number),
            restrictions=["resourcemanager.projects.delete"],
            origin="aiprod-bootstrap",
            reason="Holds the platform, its keys and its state",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.lien = lien.name
        self.register_outputs({"lien": self.lien})
