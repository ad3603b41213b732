"""The catalogue of refusals: enforced or left out with a reason, and the page that says so."""

from __future__ import annotations

from facts.provider import facts_for
from sandbox.cloud.behaviours.left_out import COVERED, reason
from tools.behaviour_page import catalogue, enforced, main
from tools.refusal_facts import platform_types


def test_the_page_is_fresh() -> None:
    assert main(["--check"]) == 0


def test_every_id_of_the_platforms_types_is_enforced_or_left_out_with_a_reason() -> None:
    rows, types = enforced(), platform_types()
    ours = [entry for entry in catalogue() if "*" in entry["types"] or types & set(entry["types"])]
    assert len(ours) > 500
    assert [
        entry["id"]
        for entry in ours
        if entry["id"] not in rows and not reason(entry["id"], entry["refusedBy"])
    ] == []


def test_nothing_is_both_enforced_and_left_out() -> None:
    rows = enforced()
    loud = [entry["id"] for entry in catalogue() if entry["refusedBy"] != "silent"]
    assert [id for id in loud if id in rows and reason(id, "api")] == []
    assert set(COVERED.values()) <= set(rows)


def test_more_than_three_hundred_ids_are_enforced() -> None:
    assert len(enforced().keys() & {entry["id"] for entry in catalogue()}) >= 300


def test_no_type_of_the_platform_is_only_lightly_checked() -> None:
    assert [type for type in sorted(platform_types()) if facts_for(type) is None] == []
