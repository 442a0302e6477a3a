"""Stands between a fuzzer and `valet stdio`: passes on what both write, and writes down what Valet did.

    stdio_witness.py FOLDER     command.json in it says what to start; each process leaves a run-PID.json there

The fuzzer kills what it started when it has enough. That is this program's outer half; the inner one lives in a session of
its own, so that Valet sees the end of its input, as from any client, and how it ends can be seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path


def main() -> None:
    folder = Path(sys.argv[1])
    inner = os.fork()
    if inner:
        os.waitpid(inner, 0)
        return
    os.setsid()
    (folder / f"begun-{os.getpid()}").touch()
    told = json.loads((folder / "command.json").read_text())
    secret = told["environment"]["VALET_ACCESS_TOKEN"]
    process = subprocess.Popen(
        told["command"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PATH": os.environ.get("PATH", ""), **told["environment"]},
    )
    said: list[str] = []
    threading.Thread(target=_input, args=(process,), daemon=True).start()
    listener = threading.Thread(target=lambda: said.extend(line.decode(errors="replace") for line in process.stderr), daemon=True)
    listener.start()
    seen = {"messages": 0, "other": [], "leaked": False}
    for line in process.stdout:
        _judge(line, seen, secret)
        try:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        except OSError:
            # Whoever read it has gone; what Valet still writes is judged all the same.
            continue
    seen["code"] = process.wait()
    listener.join()
    seen["said"] = "".join(said)
    # Whole or not at all.
    file = folder / f"run-{os.getpid()}.json"
    file.with_suffix(".new").write_text(json.dumps(seen))
    file.with_suffix(".new").rename(file)


def _judge(line: bytes, seen: dict[str, object], secret: str) -> None:
    seen["leaked"] |= secret.encode() in line
    try:
        message = json.loads(line)
        good = isinstance(message, dict) and message.get("jsonrpc") == "2.0"
    except ValueError:
        good = False
    if good:
        seen["messages"] += 1
    else:
        seen["other"].append(line.decode(errors="replace"))


def _input(process: subprocess.Popen[bytes]) -> None:
    """Byte for byte, whatever it is."""
    while piece := sys.stdin.buffer.read1(65536):
        try:
            process.stdin.write(piece)
            process.stdin.flush()
        except OSError:
            break
    try:
        process.stdin.close()
    except OSError:
        # It has ended already; its exit code says how.
        pass


if __name__ == "__main__":
    main()
