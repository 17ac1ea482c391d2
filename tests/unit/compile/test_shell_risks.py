"""A value that a program would run as code is refused, however well it is quoted; ordinary commands are not."""

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.compile.shell import Bound, ShellBindingError, bind_values

X = "${{ params.x }}"
ATTACK = "';touch pwned;'\";touch pwned;\"`touch pwned`$(touch pwned)\ntouch pwned\n#)};touch pwned;a[$(touch pwned)]"


def bind(*commands: str, shell: str = "bash") -> Bound:
    return bind_values(commands, shell=shell, is_constant=lambda _: False, constant=lambda source: source)


REFUSED = [
    # The shell calculates.
    f'let "a={X}"', f"let a={X}", f"`let {X}`", f"`let 'a={X}'`", f'x="`let \\"{X}\\"`"', f"if let {X}; then :; fi",
    f"FOO=1 let a={X}", f"command let {X}", f"builtin let {X}", f"{{ let {X}; }}", f"f() {{ let {X}; }}",
    f"function f {{ let {X}; }}", f"! let {X}", f"time let {X}", f"while let {X}; do :; done", f'declare -i b="{X}"',
    f"typeset -i b={X}", f"local -i b='{X}'", f"readonly -i b={X}", f"declare -ri b={X}", f"declare -x -i b={X}",
    f"declare -i b; b={X}", f"declare -i b\nfoo\nb='{X}'", f"export -i b={X}", f"(( x = {X} ))", f"echo $(( {X} ))",
    f'echo "$(({X}+1))"', f"for ((i={X};;)); do :; done", f"echo $[{X}]", f"[[ x -eq {X} ]]", f'[[ "{X}" -lt 3 ]]',
    f"[[ a == b && '{X}' -ge 3 ]]", f"[[ ! ( {X} -ne 1 ) ]]", f"[[ -v {X} ]]", f'[[ -v "a[{X}]" ]]',
    f"if [[ {X} -gt 1 ]]; then :; fi", f"a[{X}]=1", f'a["{X}"]=1', f"a['{X}']+=1", f"a[ {X} ]=1", f"a[b[{X}]]=1",
    f"a=([{X}]=1)", f"declare a[{X}]=1",
    # The shell takes a name, whose subscript runs.
    f'printf -v "a[{X}]" y', f"printf -v {X} y", f"printf -va[{X}] y", f'test -v "a[{X}]"', f"[ -v a[{X}] ]",
    f'[ ! -v "{X}" ]', f'read "a[{X}]"', f"read -r {X}", f"echo 1 | read a[{X}]", f'unset "a[{X}]"', f"unset -v {X}",
    f"wait -n -p {X}", f"mapfile -t {X}", f"readarray {X}", f"mapfile -C {X} a", f"getopts ab {X}", f"declare {X}=1",
    f"export {X}", f"readonly {X}=1", f"local {X}", f"[ {X} {X} ]",
    # Variables that are run.
    f"PS4={X}", f"PS4='+ {X} '; set -x", f"export PROMPT_COMMAND={X}", f"BASH_ENV={X} bash x.sh",
    f"GIT_SSH_COMMAND='ssh -i {X}' git fetch",
    # The shell runs the text.
    f"eval {X}", f'eval "echo {X}"', f"eval 'echo {X}'", f"eval echo {X}", f'eval "$(echo {X})"', f"command eval {X}",
    f"trap {X} EXIT", f'trap "rm -rf {X}" EXIT', f"alias a={X}", f"alias a='ls {X}'", f". /dev/stdin <<<{X}",
    f"source /dev/stdin <<EOF\n{X}\nEOF", f"source <(echo {X})", f". <(printf %s '{X}')", f"bind -x {X}",
    f"x=$(eval {X})", f'x="$(eval "{X}")"', f"case a in a) eval {X};; esac", f"if true; then eval {X}; fi",
    f"(eval {X})", f"f() (eval {X})", f"cat <<EOF\n$(eval {X})\nEOF", f"cat <<<$(eval {X})", f">$(eval {X})",
    f"a=($(eval {X}))", f'"eval" {X}', f"\\eval {X}", f"e''val {X}", f">log eval {X}", f"2>log eval {X}",
    f"case $(eval {X}) in a) ;; esac", f"for i in $(eval {X}); do :; done",
    # A variable of the shell takes it there.
    f'x={X}; eval "$x"', f"x={X}; echo $((x + 1))", f"x={X}; echo $(( $x ))", f"x={X}; echo ${{!x}}",
    f'x={X}; echo "${{x@P}}"', f'x={X}; y="a $x"; sh -c "echo $y"', f"x={X}; [[ $x -eq 1 ]]",
    f"read -r x <<<{X}; let x=$x", f"x={X}; ((x > 1))", f"for i in {X}; do eval $i; done",
    f'x=$(echo {X}); echo "${{a[x]}}"', f'x={X}; echo "$x" | sh', f'export x={X}; bash -c "$x"', f'x={X}; unset "$x"',
    f"x={X}; declare -i y=$x", f"x={X}; for ((i=0; i<x; i++)); do :; done", f"x={X}; echo ${{a:x}}", f"x={X}; PS4=$x",
    f"x=({X}); eval ${{x[0]}}", f"x={X}; sh <<EOF\n$x\nEOF", f"x={X}; python -c \"$x\"",
    # Another shell runs it.
    f"sh -c {X}", f'sh -c "echo {X}"', f"sh -c 'echo {X}'", f"bash -c 'echo {X}'", f"bash -ec 'echo {X}'",
    f"bash -eo pipefail -c 'echo {X}'", f"bash -c -- 'echo {X}'", f"bash --norc -c 'echo {X}'",
    f"/bin/sh -c 'echo {X}'", f"env sh -c 'echo {X}'", f"env -i A=b sh -c 'echo {X}'",
    f"/usr/bin/env -u A sh -c 'echo {X}'", f"env -S 'sh -c {X}'", f"sudo sh -c 'echo {X}'",
    f"sudo -u bob -E sh -c 'echo {X}'", f"su -c 'echo {X}'", f"su bob -c 'echo {X}'", f"su - bob -c 'echo {X}'",
    f"su --command='echo {X}' bob", f"runuser -u bob -- sh -c 'echo {X}'", f"xargs sh -c 'echo {X}'",
    f"ls | xargs -n 1 -I{{}} sh -c 'echo {{}} {X}'", f"echo {X} | xargs sh -c",
    f"echo {X} | xargs -I{{}} sh -c 'echo {{}}'", f"timeout 5 sh -c 'echo {X}'",
    f"timeout -s KILL 5 sh -c 'echo {X}'", f"nohup sh -c 'echo {X}' &", f"nice -n 5 sh -c 'echo {X}'",
    f"exec sh -c 'echo {X}'", f"exec -a a sh -c 'echo {X}'", f"command sh -c 'echo {X}'", f"busybox sh -c 'echo {X}'",
    f"setsid sh -c {X}", f"flock f -c 'echo {X}'", f"flock f sh -c 'echo {X}'", f"stdbuf -oL sh -c {X}",
    f"gosu bob sh -c {X}", f"chroot /x sh -c {X}", f"timeout 5 sudo env A=b nice sh -c {X}",
    f"script -qc 'echo {X}' log", f"watch -n 1 echo {X}", f"find . -exec sh -c 'echo {X}' \\;",
    f"find . -name a -execdir bash -c {X} +", f"$SHELL -c 'echo {X}'", f"$SUDO sh -c {X}", f"$x let {X}",
    f"$x eval {X}", f"{X} -c {X}", f"./with-env sh -c 'echo {X}'", f"time sh -c {X}", f"time -p sh -c {X}",
    f"coproc sh -c {X}", f"docker run --rm alpine sh -c 'echo {X}'",
    f"docker run --entrypoint sh alpine -c 'echo {X}'", f"docker run --entrypoint=/bin/bash alpine -ec 'echo {X}'",
    f"docker exec web sh -c 'echo {X}'", f"kubectl exec web -- sh -c 'echo {X}'",
    f"docker exec -i web sh <<EOF\necho {X}\nEOF", f"ssh host echo {X}", f'ssh host "echo {X}"',
    f"ssh -p 22 -i key host 'echo {X}'", f"ssh host <<EOF\n{X}\nEOF", f"ssh host bash -s <<EOF\n{X}\nEOF",
    f"sshpass -p a ssh host {X}", f"parallel 'echo {X}' ::: a", f"git submodule foreach 'echo {X}'",
    f"git rebase --exec {X} main", f"npx -c 'echo {X}'", f"nix-shell --run 'a {X}'", f"rsync -e 'ssh -i {X}' a b",
    f"tar xf a --to-command={X}", f"make --eval='a: {X}'",
    # It runs what it reads.
    f"sh <<EOF\necho {X}\nEOF", f"bash -s <<EOF\necho {X}\nEOF", f"sh -s a <<EOF\necho {X}\nEOF", f"bash <<<{X}",
    f"bash - <<EOF\n{X}\nEOF", f"sh /dev/stdin <<EOF\n{X}\nEOF", f"sudo sh <<EOF\n{X}\nEOF", f"bash <(echo {X})",
    f"bash < <(echo {X})", f"echo {X} | sh", f"echo {X} | sudo sh", f"printf %s '{X}' | bash -e", f"echo {X} |& sh",
    f"echo {X} | tr a b | sh", f"cat <<EOF | sh\n{X}\nEOF", f"cat <<EOF | tee log | bash\n{X}\nEOF",
    f"(echo {X}) | sh", f"{{ echo a; echo {X}; }} | sh", f"for i in a; do echo {X}; done | sh",
    f"if true; then echo {X}; fi | sh", f"echo {X} | (cd a; sh)", f"echo {X} | {{ sh; }}",
    f"{{ sh; }} <<EOF\n{X}\nEOF", f"(sh) <<<{X}", f"while true; do sh; done <<<{X}", f"echo {X} | tee >(sh)",
    f"echo {X} |\n  sh", f"echo $(echo {X}) | sh", f"ssh host 'bash -s' <<EOF\n{X}\nEOF", f"su bob <<EOF\n{X}\nEOF",
    f"echo {X} | at now", f"echo {X} | ssh host", f"echo {X} | parallel",
    # Another language runs it.
    f"python -c 'print(\"{X}\")'", f'python3 -c "print(\'{X}\')"', f"python3.11 -uc {X}", f"/usr/bin/python3 -c{X}",
    f"python3 - <<EOF\nprint('{X}')\nEOF", f"python <<EOF\nprint('{X}')\nEOF", f"echo {X} | python3",
    f"python3 -W error -c {X}", f"uv run python -c {X}", f"docker run python python -c {X}", f"sudo python -c {X}",
    f"perl -e 'print \"{X}\"'", f"perl -ne 's/a/{X}/; print'", f"perl -pi -e 's/a/{X}/' f",
    f"perl -i.bak -pe 's/a/{X}/' f", f"ruby -e 'puts \"{X}\"'", f"node -e 'console.log(\"{X}\")'", f"node -pe {X}",
    f"node --eval={X}", f"node <<<{X}", f"php -r {X}", f"lua -e {X}", f"Rscript -e {X}", f"pwsh -Command {X}",
    f"awk '{{print \"{X}\"}}' f", f"awk -F: '/{X}/' f", f"awk -v a=b '{{print {X}}}'", f"gawk -e {X}",
    f"sed 's/a/{X}/' f", f"sed -i 's/a/{X}/' f", f"sed -i.bak -e 's/a/{X}/' f", f'sed -E "s|a|{X}|g" f',
    f"sed f -e {X}", f"echo a | sed s/a/{X}/", f"expect -c {X}", f"vim -c {X} f", f"ed f <<EOF\n{X}\nEOF",
    # Programs that take code as a subcommand's operand, a setting, an address.
    f"deno eval {X}", f"mongosh --eval {X}", f"mongosh db --eval '{X}'", f"mongo --quiet --eval={X}",
    f"mongosh <<EOF\n{X}\nEOF", f"erl -noshell -eval {X}", f"scala -e {X}", f"ghc -e {X}", f"emacs --batch --eval {X}",
    f"gdb -batch -ex {X} ./a", f"make -f - <<EOF\n{X}\nEOF", f"make -f- <<EOF\n{X}\nEOF",
    f"make --file=- <<EOF\n{X}\nEOF", f"make -f <(echo {X})", f"awk -f - <<EOF\n{X}\nEOF", f"crontab <<EOF\n{X}\nEOF",
    f"crontab - <<EOF\n{X}\nEOF", f"echo {X} | crontab", f"git -c core.sshCommand={X} fetch",
    f"git -C a -c 'core.sshCommand=ssh -i {X}' fetch", f"git -c alias.x='!{X}' x", f"git -c {X} status",
    f"timeout 5 git -c core.pager={X} log", f"git clone -c core.sshCommand={X} url",
    f"git config --global core.sshCommand 'ssh -i {X}'", f"git config credential.helper {X}",
    f"git rebase -x {X} main", f"git rebase -i --exec={X}", f"git -C dir rebase -ix {X}", f"git clone -u {X} a",
    f"ssh -o ProxyCommand={X} host", f"ssh -oProxyCommand={X} host", f"scp -o 'ProxyCommand nc {X}' a b",
    f"ssh -o {X} host", f"nc -e {X} host 80", f"nc -l -p 80 -c {X}", f"ncat --sh-exec {X}", f"socat EXEC:{X} -",
    f"socat - SYSTEM:{X}", f"socat - TCP:{X}:80", f"tmux new {X}", f"tmux new-session -d -s a {X}",
    f"tmux -L a send-keys -t b {X} Enter", f"screen -S a -X stuff {X}", f"entr -s {X}", f"ls | entr -rs {X}",
    f"entr -sr 'echo {X}'", f"sudo deno eval {X}",
    # A function prints it there, or runs what it reads.
    f"f() {{ echo {X}; }}; f | sh", f"f() {{ echo {X}; }}\nf | sh", f"function f {{ echo {X}; }}; f | sh",
    f"function f() {{ echo {X}; }}; f | sh", f'f() (echo {X}); eval "$(f)"', f"f() {{ sh; }}; echo {X} | f",
    f"x={X}; f() {{ echo $x; }}; f | bash",
]  # fmt: skip

