"""Valet tested with the official MCP SDK for Python. README.md says how to run it; only the standard library is needed."""

from __future__ import annotations

import sys

# Before anything is imported: no __pycache__ in the source tree.
sys.dont_write_bytecode = True

if sys.version_info < (3, 11):
    sys.exit(f"run.py: Python {sys.version.split()[0]} is too old; the pinned packages need 3.11 or newer")

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))

import environment
import lines
import servers
from report import Report

# For all checks with one SDK.
PATIENCE = 300


# Lines of the SDK, and what is built on it; the file with the checks of each.
CLIENTS = {"2": "client.py", "1": "client.py", "fastmcp": "fastmcp_client.py"}


def run_client(name: str, python: Path, target: servers.Target, options: argparse.Namespace, report: Report) -> None:
    """Runs the checks of one client, passes their lines on and counts them."""
    command = [str(python), "-B", str(HERE / CLIENTS[name]), "--server-url", target.url, "--user", options.user]
    for file in target.ca_files:
        command += ["--ca", str(file)]
    command += ["--trusted", str(target.bundle(options.work / f"trusted-{name}.pem"))]
    if target.scope is not None:
        command += ["--scope", target.scope]
    if target.emulator is not None:
        command += ["--emulator-url", target.emulator.authority]
    if options.valet:
        command += ["--stdio", str(options.valet.resolve()), str(target.configuration.resolve())]
    lines.follow(name, command, report, PATIENCE)


@contextlib.contextmanager
def targets(options: argparse.Namespace, sdk: str) -> Iterator[servers.Target]:
    """The server to test: the given one, or one of our own."""
    if not options.valet:
        yield servers.Target(options.server_url, options.ca, options.scope)
        return
    programs = servers.Programs(options.valet, options.emulator, options.artifacts)
    # Both spellings of the scope that Valet can be set to: Entra takes either, as long as both belong to one application.
    rules = servers.RULES + servers.FEW_PLACES
    with servers.started(programs, options.work / f"servers-{sdk}", sdk != "1", rules) as target:
        yield target


def main() -> int:
    options = parse()
    report = Report()
    for sdk in options.sdk or CLIENTS:
        try:
            python = environment.prepare(options.work, HERE / f"requirements-{sdk}.txt")
            with targets(options, sdk) as target:
                failed = report.failed
                run_client(sdk, python, target, options, report)
                report.section(f"{sdk}, server's log")
                target.check_log(report)
                if report.failed > failed:
                    target.show_logs()
        except (environment.Unusable, servers.NotStarted) as error:
            report.section(sdk)
            report.check("could be tested", False, str(error))
    return report.end()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-url", metavar="URL", help="a running Valet, whose emulator has it as --mcp-url")
    parser.add_argument("--ca", metavar="FILE", type=Path, action="append", default=[],
                        help="certificates to trust: the server's and the emulator's (may be given twice)")
    parser.add_argument("--scope", metavar="SCOPE", help="the scope that the server has to ask for; any if left out")
    parser.add_argument("--valet", metavar="PROGRAM", type=Path, help="the server, to be started here on a free port")
    parser.add_argument("--emulator", metavar="PROGRAM", type=Path, help="the emulator, likewise")
    parser.add_argument("--artifacts", metavar="FOLDER", type=Path, help="the folder with the .cwasm files")
    parser.add_argument("--user", default="adele@contoso.example", help="who signs in (default: %(default)s)")
    parser.add_argument("--sdk", action="append", choices=CLIENTS, help="line of the SDK, or fastmcp; all if left out")
    parser.add_argument("--work", metavar="FOLDER", type=Path, default=servers.work("python"),
                        help="for virtual environments and logs (default: %(default)s)")
    options = parser.parse_args()
    ours = (options.valet, options.emulator, options.artifacts)
    if not all(ours) and (any(ours) or not (options.server_url and options.ca)):
        parser.error("either --valet, --emulator and --artifacts, or --server-url and --ca")
    return options


if __name__ == "__main__":
    servers.run(main)
