"""Programs that run a text which they are given: which of their words is code, and whether they run what they read.

Tables alone; `shell_reading` reads a command by them. A program that is not here uses its words as data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    """What a text is code of.

    `how` goes on after "write 'env: …'" and says where the variable `{name}` is read; `{program}` runs the text.
    """

    how: str
    piped: str | None = None
    """The same where the text is what the program reads; None: no different."""
    harmless: bool = False
    """It runs no programs: a value in it changes what is asked for, and not what is run."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a program is told what to run. Short options are letters, those in `long` have their dashes."""

    language: Language
    code: str = ""
    """Short options whose value is code."""
    long: tuple[str, ...] = ()
    values: str = ""
    """Further short options that take a value."""
    attached: str = ""
    """Short options whose value, if any, stands in the same word."""
    long_values: Mapping[str, int] = field(default_factory=dict[str, int])
    """Long options, and how many words follow each."""
    file: str = ""
    """Short options whose value names a file or module that is run instead."""
    long_file: tuple[str, ...] = ()
    """Long options of that kind."""
    operand: int | None = None
    """Which operand is code where no option gave any, from 0."""
    all_operands: bool = False
    """Whether every operand from `operand` on is."""
    permutes: bool = False
    """Whether options may follow operands."""
    script: bool = False
    """Whether the first operand names a file that is run."""
    stdin: bool = False
    """Whether it runs what it reads where it is given nothing else."""
    safe: tuple[str, ...] = ()
    """Options with which it runs no code."""


SHELL: Final = Language(
    """ and read it there: {program} '… "${name}" …'""",
    piped=""" and read "${name}" there, in text that the shell around it leaves alone: <<'EOF' or '…'""",
)
BEHIND: Final = Language(""" and give it behind that text: {program} '… "$1" …' sh "${name}\"""")
"""A shell in another place, which may not have the variable."""
_EVAL: Final = Language(""" and write it in single quotes: {program} '… "${name}" …'""")
_REMOTE: Final = Language(
    """ and send it as input: printf '%s\\n' "${name}" | {program} … 'IFS= read -r {name}; … "${name}" …'""",
    piped=""", quote the here-document's word (<<'EOF'), and send the value as a file or as input of a command""",
)
_PYTHON: Final = Language(' and read os.environ["{name}"] there')
_NODE: Final = Language(" and read process.env.{name} there")
_RUBY: Final = Language(' and read ENV["{name}"] there')
_LUA: Final = Language(' and read os.getenv("{name}") there')
_PHP: Final = Language(' and read getenv("{name}") there')
_R: Final = Language(' and read Sys.getenv("{name}") there')
_TCL: Final = Language(" and read $env({name}) there")
_PWSH: Final = Language(" and read $env:{name} there")
_PERL: Final = Language(" and read $ENV{{name}} there")
_AWK: Final = Language(' and read ENVIRON["{name}"] there')
_SED: Final = Language(
    """ and use awk: awk '{ gsub(/…/, ENVIRON["{name}"]); print }'; or add --sandbox, with which sed runs nothing"""
)
_SQL: Final = Language(" and let in only what you expect there", harmless=True)
_JQ: Final = Language(""" and pass it as data: jq --arg x "${name}" '… $x …'""", harmless=True)
_PLAIN: Final = Language(" and read the environment variable {name} there")
_ALIAS: Final = Language(' and write a function that uses "${name}"')
_MAKE: Final = Language(" and read $({name}) there")

_BEAM: Final = Language(' and read os:getenv("{name}") there')
_SCALA: Final = Language(' and read sys.env("{name}") there')
_HASKELL: Final = Language(' and read System.Environment.getEnv "{name}" there')
_LISP: Final = Language(' and read (getenv "{name}") there')
_CLOJURE: Final = Language(' and read (System/getenv "{name}") there')
_DENO: Final = Language(' and read Deno.env.get("{name}") there')
_MONGO: Final = Language(' and read _getEnv("{name}") there')
_REDIS: Final = Language(""" and pass it as data: redis-cli eval '… ARGV[1] …' 0 "${name}\"""", harmless=True)
_TMUX: Final = Language(""" and hand it on: tmux … -e {name}="${name}" '… "${name}" …'""")
TYPED: Final = Language(
    """ and start what is to have it with it: screen -dm sh -c '… "$1" …' sh "${name}\""""
)
"""What is typed into a terminal."""
ADDRESS: Final = Language(
    """ and read it in SYSTEM:'… "${name}" …'; or let in only what a plain address has: """
    """case "${name}" in ''|*[!A-Za-z0-9._-]*) exit 1;; esac"""
)
"""What may say which program is run."""

