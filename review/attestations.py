"""Attestations of images, asked for and made with the Google Cloud CLI: who vouches for which digest.

An environment's attestor lies in its own project: `verified-<environment>` says that the digest was verified
there, `promoted-<environment>` that it may run there. Its signing key is a version of a key in Cloud KMS.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.errors import UsageError

__all__ = ["Attestor", "promoted", "verified"]

_BINAUTHZ: Final = ("container", "binauthz")
# How the id of a public key in Cloud KMS begins.
_KMS: Final = "//cloudkms.googleapis.com/v1/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestor:
    """One attestor of Binary Authorization."""

    project: str
    name: str

    @property
    def path(self) -> str:
        """The full name, as Google writes it."""
        return f"projects/{self.project}/attestors/{self.name}"

    def attests(self, image: str) -> bool:
        """Whether it vouches for the image. Whoever may attach to its note is believed, as IAM grants it."""
        return bool(self._ask(*self.listing(image), "--format=value(name)"))

    def sign(self, image: str) -> bool:
        """Vouch for the image with the key that the attestor names; False where it does already."""
        if self.attests(image):
            return False
        described = self._ask(
            *_BINAUTHZ,
            *("attestors", "describe", self.name, f"--project={self.project}"),
            "--format=value(userOwnedGrafeasNote.publicKeys[0].id)",
        )
        if not described.startswith(_KMS):
            raise UsageError(
                f"{self.path} must have a key of Cloud KMS, got {described or 'none'}: run make up on the "
                "stack of its project"
            )
        self._ask(*self.signing(image), f"--keyversion={described.removeprefix(_KMS)}")
        return True

    def listing(self, image: str) -> Sequence[str]:
        """What asks for the attestations of an image."""
        return (*_BINAUTHZ, "attestations", "list", f"--attestor={self.path}", f"--artifact-url={image}")

    def signing(self, image: str) -> Sequence[str]:
        """What makes one, without its key."""
        return (
            *("beta", *_BINAUTHZ, "attestations", "sign-and-create"),
            *(f"--project={self.project}", f"--attestor={self.path}", f"--artifact-url={image}"),
        )

    def _ask(self, *arguments: str) -> str:
        command = shutil.which("gcloud")
        if command is None:
            raise UsageError(
                "the Google Cloud CLI (gcloud) is not on PATH: install it, images are attested with it"
            )
        done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise UsageError(
                f"gcloud cannot {_verb(arguments)} {self.path} ({lines[-1]}): log in with `gcloud auth "
                "login` as one who may, and see that the attestor stands"
            )
        return done.stdout.strip()


def verified(project: str, environment: str) -> Attestor:
    """The attestor that says: verified in this environment."""
    return Attestor(project=project, name=f"verified-{environment}")


def promoted(project: str, environment: str) -> Attestor:
    """The attestor that says: promoted into this environment."""
    return Attestor(project=project, name=f"promoted-{environment}")


def _verb(arguments: Sequence[str]) -> str:
    if "sign-and-create" in arguments:
        return "sign as"
    return "read the key of" if "describe" in arguments else "list the attestations of"
