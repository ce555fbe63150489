"""What a manifest may not say at once."""

from __future__ import annotations

import pytest

from atomctl.access.model import Role
from atomctl.access.permissions import PERMISSIONS, Resource, Verb
from atomctl.approvals.service import LIFETIME_LIMIT
from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.coherence import LONGEST_VOTE
from atomctl.wpk.manifest import parse_manifest

HEAD = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: hello, version: 1.0.0}
spec:
  parameters: {properties: {host: {type: string}, count: {type: integer}}}
  secrets: {token: {path: a/b, key: k}}
"""


def step(name: str, more: str = "", *, config: str = "{command: [x]}", type_: str = "shell") -> str:
    return f"    - {{name: {name}, type: {type_}, config: {config}{', ' + more if more else ''}}}\n"


def api(name: str, config: str, more: str = "") -> str:
    return step(name, more, config=config, type_="api")


def manifest(*handlers: str, rollback: tuple[str, ...] = (), more: str = "") -> bytes:
    text = HEAD + more + "  handlers:\n" + "".join(handlers)
    if rollback:
        text += "  rollback:\n    handlers:\n" + "".join(rollback)
    return text.encode()


def refusal(data: bytes) -> AtomError:
    with pytest.raises(AtomError) as error:
        parse_manifest(data)
    assert error.value.why.startswith("wpk.yaml:")
    return error.value


def test_a_handler_needs_the_one_before_it_unless_it_says_otherwise() -> None:
    found = parse_manifest(manifest(step("a"), step("b"), step("c", "needs: []"), step("d", "needs: [b, c]")))
    assert [handler.needs for handler in found.handlers] == [(), ("a",), (), ("b", "c")]


def test_a_need_of_nobody_is_refused_with_the_nearest_name() -> None:
    error = refusal(manifest(step("collect-logs"), step("b", "needs: [collect-log]")))
    assert error.code is codes.BAD_REFERENCE
    assert "did you mean `collect-logs`?" in error.why


@pytest.mark.parametrize(
    ("handlers", "circle"),
    [
        ([step("a", "needs: [a]")], "a needs a"),
        ([step("a", "needs: [b]"), step("b", "needs: [a]")], "a needs b needs a"),
        ([step("x"), step("a", "needs: [c]"), step("b", "needs: [a]"), step("c", "needs: [b]")], "needs"),
    ],
)
def test_a_circle_of_needs_is_refused_and_shown(handlers: list[str], circle: str) -> None:
    error = refusal(manifest(*handlers))
    assert error.code is codes.CYCLE
    assert circle in error.why


def test_a_name_twice_is_refused_even_across_the_rollback() -> None:
    assert refusal(manifest(step("a"), step("a"))).code is codes.DUPLICATE_NAME
    error = refusal(manifest(step("a"), rollback=(step("a"),)))
    assert error.code is codes.DUPLICATE_NAME
    assert error.why.startswith("wpk.yaml:11:")


def test_a_compensation_of_nobody_is_refused() -> None:
    assert refusal(manifest(step("a"), rollback=(step("u", "compensates: b"),))).code is codes.BAD_REFERENCE


def test_a_rollback_handler_needs_only_other_rollback_handlers() -> None:
    assert refusal(manifest(step("a"), rollback=(step("u", "needs: [a]"),))).code is codes.BAD_REFERENCE


@pytest.mark.parametrize(
    "config",
    [
        "{command: [echo, '${{ params.host }}']}",
        "{command: 'echo ${{ params.host }}', shell: true}",
        "{command: ['$${{ literal }}']}",
        "{script: scripts/x, args: ['${{ params.host }}']}",
        "{command: [x], network: ['${{ params.host }}:443']}",
        "{command: [x], secrets: ['${{ params.host }}']}",
    ],
)
def test_a_value_is_never_spliced_into_a_shell_command(config: str) -> None:
    error = refusal(manifest(step("a", config=config)))
    assert error.code in {codes.TEMPLATE_REFUSED, codes.WRONG_VALUE}
    if "command: [x]" not in config:
        assert error.code is codes.TEMPLATE_REFUSED
        assert "env" in error.hint


def test_a_value_is_never_spliced_into_the_command_of_a_probe() -> None:
    probe = "idempotency: check, probe: {type: shell, config: {command: ['${{ params.host }}']}}"
    assert refusal(manifest(step("a", probe))).code is codes.TEMPLATE_REFUSED


def test_a_template_in_a_trigger_is_refused() -> None:
    trigger = "  triggers: [{type: schedule, config: {cron: '0 2 * * *', parameters: {host: '${{ run.id }}'}}}]\n"
    assert refusal(manifest(step("a"), more=trigger)).code is codes.TEMPLATE_REFUSED


def test_templates_are_allowed_where_values_are_data() -> None:
    found = manifest(
        step("a", config="{command: [x], env: {HOST: '${{ params.host }}'}}"),
        api(
            "b", "{url: 'https://x/${{ params.host }}', headers: {T: '${{ secrets.token }}'}, body: ['${{ run.id }}']}"
        ),
        step("c", config="{action: scale, kind: D, name: d, replicas: '${{ params.count }}'}", type_="k8s"),
        step("d", config="{message: 'Scale ${{ params.host }}?'}", type_="approval"),
        step("e", config="{name: p, version: 1.0.0, parameters: {x: '${{ steps.a.state }}'}}", type_="package"),
    )
    assert len(parse_manifest(found).handlers) == 5


@pytest.mark.parametrize(
    "text", ["${{ params.host", "${{ }}", "${{ params.host +}}", "${{ nothing.x }}", "${{ 'a' + 1 }}"]
)
def test_a_template_that_is_not_cel_is_refused(text: str) -> None:
    assert refusal(manifest(api("a", f'{{url: "https://{text}"}}'))).code is codes.BAD_EXPRESSION


@pytest.mark.parametrize(
    "when", ["params.host ==", "${{ params.count > 1 }}", "steps.find-it.outputs.n > 1", "now() > 1"]
)
def test_a_condition_that_is_not_cel_is_refused(when: str) -> None:
    error = refusal(manifest(step("find-it"), step("b", f'when: "{when}"')))
    assert error.code is codes.BAD_EXPRESSION
    if "find-it" in when:
        assert error.hint == 'a name with dashes is read as `steps["find-it"]`'


@pytest.mark.parametrize(
    ("handlers", "hint"),
    [
        ([api("a", "{url: 'https://${{ params.hots }}'}")], "spec.parameters"),
        ([api("a", "{url: 'https://${{ secrets.tokn }}'}")], "spec.secrets"),
        ([api("a", "{url: 'https://x'}"), api("b", "{url: 'https://${{ steps.c.outputs.x }}'}")], "needs"),
        ([api("a", "{url: 'https://${{ steps.b.outputs.x }}'}"), api("b", "{url: 'https://x'}")], "needs"),
        ([api("a", "{url: 'https://${{ steps.a.outputs.x }}'}")], "needs"),
        ([step("a"), step("b", "needs: []"), step("c", "needs: [b], when: 'has(steps.a.outputs.x)'")], "needs"),
        ([step("a", "when: 'params.nope > 1'")], "spec.parameters"),
        ([step("a", "when: secrets.token == 'x'")], "config.secrets"),
        ([step("a", config="{command: [x], env: {T: '${{ secrets.token }}'}}")], "config.secrets"),
        ([step("a", "when: response.status == 200")], "success.when"),
        ([api("a", "{url: 'https://${{ response.status }}'}")], "success.when"),
        ([api("a", "{url: 'https://x', success: {when: 'secrets.token == response.body'}}")], "config.secrets"),
        ([step("a", config="{message: '${{ secrets.token }}'}", type_="approval")], "config.secrets"),
    ],
)
def test_reading_what_is_not_there_is_refused(handlers: list[str], hint: str) -> None:
    error = refusal(manifest(*handlers))
    assert error.code is codes.BAD_REFERENCE
    assert hint in error.hint


def test_an_undeclared_secret_of_a_shell_step_is_refused() -> None:
    error = refusal(manifest(step("a", config="{command: [x], secrets: [tokens]}")))
    assert error.code is codes.BAD_REFERENCE
    assert "did you mean `token`?" in error.why


def test_a_rollback_may_read_any_step_of_the_workflow() -> None:
    undo = api("undo", "{method: DELETE, url: 'https://x/${{ steps.b.outputs.id }}'}", "compensates: b")
    assert parse_manifest(manifest(step("a"), step("b"), rollback=(undo,))).rolls_back


@pytest.mark.parametrize("timeout", ["0s", "999ms", "745h"])
def test_people_are_not_waited_for_without_measure(timeout: str) -> None:
    error = refusal(manifest(step("a", f"timeout: {timeout}", config="{message: m}", type_="approval")))
    assert error.code is codes.WRONG_VALUE


def test_an_approval_may_wait_as_long_as_any_approval_may() -> None:
    assert LONGEST_VOTE == LIFETIME_LIMIT
    assert parse_manifest(manifest(step("a", "timeout: 744h", config="{message: m}", type_="approval"))).handlers


@pytest.mark.parametrize("role", ["admin", "operator", "author", "viewer"])
def test_a_vote_of_a_role_that_never_votes_on_a_run_is_refused(role: str) -> None:
    assert Role(role) not in PERMISSIONS[Verb.VOTE, Resource.RUN_APPROVAL]
    error = refusal(manifest(step("a", config=f"{{message: m, roles: [{role}]}}", type_="approval")))
    assert error.code is codes.WRONG_VALUE


def test_fewer_votes_than_roles_are_refused() -> None:
    error = refusal(manifest(step("a", config="{message: m, roles: [approver, security], votes: 1}", type_="approval")))
    assert error.code is codes.WRONG_VALUE


def test_a_parameter_schema_that_is_none_is_refused_where_it_stands() -> None:
    broken = (
        HEAD.replace("{host: {type: string}", "{Host: {type: string}").encode() + b"  handlers:\n" + step("a").encode()
    )
    error = refusal(broken)
    assert error.code is codes.BAD_PARAMETER_SCHEMA
    assert error.why.startswith("wpk.yaml:5:3: ")
