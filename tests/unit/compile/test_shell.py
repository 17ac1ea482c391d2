"""A value reaches the shell as itself, wherever it stands; and where that cannot be, the error says what to write."""

import contextlib
import shutil
import subprocess

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.compile.shell import Bound, ShellBindingError, bind_values, shell_name

X = "${{ params.x }}"
V = "${ORCA_VALUE_1}"
CONSTANTS = {"matrix.command": "echo", "matrix.a": "a", "matrix.quote": "'"}


def bind(*commands: str, shell: str = "sh") -> Bound:
    return bind_values(
        commands,
        shell=shell,
        is_constant=CONSTANTS.__contains__,
        constant=CONSTANTS.__getitem__,
    )


@pytest.mark.parametrize(
    ("command", "bound"),
    [
        (f"echo {X}", f'echo "{V}"'),
        (f"echo a{X}b", f'echo a"{V}"b'),
        (f'echo "a {X} b"', f'echo "a {V} b"'),
        (f"echo 'a {X} b'", f"echo 'a '\"{V}\"' b'"),
        (f"echo 'it'\\''s {X}'", f"echo 'it'\\''s '\"{V}\"''"),
        (f'echo "$(echo {X} "{X}" \'{X}\')"', f'echo "$(echo "{V}" "{V}" \'\'"{V}"\'\')"'),
        (f"echo $(echo $(echo {X}) {X})", f'echo $(echo $(echo "{V}") "{V}")'),
        (f"echo `echo {X}`", f'echo `echo "{V}"`'),
        (f'echo "`echo \\"{X}\\"`"', f'echo "`echo \\"{V}\\"`"'),
        (f"echo `echo \\`echo {X}\\``", f'echo `echo \\`echo "{V}"\\``'),
        (f"cat <<EOF\n{X} \"'\nEOF\necho {X}", f'cat <<EOF\n{V} "\'\nEOF\necho "{V}"'),
        (f"cat <<-A <<B\n\t{X}\n\tA\n{X}\nB\n'{X}'", f"cat <<-A <<B\n\t{V}\n\tA\n{V}\nB\n''\"{V}\"''"),
        (f"cat <<EOF\n$(echo '{X}')\nEOF", f"cat <<EOF\n$(echo ''\"{V}\"'')\nEOF"),
        (f"x=$(cat <<EOF\n{X})\nEOF\n) # {X}", f"x=$(cat <<EOF\n{V})\nEOF\n) # [value]"),
        (f"echo a # it's {X}\necho {X}", f'echo a # it\'s [value]\necho "{V}"'),
        (f"echo a#b' {X}'", f"echo a#b' '\"{V}\"''"),
        (f"echo ${{#a}} $# {X}", f'echo ${{#a}} $# "{V}"'),
        (f"echo \\{X}", f'echo "{V}"'),
        (f'echo "c:\\{X}"', f'echo "c:\\\\{V}"'),
        (f"echo '\\{X}'", f"echo '\\'\"{V}\"''"),
        (f'echo \\"{X}', f'echo \\""{V}"'),
        (f'echo "\\"{X}"', f'echo "\\"{V}"'),
        (f"echo ${X}", f'echo \\$"{V}"'),
        (f'echo "${X}"', f'echo "\\${V}"'),
        (f'echo "${{y:-a"b}}c"}}{X}"', f'echo "${{y:-a"b}}c"}}{V}"'),
        (f'echo "${{y:-it\'s}} {X}"', f'echo "${{y:-it\'s}} {V}"'),
        (f"echo \"${{y#'}}'}} {X}\"", f"echo \"${{y#'}}'}} {V}\""),
        (f"echo $((1 << (2))) {X}", f'echo $((1 << (2))) "{V}"'),
        (f"cat <<<{X}", f'cat <<<"{V}"'),
        (f"a() (echo {X})", f'a() (echo "{V}")'),
        (
            f'echo "$(case {X} in a) echo 1;; (b) echo 2;; esac; echo {X}) {X}"',
            f'echo "$(case "{V}" in a) echo 1;; (b) echo 2;; esac; echo "{V}") {V}"',
        ),
        (f"for i in {X}; do test $i -eq {X}; done", f'for i in "{V}"; do test $i -eq "{V}"; done'),
        (
            f"[[ $a == {X} && $b -eq 1 ]] || [ {X} -eq 1 ]",
            f'[[ $a == "{V}" && $b -eq 1 ]] || [ "{V}" -eq 1 ]',
        ),
        (f"echo 'open {X}", f"echo 'open '\"{V}\"'"),
    ],
)
def test_places(command: str, bound: str) -> None:
    assert bind(command) == Bound((bound,), {"ORCA_VALUE_1": X})


