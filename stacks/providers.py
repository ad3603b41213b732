"""The two providers of a stack. Default ones are disabled, so a forgotten provider is an error, not a
wrong project.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from config import Settings

__all__ = ["Providers", "after", "make_providers"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Providers:
    """What layers pass on: options for components, options for look-ups."""

    resources: pulumi.ResourceOptions
    lookups: pulumi.InvokeOutputOptions


def make_providers(settings: Settings) -> Providers:
    """One for Google, which bills its calls to the project that it manages, and one for random values."""
    google = gcp.Provider(
        "google",
        project=settings.project_id,
        region=settings.region,
        user_project_override=True,
        billing_project=settings.project_id,
    )
    return Providers(
        resources=pulumi.ResourceOptions(providers=[google, random.Provider("random")]),
        lookups=pulumi.InvokeOutputOptions(provider=google),
    )


def after(opts: pulumi.ResourceOptions, *components: pulumi.Resource) -> pulumi.ResourceOptions:
    """The same options, waiting for everything in these components."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(components)))
