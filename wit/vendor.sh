#!/usr/bin/env bash
# Vendors the WASI 0.2.0 interfaces that our worlds name into wit/deps, from the `wasi` crate that carries them.
# The version stands here and nowhere else. `wit/vendor.sh --check` fails if wit/deps differs (CI runs it).
#
# 0.2.0 is the oldest release of the line: what imports it links on every host that offers any 0.2.x.
# wit/deps/config and wit/deps/keyvalue are not vendored: they spell out the two draft snapshots that Spin provides.
set -euo pipefail
version="0.12.1+wasi-0.2.0"

here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

mkdir "$work/src"
touch "$work/src/lib.rs"
cat >"$work/Cargo.toml" <<EOF
[package]
name = "vendor"
version = "0.0.0"
edition = "2024"
[dependencies]
wasi = "=${version%%+*}"
[workspace]
EOF
manifest="$(cd "$work" && cargo metadata --quiet --format-version 1 |
    python3 -c 'import json,sys; print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "wasi"))')"
from="$(dirname "$manifest")/wit/deps"

files="cli/stdio.wit
clocks/monotonic-clock.wit clocks/wall-clock.wit
http/handler.wit http/types.wit
io/error.wit io/poll.wit io/streams.wit
random/random.wit"
for file in $files; do
    mkdir -p "$work/deps/$(dirname "$file")"
    # Some files rely on a sibling that we do not need to declare the package.
    grep -q '^package ' "$from/$file" || echo "package wasi:$(dirname "$file")@0.2.0;" >"$work/deps/$file"
    cat "$from/$file" >>"$work/deps/$file"
done

for file in $files; do
    if [ "${1:-}" = "--check" ]; then
        diff -u "$here/deps/$file" "$work/deps/$file"
    else
        mkdir -p "$here/deps/$(dirname "$file")"
        cp "$work/deps/$file" "$here/deps/$file"
    fi
done
