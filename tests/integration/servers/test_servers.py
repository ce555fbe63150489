"""Each real server does the one thing that ATOM relies on it for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from tests.servers.alertmanager import Alertmanager
from tests.servers.openbao import OpenBao
from tests.servers.postgres15 import Postgres15
from tests.servers.prometheus import Prometheus, promtool
from tests.servers.s3 import S3Server
from tests.servers.waiting import wait_until
from tests.servers.webhook import WebhookReceiver

POLICY = """
path "secret/data/acme/*" { capabilities = ["create", "read", "update"] }
"""


def status_of(refusal: pytest.ExceptionInfo[httpx.HTTPStatusError]) -> int:
    return refusal.value.response.status_code


def log_in(bao: OpenBao, role_id: str, wrapping_token: str) -> str:
    """The token of a service that was handed a wrapped secret id."""
    unwrapped = bao.request("POST", "sys/wrapping/unwrap", token=wrapping_token)
    login = {"role_id": role_id, "secret_id": unwrapped["data"]["secret_id"]}
    return str(bao.request("POST", "auth/approle/login", login, token="")["auth"]["client_token"])


def test_a_wrapped_secret_id_logs_in_once(openbao: OpenBao) -> None:
    handed_out = openbao.app_role("once", POLICY)
    assert log_in(openbao, handed_out.role_id, handed_out.wrapping_token)
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        log_in(openbao, handed_out.role_id, handed_out.wrapping_token)
    assert status_of(refusal) == 400


def test_a_role_reaches_its_own_prefix_only(openbao: OpenBao) -> None:
    handed_out = openbao.app_role("prefix", POLICY)
    token = log_in(openbao, handed_out.role_id, handed_out.wrapping_token)
    openbao.request("POST", "secret/data/acme/prefix", {"data": {"password": "mine"}}, token=token)
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        openbao.request("GET", "secret/data/other/prefix", token=token)
    assert status_of(refusal) == 403


def test_a_secret_is_written_only_over_the_version_that_was_read(openbao: OpenBao) -> None:
    def write(value: str, version: int) -> int:
        body = {"data": {"password": value}, "options": {"cas": version}}
        return int(openbao.request("POST", "secret/data/acme/cas", body)["data"]["version"])

    assert write("first", 0) == 1
    assert write("second", 1) == 2
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        write("late", 1)
    assert status_of(refusal) == 400
    assert openbao.request("GET", "secret/data/acme/cas")["data"]["data"] == {"password": "second"}


@pytest.fixture(scope="module")
def locked(s3: S3Server) -> Iterator[tuple[Any, Mapping[str, str]]]:
    """A client, and an object under retention in compliance mode for an hour."""
    client = s3.client()
    bucket = s3.create_bucket("locked", lock=True)
    put = client.put_object(Bucket=bucket, Key="record", Body=b"what happened", **retention(timedelta(hours=1)))
    yield client, {"Bucket": bucket, "Key": "record", "VersionId": put["VersionId"]}
    client.close()


def retention(length: timedelta) -> dict[str, Any]:
    return {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": datetime.now(UTC) + length}


def retain(mode: str, length: timedelta) -> dict[str, Any]:
    return {"Mode": mode, "RetainUntilDate": datetime.now(UTC) + length}


ATTACKS: Mapping[str, Any] = {
    "delete the version": lambda s3, record: s3.delete_object(**record),
    "shorten the retention": lambda s3, record: s3.put_object_retention(
        **record, Retention=retain("COMPLIANCE", timedelta(minutes=1))
    ),
    "weaken the mode": lambda s3, record: s3.put_object_retention(
        **record, Retention=retain("GOVERNANCE", timedelta(hours=2)), BypassGovernanceRetention=True
    ),
    "clear the retention": lambda s3, record: s3.put_object_retention(**record, Retention={}),
    "suspend versioning": lambda s3, record: s3.put_bucket_versioning(
        Bucket=record["Bucket"], VersioningConfiguration={"Status": "Suspended"}
    ),
    "delete the bucket": lambda s3, record: s3.delete_bucket(Bucket=record["Bucket"]),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_locked_object_withstands_its_owner(attack: str, locked: tuple[Any, Mapping[str, str]]) -> None:
    from botocore.exceptions import ClientError

    client, record = locked
    before = client.get_object_retention(**record)["Retention"]
    with pytest.raises(ClientError) as refusal:
        ATTACKS[attack](client, record)
    assert 400 <= refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    assert client.get_object_retention(**record)["Retention"] == before
    assert client.get_object(**record)["Body"].read() == b"what happened"


def test_a_retention_can_be_extended(s3: S3Server, locked: tuple[Any, Mapping[str, str]]) -> None:
    client, record = locked
    before = client.get_object_retention(**record)["Retention"]["RetainUntilDate"]
    client.put_object_retention(**record, Retention=retain("COMPLIANCE", timedelta(hours=3)))
    assert client.get_object_retention(**record)["Retention"]["RetainUntilDate"] > before


def test_a_bucket_without_lock_forgets_on_request(s3: S3Server) -> None:
    client = s3.client()
    bucket = s3.create_bucket("plain")
    client.put_object(Bucket=bucket, Key="record", Body=b"what happened")
    client.delete_object(Bucket=bucket, Key="record")
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    client.close()


RULES = """
groups:
  - name: servers
    rules:
      - record: answer
        expr: vector(42)
      - alert: AnswerKnown
        expr: answer > 41
        labels: {severity: info, source: rule}
