"""A vendor's key: ticket, probe, alias, reminders."""

from __future__ import annotations

from tests.operations.rotation.stand_in import PROJECT
from tests.operations.rotation.world import GRACE, VENDOR, World

DAY = 86_400
POOL = f"projects/{PROJECT}/locations/europe-west1/workerPools/worker"


def aliases(world: World) -> dict[str, str]:
    return world.google.secrets[VENDOR]["versionAliases"]


def test_a_message_opens_a_ticket(world: World) -> None:
    outcome = world.vendor().rotate(VENDOR, world.published)
    assert outcome.kind == "ticket"
    assert "secret-rotation.md" in outcome.message


def test_a_version_that_the_vendor_accepts_becomes_current_and_the_old_one_is_disabled(world: World) -> None:
    world.vendor().sweep(VENDOR)
    world.google.add_version(VENDOR, "key-2")
    world.google.vendor_keys.add("key-2")
    assert world.vendor().sweep(VENDOR).kind == "rotated"
    assert aliases(world) == {"current": "2", "previous": "1"}
    world.time += GRACE + 1
    assert world.vendor().sweep(VENDOR).kind == "retired"
    assert [one["state"] for one in world.google.versions[VENDOR]] == ["DISABLED", "ENABLED"]


def test_a_version_that_the_vendor_refuses_stays_out(world: World) -> None:
    world.vendor().sweep(VENDOR)
    world.google.add_version(VENDOR, "wrong")
    assert world.vendor().sweep(VENDOR).kind == "failed"
    assert aliases(world) == {"current": "1"}


def test_without_a_probe_a_human_confirms_the_version(world: World) -> None:
    vendor = world.vendor(probed=False)
    vendor.sweep(VENDOR)
    world.google.add_version(VENDOR, "key-2")
    assert vendor.sweep(VENDOR).kind == "waiting"
    assert vendor.rotate(VENDOR, world.published, confirmed=1).kind == "waiting"
    assert vendor.rotate(VENDOR, world.published, confirmed=2).kind == "rotated"


def test_reminds_at_75_days_and_alarms_at_90_once_a_day(world: World) -> None:
    kinds: list[str] = []
    for day in (74, 75, 75, 89, 90, 91):
        world.time = 1_800_000_000.0 + day * DAY
        kinds.append(world.vendor().sweep(VENDOR).kind)
    assert kinds == ["unchanged", "reminder", "unchanged", "reminder", "alarm", "alarm"]


def test_rollback_moves_the_alias_back(world: World) -> None:
    world.vendor().sweep(VENDOR)
    world.google.add_version(VENDOR, "key-2")
    world.google.vendor_keys.add("key-2")
    world.vendor().sweep(VENDOR)
    assert world.vendor().roll_back(VENDOR, world.published).kind == "rolled-back"
    assert aliases(world) == {"current": "1", "previous": "2"}


def test_a_version_that_a_worker_pool_still_reads_outlives_the_grace_period(world: World) -> None:
    world.google.release_pool(POOL, VENDOR, "1")
    world.vendor().sweep(VENDOR)
    world.google.add_version(VENDOR, "key-2")
    world.google.vendor_keys.add("key-2")
    assert world.vendor().sweep(VENDOR).kind == "rotated"
    for days in (1, 30, 60):
        world.time += GRACE + days * DAY
        assert world.vendor().sweep(VENDOR).kind != "retired"
        assert [one["state"] for one in world.google.versions[VENDOR]] == ["ENABLED", "ENABLED"]
    world.google.release_pool(POOL, VENDOR, "2")
    assert world.vendor().sweep(VENDOR).kind == "retired"
    assert [one["state"] for one in world.google.versions[VENDOR]] == ["DISABLED", "ENABLED"]


def test_a_key_that_waits_for_its_confirmation_does_not_silence_the_age_of_the_one_in_use(
    world: World,
) -> None:
    vendor = world.vendor(probed=False)
    vendor.sweep(VENDOR)
    world.google.add_version(VENDOR, "key-2")
    assert vendor.sweep(VENDOR).kind == "waiting"
    world.time += 91 * DAY
    assert vendor.sweep(VENDOR).kind == "alarm"
    assert vendor.sweep(VENDOR).kind == "waiting"


def test_a_refused_key_is_told_once_a_day(world: World) -> None:
    world.vendor().sweep(VENDOR)
    world.google.add_version(VENDOR, "wrong")
    kinds = [world.vendor().sweep(VENDOR).kind for _ in range(3)]
    world.time += DAY
    assert [*kinds, world.vendor().sweep(VENDOR).kind] == ["failed", "waiting", "waiting", "failed"]


def test_a_version_that_is_never_released_raises_an_alarm_once_a_day(world: World) -> None:
    world.google.release_pool(POOL, VENDOR, "1")
    world.vendor().sweep(VENDOR)
    world.google.add_version(VENDOR, "key-2")
    world.google.vendor_keys.add("key-2")
    assert world.vendor().sweep(VENDOR).kind == "rotated"
    world.time += GRACE + 60
    assert world.vendor().sweep(VENDOR).kind == "waiting"
    world.time += 2 * DAY
    assert world.vendor().sweep(VENDOR).kind == "alarm"
    assert world.vendor().sweep(VENDOR).kind == "waiting"


def test_a_pool_that_reads_an_alias_keeps_the_version_before(world: World) -> None:
    """Its instances took the value when they started; which one, nobody can see."""
    world.google.release_pool(POOL, VENDOR, "current")
    world.vendor().sweep(VENDOR)
    world.google.add_version(VENDOR, "key-2")
    world.google.vendor_keys.add("key-2")
    world.vendor().sweep(VENDOR)
    world.time += GRACE + 1
    assert world.vendor().sweep(VENDOR).kind == "waiting"
    assert [one["state"] for one in world.google.versions[VENDOR]] == ["ENABLED", "ENABLED"]


def test_a_rollback_that_is_delivered_twice_goes_back_once(world: World) -> None:
    world.vendor().sweep(VENDOR)
    world.google.add_version(VENDOR, "key-2")
    world.google.vendor_keys.add("key-2")
    world.vendor().sweep(VENDOR)
    message = world.published
    assert world.vendor().roll_back(VENDOR, message).kind == "rolled-back"
    assert world.vendor().roll_back(VENDOR, message).kind == "unchanged"
    assert aliases(world)["current"] == "1"
