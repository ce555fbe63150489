"""Manifests: what is filled in, and what is refused with which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.manifest import parse_manifest
from atomctl.wpk.model import Handler, HandlerType, Idempotency, Mode, RuntimeType

HEAD = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: hello, version: 1.0.0}
spec:
"""
SHELL = "{name: a, type: shell, config: {command: [echo]}}"


def manifest(spec: str, head: str = HEAD) -> str:
    return head + "".join(f"  {line}\n" for line in spec.splitlines())


def handler(fields: str) -> Handler:
    return parse_manifest(manifest(f"handlers:\n- {{name: a, {fields}}}").encode()).handlers[0]


def refusal(text: str | bytes) -> AtomError:
    with pytest.raises(AtomError) as error:
        parse_manifest(text if isinstance(text, bytes) else text.encode())
    return error.value


def test_the_smallest_manifest_gets_the_safe_defaults() -> None:
    found = parse_manifest(manifest(f"handlers: [{SHELL}]").encode())
    assert (found.name, found.version) == ("hello", "1.0.0")
    safety = found.safety
    assert safety.mode is Mode.MANUAL
    assert safety.approval_required
    assert safety.dry_run_required
    assert safety.rollback_enabled
    assert found.runtime.type is RuntimeType.SHELL
    step = found.handlers[0]
    assert step.idempotency is Idempotency.UNSAFE
    assert step.retry.max_attempts == 1
    assert step.timeout == timedelta(minutes=5)
    assert not found.rolls_back


def test_everything_that_can_be_said_is_read() -> None:
    found = parse_manifest(EVERYTHING.encode())
    assert found.metadata.created == datetime(2026, 1, 15, 10, tzinfo=UTC)
    assert found.metadata.tags == ("k8s", "incident")
    assert found.metadata.annotations == {"team": "platform"}
    assert found.runtime.requirements.memory == "256Mi"
    assert found.secrets["db_password"].path == "secret/data/atom/db"
    assert [trigger.type.value for trigger in found.triggers] == ["schedule", "webhook", "event"]
    assert [step.needs for step in found.handlers] == [(), ("probe-db",), (), ("call", "fork"), ("ask",)]
    assert found.handlers[0].probe is not None
    assert found.handlers[0].probe.type is HandlerType.API
    assert found.handlers[1].retry.backoff == timedelta(milliseconds=300)
    assert found.handlers[3].timeout == timedelta(hours=24)
    assert found.rolls_back
    assert found.rollback.handlers[0].compensates == "call"
    assert found.rollback.handlers[1].needs == ("undo-call",)
    assert found.validation.required_permissions == ("deployments/patch", "pods/log/get")
    assert found.monitoring.alerts[0].severity == "critical"


def test_v1_is_read_too() -> None:
    assert parse_manifest(manifest(f"handlers: [{SHELL}]", HEAD.replace("atom/v1", "v1")).encode()).name == "hello"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("type: api, config: {url: 'https://x'}", Idempotency.SAFE),
        ("type: api, config: {url: 'https://x', method: HEAD}", Idempotency.SAFE),
        ("type: api, config: {url: 'https://x', method: POST}", Idempotency.UNSAFE),
        ("type: api, config: {url: 'https://x', method: PUT}", Idempotency.UNSAFE),
        ("type: k8s, config: {action: get, kind: Pod, name: p}", Idempotency.SAFE),
        ("type: k8s, config: {action: apply, manifest: {kind: Pod}}", Idempotency.SAFE),
        ("type: k8s, config: {action: delete, kind: Pod, name: p}", Idempotency.UNSAFE),
        ("type: k8s, config: {action: restart, kind: Deployment, name: d}", Idempotency.UNSAFE),
        ("type: shell, config: {command: [ls]}", Idempotency.UNSAFE),
        ("type: shell, config: {command: [ls]}, idempotency: key", Idempotency.KEY),
        ("type: approval, config: {message: go}", Idempotency.UNSAFE),
    ],
)
def test_a_step_may_be_repeated_only_where_that_is_known_to_be_harmless(fields: str, expected: Idempotency) -> None:
    assert handler(fields).idempotency is expected


