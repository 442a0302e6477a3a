"""An emulator and a Valet of our own, on free ports, for as long as a block of code runs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import expected
import tls
from emulator import API, Emulator
from report import Report

CLIENT_SECRET = "valet-sample-secret"

# Debug builds compile for seconds; machines of continuous integration are slow.
START = 60

CERTIFICATE = """[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = {name}
[extensions]
subjectAltName = DNS:{name}
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
"""

CONFIGURATION = """artifacts = '{artifacts}'
[server]
listen = "{listen}"
public_url = "{url}"
tls_certificate = "server.pem"
tls_key = "server.key.pem"
[entra]
authority = "{authority}"
v1_authority = "{authority}/sts"
tenant = "{tenant}"
client_id = "{api}"
emulator = true
[graph]
url = "{authority}"
[egress]
ca_file = "trusted.pem"
allow_private_addresses = true
"""

# Who may call what, unless a job has rules of its own.
RULES = f"""[tools.whoami]
scopes = ["{expected.SCOPE}"]
[tools.GetUserDetailsFromGraph]
scopes = ["{expected.SCOPE}"]
[resources.profile]
scopes = ["{expected.SCOPE}"]
[prompts.{expected.PROMPT}]
scopes = ["{expected.SCOPE}"]
"""

# So few that a client which has left and keeps its place is noticed by those that come after it.
FEW_PLACES = "[limits]\nconcurrent_requests = 4\n"


class NotStarted(Exception):
    """What could not be started, and why."""


@dataclass(frozen=True)
class Programs:
    """What to start."""

    valet: Path
    emulator: Path
    artifacts: Path


@dataclass
class Target:
    """A server to test."""

    url: str
    ca_files: list[Path]
    scope: str | None
    # The rest is known of servers of our own only.
    logs: dict[str, Path] = field(default_factory=dict)
    configuration: Path | None = None
    emulator: Emulator | None = None

    def bundle(self, file: Path) -> Path:
        """Writes all certificates to trust into one file; gives it."""
        file.write_text("".join(each.read_text() for each in self.ca_files))
        return file.resolve()

    def check_log(self, report: Report, meant: Sequence[str] = ()) -> None:
        """Of a server of our own: no faults, and no token or secret in what it wrote. `meant`: reasons of failures that the job caused."""
        if "valet" not in self.logs:
            return
        lines = self.logs["valet"].read_text(errors="replace").splitlines()
        # So that the search for what must not be there is a search in the right place.
        report.check("it tells of allowed calls", any('decision="allowed"' in line for line in lines), "not one")
        faults = [line for line in lines if " ERROR " in line or "panicked" in line or 'decision="failed"' in line]
        faults = [line for line in faults if not any(f'reason="{reason}"' in line for reason in meant)]
        report.equal("no faults", faults, [])
        # Every JSON Web Token begins so, being Base64 of `{"`.
        secrets = [line for line in lines if "eyJ" in line or CLIENT_SECRET in line]
        report.equal("no token and no secret", secrets, [])

    def show_logs(self) -> None:
        """For people who look for the cause of a failure."""
        for name, path in self.logs.items():
            tail = "\n".join(path.read_text(errors="replace").splitlines()[-40:])
            print(f"--- {path} ({name})\n{tail}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def started(programs: Programs, folder: Path, scope_of_the_url: bool, rules: str = RULES) -> Iterator[Target]:
    """Starts both with fresh state. `scope_of_the_url`: scopes begin with the server's URL instead of `api://`. `rules`:
    further tables of the configuration, those of the policy among them."""
    port, emulator_port = _free_ports(2)
    url = f"https://localhost:{port}/mcp"
    prefix = f"{url}/"
    if not scope_of_the_url:
        prefix = f"api://{API}/"
        # Valet wants it said: clients that send `resource` cannot get in so.
        rules += f'[scopes]\nprefix = "{prefix}"\n[oauth]\nunmatched_resource = true\n'
    place = _Place(folder, url, f"127.0.0.1:{port}", emulator_port)
    with _running(programs, place, rules, prefix + expected.SCOPE) as target:
        yield target


@contextlib.contextmanager
def started_with_sessions(
    programs: Programs, folder: Path, host: str, rules: str, trusted: list[Path], variables: dict[str, str]
) -> Iterator[Target]:
    """The same, at `https://host`, with an authorization server of its own: `[oauth]` has to be among the `rules`. `trusted`:
    further certificates that Valet trusts. `variables`: its environment."""
    (emulator_port,) = _free_ports(1)
    place = _Place(folder, f"https://{host}/mcp", "127.0.0.1:443", emulator_port)
    with _running(programs, place, rules, expected.SCOPE, trusted, variables) as target:
        yield target


@dataclass(frozen=True)
class _Place:
    """Where both are."""

    folder: Path
    url: str
    listen: str
    emulator_port: int


@contextlib.contextmanager
def _running(
    programs: Programs, place: _Place, rules: str, scope: str, trusted: list[Path] | None = None,
    variables: dict[str, str] | None = None,
) -> Iterator[Target]:
    folder, url = place.folder, place.url
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    authority = f"https://localhost:{place.emulator_port}"
    configuration = CONFIGURATION.format(
        artifacts=programs.artifacts.resolve(), listen=place.listen, url=url, authority=authority,
        tenant=expected.TENANT_ID, api=API,
    )
    (folder / "valet.toml").write_text(configuration + rules)
    own = certificate(folder, "server", urllib.parse.urlsplit(url).hostname)
    with contextlib.ExitStack() as running:
        emulator = running.enter_context(_emulator(programs.emulator, folder, place.emulator_port, "--mcp-url", url))
        (ca,) = emulator.ca_files
        (folder / "trusted.pem").write_text("".join(file.read_text() for file in [ca, *(trusted or [])]))
        valet = running.enter_context(
            _process(folder, "valet", programs.valet, "serve", "--config", "valet.toml",
                     **{**(variables or {}), "VALET_CLIENT_SECRET": CLIENT_SECRET})
        )
        _wait(valet, folder, "valet", lambda: _get(url.removesuffix("/mcp") + "/readyz", own))
        logs = {name: _log(folder, name) for name in ("emulator", "valet")}
        yield Target(url, [own, ca], scope, logs, folder / "valet.toml", emulator)


@contextlib.contextmanager
def emulator_alone(program: Path, folder: Path, address: str = "127.0.0.1") -> Iterator[Emulator]:
    """The emulator with fresh state, for jobs in which clients start Valet themselves. `address`: of loopback, where `localhost` does not lead."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (port,) = _free_ports(1)
    with _emulator(program, folder, port, address=address) as emulator:
        yield emulator


@contextlib.contextmanager
def _emulator(program: Path, folder: Path, port: int, *further: str, address: str = "127.0.0.1") -> Iterator[Emulator]:
    authority, ca = f"https://localhost:{port}", folder / "emulator" / "emulator-ca.pem"
    arguments = ["--bind", f"{address}:{port}", *further, "--state", "emulator", "--log"]
    with _process(folder, "emulator", program, *arguments) as process:
        _wait(process, folder, "emulator", lambda: ca.exists() and (_get(f"{authority}/", ca) if address == "127.0.0.1" else _listens(address, port)))
        yield Emulator(authority, [ca])


def _free_ports(count: int) -> list[int]:
    # All are open at once, so that they differ.
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def certificate(folder: Path, stem: str, name: str) -> Path:
    """A certificate for `name` that signs itself, and its key beside it."""
    (folder / "certificate.cnf").write_text(CERTIFICATE.format(name=name))
    command = ["openssl", "req", "-x509", "-config", "certificate.cnf", "-newkey", "rsa:2048", "-nodes", "-sha256",
               "-days", "2", "-keyout", f"{stem}.key.pem", "-out", f"{stem}.pem"]
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=60, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        raise NotStarted("the command `openssl` is missing; on Debian and Ubuntu: apt-get install openssl") from None
    except subprocess.CalledProcessError as error:
        raise NotStarted(f"`openssl req` failed:\n{error.stdout.strip()}") from None
    return folder / f"{stem}.pem"


@contextlib.contextmanager
def _process(folder: Path, name: str, program: Path, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs in `folder`, logs beside it, ends with the block."""
    # Settings of the developer's own Valet must not reach this one.
    own = {key: value for key, value in os.environ.items() if not key.startswith("VALET_")}
    with _log(folder, name).open("wb") as log:
        try:
            process = subprocess.Popen(
                [str(program.resolve()), *arguments], cwd=folder, env={**own, **variables}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise NotStarted(f"{program} cannot be run: {error}") from None
        with ended(process):
            yield process


@contextlib.contextmanager
def ended(process: subprocess.Popen) -> Iterator[subprocess.Popen]:
    """Ends it with the block."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _log(folder: Path, name: str) -> Path:
    return folder / f"{name}.log"


def _get(url: str, ca: Path) -> bool:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls.trusting([str(ca)]))
    )
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _listens(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 5):
            return True
    except OSError:
        return False


def _wait(process: subprocess.Popen[bytes], folder: Path, name: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START
    while not ready():
        stopped = process.poll()
        if stopped is not None or time.monotonic() > deadline:
            fate = f"was not ready after {START} seconds" if stopped is None else f"stopped with exit code {stopped}"
            log = _log(folder, name).read_text(errors="replace").strip()
            raise NotStarted(f"the {name} {fate}; {_log(folder, name)} says:\n{log}")
        time.sleep(0.1)


def work(job: str) -> Path:
    """Where a job keeps packages and logs unless told otherwise."""
    target = os.environ.get("CARGO_TARGET_DIR")
    repository = Path(__file__).resolve().parents[3]
    return (Path(target) if target else repository / "target") / "valet" / "clients" / job


def run(main: Callable[[], int]) -> NoReturn:
    """Ends the program with what `main` gives. A request to terminate is handled as Ctrl-C, so that what was started is stopped."""
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("run.py: interrupted")


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
