"""What an editor tells of the keys of services; as `key_texts`, of which it is a part."""

from collections.abc import Mapping
from typing import Final

from orchestrator.spec.key_text import KeyText
from orchestrator.spec.model import HealthCheckShape, HttpShape, ReadyShape, ServiceShape, Shape

SERVICE_TEXTS: Final[Mapping[type[Shape], Mapping[str, KeyText]]] = {
    ServiceShape: {
        "image": KeyText(
            "The service's image. May hold ${{ }}; one that comes out empty leaves the service out.",
            ("postgres:15",),
        ),
        "env": KeyText(
            "The service's environment. Values may hold ${{ }}; each may read those before it as env.NAME.",
            ({"POSTGRES_PASSWORD": "secret"},),
            "nothing but what the image has",
        ),
        "command": KeyText(
            "Replaces the image's command. A text is split into words as a shell does it. May hold ${{ }}.",
            ("postgres -c fsync=off", ["redis-server", "--save", ""]),
            "the image's own",
        ),
        "entrypoint": KeyText(
            "Replaces the image's entrypoint. A text is split into words as a shell does it. May hold ${{ }}.",
            (["/bin/tool", "--serve"],),
            "the image's own",
        ),
        "health_check": KeyText(
            "How to tell that the service is ready: the Compose specification's fields, or 'ready'.",
            ({"test": "pg_isready -h 127.0.0.1", "interval": "2s"}, {"ready": {"tcp": 5432}}),
            "the image's own check, else a connection to its ports, else none",
        ),
        "start_timeout": KeyText(
            "How long the service may take until it is ready, from its start.",
            ("2m",),
            "60s, or what its health check asks for",
        ),
        "ports": KeyText(
            "Ports that the service listens on. With a host port before it, the host listens too, on 127.0.0.1 unless "
            "an address stands first.",
            ([5432], ["127.0.0.1:15432:5432", "53/udp"]),
            "those that the image exposes",
        ),
        "resources": KeyText("Limits of the container.", ({"memory": "512m"},), "the engine's own"),
        "tmpfs": KeyText(
            "Folders that are kept in memory: a list, or folders with a size or mount options.",
            (["/var/lib/postgresql/data"], {"/var/lib/postgresql/data": "256m"}),
            "none",
        ),
        "required": KeyText("Whether the job fails where the service does not get ready; else it is warned."),
        "artifact": KeyText("Whether the service's whole log becomes an artifact of the job."),
        "pull": KeyText(
            "When the image is pulled: if it is missing on the host, always, or never.",
            ("always",),
            "missing",
        ),
    },
    HealthCheckShape: {
        "test": KeyText(
            "A command inside the service that ends with 0 when it is ready: a shell's as one text, or a list that "
            "begins with CMD or CMD-SHELL. [NONE] turns every check off.",
            ("redis-cli ping", ["CMD", "pg_isready", "-h", "127.0.0.1"]),
        ),
        "ready": KeyText(
            "What tells from outside that it is ready, instead of a command.",
            ({"tcp": 5432}, {"http": "/health"}, {"log": "ready to accept connections"}),
        ),
        "disable": KeyText("Whether nothing is checked, not even by the image's own check."),
        "interval": KeyText(
            "The time between two checks that count; sooner ones do no harm.", ("2s",), "30s"
        ),
        "timeout": KeyText("How long one check may take.", ("5s",), "30s"),
        "retries": KeyText("How many checks in a row must fail until it counts as unhealthy.", (5,), "3"),
        "start_period": KeyText(
            "The time after the start in which failed checks do not count.", ("20s",), "0s"
        ),
        "start_interval": KeyText(
            "The longest time between two checks before the first has passed.", ("1s",), "5s"
        ),
    },
    ReadyShape: {
        "tcp": KeyText("A port that accepts connections.", (5432,)),
        "http": KeyText(
            "A path that a GET answers with a status below 400; on the service's first port, or the one named.",
            ("/health", {"path": "/health", "port": 8080}),
        ),
        "log": KeyText(
            "A regular expression that is found in a line of the service's log.",
            ("ready to accept connections",),
        ),
    },
    HttpShape: {
        "path": KeyText("What is asked for.", ("/health",)),
        "port": KeyText("The port that is asked.", (8080,), "the service's first"),
    },
}
"""For each shape its keys, as a spec writes them."""
