"""What can go wrong in a way that a person caused and can mend. Each carries one sentence."""

from __future__ import annotations

__all__ = ["CloudError", "UsageError"]


class UsageError(Exception):
    """Wrong use: a file, a name or an option. The command ends with exit code 2.

    The sentence names the field, the rule, the value and the remedy.
    """


class CloudError(Exception):
    """The stand-in cloud refuses, with the status that Google's API gives.

    ``code`` is the HTTP status, ``reason`` Google's word for it (``ALREADY_EXISTS``), ``behaviour`` the id of
    the behaviour that refused and ``source`` where that behaviour is documented.
    """

    def __init__(
        self, code: int, reason: str, message: str, *, behaviour: str = "", source: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.behaviour = behaviour
        self.source = source

    @property
    def uncertain(self) -> bool:
        """Whether the call may have taken place all the same."""
        return self.code == 408 or self.code >= 500

    def __str__(self) -> str:
        return f"{self.message} (Error {self.code}: {self.reason})"