@pytest.mark.parametrize(
    ("typo", "guess"),
    [
        ("timout: 60s", "`timeout`"),
        ("Timeout: 60s", "`timeout`"),
        ("idempotence: safe", "`idempotency`"),
        ("retries: {}", "`retry`"),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_known_one(typo: str, guess: str) -> None:
    error = refusal(manifest(f"handlers:\n  - {typo}\n    name: a\n    type: shell\n    config: {{command: [x]}}"))
    assert error.code is codes.UNKNOWN_FIELD
    assert error.why.startswith("wpk.yaml:6:7: unknown field `")
    assert f"did you mean {guess}?" in error.why


@pytest.mark.parametrize(
    ("config", "guess"),
    [
        ("type: shell, config: {comand: [x]}", "command"),
        ("type: api, config: {URL: 'https://x'}", "url"),
        ("type: api, config: {url: 'https://x', success: {statuses: [200]}}", "status"),
        ("type: k8s, config: {action: scale, kind: D, name: d, replica: 2}", "replicas"),
        ("type: approval, config: {message: m, role: [admin]}", "roles"),
        ("type: package, config: {name: p, version: 1.0.0, params: {}}", "parameters"),
    ],
)
def test_an_unknown_field_of_a_config_is_refused_with_the_nearest_of_its_type(config: str, guess: str) -> None:
    error = refusal(manifest(f"handlers: [{{name: a, {config}}}]"))
    assert error.code is codes.UNKNOWN_FIELD
    assert f"did you mean `{guess}`?" in error.why


def test_an_unknown_field_that_resembles_none_lists_what_is_known() -> None:
    error = refusal(manifest(f"handlers: [{SHELL}]\nzebra: 1"))
    assert error.code is codes.UNKNOWN_FIELD
    assert "did you mean" not in error.why
    assert "`handlers`" in error.hint


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("type: shell, config: {command: [x]}, timeout: 60", "must be text, not a whole number"),
        ("type: shell, config: {command: [x]}, timeout: 1 minute", "A duration above zero"),
        ("type: shell, config: {command: [x]}, timeout: 0s", "A duration above zero"),
        ("type: shell, config: {command: [x]}, retry: {max_attempts: 0}", "must be at least 1"),
        ("type: shell, config: {command: [x]}, retry: {max_attempts: many}", "must be a whole number, not text"),
        ("type: shell, config: {command: x}", "must be a list, not text"),
        ("type: shell, config: {command: [x], shell: true}", "must be text, not a list"),
        ("type: shell, config: {command: [1]}", "must be text, not a whole number"),
        ("type: shell, config: {}", "needs `command` or `script`"),
        ("type: shell, config: {command: [x], script: scripts/x}", "does not go together"),
        ("type: shell, config: {script: /bin/sh}", "An executable file of the package"),
        ("type: shell, config: {script: scripts/../../x}", None),
        ("type: shell, config: {command: [x], env: {PATH: /tmp}}", "has a name that is not allowed here"),
        ("type: shell, config: {command: [x], env: {LD_PRELOAD: x}}", "has a name that is not allowed here"),
        ("type: shell, config: {command: [x], env: {A: 1}}", "must be text, not a whole number"),
        ("type: shell, config: {command: [x], network: ['example.com']}", "A host name or address and a port"),
        ("type: shell, config: {command: [x], network: ['*:443']}", "A host name or address and a port"),
        ("type: shel, config: {}", "did you mean `shell`?"),
        ("type: api, config: {method: FETCH, url: 'https://x'}", "must be one of `GET`"),
        ("type: api, config: {url: 'https://x', max_bytes: 1000000000}", "must be at most"),
        ("type: k8s, config: {action: scale, kind: D, name: d, replicas: -1}", "must be at least 0"),
        ("type: k8s, config: {action: scale, kind: D, name: d, replicas: three}", "does not fit: For `scale`"),
        ("type: k8s, config: {action: get, kind: D, name: d, patch: {}}", "must be one of `patch`"),
        ("type: k8s, config: {action: get, kind: D}", "needs `name` or `selector`"),
        ("type: k8s, config: {action: apply, manifest: ../x.yaml}", None),
        ("type: approval, config: {message: m, roles: [viewer]}", "must be one of"),
        ("type: package, config: {name: p, version: '>=1'}", "A SemVer 2 version"),
        ("type: shell, config: {command: [x]}, idempotency: check", None),
        ("type: shell, config: {command: [x]}, probe: {type: shell, config: {command: [x]}}", "does not go together"),
        ("type: shell, config: hunter2", "must be a mapping, not text"),
        ("type: shell, config: {command: [x]}, compensates: a", None),
    ],
)
def test_a_wrong_value_is_refused_and_not_quoted(fields: str, why: str | None) -> None:
    error = refusal(manifest(f"handlers: [{{name: a, {fields}}}]"))
    assert error.code in {codes.WRONG_VALUE, codes.MISSING_FIELD, codes.UNKNOWN_FIELD}
    assert error.why.startswith("wpk.yaml:5:")
    assert "hunter2" not in error.why
    if why is not None:
        assert why in error.why