ACCEPTED = [
    f"make {X}", f"make -C dir {X} A={X}", f'./deploy.sh "{X}"', f"echo {X}", f"echo {X} > file", f"echo eval {X}",
    f"git checkout {X}", f"git commit -m 'sh -c {X}'", f"git clone --branch {X} url dir", f"curl -fsSL https://x/{X}",
    f"curl -d '{{\"a\": \"{X}\"}}' url", f'docker build -t "a:{X}" .', f"docker run --rm -e A={X} alpine env",
    f"docker run --rm alpine echo {X}", f"docker push a/b:{X}", f"kubectl set image a b={X}", f"env FOO={X} cmd",
    f"FOO={X} cmd", f"FOO='{X}' BAR={X} ./cmd {X}", f"export FOO={X}", f"export FOO='a {X}' BAR", f"local a={X}",
    f"readonly A={X}", f"declare -r a={X}", f"declare -A a=([k]={X})", f"a=({X} b '{X}')", f"a+=({X})", f"a[0]={X}",
    f"python script.py {X}", f"python -m pytest -k {X}", f"python3 -m venv {X}", f"sh script.sh {X}",
    f"bash -e x.sh {X}", f"sh -c 'echo \"$1\"' _ {X}", f"sh -c 'echo \"$1\"' _ \"{X}\"",
    f"bash -ec 'echo \"$1\"' sh '{X}'", f"sudo sh -c 'echo \"$1\"' _ {X}",
    f"docker run alpine sh -c 'echo \"$1\"' _ {X}", f"FOO={X} sh -c 'echo \"$FOO\"'",
    f"find . -exec sh -c 'echo \"$1\"' _ {X} \\;", f"xargs sh -c 'echo \"$@\"' _ {X}",
    f"echo {X} | xargs sh -c 'echo \"$@\"' _", f"python -c 'import sys; print(sys.argv)' {X}", f"node -e 'f()' {X}",
    f"perl -e 'print @ARGV' {X}", f"bash -s -- {X} <<'EOF'\necho \"$1\"\nEOF", f"sh -s {X} < script.sh",
    f"python3 - {X} <<'EOF'\nprint(1)\nEOF", f"echo {X} | xargs rm", f"xargs -n1 echo {X}", f"find . -name {X}",
    f"find {X} -type f -exec rm {{}} +", f'awk -v x="{X}" \'{{print x}}\' f', f"awk '{{print}}' {X}",
    f"awk -f prog.awk {X}", f"sed -n 1p {X}", f"sed -f s {X}", f"sed --sandbox 's/a/{X}/' f", f"sed -i s/a/b/ {X}",
    f"grep {X} f", f"grep -e {X} -- f", f"ls | grep -v '{X}'", f"printf {X}", f"printf '%s' {X}",
    f"printf -v a %s {X}", f"rm -rf {X}", f"cd {X}", f"[ {X} = a ]", f"test -n {X}", f"[ {X} -eq 1 ]",
    f"[ -f {X} ] && [ -z {X} ]", f"[[ {X} == a* ]]", f"[[ -n {X} && a -eq 1 ]]", f"[[ {X} =~ ^(a|b)$ ]]",
    f"[[ (a -eq 1) || {X} = b ]]", f"case {X} in a) echo {X};; *) exit 1;; esac",
    f"for i in {X} b; do echo $i {X}; done", f"if [ {X} = a ]; then echo {X}; else echo; fi",
    f"while read -r l; do echo $l {X}; done < f", f"read -r a <<<{X}", f"read -p {X} a", f"read -d {X} a",
    f"cat <<EOF\n{X}\nEOF", f"cat <<EOF > f\n{X}\nEOF", f"cat > {X} <<EOF\na\nEOF", f"tee f <<EOF\n{X}\nEOF",
    f"python script.py <<EOF\n{X}\nEOF", f"python -m json.tool <<EOF\n{X}\nEOF", f"python -c 'f()' <<EOF\n{X}\nEOF",
    f"sh x.sh <<<{X}", f"sh -c 'cat' <<<{X}", f"diff <(echo {X}) <(echo b)", f"curl https://x/{X}/install.sh | sh",
    f"curl -sSL https://x/{X} | sudo bash -s -- {X}", f"bash -c \"$(curl {X})\"", f"wget -qO- {X} | bash",
    f"bash <(curl {X})", f"cat {X} | sh", f"zcat {X} | ssh host 'tar x'", f"sh < {X}", f"git show {X}:f | sh",
    "tar c . | ssh host tar x", f"echo {X} | ssh host 'cat > f'", f"ssh {X} uptime", f"ssh {X}",
    f"ssh -i {X} host uptime", f"scp f {X}:f", f"rsync -a {X} host:", f"rsync -av -e ssh f {X}", f"echo {X} | tee f",
    f"echo {X} | docker login -u a --password-stdin", f"echo {X} | grep -w bash", f"echo {X} | tee sh",
    f"apt-get install -y ssh {X}", f"apt-get install bash sed awk {X}", f"pip install python a=={X}", f"npm run {X}",
    f"npm version {X}", f"npx tool {X}", f"uv run x.py {X}", f"timeout {X} cmd", f"sleep {X}", f"nice -n {X} cmd",
    f"exit {X}", f"sudo cp {X} /", f"sudo -u {X} cmd", f"chmod 644 {X}", f"exec ./server --port {X}", f"exec {X}",
    f"{X} --version", f"command -v {X}", f"which {X}", f"trap 'rm -f $F' EXIT; F={X}", f"trap - {X}", f"kill {X}",
    f"wait {X}", f"set -- {X}", f"shift; echo {X}", f"source {X}", f". ./env.sh {X}", f"gh release create {X}",
    f"helm upgrade a b --set c={X}", f"terraform apply -var a={X}", f"go test -run {X} ./...",
    f"cargo build --features {X}", f"mvn -D a={X} verify", f"jq --arg v {X} '.a = $v' f", f"jq -r . {X}",
    f"tar -czf {X} dir", f"tar -xzf {X} -C dir", f"psql -d {X} -f f.sql", f"echo \"a=$(cat {X})\" >> $ORCA_OUTPUT",
    f"echo v={X} >> \"$ORCA_OUTPUT\"", f"x=$(echo {X}); echo $x", f"x=`echo {X}`; echo $x",
    f"f() {{ echo \"$1\" {X}; }}; f {X}", f"function f {{ echo {X}; }}", f"(cd {X} && make)", f"{{ echo {X}; }} > f",
    f"cmd && echo {X} || echo {X}", f"cmd & echo {X}", f"# eval {X}", f"echo a # sh -c {X}",
    f"IFS=, read -r a b <<<{X}", f"mapfile -t a <<<{X}", f"unset a; a={X}", f"ENV={X} cmd", f"PATH={X}:$PATH cmd",
    f"printf '%s\\n' {X} | sort | uniq", f"let a=1; echo {X}", f"declare -i n=1; m={X}", f"echo $((1+1)) {X}",
    f"alias ll=ls; ll {X}",
    f"deno run {X}", f"deno eval 'x' {X}", f"git -c user.name={X} commit",
    f"git -c http.extraheader='AUTHORIZATION: {X}' fetch", f"git config user.email {X}", f"git rebase {X}",
    f"git rebase --onto {X} a", f"git clone -b {X} url", f"git checkout -b {X}", f"git commit -c {X}",
    f"ssh -o UserKnownHostsFile={X} host", f"ssh -o StrictHostKeyChecking=no -i {X} host", f"nc -z {X} 80",
    f"nc -zv -w 5 {X} {X}", f"tmux new -d -s {X}", f"tmux kill-session -t {X}", f"screen -S {X} -X quit",
    f"entr make {X}", f"make -f Makefile -C {X} {X}", f"make --file={X}", f"crontab -u {X} file",
    f"redis-cli -h {X} set k {X}", f"ghc -package {X} a.hs", f"gdb --args {X}", f"scala -classpath {X} A",
    f"mongosh {X}",
    f"erl -sname {X}", f"emacs {X}", f"echo {X} > a.txt; sh x.sh", f"echo {X} > a; cat a",
    f"f() {{ echo {X}; }}; f", f"f() {{ echo {X}; }}; f | grep a", f"echo a > x.sh; echo {X} > b; sh x.sh",
    f"sh x.sh > {X}", f"./x.sh {X} > out.txt", f"cp {X} x.sh", f"curl {X} > x.sh", f"cat {X} > x.sh",
    f"echo {X} 2> a.sh",
]  # fmt: skip


