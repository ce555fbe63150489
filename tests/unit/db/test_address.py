"""Addresses name a password's file, never the password."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy

from atomctl.db import codes
from atomctl.db.address import DatabaseAddress, external
from atomctl.db.credentials import ensure_password, read_login
from atomctl.db.roles import ADMIN, DatabaseRole
from atomctl.errors import AtomError


def test_a_connection_string_names_the_password_file_and_holds_no_password(tmp_path: Path) -> None:
    folder = tmp_path / "it's a folder"
    ensure_password(folder, DatabaseRole.APP)
    password = read_login(folder, DatabaseRole.APP).password
    address = DatabaseAddress("/run/socket folder", 5432, "atom", folder, (("sslmode", "require"),))
    for text in (address.dsn(DatabaseRole.APP), address.url(DatabaseRole.APP), repr(address)):
        assert password not in text
    assert "sslmode=require" in address.dsn(DatabaseRole.APP)
    url = sqlalchemy.make_url(address.url(DatabaseRole.APP))
    assert (url.username, url.password, url.database) == ("atom_app", None, "atom")
    assert url.query["host"] == "/run/socket folder"
    assert url.query["passfile"] == str(folder / "atom_app")


def test_an_external_url_gives_the_address_and_the_administrator(tmp_path: Path) -> None:
    address, admin = external("postgresql://boss:s3cret@db.example:5433/atom?sslmode=verify-full", tmp_path)
    assert address == DatabaseAddress("db.example", 5433, "atom", tmp_path, (("sslmode", "verify-full"),))
    assert admin is not None
    assert (admin.user, admin.password) == ("boss", "s3cret")
    assert "s3cret" not in repr(admin)


def test_a_url_without_a_user_takes_the_administrator_from_the_credentials(tmp_path: Path) -> None:
    assert external("postgresql://db.example/atom", tmp_path)[1] is None
    file = tmp_path / ADMIN
    file.write_text("*:*:*:rds_master:pw\n")
    file.chmod(0o600)
    admin = external("postgresql://db.example/atom", tmp_path)[1]
    assert admin is not None
    assert (admin.user, admin.password) == ("rds_master", "pw")


def test_a_keyword_string_and_a_socket_folder_work_as_well(tmp_path: Path) -> None:
    address, _ = external("host=/run/postgresql dbname=atom port=5433", tmp_path)
    assert (address.host, address.port, address.dbname) == ("/run/postgresql", 5433, "atom")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://boss:s3cret@db/atom",
        "postgresql://boss:s3cret@db",
        "postgresql:///atom",
        "postgresql://boss:s3cret@db:notaport/atom",
        "postgresql://boss:s3cret@a:1,b:2/atom",
        "postgresql://boss:s3cret@db/atom?nonsense=1",
        "",
        "postgresql://atom_app:s3cret@db/atom",
        "postgresql://atom_owner:s3cret@db/atom",
    ],
)
def test_an_unusable_url_is_refused_without_repeating_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(AtomError) as refusal:
        external(url, tmp_path)
    assert refusal.value.code is codes.URL_INVALID
    assert "s3cret" not in f"{refusal.value} {refusal.value.hint}"
