"""`make promote` and `make attest`: a digest that one environment has verified runs in the next one.

Promotion copies nothing, since every environment pulls from one repository: it vouches for the digest as the
next environment's attestor and writes one line of its stack file. Killed in between, it leaves the file
whole, and a second run ends what is missing. The sandbox says what would be asked, signed and written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facts.images import BY_DIGEST
from review.attestations import Attestor, promoted, verified
from review.real_cli import project_id
from review.release_line import image_in, without_images, written
from review.running import refuse_not_running, refuse_untagged
from review.worktree import committed
from sandbox.errors import UsageError
from sandbox.project import PLACEHOLDER, Program, load_stack
from sandbox.state import write_atomically

__all__ = ["ENVIRONMENTS", "attest", "promote"]

ENVIRONMENTS: Final = ("dev", "staging", "prod")
"""From the lowest to the highest; a digest goes up one step at a time."""
REFUSED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stack:
    """What promotion reads of a stack."""

    name: str
    path: Path
    project: str
    registry: str
    regions: tuple[str, ...]
    images: Mapping[str, str]

    @classmethod
    def read(cls, program: Program, name: str, *, real: bool) -> _Stack:
        values = load_stack(program, name, examples=not real).values
        project = project_id(values, program.name)
        path = program.stack_file(name)
        if not project or PLACEHOLDER in project:
            raise UsageError(f"{path.name}: {program.name}:project_id is {project or 'missing'}: set it")
        home = _section(values, program, "images").get("project_id", project)
        repository = values.get(f"{program.name}:repository")
        return cls(
            name=name,
            path=path,
            project=project,
            registry=f"europe-docker.pkg.dev/{home}/{repository}/",
            regions=tuple(
                region
                for key in ("region", "second_region")
                if (region := values.get(f"{program.name}:{key}"))
            ),
            images=_section(values, program, "release").get("images", {}),
        )

    def place(self, key: str) -> str:
        """Where that image must be; the collector may come from a mirror, another repository there."""
        return f"{self.registry.rsplit('/', 2)[0]}/" if key == "collector" else self.registry

    def image(self, key: str) -> str:
        """What the release runs. Raises UsageError without a release, and on an image it does not name."""
        if not self.images:
            raise UsageError(
                f"{self.path.name}: {self.name} must have a release with images, got none: deploy one there "
                "first"
            )
        if key not in self.images:
            raise UsageError(
                f"IMAGE must be one that the release of {self.name} names, got {key!r}: name "
                f"{', '.join(sorted(self.images))}"
            )
        if PLACEHOLDER in self.images[key]:
            raise UsageError(
                f"{self.path.name}: release.images.{key} must be an image by digest, got {PLACEHOLDER}: "
                f"deploy one in {self.name} first"
            )
        if re.fullmatch(BY_DIGEST, str(self.images[key])) is None:
            raise UsageError(
                f"{self.path.name}: release.images.{key} must be an image by digest, HOST/PATH@sha256:DIGEST"
                f", got {self.images[key]!r}: name it by digest and deploy it in {self.name} first"
            )
        return self.images[key]


def promote(
    program: Program, source: str, target: str, key: str, say: Callable[[str], None], *, real: bool
) -> int:
    """Vouch for the digest of image ``key`` in ``target`` and write it into its stack file.

    1 where ``source`` has not verified it. Raises UsageError on everything else that cannot be promoted.
    """
    _refuse_order(source, target)
    for stack in (source, target):
        load_stack(program, stack)
    lower, upper = (_Stack.read(program, name, real=real) for name in (source, target))
    image = lower.image(key)
    place = upper.place(key)
    if not image.startswith(place):
        raise UsageError(
            f"release.images.{key} of {source} must be in {place.rstrip('/')}, from which {target} "
            f"pulls, got {image}: push it there and deploy it in {source}"
        )
    before = upper.path.read_text(encoding="utf-8")
    after = written(before, upper.path.name, key, image)
    evidence, seal = verified(lower.project, source), promoted(upper.project, target)
    if not real:
        _rehearse(upper, key, image, evidence, seal, say, changed=after != before)
        return 0
    _refuse_uncommitted(lower.path)
    _refuse_edited(upper.path, before)
    if not evidence.attests(image):
        say(
            f"promote: {image} must be verified in {source}, and {evidence.name} does not say so: verify it, "
            f"then make attest STACK={source} TARGET=gcp"
        )
        return REFUSED
    if image.startswith(upper.registry):
        refuse_untagged(image)
    if seal.sign(image):
        say(f"promote: {seal.name} vouches for {image}")
    if after == before:
        say(f"promote: {upper.path.name} says so already")
    else:
        write_atomically(upper.path, after)
        say(f"promote: {upper.path.name}: wrote release.images.{key}; review and commit it")
    others = _others(before, upper, lower, key)
    if others:
        say(f"promote: {', '.join(others)} of {source} and {target} differ too: IMAGE={others[0]} is next")
    return 0


def attest(program: Program, stack: str, key: str, say: Callable[[str], None], *, real: bool) -> int:
    """Say that ``stack`` has verified the digest of image ``key`` that its release names."""
    load_stack(program, stack)
    if stack not in ENVIRONMENTS[:-1]:
        raise UsageError(
            f"STACK must be one that something is promoted from, {' or '.join(ENVIRONMENTS[:-1])}, got "
            f"{stack!r}: name one of them"
        )
    found = _Stack.read(program, stack, real=real)
    image, attestor = found.image(key), verified(found.project, stack)
    place = found.place(key)
    if not image.startswith(place):
        raise UsageError(
            f"release.images.{key} of {stack} must be in {place.rstrip('/')}, got {image}: push it "
            "there and deploy it again"
        )
    if not real:
        say(
            "attest (sandbox): nothing is asked or signed. TARGET=gcp would ask Cloud Run in "
            f"{found.project} whether it runs {image} alone, and the registry for its tag, and run gcloud "
            f"{_line(attestor, image)}."
        )
        return 0
    _refuse_uncommitted(found.path)
    refuse_not_running(found.project, found.regions, key, image)
    # A mirror fetches again what it no longer has.
    if image.startswith(found.registry):
        refuse_untagged(image)
    if attestor.sign(image):
        say(f"attest: {attestor.name} says that {image} was verified")
    else:
        say(f"attest: {attestor.name} says so already of {image}")
    return 0


def _refuse_order(source: str, target: str) -> None:
    for option, stack in (("FROM", source), ("TO", target)):
        if stack not in ENVIRONMENTS:
            raise UsageError(f"{option} must be {', '.join(ENVIRONMENTS)}, got {stack!r}: name one of them")
    if source == ENVIRONMENTS[-1]:
        raise UsageError(
            f"FROM must be an environment below {source}, got {source!r}: nothing comes after it"
        )
    following = ENVIRONMENTS[ENVIRONMENTS.index(source) + 1]
    if target != following:
        raise UsageError(
            f"TO must be {following}, the environment after {source}, got {target!r}: promote step by step, "
            "upwards"
        )


def _refuse_edited(path: Path, text: str) -> None:
    """Refuse a file in which more than images waits to be committed: the change must be seen alone."""
    before = committed(path)
    if before is not None and without_images(before) != without_images(text):
        raise UsageError(
            f"{path.name} must have no other change that is not committed: commit or undo it, so that a "
            "promotion is reviewed alone"
        )


def _refuse_uncommitted(path: Path) -> None:
    """Refuse a file in which anything waits: what it names is vouched for, so it must have been seen."""
    if committed(path) not in (None, path.read_text(encoding="utf-8")):
        raise UsageError(
            f"{path.name} must have no change that is not committed: commit or undo it, so that nobody "
            "vouches for what was not reviewed"
        )


def _rehearse(
    upper: _Stack,
    key: str,
    image: str,
    evidence: Attestor,
    seal: Attestor,
    say: Callable[[str], None],
    *,
    changed: bool,
) -> None:
    line = f"write release.images.{key}: {image} into {upper.path.name}"
    if not changed:
        line = f"leave {upper.path.name}, which names that image already"
    say(
        f"promote (sandbox): nothing is asked, signed or written. TARGET=gcp would run gcloud "
        f"{' '.join(evidence.listing(image))}, refuse when it finds nothing, else run gcloud "
        f"{_line(seal, image)}, and {line}."
    )


def _line(attestor: Attestor, image: str) -> str:
    return f"{' '.join(attestor.signing(image))} with the key of that attestor"


def _others(before: str, upper: _Stack, lower: _Stack, key: str) -> list[str]:
    """Images that both releases name and that differ."""
    return [
        name
        for name, image in sorted(lower.images.items())
        if name != key and image_in(before, upper.path.name, name) not in (None, image)
    ]


def _section(values: Mapping[str, str], program: Program, key: str) -> Mapping[str, Any]:
    return json.loads(values.get(f"{program.name}:{key}") or "{}") or {}
