"""The world as data, fixtures, provider functions, random values."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud import Cloud, World, WorldFacts, load_fixture
from sandbox.cloud.world_facts import Lookup
from sandbox.errors import CloudError, UsageError
from sandbox.values import UNKNOWN, Archive, Asset, Opaque, Secret
from tests.sandbox.cloud.stage import GOOD, PROJECT, PROVIDER, RUN, Stage, T

PASSWORD = "random:index/randomPassword:RandomPassword"


@dataclass
class _Managed:
    type: str
    id: str
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])


class TestWorld:
    def test_comes_back_from_its_data(self) -> None:
        stage = Stage()
        stage.delete("CryptoKey")
        data = json.loads(json.dumps(stage.world.to_json()))
        assert World.from_json(data).to_json() == data

    @pytest.mark.parametrize(
        ("type", "takes_all"),
        [("gcp:binaryauthorization/policy:Policy", False), ("gcp:organizations/project:Project", True)],
    )
    def test_a_setting_of_a_project_takes_nothing_of_it_along(self, type: str, takes_all: bool) -> None:
        stage = Stage()
        before = len(stage.world)
        stage.world.add(type, f"projects/{PROJECT}", {}, {})
        stage.world.remove_with_contents(type, f"projects/{PROJECT}")
        assert stage.world.get(type, f"projects/{PROJECT}") is None
        assert (len(stage.world) < before) == takes_all

    def test_holds_no_readable_secret(self) -> None:
        text = json.dumps(Stage().world.to_json())
        assert "hidden value" not in text
        again = World.from_json(json.loads(text)).find(T["SecretVersion"])[0]
        assert isinstance(again.inputs["secretData"].value, Opaque)

    def test_the_same_secret_has_another_digest_in_another_world(self) -> None:
        first, second = World(), World()
        for world in (first, second):
            world.add("t", "i", {"a": Secret("x")}, {})
        one, two = first.to_json()["resources"], second.to_json()["resources"]
        assert one != two

    def test_a_secret_that_is_known_is_told_again_and_another_is_not(self) -> None:
        stage = Stage()
        record = stage.record("SecretVersion")
        world = World.from_json(json.loads(json.dumps(stage.world.to_json())))
        cloud = Cloud(world)
        type, id = T["SecretVersion"], record.id
        told = cloud.read(type, "urn", id, record.inputs, record.outputs, provider=PROVIDER)
        assert told == (record.inputs, record.outputs)
        plain = {**record.inputs, "secretData": record.inputs["secretData"].value}
        assert cloud.read(type, "urn", id, plain, record.outputs, provider=PROVIDER) == told
        other = {**record.inputs, "secretData": Secret("another value")}
        found = cloud.read(type, "urn", id, other, record.outputs, provider=PROVIDER)
        assert found is not None
        assert isinstance(found[0]["secretData"].value, Opaque)
        assert cloud.read(type, "urn", id, None, provider=PROVIDER) is not None

    @pytest.mark.parametrize(
        ("known", "other"),
        [
            (Asset("a" * 64, path="here"), Asset("b" * 64, path="here")),
            (Archive("a" * 64, assets={"x": Asset("c" * 64)}), Archive("b" * 64)),
        ],
    )
    def test_a_file_that_is_known_is_told_with_its_place_and_another_by_its_hash(
        self, known: Asset | Archive, other: Asset | Archive
    ) -> None:
        world = World()
        world.add("t", "i", {"source": known}, {})
        world = World.from_json(json.loads(json.dumps(world.to_json())))
        kept = world.find("t")[0].inputs
        told = world.told(kept, {"source": replace(known, path="there")})["source"]
        assert (told, told.path) == (known, "there")
        assert world.told(kept, {"source": other}) == {"source": known}
        assert type(kept["source"]) is type(known)

    def test_a_copy_is_independent(self) -> None:
        stage = Stage()
        copy = stage.world.copy()
        stage.delete("GlobalForwardingRule")
        stage.world.facts.images.add("x")
        assert copy.find(T["GlobalForwardingRule"])
        assert copy.facts.images == set()

    def test_is_made_of_managed_resources(self) -> None:
        topic = _Managed(T["Topic"], f"{RUN}/topics/a", {"name": "a"})
        stack = _Managed("pulumi:pulumi:Stack", "")
        world = World.from_resources([topic, stack])
        assert [record.id for record in world] == [f"{RUN}/topics/a"]
        assert world.at(f"{RUN}/topics/a") is not None

    def test_what_lives_inside_goes_too(self) -> None:
        stage = Stage()
        stage.delete("DatabaseInstance")
        assert stage.world.find(T["Database"], T["User"]) == []

    def test_an_abandoned_resource_stays(self) -> None:
        stage = Stage()
        stage.change("Topic", {**GOOD["Topic"], "deletionPolicy": "ABANDON"})
        stage.delete("Topic")
        assert stage.world.find(T["Topic"])

    def test_deleting_what_is_gone_is_fine(self) -> None:
        Stage().cloud.delete(T["Topic"], "urn", "projects/x/topics/gone", {}, {"deletionPolicy": "PREVENT"})

    def test_reads_what_is_there(self) -> None:
        stage = Stage()
        record = stage.record("Topic")
        assert stage.cloud.read(T["Topic"], "urn", record.id, None) == (record.inputs, record.outputs)
        assert stage.cloud.read(T["Topic"], "urn", "projects/x/topics/none", None) is None


class TestFacts:
    @pytest.mark.parametrize("assumed", [True, False])
    def test_what_is_assumed_of_revisions_is_kept(self, assumed: bool) -> None:
        kept = WorldFacts.from_json(WorldFacts(assume_revisions=assumed).to_json())
        assert kept.assume_revisions == assumed
        assert kept.copy().assume_revisions == assumed

    def test_a_second_fixture_adds_to_the_first(self) -> None:
        first = WorldFacts(
            images={"a"}, secret_versions={"s": [1]}, project_numbers={"p": "1"}, assume_release=False
        )
        second = WorldFacts(
            images={"b"},
            secret_versions={"s": [2], "t": [1]},
            enabled_services={"run.googleapis.com"},
            lookups=(Lookup("gcp:a/b:b", {}, {"x": 1}),),
        )
        first.add(second)
        assert first.images == {"a", "b"}
        assert first.secret_versions == {"s": [1, 2], "t": [1]}
        assert first.enabled_services == {"run.googleapis.com"}
        assert first.project_numbers == {"p": "1"}
        assert not first.assume_release
        first.add(WorldFacts(lookups=(Lookup("gcp:a/b:b", {}, {"x": 2}),), stack_outputs={"o/p/s": {"a": 1}}))
        assert [item.result for item in first.lookups] == [{"x": 2}]
        assert first.stack_outputs == {"o/p/s": {"a": 1}}

    def test_answers_come_back_but_for_those_with_a_secret(self) -> None:
        facts = WorldFacts(
            lookups=(
                Lookup("gcp:a/b:b", {"n": "x"}, {"ids": ["i"]}),
                Lookup("gcp:c/d:d", {}, {"versions": [{"secretData": "hidden value"}]}),
            ),
            stack_outputs={"o/p/s": {"a": 1}, "o/p/t": {"a": 1, "b": [Secret("hidden value")]}},
        )
        text = json.dumps(facts.to_json())
        assert "hidden value" not in text
        again = WorldFacts.from_json(json.loads(text))
        assert [item.result for item in again.lookups] == [{"ids": ["i"]}, None]
        assert again.stack_outputs == {"o/p/s": {"a": 1}, "o/p/t": None}
        with pytest.raises(CloudError, match="holds a secret, which is not kept; give the fixture again"):
            Cloud(World(again)).invoke("gcp:c/d:d", {}, provider=PROVIDER)

    def test_what_is_borrowed_is_seen_and_not_kept(self) -> None:
        world = World()
        mark = world.mark()
        theirs, key = World().add("t", "i", {"a": 1}, {}), ("t", "i")
        world.borrow(theirs)
        assert world.copy().get(*key) is theirs
        assert world.to_json()["resources"] == []
        assert world.since(mark) == {}
        world.own([key])
        assert [item["id"] for item in world.to_json()["resources"]] == ["i"]
        world.borrow(theirs)
        assert world.copy().to_json()["resources"]


class TestFixture:
    def _load(self, tmp_path: Path, text: str) -> World:
        path = tmp_path / "fixture.yaml"
        path.write_text(text, encoding="utf-8")
        return load_fixture(path).world

    def test_reads_every_key(self, tmp_path: Path) -> None:
        digest = "0" * 64
        world = self._load(
            tmp_path,
            f"""
