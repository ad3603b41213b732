"""State secrets in the form of Pulumi's passphrase provider, so that the real CLI reads them.

The form (``pkg/secrets/passphrase`` and ``sdk/go/common/resource/config/crypt.go`` of pulumi/pulumi): the key
is PBKDF2-HMAC-SHA256 of the passphrase with one million rounds; a secret is its JSON text under AES-256-GCM,
written ``v1:<nonce>:<ciphertext>`` in base64; the state names the salt and proves the passphrase by an
encrypted word.
"""

from __future__ import annotations

import base64
import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.errors import UsageError

__all__ = ["PassphraseCrypter"]

_ROUNDS: Final = 1_000_000
_PROOF: Final = "pulumi"


class PassphraseCrypter:
    """Encrypts and decrypts with one passphrase and one salt; the key is derived on first use."""

    def __init__(self, passphrase: str, salt: bytes | None = None) -> None:
        self._passphrase = passphrase
        self._salt = salt if salt is not None else os.urandom(8)

    @classmethod
    def in_folder(cls, folder: Path) -> PassphraseCrypter:
        """The crypter of a sandbox folder.

        The passphrase is ``PULUMI_CONFIG_PASSPHRASE`` when that is set, else a random one that is kept in
        the folder, readable by its owner alone.
        """
        given = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
        if given is not None:
            return cls(given)
        path = folder / "passphrase"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                return cls(path.read_text(encoding="utf-8"))
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(base64.urlsafe_b64encode(os.urandom(32)).decode())
        return cls(path.read_text(encoding="utf-8"))

    @classmethod
    def from_state(cls, passphrase: str, state: dict[str, Any]) -> PassphraseCrypter | None:
        """The crypter that a state file's ``secrets_providers.state`` names.

        None when the passphrase is another one: its secrets stay opaque then.
        """
        version, _, rest = str(state.get("salt", "")).partition(":")
        salt, _, proof = rest.partition(":")
        if version != "v1" or not proof:
            raise UsageError(
                "secrets_providers.state.salt must have the form v1:<salt>:<proof>: "
                "export the state again with `pulumi stack export`"
            )
        try:
            crypter = cls(passphrase, base64.b64decode(salt, validate=True))
        except ValueError as error:
            raise UsageError(
                "secrets_providers.state.salt holds no base64 salt: "
                "export the state again with `pulumi stack export`"
            ) from error
        return crypter if crypter.decrypt(proof) == _PROOF else None

    def same_passphrase(self, state: dict[str, Any]) -> PassphraseCrypter | None:
        """The crypter for another salt under the same passphrase, or None when it does not fit."""
        return PassphraseCrypter.from_state(self._passphrase, state)

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(hashlib.pbkdf2_hmac("sha256", self._passphrase.encode(), self._salt, _ROUNDS, 32))

    @cached_property
    def state(self) -> dict[str, str]:
        """What the state file says of this crypter."""
        salt = base64.b64encode(self._salt).decode()
        return {"salt": f"v1:{salt}:{self.encrypt(_PROOF)}"}

    def encrypt(self, text: str) -> str:
        """The ciphertext of ``text``."""
        nonce = os.urandom(12)
        sealed = self._cipher.encrypt(nonce, text.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, ciphertext: str) -> str | None:
        """The text, or None when it was encrypted with another key."""
        parts = ciphertext.split(":")
        if len(parts) != 3 or parts[0] != "v1":
            return None
        try:
            nonce, sealed = (
                base64.b64decode(parts[1], validate=True),
                base64.b64decode(parts[2], validate=True),
            )
            return self._cipher.decrypt(nonce, sealed, None).decode()
        except (InvalidTag, ValueError):
            return None
