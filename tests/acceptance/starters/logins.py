"""Two database users whose passwords a Vault's engine changes, and whoever asks whether a password is good."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
from tests.servers.openbao import OpenBao
from tests.servers.postgres15 import Postgres15

COLOURS = ("blue", "green")
_ENGINE = "vault-engine-password"


@dataclass(frozen=True, slots=True)
class Logins:
    """The users `app_blue` and `app_green` of a PostgreSQL, as static roles of a tenant's database engine."""

    vault: OpenBao
    postgres: Postgres15
    tenant: str

    def set_up(self) -> None:
        """Afterwards the engine knows both users and has given each a password."""
        with self.postgres.admin.connect() as connection:
            connection.execute(f"CREATE ROLE vault LOGIN CREATEROLE PASSWORD '{_ENGINE}'")
            for colour in COLOURS:
                connection.execute(f"CREATE ROLE app_{colour} LOGIN PASSWORD 'never-used-password'")
        engine, where = f"database/{self.tenant}", f"{self.postgres.host}:{self.postgres.port}/atom"
        self.vault.request("POST", f"sys/mounts/{engine}", {"type": "database"})
        connection_ = {
            "plugin_name": "postgresql-database-plugin",
            "connection_url": f"postgresql://{{{{username}}}}:{{{{password}}}}@{where}?sslmode=disable",
            "allowed_roles": [f"app-{colour}" for colour in COLOURS],
            "username": "vault",
            "password": _ENGINE,
        }
        self.vault.request("POST", f"{engine}/config/main", connection_)
        for colour in COLOURS:
            role = {"db_name": "main", "username": f"app_{colour}", "rotation_period": "24h"}
            self.vault.request("POST", f"{engine}/static-roles/app-{colour}", role)

    def token(self) -> str:
        """A token of the Vault that may change the two passwords, and nothing else."""
        rules = f'path "database/{self.tenant}/rotate-role/app-*" {{ capabilities = ["update"] }}'
        self.vault.request("PUT", "sys/policies/acl/rotate", {"policy": rules})
        made = self.vault.request("POST", "auth/token/create", {"policies": ["rotate"], "ttl": "1h"})
        return str(made["auth"]["client_token"])

    def password(self, colour: str) -> str:
        """The user's present password, as the Vault says it."""
        found = self.vault.request("GET", f"database/{self.tenant}/static-creds/app-{colour}")
        return str(found["data"]["password"])

    def accepts(self, user: str, password: str) -> bool:
        """Whether PostgreSQL lets the user in."""
        host, port = self.postgres.host, self.postgres.port
        try:
            psycopg.connect(
                host=host, port=port, dbname="atom", user=user, password=password, connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def lock_out(self, colour: str) -> None:
        """Afterwards PostgreSQL refuses the user, whatever its password."""
        with self.postgres.admin.connect() as connection:
            connection.execute(f"ALTER ROLE app_{colour} NOLOGIN")

    @contextmanager
    def asked_at(self, host: str) -> Iterator[str]:
        """The URL at which pods ask, as HTTP basic authentication, whether a login is good: 200 or 403."""
        logins = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = self.headers.get("Authorization", "").removeprefix("Basic ")
                user, _, password = base64.b64decode(given).decode().partition(":")
                self.send_response(200 if logins.accepts(user, password) else 403)
                with contextlib.suppress(OSError):
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        with ThreadingHTTPServer((host, 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="logins")
            thread.start()
            try:
                yield f"http://{host}:{server.server_port}/"
            finally:
                server.shutdown()
                thread.join()
