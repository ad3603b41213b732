"""The table of access in each form of the report."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from review import markdown
from review.access import gives_access
from review.report import Report, build, document
from review.terminal import print_report
from sandbox.model import Outcome
from tests.review.outcomes import sample, state
from tests.review.report_schema import schema_errors

ROLE = "roles/logging.logWriter"
MEMBER = "serviceAccount:aiprod-api@p.iam.gserviceaccount.com"


def granted(*, role: str = ROLE, twice: bool = False) -> Report:
    outcome: Outcome = sample()
    for name in ("api", "drill"):
        outcome.resources.append(
            state("gcp:serviceaccount/account:Account", name, inputs={"accountId": f"aiprod-{name}"})
        )
    for name in ("one", "two")[: 1 + twice]:
        outcome.resources.append(
            state("gcp:projects/iAMMember:IAMMember", name, inputs={"role": role, "member": MEMBER})
        )
    return build(outcome)


def shown(report: Report) -> tuple[str, str]:
    terminal = io.StringIO()
    print_report(report, Console(file=terminal, width=200))
    return terminal.getvalue(), markdown.render(report)


def test_every_account_and_grant_has_a_row_in_terminal_and_markdown() -> None:
    terminal, page = shown(granted())
    assert any(
        line.split() == ["aiprod-api", "logging.logWriter", "project"] for line in terminal.splitlines()
    )
    assert "| aiprod-api | logging.logWriter | project |  |" in page
    assert "| aiprod-drill | none | nothing runs as it yet |  |" in page
    totals = "2 service accounts, 1 grants: 0 of admin, editor or owner on the project, 0 unused"
    assert totals in terminal
    assert totals in page


def test_only_the_totals_are_shown_where_the_table_is_not_asked_for() -> None:
    terminal = io.StringIO()
    print_report(granted(), Console(file=terminal, width=200), access=False)
    assert "logging.logWriter" not in terminal.getvalue().replace("api-logs", "")
    assert "access: 2 service accounts, 1 grants" in terminal.getvalue()


@pytest.mark.parametrize(
    ("type", "given"),
    [
        ("gcp:serviceaccount/account:Account", True),
        ("gcp:secretmanager/secretIamMember:SecretIamMember", True),
        ("gcp:projects/iAMBinding:IAMBinding", True),
        ("gcp:redis/instance:Instance", False),
    ],
)
def test_accounts_and_grants_give_access(type: str, given: bool) -> None:
    assert gives_access(type) is given


def test_the_document_holds_the_table_and_fits_its_schema() -> None:
    found = document(granted())
    assert schema_errors(found) == []
    assert found["access"]["identities"] == ["aiprod-api", "aiprod-drill"]
    (grant,) = found["access"]["grants"]
    assert (grant["identity"], grant["kind"], grant["role"], grant["target"]) == (
        "aiprod-api",
        "runtime",
        ROLE,
        "project",
    )


def test_what_should_not_be_there_is_counted() -> None:
    assert document(granted(role="roles/editor"))["access"]["project_admins"] == 1
    assert document(granted(twice=True))["access"]["unused"] == 2


def test_a_program_without_access_has_no_table() -> None:
    terminal, page = shown(build(sample()))
    assert "access:" not in terminal
    assert "Access:" not in page