SHELLS: Final = ("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash", "hush")

WRAPPERS: Final[Mapping[str, tuple[str, int]]] = {
    "builtin": ("", 0), "busybox": ("", 0), "catchsegv": ("", 0), "chroot": ("", 1), "chrt": ("", 1),
    "command": ("", 0), "doas": ("uC", 0), "dumb-init": ("", 0), "env": ("uC", 0), "exec": ("a", 0),
    "faketime": ("f", 1), "flock": ("wE", 1), "gosu": ("", 1), "ionice": ("cnpPu", 0), "ltrace": ("eops", 0),
    "nice": ("n", 0), "noglob": ("", 0), "nohup": ("", 0), "nsenter": ("t", 0), "proot": ("rbw", 0),
    "setarch": ("", 1), "setpriv": ("", 0), "setsid": ("", 0), "sshpass": ("pfdP", 0), "stdbuf": ("ioe", 0),
    "strace": ("abeEIoOpPsSuX", 0), "su-exec": ("", 1), "sudo": ("CDghpRrTtUu", 0), "taskset": ("", 1),
    "time": ("fo", 0), "timeout": ("ks", 1), "tini": ("peg", 0), "toybox": ("", 0), "unbuffer": ("", 0),
    "unshare": ("RSG", 0), "xargs": ("adEILnPs", 0), "xvfb-run": ("enps", 0), "-": ("", 0),
}  # fmt: skip
"""Programs that run the rest of their words: short options with a value, and operands before that rest."""

CONTAINERS: Final = (
    "docker", "podman", "nerdctl", "kubectl", "oc", "lxc", "incus", "lxc-attach", "crictl", "ctr", "machinectl",
    "docker-compose", "podman-compose", "systemd-run", "systemd-nspawn", "bwrap",
)  # fmt: skip
"""Programs that hand what they read to the command among their words."""

PRINTS: Final = (
    "echo",
    "printf",
    "print",
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "test",
    "[",
    "[[",
    "expr",
    "which",
    "type",
)
"""Commands that run nothing that is among their words."""

