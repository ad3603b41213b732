"""The loss of a region: what remains, that each phase works, and what a stack without a second one says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from review.cli import main
from review.inventory import with_settings
from review.region_loss import BuiltIn, Engine, Played, RealCli, phases_played
from review.region_plan import Phase, load_plan, plan_path
from review.survivors import Survivor, holds, serving, survey
from review.workspace import Workspace
from sandbox.errors import UsageError
from sandbox.model import ResourceState
from sandbox.state import StateStore

ROOT = Path(__file__).parents[2]
LOST, LEFT = "europe-west1", "europe-west4"


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def workspace(folder: Path | None = None) -> Workspace:
    found = Workspace.open(ROOT, Console(quiet=True))
    if folder is None:
        return found
    return Workspace(
        program=found.program, store=StateStore(folder, project="aiprod"), progress=found.progress
    )


@cache
def before() -> Sequence[ResourceState]:
    """Prod as it stands, before anything is lost."""
    work = workspace()
    engine = BuiltIn(work, "prod")
    _, refusals = engine.up(work.settings("prod"), frozenset())
    assert refusals == []
    return engine.states()


@cache
def rows(lost: str) -> dict[tuple[str, str, str], Survivor]:
    return {(row.kind, row.name, row.where): row for row in survey(before(), lost)}


def played(engine: Engine, lost: str, phases: Sequence[Phase] | None = None) -> list[Played]:
    work = workspace()
    settings = work.settings("prod")
    _, refusals = engine.up(settings, frozenset())
    assert refusals == []
    chosen = load_plan(plan_path(work.program, "prod"))[lost] if phases is None else phases
    return list(phases_played(work, engine, settings, lost, chosen))


@pytest.mark.parametrize("kind", ["built-in", pytest.param("real CLI", marks=pytest.mark.real_cli)])
def test_prod_survives_the_first_region_and_comes_home(kind: str, tmp_path: Path) -> None:
    work = workspace(tmp_path)
    engine = BuiltIn(work, "prod") if kind == "built-in" else RealCli(work, "prod", work.settings("prod"))
    away, copied, home, whole = played(engine, LOST)
    for phase in (away, copied, home, whole):
        assert phase.refusals == ()
    # Only grants are replaced: the survivor is promoted in place.
    assert away.replaced
    assert all(name.endswith("(IAMMember)") for name in away.replaced)
    assert set(away.counts) == {"create", "update", "replace"}
    (promoted,) = (one for one in away.states if one.outputs.get("name") == "aiprod-postgres-replica-2")
    assert promoted.outputs["masterInstanceName"] == ""
    assert (
        f"service aiprod-v33-api in {LEFT} writes to aiprod-postgres-replica-2 in {LEFT}" in away.serves.ways
    )
    assert {way.split(" in ")[1].split()[0] for way in away.serves.ways} == {LEFT}
    # What runs in the region that comes back may not write beside the new primary.
    assert {way for way in copied.serves.ways if f" in {LOST} " in way} == {
        f"worker pool {pool} in {LOST} can write nowhere: nobody may log in to aiprod-postgres any more"
        for pool in ("aiprod-worker", "aiprod-batch-worker")
    }
    for phase in (home, whole):
        assert all(
            way.endswith(f" writes to aiprod-postgres-replica-3 in {LOST}") for way in phase.serves.ways
        )
        assert any(way.startswith(f"service aiprod-v33-api in {LOST}") for way in phase.serves.ways)


def test_prod_survives_the_second_region_without_a_promotion() -> None:
    away, back = played(BuiltIn(workspace(), "prod"), LEFT)
    assert (away.refusals, back.refusals) == ((), ())
    assert all("writes to aiprod-postgres in europe-west1" in way for way in away.serves.ways)
    assert len(back.serves.ways) == len(away.serves.ways) + 1


@pytest.mark.parametrize("lost", [LOST, LEFT])
def test_prod_pinned_to_a_revision_survives_too(lost: str) -> None:
    work = workspace()
    named = dict.fromkeys((LOST, LEFT), "aiprod-v33-api-00007-abc")
    pinned = {"release.traffic": {"kind": "pinned", "revisions": named}}
    settings = with_settings(work.program, work.settings("prod"), pinned)
    engine = BuiltIn(work, "prod")
    assert engine.up(settings, frozenset())[1] == []
    first = load_plan(plan_path(work.program, "prod"))[lost][:1]
    assert [one.refusals for one in phases_played(work, engine, settings, lost, first)] == [()]


@pytest.mark.parametrize(
    ("row", "remains", "note"),
    [
        (("service", "aiprod-v33-api", LOST), False, ""),
        (("service", "aiprod-v33-api", LEFT), True, ""),
        (("worker pool", "aiprod-worker", LOST), False, ""),
        (("database", "aiprod-postgres", LOST), False, "takes writes"),
        (("database", "aiprod-postgres-replica-2", LEFT), True, "promote it"),
        (("cache", "aiprod-cache", LOST), False, ""),
        (("key ring", "aiprod-keyring", LOST), False, ""),
        (("key ring", "aiprod-keyring", LEFT), True, ""),
        (("secret", "suno-api-key", f"{LOST}, {LEFT}"), True, f"can be read in {LEFT}; takes no new version"),
        (("topic", "aiprod-pipeline-jobs", "global"), True, f"its key lies in {LOST}"),
        (("bucket", "aiprod-484120-results", LOST), False, ""),
        (("images", "aiprod", "europe"), True, ""),
    ],
)
def test_survey_says_what_remains_and_what_follows(
    row: tuple[str, str, str], remains: bool, note: str
) -> None:
    found = rows(LOST)[row]
    assert (found.remains, note in found.note) == (remains, True)


def test_until_something_is_done_the_survivor_writes_into_the_lost_region() -> None:
    broken = serving(before(), LOST).broken
    assert f"service aiprod-v33-api in {LEFT} mounts aiprod-postgres in {LOST}" in broken
    assert f"the load balancer still sends requests to aiprod-v33-api in {LOST}" in broken
    assert f"topic aiprod-pipeline-jobs is encrypted by a key in {LOST}" in broken
    assert serving(before()).broken == ()


def test_a_refresh_is_refused_for_everything_that_lies_there() -> None:
    work = workspace()
    engine = BuiltIn(work, "prod")
    engine.up(work.settings("prod"), frozenset())
    states = list(engine.states())
    versions = [one for one in states if one.type.endswith(":SecretVersion")]
    refused = engine.refresh(work.settings("prod"), frozenset({LOST}))
    assert refused == len(holds(states, LOST))
    assert {one.urn for one in versions} <= {one.urn for one in holds(states, LOST)}
    assert list(engine.states()) == states


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"lost_region": LOST}, "lost_region must not hold the database that services write to"),
        ({"api.second_region": {"min_instances": 2, "max_instances": 20}}, "still sends requests"),
        ({"redis.name": "aiprod-cache-b"}, "is protected and would be replaced"),
    ],
)
def test_fails_when_a_phase_does_not_work(settings: dict[str, object], sentence: str) -> None:
    phase = Phase(title="t", reachable=False, settings=settings, steps=["s"])
    found = played(BuiltIn(workspace(), "prod"), LOST, [phase, phase])
    assert len(found) == 1, "a phase that does not work is the last"
    assert any(sentence in refusal for refusal in found[0].refusals)


@pytest.mark.parametrize("stack", ["dev", "staging"])
def test_a_stack_without_a_second_region_says_that_nothing_remains(
    stack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["region-loss", "--stack", stack]) == 1
    out = capsys.readouterr().out
    assert f"{stack} does not survive the loss of {LOST}: no service and no database remain" in out
    assert "what it means: nothing answers until the region is back" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--region", "europe-west9"], "REGION must be one that holds something of dev, got europe-west9"),
        (["--region", "Mars"], "REGION must name a region, got 'Mars'"),
        (["--target", "gcp"], "region-loss is played in the sandbox, got --target gcp"),
        (["--stack", "nowhere"], "stack 'nowhere' is unknown"),
    ],
)
def test_fails_when_there_is_nothing_to_lose(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["region-loss", "--stack", "dev", *arguments]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("regions: {europe-west1: []}", "regions.europe-west1: List should have at least 1 item"),
        ("regions: {r: [{title: t, reachable: true, steps: [s]}]}", "regions.r.0.settings: Field required"),
        ("regions: [", "cannot be read as YAML"),
        ("more: 1", "regions: Field required"),
    ],
)
def test_fails_when_the_plan_is_no_good(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "prod.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        load_plan(path)
    assert sentence in str(refused.value)
    assert load_plan(tmp_path / "none.yaml") == {}


def test_fails_when_a_lost_region_is_asked_of_google(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--stack", "dev", "--target", "gcp", "--lost-region", LOST]) == 2
    assert f"{LOST} belongs to another --target" in capsys.readouterr().err
