"""Writes the supervisor's configuration: every program that could run, none of which starts by itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.local import passwords
from deploy.local.layout import REPO, Layout
from deploy.local.programs import Program

HEAD = """\
[supervisord]
logfile={logs}/supervisord.log
pidfile={var}/supervisord.pid
childlogdir={logs}
directory={repo}
minfds=4096
[unix_http_server]
file={socket}
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
# startretries: a program is never given up; the pause between two attempts grows by a second each time.
PROGRAM = """\
[program:{name}]
command={command}
directory={directory}
environment={environment}
autostart=false
autorestart=true
startsecs=1
startretries=1000000
stopsignal={signal}
stopwaitsecs=15
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
"""


def configuration(layout: Layout) -> Path:
    """Where it is written."""
    return layout.var / "supervisord.conf"


def write_configuration(layout: Layout, programs: Iterable[Program]) -> None:
    """All programs that could run; none starts by itself."""
    layout.logs.mkdir(parents=True, exist_ok=True)
    head = HEAD.format(var=layout.var, logs=layout.logs, repo=REPO, socket=layout.socket)
    parts = [head.replace("%", "%%"), *(_section(layout, program) for program in programs)]
    passwords.write_private(configuration(layout), "".join(parts))


def _section(layout: Layout, program: Program) -> str:
    return PROGRAM.format(
        name=program.name,
        command=shlex.join(program.command),
        directory="/" if program.name == "postgres" else REPO,
        environment=_environment(program.environment),
        signal=program.stop_signal,
        log=log_of(layout, program.name),
    ).replace("%", "%%")


def _environment(variables: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in variables.items())


def log_of(layout: Layout, name: str) -> Path:
    """What a program wrote."""
    return layout.logs / f"{name}.log"
