"""The real versitygw, an S3 server with Object Lock, built by `tools/build.py`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.process import ServerProcess, answers
from tests.servers.requirement import require
from tools.build import tool

REGION = "us-east-1"


class S3Server(ServerProcess):
    """One account that owns everything; objects are files below `folder/objects`: a test can reach behind the server.

    The folder must be on a file system with extended attributes: there versitygw keeps metadata, versions and locks.
    """

    name: ClassVar[str] = "s3"

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        """Nothing is started.

        Args:
            folder: of its state; made if missing.
            host: the address of this machine to listen on, such as the one that pods reach.
        """
        super().__init__(folder)
        self.host = host
        wanted = tool("versitygw")
        require(wanted.binary.exists(), f"versitygw {wanted.version}, an S3 server with Object Lock", "make tools")
        self._binary = wanted.binary
        self.access_key = f"access{secrets.token_hex(4)}"
        self.secret_key = secrets.token_hex(16)

    @property
    def endpoint(self) -> str:
        """The value of `S3_ENDPOINT`."""
        return self.url

    def command(self) -> Sequence[str]:
        objects, versions = self.folder / "objects", self.folder / "versions"
        for path in (objects, versions):
            path.mkdir(exist_ok=True)
        listen = ["--port", f"{self.host}:{self.port}", "--health", "/health"]
        return [str(self._binary), *listen, "posix", "--versioning-dir", str(versions), str(objects)]

    def environment(self) -> Mapping[str, str]:
        return {"ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key}

    def ready(self) -> bool:
        return answers(f"{self.url}/health")

    def client(self, **other: str) -> Any:
        """A boto3 client of the owner; it gives up after seconds and does not try twice.

        Args:
            other: what differs from that, such as `aws_secret_access_key`.
        """
        import boto3  # slow to import, and most tests never get here
        from botocore.config import Config

        mine = {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key}
        config = Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5
        )
        options = {"endpoint_url": self.endpoint, "region_name": REGION, **mine, **other}
        return boto3.client("s3", config=config, **options)

    def create_bucket(self, name: str, *, lock: bool = False) -> str:
        """The name of a new bucket; with `lock` it keeps versions and enforces retention. Buckets never change that."""
        client = self.client()
        try:
            client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        finally:
            client.close()
        return name
