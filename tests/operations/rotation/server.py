"""A real PostgreSQL with TLS, started for the tests from Debian's package."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from psycopg import sql

FIRST = "First-password-of-the-program-1"
USERS = ("app_a", "app_b")


@dataclass(frozen=True)
class Server:
    """Where it listens and how to trust it; an operator comes in through the socket folder."""

    port: int
    ca_file: str
    folder: str
    tls: bool = True

    def operator(self, database: str = "postgres") -> psycopg.Connection:
        """Who may do everything."""
        return psycopg.connect(host=self.folder, port=self.port, user="postgres", dbname=database)

    def log(self) -> str:
        """What it wrote down."""
        return (Path(self.folder) / "log").read_text(encoding="utf-8")

    def set_password(self, user: str, password: str) -> None:
        """As Cloud SQL does it."""
        with self.operator() as operator:
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            operator.execute(statement.format(sql.Identifier(user), sql.Literal(password)))


def installed() -> Path:
    """The folder of `initdb` and `postgres`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    pytest.skip("PostgreSQL is not installed: apt-get install postgresql")


@contextmanager
def running() -> Generator[Server]:
    """A cluster with the rotator's users."""
    with cluster() as server:
        with server.operator() as operator:
            operator.execute("CREATE ROLE application NOLOGIN")
            for user in USERS:
                operator.execute(
                    sql.SQL("CREATE ROLE {} LOGIN IN ROLE application PASSWORD {}").format(
                        sql.Identifier(user), sql.Literal(f"{FIRST}-{user}")
                    )
                )
        yield server


@contextmanager
def cluster(
    programs: Path | None = None,
    *,
    tls: bool = True,
    plain: bool = False,
    options: Mapping[str, str | int] | None = None,
) -> Generator[Server]:
    """A cluster in a folder of its own, gone afterwards; of these programs, with further options.

    `tls` offers it, and `plain` lets clients in that do without.
    """
    programs = programs or installed()
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    certificate(folder)
    if user is not None:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user, user)
    data, port = folder / "data", _free_port()
    command = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"]
    subprocess.run(command, user=user, check=True, capture_output=True, cwd=folder)
    kind = "host" if plain else "hostssl"
    (data / "pg_hba.conf").write_text(
        f"local all postgres trust\n{kind} all all 127.0.0.1/32 scram-sha-256\n"
    )
    given = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "ssl": "on" if tls else "off",
        "ssl_cert_file": folder / "server.crt",
        "ssl_key_file": folder / "server.key",
        "fsync": "off",
        **(options or {}),
    }
    settings = [text for key, value in given.items() for text in ("-c", f"{key}={value}")]
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, *settings],
        user=user,
        stdout=log,
        stderr=log,
        cwd=folder,
        # What it connects to as a client, it does without the files of whoever runs the tests.
        env={**os.environ, "HOME": str(folder)},
    )
    try:
        server = Server(port=port, ca_file=str(folder / "ca.crt"), folder=str(folder), tls=tls)
        _wait(server, process)
        yield server
    finally:
        # Fast: it does not wait for a subscriber to go.
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, (Path(server.folder) / "log").read_text()
        try:
            server.operator().close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("PostgreSQL did not start within 20 s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> None:
    """An authority of its own and a server certificate signed by it, as Cloud SQL has for an instance."""
    now = datetime.now(UTC)
    names = {name: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("ca", "server")}
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    for name, own in (("ca", authority), ("server", key)):
        certificate = (
            x509.CertificateBuilder()
            .subject_name(names[name])
            .issuer_name(names["ca"])
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
            .sign(authority, hashes.SHA256())
        )
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.key").write_bytes(private)
    (folder / "server.key").chmod(0o600)
    # libpq reads the authority as whoever runs the tests.
    folder.chmod(0o755)