def test_one_variable_for_one_expression_and_each_command_starts_fresh() -> None:
    assert bind("echo '${{ params.x }}", "echo ${{params.x}} ${{ jobs.a.outputs.y }}") == Bound(
        ("echo ''\"${ORCA_VALUE_1}\"'", 'echo "${ORCA_VALUE_1}" "${ORCA_VALUE_2}"'),
        {"ORCA_VALUE_1": "${{ params.x }}", "ORCA_VALUE_2": "${{ jobs.a.outputs.y }}"},
    )


def test_constants_are_written_in_as_text() -> None:
    assert bind("${{ matrix.command }} '${{ matrix.a }}'${{ matrix.quote }}${{ params.x }}'") == Bound(
        ("echo 'a'''\"${ORCA_VALUE_1}\"''",), {"ORCA_VALUE_1": "${{ params.x }}"}
    )
    assert bind("print('${{ matrix.a }}')", shell="python") == Bound(("print('a')",), {})


ARITHMETIC = "it stands in arithmetic, which runs code that a value carries"
CALCULATES = "the shell calculates there, and runs code that a value carries"
TESTS = "'[[' calculates with the operands of such a test, and runs code that a value carries"
CHECK = (
    """write 'env: {X: "${{ params.x }}"}', and let it in only if it is a number: """
    """case "$X" in ''|*[!0-9]*) exit 1;; esac; or give the param 'type: integer'"""
)
WRITE = 'write \'env: {X: "${{ params.x }}"}\' and use "$X" there'


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (f"echo $(( {X} + 1 ))", ARITHMETIC),
        (f'echo "$(( $(echo {X}) ))"', ARITHMETIC),
        (f"(( {X} > 1 )) && echo", ARITHMETIC),
        (f"for ((i=0; i<{X}; i++)); do :; done", ARITHMETIC),
        (f"echo $[{X}]", ARITHMETIC),
        (f"let a={X}", CALCULATES),
        (f"declare -i a={X}", CALCULATES),
        (f"a[{X}]=1", CALCULATES),
        (f"echo ${{a:-{X}}}", "it stands in a ${…} of the shell"),
        (f'echo "${{a:-"{X}"}}"', "it stands in a ${…} of the shell"),
        (f"echo $'{X}'", "it stands in $'…', which not every shell reads alike"),
        (f"echo $'a\\' {X}", "where the $'…' before it ends depends on which shell 'sh' is"),
        (f"cat <<{X}\nEOF", "it stands in the word that ends a here-document"),
        (f"[[ {X} -eq 1 ]]", TESTS),
        (f"{'{ ' * 9000}echo {X}", "the command's substitutions are nested too deep"),
        (f"{'if ' * 9000}echo {X}", "the command's substitutions are nested too deep"),
        (f"{'( ' * 60}echo {X}", "the command's substitutions are nested too deep"),
        (f"{'$(' * 60}{X}{')' * 60}", "the command's substitutions are nested too deep"),
        (f"{'${a:-' * 9000}{X}", "the command's substitutions are nested too deep"),
        (f"{'$((' * 9000}{X}", "the command's substitutions are nested too deep"),
    ],
)
def test_refusals(command: str, why: str) -> None:
    with pytest.raises(ShellBindingError) as caught:
        bind("echo", command)
    error = caught.value
    write = CHECK if why in (ARITHMETIC, CALCULATES, TESTS) else WRITE
    assert (str(error), error.expression, error.command, error.offset) == (
        f"'{X}' cannot be passed safely: {why}; {write}",
        "params.x",
        1,
        command.index(X),
    )