@pytest.mark.parametrize("command", REFUSED)
def test_what_would_run_a_value_is_refused(command: str) -> None:
    with pytest.raises(ShellBindingError):
        bind(command)


def test_a_variable_is_followed_from_one_command_to_another() -> None:
    with pytest.raises(ShellBindingError) as caught:
        bind("echo a", f"x={X}", "echo b\neval $x")
    assert [(error.command, error.offset) for error in caught.value.every] == [(1, 2)]
    assert "it goes into the variable 'x', and there 'eval' runs that text as code" in str(caught.value)


@pytest.mark.parametrize("command", ACCEPTED)
def test_ordinary_commands_pass_without_a_word(command: str) -> None:
    assert bind(command).doubtful == ()


ATTACKS = [
    ATTACK, "a[$(touch pwned)]", "$(touch pwned)", "touch pwned", "x;touch pwned", "\ntouch pwned\n", "`touch pwned`",
    "'\"; touch pwned #", "e touch pwned", "{system(\"touch pwned\")}", "__import__('os').system('touch pwned')",
    "-c", "",
]  # fmt: skip
SAFE_PROGRAMS = (
    "sh", "bash", "cat", "awk", "sed", "grep", "tr", "sort", "uniq", "xargs", "find", "env", "timeout", "nice", "tee",
    "diff", "python3", "touch", "printf", "perl", "head",
)  # fmt: skip
"""What the shells of these tests can start: real interpreters, and nothing that could do harm to the machine."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    for name in SAFE_PROGRAMS:
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(found)
    return folder


def is_attacked(command: str, value: str, shell: str, programs: Path, folder: Path) -> bool:
    """Whether a bound command, run with `value`, makes the file that the attacks are after."""
    path = shutil.which(shell)
    assert path is not None
    bound = bind(command, shell=shell)
    subprocess.run(
        [path, *(["sh"] if shell == "busybox" else []), "-c", bound.commands[0]],
        env={"PATH": str(programs), "LC_ALL": "C.UTF-8", **dict.fromkeys(bound.env, value)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    return any(made.name.startswith("pwned") for made in folder.iterdir())


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_no_accepted_command_runs_a_value(shell: str, programs: Path, tmp_path: Path) -> None:
    attacked: list[tuple[str, str]] = []
    for number, command in enumerate(ACCEPTED):
        value = ATTACKS[number % len(ATTACKS)]
        for attack in {ATTACK, value}:
            folder = tmp_path / f"{number}-{len(attack)}"
            folder.mkdir()
            with contextlib.suppress(ShellBindingError):
                if is_attacked(command, attack, shell, programs, folder):
                    attacked.append((command, attack))
    assert attacked == []


TOKENS = [
    X, X, X, X, "'", '"', "`", "$(", ")", "(", "\\", "#", "\n", " ", " ", " ", ";", "a", "=", "|", "&&", "<<E\n",
    "\nE\n", "<<<", "<(", ">(", "((", "))", "{ ", "; }", "case a in ", "esac", "do ", "; done", "for i in ", "if ",
    "then ", "; fi", "[[ ", " ]]", "[ ", " ]", " -eq ", " -v ", "a[", "]", "]=1", "let ", "eval ", "declare -i ",
    "export ", "printf -v ", "read ", "unset ", "trap ", " EXIT", "sh ", "bash ", "-c ", "-s ", "env ", "A=",
    "xargs ", "timeout 5 ", "awk ", "sed ", "perl ", "-e ", "cat ", "echo ", "command ", ". ", "/dev/stdin",
    "find . -exec ", " \\;", "f() ", "function f ", "! ", "> f", "2>&1 ", "|& ", "$x ", "$((", "${x}", "x=(",
    "coproc ", "time ", "PS4=", "set -x;", "test ", "-I{} ", "{}",
]  # fmt: skip


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
@settings(max_examples=int(os.environ.get("ORCA_SHELL_EXAMPLES", "60")), deadline=None)
@given(command=st.lists(st.sampled_from(TOKENS), max_size=14).map("".join), attack=st.sampled_from(ATTACKS))
@example(command=f"x=({X}); sh -c 'echo {{}}'", attack=ATTACK)
def test_no_command_at_all_runs_a_value(
    tmp_path_factory: pytest.TempPathFactory, programs: Path, shell: str, command: str, attack: str
) -> None:
    with contextlib.suppress(ShellBindingError):
        assert not is_attacked(command, attack, shell, programs, tmp_path_factory.mktemp("attack"))


@pytest.mark.parametrize(
    "command", [f"echo $(( {X} + 1 ))", f"let a={X}", f"sh -c 'exit {X}'", f"[[ {X} -eq 1 ]]", f"a[{X}]=1"]
)
def test_what_can_only_be_a_number_may_stand_everywhere(command: str) -> None:
    bound = bind_values(
        [command],
        shell="bash",
        is_constant=lambda _: False,
        constant=lambda source: source,
        is_number=lambda source: source == "params.x",
    )
    assert (bound.env, bound.doubtful) == ({"ORCA_VALUE_1": X}, ())


@pytest.mark.parametrize(
    "command", [f"psql -c \"select '{X}'\"", f"mysql -e '{X}'", f"sqlite3 a.db '{X}'", f"jq '.a = \"{X}\"' f",
     f"redis-cli eval {X} 0", f"redis-cli -h a EVAL '{X}' 0"],
)  # fmt: skip
def test_a_text_in_a_language_without_programs_is_worth_a_warning(command: str) -> None:
    (doubt,) = bind(command).doubtful
    assert (doubt.expression, doubt.offset) == ("params.x", command.index(X))


@pytest.mark.parametrize(
    "command",
    [f"echo 'echo {X}' > x.sh; sh x.sh", f"cat > x.sh <<EOF\necho {X}\nEOF", f"echo {X} >> run.js",
     f"echo {X} | tee x.py",
     f"(echo a; echo {X}) > x.sh", f"echo {X} | sudo tee /usr/bin/x.sh >/dev/null", f"x={X}; echo $x > x.sh",
     f"echo {X} > x; sh ./x", f"cat > deploy <<EOF\n{X}\nEOF\nchmod +x deploy; ./deploy", f"echo {X} > a; . ./a",
     f"echo {X} > a; bash < a", f"echo {X} > a; cat a | sh", f"echo {X} > rules; make -f rules",
     f"echo {X} > n; n=$(cat n); eval \"$n\""],
)  # fmt: skip
def test_a_value_in_a_script_is_worth_a_warning(command: str) -> None:
    (doubt,) = bind(command).doubtful
    assert (doubt.expression, doubt.offset) == ("params.x", command.index(X))


def test_a_file_is_followed_from_one_command_to_another() -> None:
    (doubt,) = bind(f"echo {X} > run", "chmod +x run", "./run").doubtful
    assert (doubt.command, doubt.offset) == (0, 5)
    assert "it goes into the file 'run', and './run' runs that file; " in str(doubt)
    with pytest.raises(
        ShellBindingError, match="the function 'f' prints it, and there 'sh' runs what it reads"
    ):
        bind(f"f() {{ echo {X}; }}", "f | sh")


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (f"sh -c 'echo {X}'", "read it there: sh -c '… \"$X\" …'"),
        (f"bash -ec 'echo {X}'", "read it there: bash -c '… \"$X\" …'"),
        (f"docker exec a sh -c 'echo {X}'", 'give it behind that text: sh -c \'… "$1" …\' sh "$X"'),
        (f"python3.11 -c 'print(\"{X}\")'", 'read os.environ["X"] there'),
        (f"python - <<EOF\n{X}\nEOF", 'read os.environ["X"] there'),
        (f"perl -e 'print \"{X}\"'", "read $ENV{X} there"),
        (f"awk '/{X}/' f", 'read ENVIRON["X"] there'),
        (f"alias a={X}", 'write a function that uses "$X"'),
        (f"eval {X}", "write it in single quotes: eval '… \"$X\" …'"),
        (
            f"sh <<EOF\n{X}\nEOF",
            "read \"$X\" there, in text that the shell around it leaves alone: <<'EOF' or '…'",
        ),
    ],
)
def test_the_error_says_where_to_read_the_variable(command: str, advice: str) -> None:
    with pytest.raises(ShellBindingError) as caught:
        bind(command)
    assert str(caught.value).endswith(f"; write 'env: {{X: \"{X}\"}}' and {advice}")


@pytest.mark.parametrize(
    "piece",
    ["env ", "$x ", "find . -exec ", "sh ", "sudo -u a ", "docker --entrypoint ", "parallel a ", "{ a; } | ", "a | ",
     "x=( ", "case a in a) ", "a[", "[[ ", "xargs -I{} ", "$(:) ", "<<<a ", "'a' ", "python -c ", "let ", "f() "],
)  # fmt: skip
def test_long_commands_take_no_long_time(piece: str) -> None:
    began = time.process_time()
    with contextlib.suppress(ShellBindingError):
        bind(f"{piece * 10_000} {X}")
    assert time.process_time() - began < 10
