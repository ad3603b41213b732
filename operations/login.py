"""The login of the person at the keyboard, as the Google Cloud CLI gives it."""

from __future__ import annotations

import subprocess

__all__ = ["LoginError", "gcloud_token"]

_COMMAND = ("gcloud", "auth", "print-access-token")
_SECONDS = 60


class LoginError(Exception):
    """There is no token to be had; one sentence."""


def gcloud_token() -> str:
    """An access token, good for about an hour. Raises LoginError."""
    try:
        done = subprocess.run(
            _COMMAND, capture_output=True, text=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL
        )
    except OSError:
        raise LoginError("the Google Cloud CLI (gcloud) must be on PATH, it is not: install it") from None
    except subprocess.TimeoutExpired:
        raise LoginError(f"the Google Cloud CLI gave no token within {_SECONDS} s: try again") from None
    if done.returncode or not done.stdout.strip():
        raise LoginError("the Google Cloud CLI must be logged in, it is not: run `gcloud auth login`")
    return done.stdout.strip()
