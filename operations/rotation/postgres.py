"""A real login, the only proof that a password works."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

__all__ = ["Login", "make_login"]

# (user, password) -> whether the server let them in.
Login = Callable[[str, str], bool]
_INVALID = frozenset({"28P01", "28000"})


def make_login(*, host: str, port: int, database: str, ca_file: str | None) -> Login:
    """A socket folder of Cloud Run's Cloud SQL connector, which speaks TLS itself, or an address with TLS.

    An address is only taken with the file of the authority that signed the server's certificate.
    Errors of the login: psycopg.OperationalError when the server cannot be reached.
    """
    if not host.startswith("/") and ca_file is None:
        raise ValueError(f"host {host} must be a socket folder, or ca_file must name its authority")

    def login(user: str, password: str) -> bool:
        try:
            with psycopg.connect(
                host=host,
                port=port,
                dbname=database,
                user=user,
                password=password,
                connect_timeout=10,
                sslmode="prefer" if ca_file is None else "verify-ca",
                sslrootcert=ca_file,
            ) as connection:
                return connection.execute("SELECT current_user").fetchone() == (user,)
        except psycopg.OperationalError as error:
            # libpq gives no SQLSTATE for a login that failed; the server's text is fixed by its language.
            text = str(error)
            refused = "password authentication failed" in text or getattr(error, "sqlstate", None) in _INVALID
            if refused:
                return False
            raise

    return login
