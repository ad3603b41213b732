"""One real PostgreSQL for all, with the roles that Cloud SQL has; a database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.operations.database.world import World, prepare
from tests.operations.rotation.server import Server, running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as one:
        with psycopg.connect(host=one.folder, port=one.port, user="postgres", dbname="postgres") as operator:
            prepare(operator)
        yield one


@pytest.fixture
def world(server: Server, request: pytest.FixtureRequest) -> Iterator[World]:
    name = f"d{abs(hash(request.node.nodeid)) % 10**12}"
    address = f"host={server.folder} port={server.port} user=postgres"
    with psycopg.connect(address, dbname="postgres", autocommit=True) as operator:
        operator.execute(sql.SQL("CREATE DATABASE {} OWNER cloudsqlsuperuser").format(sql.Identifier(name)))
        with psycopg.connect(address, dbname=name, autocommit=True) as own:
            yield World(server=server, name=name, operator=own)
        operator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
