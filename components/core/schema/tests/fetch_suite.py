#!/usr/bin/env python3
"""Fetches the official JSON Schema test suite, which the source distribution of the PyPI package `jsonschema` contains.

    python3 fetch_suite.py FOLDER

Unpacks its draft2020-12 cases below FOLDER unless they are there, and prints where they are: what the environment
variable VALET_JSON_SCHEMA_SUITE of `cargo test -p valet-core-schema` wants to know. Version and hash are pinned.
"""

import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

NAME = "jsonschema-4.26.0"
SHA256 = "0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326"
CASES = f"{NAME}/json/tests/draft2020-12/"


def download(folder: pathlib.Path) -> pathlib.Path:
    """The archive, downloaded by pip, which compares the hash."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{NAME.replace('-', '==')} --hash=sha256:{SHA256}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
    subprocess.run(
        [*pip, "--no-binary", "jsonschema", "--require-hashes", "--dest", folder, "--requirement", requirements],
        check=True,
        stdout=sys.stderr,
    )
    return folder / f"{NAME}.tar.gz"


def main() -> None:
    work = pathlib.Path(sys.argv[1]).resolve()
    suite = work / "json-schema-suite" / NAME
    if not suite.exists():
        with tempfile.TemporaryDirectory() as name:
            temporary = pathlib.Path(name)
            unpacked = temporary / "cases"
            with tarfile.open(download(temporary)) as archive:
                for member in archive:
                    if member.isfile() and member.name.startswith(CASES):
                        target = unpacked / member.name.removeprefix(CASES)
                        target.parent.mkdir(parents=True, exist_ok=True)
                        target.write_bytes(archive.extractfile(member).read())
            suite.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not at all.
            shutil.move(unpacked, suite)
    print(suite)


if __name__ == "__main__":
    main()