"""


def test_a_rule_file_is_loaded_and_a_query_answered(prometheus: Prometheus) -> None:
    prometheus.load({"servers": RULES}, targets=[])
    wait_until(lambda: bool(prometheus.query("answer")), "the recording rule was evaluated")
    assert prometheus.query("answer")[0]["value"][1] == "42"


def test_a_broken_rule_file_is_refused_and_the_former_one_stays(prometheus: Prometheus) -> None:
    prometheus.load({"servers": RULES}, targets=[])
    with pytest.raises(httpx.HTTPStatusError):
        prometheus.load({"servers": "groups: [{name: broken, rules: [{record: x, expr: 'sum('}]}]"}, targets=[])
    wait_until(lambda: bool(prometheus.query("answer")), "the former rule is still evaluated")


def test_a_firing_rule_reaches_the_receiver(prometheus: Prometheus, webhook: WebhookReceiver) -> None:
    prometheus.load({"servers": RULES}, targets=[])
    alert = webhook.wait_for(lambda each: each["labels"].get("source") == "rule")
    assert alert["labels"]["alertname"] == "AnswerKnown"
    assert alert["status"] == "firing"


def test_prometheus_scrapes_its_targets(prometheus: Prometheus) -> None:
    prometheus.load({}, targets=[f"127.0.0.1:{prometheus.port}"])
    wait_until(lambda: bool(prometheus.query("up == 1")), "the target was scraped")


def test_promtool_checks_rules(prometheus: Prometheus) -> None:
    (prometheus.folder / "good.yml").write_text(RULES)
    (prometheus.folder / "bad.yml").write_text(RULES.replace("vector(42)", "vector(42"))
    assert promtool("check", "rules", "good.yml", folder=prometheus.folder).returncode == 0
    assert promtool("check", "rules", "bad.yml", folder=prometheus.folder).returncode == 1


def test_an_alert_is_delivered_to_the_webhook(alertmanager: Alertmanager, webhook: WebhookReceiver) -> None:
    alertmanager.send({"alertname": "Direct", "source": "test"}, summary="sent by hand")
    alert = webhook.wait_for(lambda each: each["labels"].get("source") == "test")
    assert alert["annotations"] == {"summary": "sent by hand"}
    assert "Direct" in {each["labels"]["alertname"] for each in alertmanager.alerts()}


def test_the_external_database_is_of_the_oldest_version(postgres15: Postgres15) -> None:
    with psycopg.connect(postgres15.url) as connection:
        assert connection.info.server_version // 10000 == 15