images: ["europe-docker.pkg.dev/p/r/api@sha256:{digest}"]
secret_versions: {{"projects/p/secrets/s": [1, 2]}}
services: ["run.googleapis.com"]
projects: {{"p-project": "123456789012"}}
resources:
  - {{type: "{T["KeyRing"]}", id: "projects/p/locations/l/keyRings/r", inputs: {{name: r}}}}
""",
        )
        assert world.facts.images == {f"europe-docker.pkg.dev/p/r/api@sha256:{digest}"}
        assert world.facts.secret_versions == {"projects/p/secrets/s": [1, 2]}
        assert world.facts.enabled_services == {"run.googleapis.com"}
        assert world.project_number("p-project") == "123456789012"
        assert world.at("projects/p/locations/l/keyRings/r") is not None
        assert not world.facts.assume_release

    def test_an_empty_file_is_an_empty_world(self, tmp_path: Path) -> None:
        assert len(self._load(tmp_path, "")) == 0

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("image: []", "did you mean `images`?"),
            ("- a", "it is not a map"),
            ("a: [", "is not YAML"),
            ("images: x", "`images` must be a list"),
            ("images: [api:latest]", "`images[0]` must be of the form"),
            ("secret_versions: {s: [1]}", "projects/PROJECT/secrets/NAME"),
            ("secret_versions: {projects/p/secrets/s: [0]}", "version numbers from 1"),
            ("services: [run]", "`services[0]`"),
            ("lookups: [{function: 'gcp:a/b:b', result: {day: 2030-01-01}}]", "not a date; put it in quotes"),
            ("lookups: [{function: 'gcp:a/b:b', result: {1: 2}}]", "write '1' in quotes"),
            ("lookups: [{function: 'gcp:a/b:b', result: &x {a: *x}}]", "nested deeper"),
            ("projects: {p: x}", "project number"),
            ("resources: [1]", "`resources[0]` must be a map"),
            ("resources: [{type: x, id: y}]", "`resources[0].type`"),
            (f"resources: [{{type: '{T['Topic']}'}}]", "`resources[0].id`"),
            (f"resources: [{{type: '{T['Topic']}', id: a, input: {{}}}}]", "`resources[0].input`"),
            (f"resources: [{{type: '{T['Topic']}', id: a, inputs: 1}}]", "`resources[0].inputs`"),
            (f"resources: [{{type: '{T['Topic']}', id: a}}, {{type: '{T['Topic']}', id: a}}]", "twice"),
        ],
    )
    def test_refuses_in_one_sentence(self, tmp_path: Path, text: str, words: str) -> None:
        with pytest.raises(UsageError) as refused:
            self._load(tmp_path, text)
        assert words in refused.value.args[0]
        assert refused.value.args[0].endswith(".")
        assert "\n" not in refused.value.args[0]

    def test_a_missing_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            load_fixture(tmp_path / "none.yaml")

    def test_a_live_resource_of_a_fixture_gets_its_outputs_when_it_is_read(self, tmp_path: Path) -> None:
        id = f"{RUN}/topics/live"
        world = self._load(
            tmp_path, f"resources: [{{type: '{T['Topic']}', id: '{id}', inputs: {{name: live}}}}]"
        )
        found = Cloud(world).read(T["Topic"], "urn", id, None, provider=PROVIDER)
        assert found is not None
        assert found[1]["project"] == PROJECT


class TestInvoke:
    def _invoke(self, token: str, **args: Any) -> dict[str, Any]:
        return Cloud(World()).invoke(token, args, provider=PROVIDER)

    def test_the_project(self) -> None:
        answer = self._invoke("gcp:organizations/getProject:getProject")
        assert answer["projectId"] == PROJECT
        assert answer["number"] == World().project_number(PROJECT)

    def test_the_agent_of_storage_exists_once_it_is_asked_for(self) -> None:
        world = World()
        answer = Cloud(world).invoke(
            "gcp:storage/getProjectServiceAccount:getProjectServiceAccount", {}, provider=PROVIDER
        )
        assert answer["member"] == f"serviceAccount:{answer['emailAddress']}"
        assert answer["emailAddress"] in world.facts.asked_agents

    def test_zones(self) -> None:
        assert self._invoke("gcp:compute/getZones:getZones")["names"][0].startswith("europe-west1-")

    def test_a_key_ring_that_is_not_there(self) -> None:
        with pytest.raises(CloudError, match="does not exist"):
            self._invoke("gcp:kms/getKMSKeyRing:getKMSKeyRing", name="r", location="l")

    def test_a_key_version_that_is_not_there(self) -> None:
        with pytest.raises(CloudError, match=r"`cryptoKey` k does not exist; create it first"):
            self._invoke("gcp:kms/getKMSCryptoKeyVersion:getKMSCryptoKeyVersion", cryptoKey="k", version=1)

    def test_a_function_that_it_does_not_know(self) -> None:
        with pytest.raises(
            CloudError, match=r"with no arguments; give its result in a fixture .* under `lookups`"
        ):
            self._invoke("gcp:organizations/getProjects:getProjects")


class TestRandom:
    def _make(self, type: str, inputs: dict[str, Any], urn: str = "urn") -> tuple[str, dict[str, Any]]:
        cloud = Cloud(World())
        assert cloud.check(type, urn, None, inputs, b"")[1] == []
        return cloud.create(type, urn, inputs, preview=False)

    def test_a_password_meets_its_rules_and_is_secret(self) -> None:
        inputs = {"length": 24, "minSpecial": 4, "minNumeric": 3, "overrideSpecial": "_-"}
        _, outputs = self._make(PASSWORD, inputs)
        assert isinstance(outputs["result"], Secret)
        assert isinstance(outputs["bcryptHash"], Secret)
        text = outputs["result"].value
        assert len(text) == 24
        assert sum(letter in "_-" for letter in text) >= 4
        assert sum(letter.isdigit() for letter in text) >= 3
        assert self._make(PASSWORD, {**inputs, "keepers": {"a": "1"}})[1]["result"] != outputs["result"]
        assert self._make(PASSWORD, inputs)[1] == outputs

    def test_without_special_letters(self) -> None:
        _, outputs = self._make("random:index/randomString:RandomString", {"length": 40, "special": False})
        assert outputs["result"].isalnum()

    def test_an_id(self) -> None:
        _, outputs = self._make("random:index/randomId:RandomId", {"byteLength": 4, "prefix": "p-"})
        assert outputs["hex"].startswith("p-")
        assert len(outputs["hex"]) == 10

    def test_the_others(self) -> None:
        assert self._make("random:index/randomPet:RandomPet", {"length": 3})[0].count("-") == 2
        assert len(self._make("random:index/randomUuid:RandomUuid", {})[0]) == 36
        number = self._make("random:index/randomInteger:RandomInteger", {"min": 5, "max": 7})[1]["result"]
        assert 5 <= number <= 7
        made = self._make("random:index/randomBytes:RandomBytes", {"length": 4})[1]
        assert base64.b64decode(made["base64"].value) == bytes.fromhex(made["hex"].value)
        shuffled = self._make("random:index/randomShuffle:RandomShuffle", {"inputs": ["a", "b", "c"]})[1]
        assert sorted(shuffled["results"]) == ["a", "b", "c"]

    @pytest.mark.parametrize(
        ("inputs", "words"),
        [
            ({}, "`length` is required"),
            ({"length": 0}, "from 1 to"),
            ({"length": True}, "must be a whole number"),
            ({"length": 4, "minLower": 5}, "at least 5"),
            ({"length": 4, "lenght": 5}, "did you mean `length`?"),
        ],
    )
    def test_refuses(self, inputs: dict[str, Any], words: str) -> None:
        _, failures = Cloud(World()).check(PASSWORD, "urn", None, inputs, b"")
        assert any(words in failure.reason for failure in failures), failures

    def test_a_preview_knows_nothing(self) -> None:
        id, outputs = Cloud(World()).create(PASSWORD, "urn", {"length": 8}, preview=True)
        assert id == ""
        assert outputs["result"] == Secret(UNKNOWN)

    def test_is_read_as_it_was_made(self) -> None:
        cloud = Cloud(World())
        _, outputs = cloud.create(PASSWORD, "urn", {"length": 8}, preview=False)
        assert cloud.read(PASSWORD, "urn", "none", {"length": 8}) == ({"length": 8}, outputs)
        assert cloud.read(PASSWORD, "urn", "none", None) is None