@pytest.mark.parametrize(
    "line",
    [
        "metadata: {name: Hello, version: 1.0.0}",
        "metadata: {name: -a, version: 1.0.0}",
        f"metadata: {{name: {'a' * 64}, version: 1.0.0}}",
        "metadata: {name: a, version: 1.0}",
        "metadata: {name: a, version: v1.0.0}",
        "metadata: {name: a, version: 01.0.0}",
        "metadata: {name: a, version: 1.0.0-01}",
        "metadata: {name: a, version: 1.0.0, created: yesterday}",
        "metadata: {name: a, version: 1.0.0, created: 2026-01-15}",
        "metadata: {name: a, version: 1.0.0, tags: [A]}",
        "metadata: [a]",
    ],
)
def test_names_versions_and_dates_have_one_form(line: str) -> None:
    head = HEAD.replace("metadata: {name: hello, version: 1.0.0}", line)
    error = refusal(manifest(f"handlers: [{SHELL}]", head))
    assert error.code is codes.WRONG_VALUE
    assert error.why.startswith("wpk.yaml:3:")


def test_a_version_that_yaml_takes_for_a_number_comes_with_the_remedy() -> None:
    head = HEAD.replace("1.0.0", "1.0")
    error = refusal(manifest(f"handlers: [{SHELL}]", head))
    assert "must be text, not a number" in error.why
    assert error.hint == "write it in quotes to make it text"


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (HEAD.replace("atom/v1", "atom/v2"), codes.UNSUPPORTED_VERSION),
        (HEAD.replace("WorkflowPackage", "Workflow"), codes.UNSUPPORTED_VERSION),
        (HEAD.replace("apiVersion: atom/v1\n", ""), codes.MISSING_FIELD),
        (HEAD.replace("name: hello, ", ""), codes.MISSING_FIELD),
        (HEAD + "  runtime: {type: vm}\n", codes.WRONG_VALUE),
        (HEAD + "  runtime: {requirements: {cpu: lots}}\n", codes.WRONG_VALUE),
        (HEAD + "  safety: {mode: automatic}\n", codes.WRONG_VALUE),
        (HEAD + "  safety: {approval_required: 'no'}\n", codes.WRONG_VALUE),
    ],
)
def test_other_versions_and_missing_fields_have_their_own_codes(head: str, code: object) -> None:
    assert refusal(manifest(f"handlers: [{SHELL}]", head)).code is code


@pytest.mark.parametrize(
    "secrets",
    [
        "{db: hunter2hunter2}",
        "{db: {value: hunter2hunter2}}",
        "{db: {path: secret/data/db}}",
        "{db: {path: /etc/passwd, key: k}}",
        "{db: {path: a/../b, key: k}}",
        "{db: {path: 'a/${{ params.x }}', key: k}}",
        "{db-password: {path: a, key: k}}",
        "[{path: a, key: k}]",
    ],
)
def test_a_secret_is_a_reference_and_never_a_value(secrets: str) -> None:
    error = refusal(manifest(f"handlers: [{SHELL}]\nsecrets: {secrets}"))
    assert error.code in {codes.WRONG_VALUE, codes.UNKNOWN_FIELD, codes.MISSING_FIELD}
    assert "hunter2" not in error.why + error.hint