def test_a_quoted_here_document_names_both_ways_out() -> None:
    with pytest.raises(ShellBindingError) as caught:
        bind(f"cat <<'EOF'\n{X}\nEOF")
    assert str(caught.value) == (
        f"'{X}' cannot be passed safely: it stands in a here-document whose word is quoted, so that nothing in it "
        f"is replaced; write '<<EOF' without quotes, or {WRITE}"
    )


@pytest.mark.parametrize(
    ("shell", "advice"),
    [
        ("python", 'write \'env: {X: "${{ params.x }}"}\' and read os.environ["X"] there'),
        (
            "/usr/bin/env python3.11 -u",
            'write \'env: {X: "${{ params.x }}"}\' and read os.environ["X"] there',
        ),
        ("pwsh", "write 'env: {X: \"${{ params.x }}\"}' and read $env:X there"),
        ("perl", "write 'env: {X: \"${{ params.x }}\"}' and read $ENV{X} there"),
        ("tclsh", "write 'env: {X: \"${{ params.x }}\"}' and read the environment variable X there"),
    ],
)
def test_other_shells(shell: str, advice: str) -> None:
    with pytest.raises(ShellBindingError) as caught:
        bind(f"print('{X}')", shell=shell)
    name = shell_name(shell)
    assert str(caught.value) == (
        f"'{X}' cannot be passed safely: shell '{name}' is not one whose quotes orca knows; {advice}"
    )


def test_all_errors_come_at_once() -> None:
    with pytest.raises(ShellBindingError) as caught:
        bind("echo $((${{ params.a }})) ${{ params.ok }}", "let ${{ jobs.x.outputs.n-o }}")
    assert [(error.expression, error.command, error.offset) for error in caught.value.every] == [
        ("params.a", 0, 8),
        ("jobs.x.outputs.n-o", 1, 4),
    ]


@pytest.mark.parametrize(
    ("shell", "name"),
    [
        ("sh", "sh"),
        ("/bin/bash -e", "bash"),
        ("/usr/bin/env -S bash -e", "bash"),
        ("busybox sh", "busybox"),
        ("bash --noprofile -eo pipefail {0}", "bash"),
    ],
)
def test_shell_names(shell: str, name: str) -> None:
    assert (shell_name(shell), bind(f"echo {X}", shell=shell).commands) == (name, (f'echo "{V}"',))


# Each place with a value in it, and what it prints around the value. `set -f` is off: a glob would show.
PLACES = {
    "bare": (f"printf '<%s>' {X}", "<{}>"),
    "bare, amid a word": (f"printf '<%s>' a{X}b'c'", "<a{}bc>"),
    "double": (f"printf '<%s>' \"a {X} b\"", "<a {} b>"),
    "double, after a backslash": (f"printf '<%s>' \"\\{X}\"", "<\\{}>"),
    "double, after a dollar": (f"printf '<%s>' \"${X}\"", "<${}>"),
    "single": (f"printf '<%s>' 'a \" {X} $b'", '<a " {} $b>'),
    "substitution": (f"printf '<%s>' \"$(printf '[%s]' {X} \"{X}\" '{X}')\"", "<[{}][{}][{}]>"),
    "backquotes": (f"printf '<%s>' \"`printf '[%s]' {X} '{X}'`\"", "<[{}][{}]>"),
    "backquotes, quoted inside": (f"printf '<%s>' \"`printf '[%s]' \\\"{X}\\\"`\"", "<[{}]>"),
    "here-document": (f"cat <<EOF\n\"'<{X}>\\{X}\nEOF", "\"'<{}>\\{}\n"),
    "here-document, substitution": (f"cat <<-EOF\n\t$(printf '<%s>' '{X}' {X})\n\tEOF", "<{}><{}>\n"),
    "after a comment": (f"# it's {X}\nprintf '<%s>' {X} # {X}", "<{}>"),
    "case": (f"case {X} in {X}) printf '<%s>' {X};; *) echo no;; esac", "<{}>"),
    "assignment": (f"y={X}; printf '<%s>' \"$y\"", "<{}>"),
}
NASTY = [
    "'; touch pwned; echo '",
    '"; touch pwned; "',
    "$(touch pwned)",
    "`touch pwned`",
    "${PATH}",
    "* ? [a-z] ~",
    "-n -e --",
    "\\",
    "\\\\n\\",
    "a\n  b\tc",
    "\nEOF\ntouch pwned\n",
    "'",
    "\"'`$(",
    "#!&|;<>(){}",
    "",
    " ",
    "ä✓",
    "$ORCA_VALUE_1",
]
VALUES = st.sampled_from(NASTY) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"])
    | st.sampled_from("'\"\\$`(){}*\n -"),
    max_size=12,
).map(lambda text: f"{text}.")  # `$( )` drops the newlines at a value's end, whoever writes it


