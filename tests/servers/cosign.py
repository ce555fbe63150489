"""The real cosign, built by `tools/build.py`, run offline: no log, no timestamp authority, no network."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.requirement import require
from tools.build import tool


@dataclass(frozen=True, slots=True)
class Cosign:
    """cosign with a folder of its own for home, configuration and scratch files."""

    binary: Path
    folder: Path
    password: str = "correct horse"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """cosign's answer; it is not checked, refusals are answers too."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "COSIGN_PASSWORD": self.password}
        return subprocess.run(
            [str(self.binary), *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def must(self, *arguments: str) -> str:
        """What cosign wrote, having succeeded."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def generate_key_pair(self) -> tuple[bytes, bytes]:
        """The bytes of a new private key file, encrypted with `password`, and of its public key."""
        self.must("generate-key-pair", "--output-key-prefix", "theirs")
        return (self.folder / "theirs.key").read_bytes(), (self.folder / "theirs.pub").read_bytes()

    def sign_blob(self, private_pem: bytes, data: bytes) -> bytes:
        """The bundle of an offline `sign-blob`."""
        key, blob = self._file("signing.key", private_pem), self._file("blob", data)
        bundle = self.folder / "signed.sigstore.json"
        offline = ("--signing-config", self._file("signing-config.json", NOBODY_TO_ASK), *self._trusted_root())
        self.must("sign-blob", "--yes", "--key", key, "--bundle", str(bundle), *offline, blob)
        return bundle.read_bytes()

    def verify_blob(self, public_pem: bytes, bundle: bytes, data: bytes) -> subprocess.CompletedProcess[str]:
        """The answer of an offline `verify-blob`."""
        key, signed, blob = self._file("key.pub", public_pem), self._file("bundle", bundle), self._file("blob", data)
        offline = ("--insecure-ignore-tlog", *self._trusted_root())
        return self.run("verify-blob", "--key", key, "--bundle", signed, *offline, blob)

    def _trusted_root(self) -> tuple[str, str]:
        """An empty root of trust: a key needs none, and without one cosign would fetch the public one."""
        return "--trusted-root", self._file("trusted-root.json", EMPTY_ROOT)

    def _file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


NOBODY_TO_ASK = json.dumps(
    {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "rekorTlogConfig": {}, "tsaConfig": {}}
).encode()
EMPTY_ROOT = json.dumps({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}).encode()


def find_cosign(folder: Path) -> Cosign:
    """cosign working in `folder`, or a visible skip."""
    wanted = tool("cosign")
    require(wanted.binary.exists(), f"cosign {wanted.version}, the real peer", "make tools")
    return Cosign(wanted.binary, folder)
