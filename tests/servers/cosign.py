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
        key, blob, bundle = (self._file(name, content) for name, content in _inputs(private_pem, data))
        configuration = self._file("signing-config.json", _EMPTY_SIGNING_CONFIG)
        self.must(
            "sign-blob", "--key", key, "--bundle", bundle, "--signing-config", configuration, "--yes", blob
        )  # no log, no timestamp authority in the configuration: nothing to connect to
        return Path(bundle).read_bytes()

    def verify_blob(self, public_pem: bytes, bundle: bytes, data: bytes) -> subprocess.CompletedProcess[str]:
        """The answer of an offline `verify-blob`."""
        key, signed, blob = self._file("key.pub", public_pem), self._file("bundle", bundle), self._file("blob", data)
        return self.run("verify-blob", "--key", key, "--bundle", signed, "--insecure-ignore-tlog", blob)

    def _file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


def _inputs(private_pem: bytes, data: bytes) -> tuple[tuple[str, bytes], ...]:
    return ("signing.key", private_pem), ("blob", data), ("signed.sigstore.json", b"")


_EMPTY_SIGNING_CONFIG = json.dumps(
    {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "rekorTlogConfig": {}, "tsaConfig": {}}
).encode()


def find_cosign(folder: Path) -> Cosign:
    """cosign working in `folder`, or a visible skip."""
    wanted = tool("cosign")
    require(wanted.binary.exists(), f"cosign {wanted.version}, the real peer", "make tools")
    return Cosign(wanted.binary, folder)
