"""GitHub's word for who runs: one repository, one branch, named environments and nothing else.

Makes the pool and the provider. The condition compares numbers (`repository_owner_id`, `repository_id`),
which GitHub never gives away twice, while a name can be taken over after a rename. It also demands the
protected branch and one of the environments, so a token of a pull request (`refs/pull/...`, no
environment) is refused: whoever runs code with the state key can read every secret. No event is named in
it: a branch and an environment are protected by GitHub's rules, an event is chosen by whoever pushes.
`google.subject` is `<repository id>::<environment>`, at most 127 bytes where `sub` can be longer, and one
binding on it demands both at once. Grants nothing: accounts bind themselves to a subject of `subjects`.

Not made: pinned verification keys (GitHub rotates its own); other issuers, SAML, X.509, attestation rules,
trust of certificates and the pool's own identities, which nothing here uses; grants to a subject without an
account, which not every service of Google takes; a binding on `job_workflow_ref`, which a protected branch
implies. A deleted pool keeps its id for 30 days. Free of charge. Sources: GitHub's table of claims,
Google's page on attribute conditions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["GithubFederation", "GithubFederationArgs", "check_github_id"]

ISSUER = "https://token.actions.githubusercontent.com"
_SUBJECT_BYTES = 127


def check_github_id(field: str, value: str) -> str:
    """The id, if it is a number as GitHub gives it; else RefusedError."""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", value):
        raise RefusedError(
            f"{field} must be GitHub's number, since a name can be taken over, got {value!r}; "
            "read it with `gh api repos/OWNER/NAME --jq '.id, .owner.id'`"
        )
    return value


@dataclass(frozen=True, kw_only=True, slots=True)
class GithubFederationArgs:
    """Whom to believe what."""

    project_id: str
    # Decimal numbers, as GitHub's API gives them; a name is refused.
    repository_id: str
    owner_id: str
    # GitHub environments, each protected by reviewers or branches there.
    environments: frozenset[str]
    # The protected branch that deploys.
    branch: str = "main"

    def __post_init__(self) -> None:
        check_github_id("repository_id", self.repository_id)
        check_github_id("owner_id", self.owner_id)
        if not self.environments:
            raise RefusedError("environments must name at least one GitHub environment, got none")
        for environment in sorted(self.environments):
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", environment):
                raise RefusedError(
                    "environments must be lower-case letters, digits, - and _, "
                    f"got {environment!r}; rename it"
                )
            if len(_subject(self.repository_id, environment)) > _SUBJECT_BYTES:
                raise RefusedError(
                    f"environments must leave a subject of at most {_SUBJECT_BYTES} bytes, got "
                    f"{environment!r}; shorten it"
                )
        if not re.fullmatch(r"[A-Za-z0-9._/-]{1,200}", self.branch):
            raise RefusedError(f"branch must be a plain branch name, got {self.branch!r}; correct it")


class GithubFederation(pulumi.ComponentResource):
    """One pool that believes GitHub about one repository."""

    # Full resource name of the provider, as google-github-actions/auth takes it.
    provider: pulumi.Output[str]
    # GitHub environment -> the IAM member that only its jobs are.
    subjects: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: GithubFederationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:delivery:GithubFederation", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        pool = gcp.iam.WorkloadIdentityPool(
            name,
            project=args.project_id,
            workload_identity_pool_id="github",
            display_name="GitHub Actions",
            description="One repository's protected environments; made by bootstrap",
            opts=child,
        )
        provider = gcp.iam.WorkloadIdentityPoolProvider(
            f"{name}-provider",
            project=args.project_id,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="github-actions",
            display_name="GitHub Actions",
            attribute_mapping={
                "google.subject": "assertion.repository_id + '::' + assertion.environment",
                "attribute.repository_id": "assertion.repository_id",
                "attribute.environment": "assertion.environment",
                "attribute.ref": "assertion.ref",
            },
            attribute_condition=_condition(args),
            oidc={"issuer_uri": ISSUER},
            opts=child,
        )
        self.provider = provider.name
        self.subjects = {
            environment: pulumi.Output.concat(
                "principal://iam.googleapis.com/",
                pool.name,
                "/subject/",
                _subject(args.repository_id, environment),
            )
            for environment in sorted(args.environments)
        }
        self.register_outputs({"provider": self.provider, "subjects": self.subjects})


def _subject(repository_id: str, environment: str) -> str:
    return f"{repository_id}::{environment}"


def _condition(args: GithubFederationArgs) -> str:
    environments = ", ".join(f"'{environment}'" for environment in sorted(args.environments))
    return (
        f"assertion.repository_owner_id == '{args.owner_id}' && "
        f"assertion.repository_id == '{args.repository_id}' && "
        f"assertion.ref == 'refs/heads/{args.branch}' && "
        f"assertion.environment in [{environments}]"
    )