@pytest.mark.parametrize(
    "trigger",
    [
        "{type: schedule, config: {cron: hourly}}",
        "{type: schedule, config: {cron: '* * * *'}}",
        "{type: schedule, config: {cron: '0 2 * * *', timezone: '../etc'}}",
        "{type: webhook, config: {path: rotate}}",
        "{type: webhook, config: {path: /rotate, auth: none}}",
        "{type: event, config: {source: alertmanager, match: {}}}",
        "{type: email, config: {}}",
    ],
)
def test_a_trigger_in_another_form_is_refused(trigger: str) -> None:
    assert refusal(manifest(f"handlers: [{SHELL}]\ntriggers: [{trigger}]")).code is codes.WRONG_VALUE


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xef\xbb\xbf" + manifest(f"handlers: [{SHELL}]").encode(), codes.TEXT),
        (manifest(f"handlers: [{SHELL}]").replace("\n", "\r\n").encode(), codes.TEXT),
        (manifest(f"handlers: [{SHELL}]").replace("hello", "he\rllo").encode(), codes.TEXT),
        (manifest(f"handlers: [{SHELL}]").encode("utf-16"), codes.TEXT),
        (b"", codes.DOCUMENTS),
        (b"# nothing\n", codes.DOCUMENTS),
        (manifest(f"handlers: [{SHELL}]").encode() * 2, codes.DUPLICATE_KEY),
        ((manifest(f"handlers: [{SHELL}]") + "---\n").encode() * 2, codes.DOCUMENTS),
        (b"just text", codes.WRONG_VALUE),
        (b"null", codes.WRONG_VALUE),
        (b"[]", codes.WRONG_VALUE),
        (b"{}", codes.MISSING_FIELD),
    ],
)
def test_what_is_not_one_plain_document_is_refused(data: bytes, code: object) -> None:
    assert refusal(data).code is code


def test_a_manifest_that_two_readers_would_read_differently_is_refused() -> None:
    twice = manifest(f"handlers: [{SHELL}]\nsafety: {{approval_required: true, approval_required: false}}")
    assert refusal(twice).code is codes.DUPLICATE_KEY


def test_of_several_refusals_one_is_told_and_the_others_are_counted() -> None:
    error = refusal(manifest("handlers:\n- {name: A, type: shell, config: {}, timeout: 0s}"))
    assert error.why.endswith("(and 2 more)")


EVERYTHING = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata:
  name: everything
  version: 2.1.0-rc.1+build.5
  description: All there is.
  author: somebody
  created: 2026-01-15T10:00:00Z
  tags: [k8s, incident]
  annotations: {team: platform}
spec:
  runtime:
    type: k8s
    version: ">=1.28,<1.33"
    image: registry.example/tools@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    requirements: {cpu: 200m, memory: 256Mi, storage: 1Gi}
  parameters:
    type: object
    properties: {host: {type: string}, count: {type: integer, default: 2}}
    required: [host]
  secrets: {db_password: {path: secret/data/atom/db, key: password}}
  safety: {mode: auto, approval_required: true, dry_run_required: false, rollback_enabled: true}
  triggers:
    - {type: schedule, config: {cron: "0 2 * * MON-FRI", timezone: Europe/Berlin, parameters: {host: a}}}
    - {type: webhook, config: {path: /rotate, auth: hmac}}
    - {type: event, config: {source: alertmanager, match: {alertname: HighLatency}}}
  handlers:
    - name: probe-db
      type: shell
      config:
        command: [psql, -c, select 1]
        env: {HOST: "${{ params.host }}"}
        secrets: [db_password]
        network: ["db:5432"]
      timeout: 60s
      idempotency: check
      probe: {type: api, config: {url: "https://db/health"}, timeout: 5s}
    - name: call
      type: api
      when: "params.count > 1"
      config:
        method: POST
        url: "https://${{ params.host }}/x"
        headers: {Authorization: "Bearer ${{ secrets.db_password }}"}
        body: {n: "${{ params.count }}"}
        success: {status: [200, 201], when: response.body.ok == true}
        max_bytes: 1000
        follow_redirects: false
      retry: {max_attempts: 3, backoff: 300ms}
      idempotency: key
    - name: fork
      type: k8s
      needs: []
      config: {action: job, namespace: ns, manifest: {kind: Job}}
      idempotency: reattach
    - name: ask
      type: approval
      needs: [call, fork]
      config: {roles: [security], votes: 2, message: "Go for ${{ params.host }}?"}
    - {name: child, type: package, config: {name: hello, version: 1.0.0, parameters: {name: "${{ params.host }}"}}}
  rollback:
    enabled: true
    handlers:
      - {name: undo-call, type: api, compensates: call, config: {method: DELETE, url: "https://x/y"}}
      - {name: tell, type: api, needs: [undo-call], config: {method: POST, url: "https://x/alert"}}
  validation:
    schema_version: v1
    required_permissions: [deployments/patch, pods/log/get]
    resource_limits: {max_replicas: 20}
  monitoring:
    metrics_enabled: true
    logging_level: debug
    alerts: [{name: bad, event: failed, severity: critical, message: It failed.}]
"""
