"""Ground to promote on: stack files, a stand-in of the Google Cloud CLI, of Cloud Run and of the registry."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from review.running import ROOTS
from tests.loopback import Handler, LoopbackServer
from tests.repository import begin

REPOSITORY = Path(__file__).parents[2]
REGISTRY = "europe-docker.pkg.dev/aiprod-484120/aiprod"
IMAGE = f"{REGISTRY}/api@sha256:{'c' * 64}"
REGION = "europe-west1"
KEY = "projects/staging-1/locations/europe/keyRings/r/cryptoKeys/promoted/cryptoKeyVersions/1"
# Answers like the Google Cloud CLI: it knows the attestations of the file `attested`, and adds to it.
GCLOUD = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
arguments = sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
if (folder / "broken").exists():
    print("ERROR: you are not logged in", file=sys.stderr)
    sys.exit(1)
options = dict(word.split("=", 1) for word in arguments if word.startswith("--"))
attested = folder / "attested"
line = options.get("--attestor", "") + " " + options.get("--artifact-url", "")
if arguments == ["auth", "print-access-token"]:
    print("TOKEN")
elif "list" in arguments:
    if attested.exists() and line in attested.read_text().splitlines():
        print("projects/p/occurrences/1")
elif "describe" in arguments:
    print((folder / "key").read_text())
else:
    with attested.open("a") as found:
        found.write(line + "\\n")
"""


def serving(image: str, *, name: str = "aiprod-v33-api", **changes: Any) -> dict[str, Any]:
    """A service that runs the image and nothing else."""
    return {
        "name": f"projects/dev-1/locations/{REGION}/services/{name}",
        "template": {"containers": [{"image": image}]},
        "latestCreatedRevision": f"{name}-00002-new",
        "latestReadyRevision": f"{name}-00002-new",
        "trafficStatuses": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
        **changes,
    }


def pool(image: str, **changes: Any) -> dict[str, Any]:
    """A worker pool that runs the image and nothing else."""
    found = serving(image, name="aiprod-worker")
    del found["trafficStatuses"]
    kind = "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST"
    return {**found, "instanceSplitStatuses": [{"type": kind, "percent": 100}], **changes}


def job(image: str) -> dict[str, Any]:
    """A job that runs the image."""
    template = {"template": {"containers": [{"image": image}]}}
    return {"name": f"projects/dev-1/locations/{REGION}/jobs/aiprod-migration", "template": template}


class Google:
    """Cloud Run of dev and the registry, over HTTP; every image has a tag that is not among `untagged`."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.untagged: set[str] = set()
        self.status = 200
        self.asked: list[str] = []
        google = self

        class Answering(Handler):
            def answer(self) -> None:
                google.asked.append(self.path)
                known = self.headers["Authorization"] == "Bearer TOKEN"
                self.send_json(google.status if known else 401, google.answer(self.path))

        self.server = LoopbackServer(Answering)

    def answer(self, path: str) -> Any:
        if "/dockerImages/" in path:
            digest = path.rpartition("@")[2]
            return {} if digest in self.untagged else {"tags": ["v1"]}
        where, _, query = path.partition("?")
        *_, region, kind = where.split("/")
        # One a page.
        found, at = self.runs.get((region, kind), []), int(query.partition("=")[2] or 0)
        more = {"nextPageToken": str(at + 1)} if at + 1 < len(found) else {}
        return {kind: found[at : at + 1], **more}


class Ground:
    """The stack files of the repository, filled in, in a folder of their own with a `gcloud` on PATH.

    dev serves IMAGE, which has a tag.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "program"
        self.tools = folder / "tools"
        self.folder.mkdir()
        self.tools.mkdir()
        shutil.copy(REPOSITORY / "Pulumi.yaml", self.folder)
        shutil.copy(REPOSITORY / "example-values.yaml", self.folder)
        for name in ("dev", "staging", "prod"):
            text = (REPOSITORY / f"Pulumi.{name}.yaml").read_text()
            self.file(name).write_text(text.replace("project_id: REPLACE_ME\n", f"project_id: {name}-1\n"))
        self.change("dev", "api: REPLACE_ME", f"api: {IMAGE}")
        command = self.tools / "gcloud"
        command.write_text(GCLOUD.format(folder=str(self.tools), python=sys.executable))
        command.chmod(0o755)
        (self.tools / "key").write_text(f"//cloudkms.googleapis.com/v1/{KEY}")
        (self.tools / "git").symlink_to(shutil.which("git") or "git")
        monkeypatch.setenv("PATH", str(self.tools))
        monkeypatch.chdir(self.folder)
        self.google = Google()
        self.google.runs[REGION, "services"] = [serving(IMAGE)]
        for service in ROOTS:
            monkeypatch.setitem(ROOTS, service, f"{self.google.server.url}/{service}")

    def file(self, name: str) -> Path:
        return self.folder / f"Pulumi.{name}.yaml"

    def change(self, name: str, old: str, new: str) -> None:
        text = self.file(name).read_text()
        assert old in text
        self.file(name).write_text(text.replace(old, new, 1))

    def verified(self, image: str = IMAGE) -> None:
        with (self.tools / "attested").open("a") as attested:
            attested.write(f"projects/dev-1/attestors/verified-dev {image}\n")

    def attested(self) -> list[str]:
        path = self.tools / "attested"
        return path.read_text().splitlines() if path.exists() else []

    def calls(self) -> list[list[str]]:
        path = self.tools / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def commit(self) -> None:
        begin(self.folder)

    def promote(self, *options: str, source: str = "dev", to: str = "staging", target: str = "gcp") -> int:
        return main(["promote", "--from", source, "--to", to, "--target", target, *options])

    def attest(self, stack: str, *options: str, target: str = "gcp") -> int:
        return main(["attest", "--stack", stack, "--target", target, *options])