PROGRAMS: Final[Mapping[str, Program]] = {
    "python": Program(_PYTHON, code="c", values="WX", file="m", script=True, stdin=True),
    "pypy": Program(_PYTHON, code="c", values="WX", file="m", script=True, stdin=True),
    "perl": Program(
        _PERL, code="eE", values="I", attached="iFCdDxVM", script=True, stdin=True
    ),
    "ruby": Program(_RUBY, code="e", values="rICEK", script=True, stdin=True),
    "node": Program(
        _NODE, code="ep", long=("--eval", "--print"), values="rC", long_values={"--require": 1, "--import": 1},
        script=True, stdin=True,
    ),
    "nodejs": Program(_NODE, code="ep", long=("--eval", "--print"), values="r", script=True, stdin=True),
    "bun": Program(_NODE, code="ep", long=("--eval", "--print")),
    "php": Program(_PHP, code="rBRE", values="dcztS", file="f", script=True, stdin=True),
    "lua": Program(_LUA, code="e", values="l", script=True, stdin=True),
    "julia": Program(_RUBY, code="eE", long=("--eval", "--print"), script=True, stdin=True),
    "Rscript": Program(_R, code="e", script=True),
    "R": Program(_R, code="e", stdin=True),
    "pwsh": Program(_PWSH, code="c", long=("-Command", "-command", "-EncodedCommand"), script=True, stdin=True),
    "groovy": Program(Language(' and read System.getenv("{name}") there'), code="e", script=True),
    "elixir": Program(Language(' and read System.get_env("{name}") there'), code="e", long=("--eval",), script=True),
    "osascript": Program(_PLAIN, code="e", script=True, stdin=True),
    "octave": Program(_PLAIN, long=("--eval",), script=True, stdin=True),
    "guile": Program(_PLAIN, code="c", script=True, stdin=True),
    "racket": Program(_PLAIN, code="e", script=True, stdin=True),
    "expect": Program(_TCL, code="c", script=True, stdin=True),
    "tclsh": Program(_TCL, script=True, stdin=True),
    "awk": Program(_AWK, code="e", long=("--source",), values="Fv", file="fE", operand=0),
    "sed": Program(
        _SED, code="e", long=("--expression",), values="l", attached="i", file="f", operand=0, permutes=True,
        safe=("--sandbox",),
    ),
    "ed": Program(_PLAIN, stdin=True), "ex": Program(_PLAIN, code="c", stdin=True, permutes=True),
    "vi": Program(_PLAIN, code="c", permutes=True), "vim": Program(_PLAIN, code="c", permutes=True),
    "su": Program(SHELL, code="c", long=("--command", "--session-command"), values="sgGwT", permutes=True, stdin=True),
    "runuser": Program(
        SHELL, code="c", long=("--command", "--session-command"), values="sgGuw", permutes=True, stdin=True
    ),
    "script": Program(SHELL, code="c", long=("--command",), values="EIOBTom", permutes=True),
    "watch": Program(SHELL, values="n", operand=0, all_operands=True),
    "ssh": Program(_REMOTE, values="BbcDEeFIiJLlmOopPQRSWw", operand=1, all_operands=True, stdin=True),
    "eval": Program(_EVAL, operand=0, all_operands=True),
    "trap": Program(_EVAL, operand=0),
    "alias": Program(_ALIAS, operand=0, all_operands=True),
    "source": Program(SHELL, script=True), ".": Program(SHELL, script=True),
    "hyperfine": Program(SHELL, values="wmMrsSp", operand=0, all_operands=True),
    "concurrently": Program(SHELL, values="nck", operand=0, all_operands=True),
    "nodemon": Program(SHELL, code="x", long=("--exec",), permutes=True),
    "npx": Program(SHELL, code="c", long=("--call",)), "npm": Program(SHELL, code="c", long=("--call",), permutes=True),
    "nix-shell": Program(SHELL, long=("--run", "--command"), permutes=True),
    "vagrant": Program(_REMOTE, code="c", long=("--command",), permutes=True),
    "gcloud": Program(_REMOTE, long=("--command",), permutes=True),
    "rsync": Program(SHELL, code="e", long=("--rsh",), values="fBMT", permutes=True),
    "tar": Program(SHELL, long=("--to-command", "--checkpoint-action", "--use-compress-program"), permutes=True),
    "make": Program(
        _MAKE, long=("--eval",), values="CIoWj", file="f", long_file=("--file", "--makefile"), permutes=True
    ),
    "git": Program(
        SHELL, values="cC", permutes=True,
        long=("--exec", "--tree-filter", "--index-filter", "--msg-filter", "--env-filter", "--commit-filter",
              "--parent-filter", "--tag-name-filter", "--extcmd", "--upload-pack", "--receive-pack"),
    ),
    "at": Program(SHELL, stdin=True), "batch": Program(SHELL, stdin=True),
    "crontab": Program(SHELL, values="u", script=True, stdin=True),
    "mongosh": Program(
        _NODE, long=("--eval",), values="up", permutes=True, stdin=True,
        long_values={"--host": 1, "--port": 1, "--username": 1, "--password": 1, "--authenticationDatabase": 1},
    ),
    "mongo": Program(
        _MONGO, long=("--eval",), values="up", permutes=True, stdin=True,
        long_values={"--host": 1, "--port": 1, "--username": 1, "--password": 1, "--authenticationDatabase": 1},
    ),
    "erl": Program(_BEAM, long=("-eval",), permutes=True),
    "iex": Program(_BEAM, code="e", long=("--eval",), stdin=True),
    "scala": Program(_SCALA, long=("-e", "-execute-script", "--execute-script"), script=True, permutes=True),
    "kotlin": Program(_PLAIN, long=("-e", "-expression")), "clojure": Program(_CLOJURE, long=("-e", "--eval", "-M:e")),
    "clj": Program(_CLOJURE, long=("-e", "--eval")), "bb": Program(_CLOJURE, long=("-e", "--eval"), script=True),
    "ghc": Program(_HASKELL, long=("-e",), permutes=True), "runghc": Program(_HASKELL, script=True, stdin=True),
    "ghci": Program(_HASKELL, long=("-e",), stdin=True, permutes=True),
    "emacs": Program(
        _LISP, long=("--eval", "-eval", "--execute", "-execute"), permutes=True,
        long_file=("-l", "--load", "-load", "--script", "-script"),
    ),
    "emacsclient": Program(_LISP, long=("--eval", "-e"), permutes=True),
    "sbcl": Program(_PLAIN, long=("--eval",), long_file=("--load", "--script"), permutes=True, stdin=True),
    "gdb": Program(
        _PLAIN, permutes=True, stdin=True, long_file=("-x", "--command", "-command"),
        long=("-ex", "--ex", "-iex", "--iex", "-eval-command", "--eval-command", "--init-eval-command"),
    ),
    "lldb": Program(
        _PLAIN, long=("-o", "--one-line", "-O", "--one-line-before-file"), permutes=True, stdin=True,
        long_file=("-s", "--source"),
    ),
    "raku": Program(_PLAIN, code="e", script=True, stdin=True),
    "ts-node": Program(_NODE, code="ep", long=("--eval", "--print"), script=True, stdin=True),
    "tsx": Program(_NODE, code="ep", long=("--eval", "--print"), script=True, stdin=True),
    "nc": Program(
        SHELL, code="ec", long=("--exec", "--sh-exec", "--lua-exec"), values="gGiImMOpPqsTVwWxX", permutes=True
    ),
    "psql": Program(_SQL, code="c", long=("--command",), values="dfFhLoPpRTUv", permutes=True, stdin=True),
    "mysql": Program(_SQL, code="e", long=("--execute",), values="DhPSu", attached="p", permutes=True, stdin=True),
    "sqlite3": Program(_SQL, operand=1, all_operands=True, stdin=True),
    "jq": Program(
        _JQ, values="L", file="f", operand=0, permutes=True,
        long_values={"--arg": 2, "--argjson": 2, "--slurpfile": 2, "--rawfile": 2, "--indent": 1, "--from-file": 1},
    ),
}  # fmt: skip
SUBCOMMANDS: Final[Mapping[str, Mapping[str, Program]]] = {
    "deno": {"eval": Program(_DENO, operand=0), "repl": Program(_DENO, long=("--eval",), stdin=True)},
    "crystal": {"eval": Program(_RUBY, operand=0, all_operands=True)},
    "git": {"rebase": Program(SHELL, code="x", values="sX", permutes=True),
            "difftool": Program(SHELL, code="x", values="t", permutes=True),
            "clone": Program(SHELL, code="u", values="bcojo", permutes=True)},
    "mix": {"run": Program(_BEAM, code="e", long=("--eval",), values="r", permutes=True)},
    "redis-cli": dict.fromkeys(("eval", "eval_ro", "EVAL", "EVAL_RO"), Program(_REDIS, operand=0)),
    "tmux": {
        **dict.fromkeys(("new", "new-session", "neww", "new-window", "splitw", "split-window",
                         "respawnp", "respawn-pane", "respawnw", "respawn-window"),
                        Program(_TMUX, values="ceFflnstxy", operand=0, all_operands=True)),
        **dict.fromkeys(("popup", "display-popup"),
                        Program(_TMUX, values="bcdehsStTwxy", operand=0, all_operands=True)),
        **dict.fromkeys(("run", "run-shell", "if", "if-shell", "pipep", "pipe-pane", "send", "send-keys"),
                        Program(_TMUX, values="cdNt", operand=0, all_operands=True)),
    },
}  # fmt: skip
"""Programs whose first operand says what their further words are."""
FIRST_VALUES: Final = {"git": "cC", "redis-cli": "hpasnrituD", "tmux": "cfLST"}
"""Short options with a value that may stand before that operand."""
SAME: Final = {
    "gawk": "awk", "mawk": "awk", "nawk": "awk", "gsed": "sed", "mariadb": "mysql", "lua5": "lua", "luajit": "lua",
    "powershell": "pwsh", "nvim": "vim", "gojq": "jq", "jaq": "jq", "gmake": "make", "autossh": "ssh", "slogin": "ssh",
    "netcat": "nc", "ncat": "nc", "runhaskell": "runghc", "valkey-cli": "redis-cli",
}  # fmt: skip
SHELL_WORDS: Final = ("eval", "trap", "alias", "source", ".")
"""Programs that are the shell's own, and mean nothing among another program's words."""