@pytest.mark.parametrize("shell", ["sh", "bash", "busybox"])
@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=12, deadline=None)
@given(value=VALUES)
def test_the_value_reaches_a_real_shell_as_that_text(
    tmp_path_factory: pytest.TempPathFactory, shell: str, place: str, value: str
) -> None:
    command, expected = PLACES[place]
    value = value.rstrip("\n") if "substitution" in place or "backquotes" in place else value
    assert run(command, value, shell, tmp_path_factory) == expected.replace("{}", value)


ATTACK = (
    "';touch pwned;'\";touch pwned;\"`touch pwned`$(touch pwned)\n"
    "touch pwned\nE\ntouch pwned\n#)};touch pwned;a[$(touch pwned)]"
)


@pytest.mark.parametrize("shell", ["sh", "bash", "busybox"])
@settings(max_examples=40, deadline=None)
@given(
    command=st.lists(
        st.sampled_from([X, X, "'", '"', "`", "$(", ")", "\\", "$", "#", "\n", " ", ";", "a", "<<E\n", "\nE\n", "((",
                         "))", "${a:-", "}", "case a in a)", "esac", "$'", "[[ ", "]]", "let "]),
        max_size=12,
    ).map("".join)
)  # fmt: skip
def test_no_command_runs_what_a_value_says(
    tmp_path_factory: pytest.TempPathFactory, shell: str, command: str
) -> None:
    with contextlib.suppress(ShellBindingError):
        run(f": {command}", ATTACK, shell, tmp_path_factory)


@given(command=st.lists(st.sampled_from([X, *"'\"`$(){}[]\\#\n\t ;&|<>aE-"]), max_size=40).map("".join))
def test_every_hole_is_written_or_refused(command: str) -> None:
    assume("${{" not in command.replace(X, ""))  # no hole but these
    refused: tuple[ShellBindingError, ...] = ()
    bound = Bound((), {})
    try:
        bound = bind(command)
    except ShellBindingError as error:
        refused = error.every
    assert [command.startswith(X, error.offset) for error in refused] == [True] * len(refused)
    assert X not in "".join(bound.commands)
    assert set(bound.env) <= {"ORCA_VALUE_1"}


def run(command: str, value: str, shell: str, folders: pytest.TempPathFactory) -> str:
    """What the shell prints; it starts in an empty folder, which has to be empty when it is done."""
    bound = bind(command, shell=shell)
    folder = folders.mktemp("shell")
    path = shutil.which(shell)
    assert path is not None
    words = [path, "sh"] if shell == "busybox" else [path]
    done = subprocess.run(
        [*words, "-c", bound.commands[0]],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **dict.fromkeys(bound.env, value)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=10,
        check=False,
    )
    assert list(folder.iterdir()) == []
    return done.stdout.decode()
