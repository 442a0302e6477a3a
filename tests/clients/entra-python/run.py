"""The Entra emulator tested with Microsoft's own clients for Python. README.md says how to run it; only the standard
library is needed."""

from __future__ import annotations

import sys

# Before anything is imported: no __pycache__ in the source tree.
sys.dont_write_bytecode = True

if sys.version_info < (3, 11):
    sys.exit(f"run.py: Python {sys.version.split()[0]} is too old; the pinned packages need 3.11 or newer")

import argparse
import json
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import emulator
import environment
import registrations
from report import Report

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent.parent

# For all cases together.
PATIENCE = 900

# Variables that lead Microsoft's clients elsewhere, or to a proxy.
FOREIGN = ("AZURE_", "IDENTITY_", "IMDS_", "MSI_", "MSAL_", "PYTHON", "ENTRA_", "SSL_", "REQUESTS_", "CURL_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def main() -> int:
    options = parse()
    report = Report()
    folder = options.work.resolve() / "run"
    try:
        python = environment.prepare(options.work, HERE / "requirements.txt")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        keys = folder / "keys"
        subprocess.run([str(python), "-B", str(HERE / "materials.py"), str(keys)], check=True, env=variables(), timeout=120)
        registrations.write(folder / "registrations.toml", keys)
        with emulator.running(options.emulator, folder, folder / "registrations.toml") as ready:
            file = world_file(folder, ready)
            run_client(python, file, options.only, report)
    except (environment.Unusable, emulator.NotStarted, subprocess.SubprocessError) as error:
        report.case("the emulator and its clients could be started", str(error))
    finally:
        # Keys are of use for one run only.
        shutil.rmtree(folder / "keys", ignore_errors=True)
    if report.failed:
        print(f"the emulator's log: {folder / 'emulator.log'}", file=sys.stderr)
    return report.end()


def world_file(folder: Path, ready: dict[str, Any]) -> Path:
    """What client.py has to know of the running emulator."""
    values = {
        "authority": ready["authority"],
        "graph": ready["graph"],
        # The only vault answers there too, and not every machine resolves names below `localhost`.
        "vault": ready["authority"],
        "imds": ready["imds"],
        "identity_endpoint": ready["identity_endpoint"],
        "identity_header": ready["identity_header"],
        "ca_file": str(folder / ready["ca_file"]),
        "keys": str(folder / "keys"),
        "registrations": str(folder / "registrations.toml"),
    }
    file = folder / "world.json"
    file.write_text(json.dumps(values))
    return file


def run_client(python: Path, file: Path, only: str | None, report: Report) -> None:
    """Runs client.py, passes its lines on and counts them."""
    command = [str(python), "-B", str(HERE / "client.py"), "--world", str(file)]
    if only:
        command += ["--only", only]
    ca_file = json.loads(file.read_text())["ca_file"]
    # requests (msal, azure-core) reads the one, OpenSSL (httpx, aiohttp) the other.
    environ = {**variables(), "REQUESTS_CA_BUNDLE": ca_file, "SSL_CERT_FILE": ca_file}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as client:
        deadline = threading.Timer(PATIENCE, client.kill)
        deadline.daemon = True
        deadline.start()
        seen = False
        try:
            for line in client.stdout or ():
                if line.startswith(("ok ", "FAILED ")):
                    report.passed += line.startswith("ok ")
                    report.failed += line.startswith("FAILED ")
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
        report.case("the client ran to its end", f"it stopped with exit code {client.returncode}")


def variables() -> dict[str, str]:
    """Those of this process without any that change what the clients do."""
    return {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN) and k.lower() not in PROXIES}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", metavar="PROGRAM", type=Path, required=True, help="entra-emulator")
    parser.add_argument(
        "--work",
        metavar="FOLDER",
        type=Path,
        default=default_work(),
        help="for the virtual environment and logs (default: %(default)s)",
    )
    parser.add_argument("--only", metavar="NAME", help="run only cases whose line contains this")
    return parser.parse_args()


def default_work() -> Path:
    target = os.environ.get("CARGO_TARGET_DIR")
    return (Path(target) if target else REPOSITORY / "target") / "valet" / "clients" / "entra-python"


def interrupted(*_: object) -> None:
    """Ends as on Ctrl-C, so that what was started is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("run.py: interrupted")
