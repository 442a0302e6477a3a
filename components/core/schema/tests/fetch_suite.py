#!/usr/bin/env python3
"""Fetches the official JSON Schema test suite, which the source distribution of the PyPI package `jsonschema` contains.

    python3 fetch_suite.py FOLDER

Unpacks its cases below FOLDER unless they are there, adds random ones with the verdicts of that package (`make_cases.py`),
and prints where they are: what the environment variable VALET_JSON_SCHEMA_SUITE of `cargo test -p valet-core-schema` wants
to know. Version and hash are pinned.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv

NAME = "jsonschema-4.26.0"
SHA256 = "0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326"
REQUIREMENTS = [
    "jsonschema==4.26.0",
    "attrs==26.1.0",
    "jsonschema-specifications==2025.9.1",
    "referencing==0.37.0",
    "rpds-py==2026.9.1",
    "typing_extensions==4.16.0",
]
# What pip reads the description of a source distribution with.
BUILD = [
    "hatch-fancy-pypi-readme==25.1.0",
    "hatch-vcs==0.5.0",
    "hatchling==1.33.0",
    "packaging==26.4",
    "pathspec==1.1.1",
    "pluggy==1.7.0",
    "setuptools==84.2.1",
    "setuptools-scm==10.3.4",
    "tomlkit==0.15.2",
    "trove-classifiers==2026.9.21.13",
    "vcs-versioning==2.6.0",
]
# Folders of the archive, by the names that they get.
FOLDERS = {"tests": f"{NAME}/json/tests/draft2020-12/", "remotes": f"{NAME}/json/remotes/"}


def download(folder: pathlib.Path) -> pathlib.Path:
    """The archive, downloaded by pip, which compares the hash."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{NAME.replace('-', '==')} --hash=sha256:{SHA256}\n")
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(BUILD))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
    subprocess.run(
        [*pip, "--no-binary", "jsonschema", "--require-hashes", "--dest", folder, "--requirement", requirements],
        check=True,
        env={**os.environ, "PIP_CONSTRAINT": str(constraints), "PIP_BUILD_CONSTRAINT": str(constraints)},
        stdout=sys.stderr,
    )
    return folder / f"{NAME}.tar.gz"


def unpack(archive: pathlib.Path, folder: pathlib.Path) -> None:
    with tarfile.open(archive) as members:
        for member in members:
            for name, prefix in FOLDERS.items():
                if member.isfile() and member.name.startswith(prefix):
                    target = folder / name / member.name.removeprefix(prefix)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(members.extractfile(member).read())


def generate(environment: pathlib.Path, cases: pathlib.Path) -> None:
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps", *REQUIREMENTS]
    subprocess.run(pip, check=True, stdout=sys.stderr)
    with cases.open("w", encoding="utf-8") as out:
        subprocess.run([python, pathlib.Path(__file__).with_name("make_cases.py")], check=True, stdout=out)


def main() -> None:
    work = pathlib.Path(sys.argv[1]).resolve()
    suite = work / "json-schema-suite" / NAME
    if not suite.exists():
        with tempfile.TemporaryDirectory() as name:
            temporary = pathlib.Path(name)
            unpack(download(temporary), temporary / "suite")
            generate(temporary / "environment", temporary / "suite" / "generated.json")
            suite.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not at all.
            shutil.move(temporary / "suite", suite)
    print(suite)


if __name__ == "__main__":
    main()
