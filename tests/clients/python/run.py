"""Valet tested with the official MCP SDK for Python. README.md says how to run it; only the standard library is needed."""

from __future__ import annotations

import sys

# Before anything is imported: no __pycache__ in the source tree.
sys.dont_write_bytecode = True

if sys.version_info < (3, 11):
    sys.exit(f"run.py: Python {sys.version.split()[0]} is too old; the pinned packages need 3.11 or newer")

import argparse
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import environment
import servers
from report import Report

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent.parent

# For all checks with one SDK.
PATIENCE = 300


def run_client(python: Path, target: servers.Target, user: str, report: Report) -> None:
    """Runs client.py, passes its lines on and counts them."""
    command = [str(python), "-B", str(HERE / "client.py"), "--server-url", target.url, "--user", user]
    for file in target.ca_files:
        command += ["--ca", str(file)]
    if target.scope is not None:
        command += ["--scope", target.scope]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as client:
        deadline = servers.after(PATIENCE, client.kill)
        seen = False
        try:
            for line in client.stdout or ():
                if line.startswith(("ok ", "FAILED ")):
                    report.count(line.startswith("ok "))
                    print(line, end="", flush=True)
                elif line.endswith(" failed\n"):
                    seen = True
                else:
                    print(line, end="", file=sys.stderr, flush=True)
        except BaseException:
            client.kill()
            raise
        finally:
            deadline.cancel()
    if not seen:
        report.check("the client ran to its end", False, f"it stopped with exit code {client.returncode}")


@contextlib.contextmanager
def targets(options: argparse.Namespace, sdk: str) -> Iterator[servers.Target]:
    """The server to test: the given one, or one of our own."""
    if not options.self:
        yield servers.Target(options.server_url, options.ca, options.scope)
        return
    programs = servers.Programs(options.valet, options.emulator, options.artifacts)
    # Both spellings of the scope that Valet can be set to: Entra takes either, as long as both belong to one application.
    with servers.started(programs, options.work / f"servers-{sdk}", scope_of_the_url=sdk == "2") as target:
        yield target


def main() -> int:
    options = parse()
    report = Report()
    for sdk in options.sdk:
        try:
            python = environment.prepare(options.work, HERE / f"requirements-{sdk}.txt")
            with targets(options, sdk) as target:
                failed = report.failed
                run_client(python, target, options.user, report)
                report.section(f"mcp {sdk}.x, server's log")
                target.check_log(report)
                if report.failed > failed:
                    target.show_logs()
        except (environment.Unusable, servers.NotStarted) as error:
            report.section(f"mcp {sdk}.x")
            report.check("could be tested", False, str(error))
    return report.end()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-url", metavar="URL", help="a running Valet, whose emulator has it as --mcp-url")
    parser.add_argument("--ca", metavar="FILE", type=Path, action="append", default=[],
                        help="certificates to trust: the server's and the emulator's (may be given twice)")
    parser.add_argument("--scope", metavar="SCOPE", help="the scope that the server has to ask for; any if left out")
    parser.add_argument("--self", action="store_true", help="start emulator and Valet here, on free ports")
    parser.add_argument("--valet", metavar="PROGRAM", type=Path, help="with --self: the server")
    parser.add_argument("--emulator", metavar="PROGRAM", type=Path, help="with --self: the emulator")
    parser.add_argument("--artifacts", metavar="FOLDER", type=Path, help="with --self: the folder with the .cwasm files")
    parser.add_argument("--user", default="adele@contoso.example", help="who signs in (default: %(default)s)")
    parser.add_argument("--sdk", action="append", choices=["2", "1"], help="line of the SDK; both if left out")
    parser.add_argument("--work", metavar="FOLDER", type=Path, default=default_work(),
                        help="for virtual environments and logs (default: %(default)s)")
    options = parser.parse_args()
    ours = (options.valet, options.emulator, options.artifacts)
    if options.self and not all(ours):
        parser.error("--self needs --valet, --emulator and --artifacts")
    if not options.self and not (options.server_url and options.ca):
        parser.error("either --self, or --server-url and --ca")
    options.sdk = options.sdk or ["2", "1"]
    return options


def default_work() -> Path:
    target = os.environ.get("CARGO_TARGET_DIR")
    return (Path(target) if target else REPOSITORY / "target") / "valet" / "clients" / "python"


def interrupted(*_: object) -> None:
    """Ends as on Ctrl-C, so that what was started is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("run.py: interrupted")
