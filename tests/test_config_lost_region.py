"""A promoted replica and a lost region: who is written to, where things stand, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from config import ConfigError, parse
from tests.stack_files import values

SECOND = "aiprod-postgres-replica-2"
THIRD = "aiprod-postgres-replica-3"
PROMOTED = {"region": "europe-west4", "availability": "REGIONAL", "promoted": True}


def prod(lost: str | None = None, **replicas: dict[str, Any]) -> dict[str, Any]:
    """The values of prod with a lost region and further replicas, `_` standing for `-`."""
    made = values("prod")
    if lost is not None:
        made["lost_region"] = lost
    made["postgres"]["replicas"] |= {name.replace("_", "-"): one for name, one in replicas.items()}
    return made


def test_nothing_is_lost_and_the_primary_is_written_to_by_default() -> None:
    found = parse(prod())
    assert (found.home, found.homes) == ("europe-west1", ("europe-west1",))
    assert found.serving_regions == ("europe-west1", "europe-west4")
    assert found.writer("europe-west4") == "aiprod-postgres"
    assert found.reader("europe-west1") == "aiprod-postgres-replica-1"
    assert found.reader("europe-west4") == SECOND


def test_a_lost_first_region_leaves_its_own_as_they_were_and_moves_the_rest() -> None:
    found = parse(prod("europe-west1", aiprod_postgres_replica_2=PROMOTED))
    assert (found.home, found.homes) == ("europe-west4", ("europe-west1", "europe-west4"))
    assert found.serving_regions == ("europe-west4",)
    assert [found.writer(region) for region in found.regions] == ["aiprod-postgres", SECOND]
    assert [found.reader(region) for region in found.regions] == ["aiprod-postgres-replica-1", SECOND]


def test_a_lost_second_region_moves_nothing() -> None:
    found = parse(prod("europe-west4"))
    assert (found.homes, found.serving_regions) == (("europe-west1",), ("europe-west1",))
    assert found.writer("europe-west1") == "aiprod-postgres"


def test_stand_ins_stay_when_the_first_region_is_back() -> None:
    made = {**prod(), "stand_ins": True}
    assert (parse(made).home, parse(made).homes) == ("europe-west1", ("europe-west1", "europe-west4"))


def test_services_write_to_the_last_promoted_replica_and_read_from_its_copies() -> None:
    third = {"region": "europe-west1", "follows": SECOND}
    copied = parse(prod(aiprod_postgres_replica_2=PROMOTED, aiprod_postgres_replica_3=third))
    assert [copied.writer(region) for region in copied.regions] == [SECOND, SECOND]
    assert [copied.reader(region) for region in copied.regions] == [THIRD, SECOND]
    back = parse(
        prod(aiprod_postgres_replica_2=PROMOTED, aiprod_postgres_replica_3={**third, "promoted": True})
    )
    assert [back.writer(region) for region in back.regions] == [THIRD, THIRD]
    assert back.postgres.path_of(THIRD) == "replica-2-replica-3"


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            prod("europe-west9"),
            (
                "aiprod:lost_region must be europe-west1 or europe-west4, got 'europe-west9'; correct it, or "
                "leave it out"
            ),
        ),
        (
            prod("europe-west1"),
            (
                "aiprod:lost_region must not hold the database that services write to, aiprod-postgres, got "
                "'europe-west1'; set promoted of a replica in the other region"
            ),
        ),
        (
            {**values("staging"), "lost_region": "europe-west1"},
            (
                "aiprod:lost_region must be left out while api.second_region is, got 'europe-west1'; nothing "
                "else serves"
            ),
        ),
        (
            {**values("dev"), "stand_ins": True},
            "aiprod:stand_ins must be left out while api.second_region is, got True; nothing stands in there",
        ),
        (
            prod(aiprod_postgres_replica_3={"region": "europe-west1", "follows": "aiprod-postgres-x"}),
            (
                "aiprod:postgres.replicas.aiprod-postgres-replica-3.follows must be another replica, got "
                "'aiprod-postgres-x'; name one, or leave it out to follow the primary"
            ),
        ),
        (
            prod(aiprod_postgres_replica_3={"region": "europe-west1", "follows": THIRD}),
            (
                "aiprod:postgres.replicas.aiprod-postgres-replica-3.follows must be another replica, got "
                "'aiprod-postgres-replica-3'; name one, or leave it out to follow the primary"
            ),
        ),
        (
            prod(
                aiprod_postgres_replica_3={"region": "europe-west1", "follows": "aiprod-postgres-replica-4"},
                aiprod_postgres_replica_4={"region": "europe-west1", "follows": THIRD},
            ),
            (
                "aiprod:postgres.replicas.aiprod-postgres-replica-3.follows must end at the primary, got "
                "aiprod-postgres-replica-3 -> aiprod-postgres-replica-4 -> aiprod-postgres-replica-3; break "
                "the circle"
            ),
        ),
        (
            prod(
                aiprod_postgres_replica_3={"region": "europe-west1", "follows": SECOND, "promoted": True},
            ),
            (
                "aiprod:postgres.replicas.aiprod-postgres-replica-3.promoted must wait "
                "for aiprod-postgres-replica-2, which it follows and which is not promoted, got True; "
                "promote that one, or let this one follow the primary"
            ),
        ),
        (
            prod(
                aiprod_postgres_replica_1={"region": "europe-west1", "promoted": True},
                aiprod_postgres_replica_2=PROMOTED,
            ),
            (
                "aiprod:postgres.replicas must have one promoted end that services write to, got "
                "aiprod-postgres-replica-1, aiprod-postgres-replica-2; promote one of them"
            ),
        ),
    ],
)
def test_fails_when_a_loss_or_a_promotion_cannot_be(made: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(made)
    assert str(refused.value) == sentence
