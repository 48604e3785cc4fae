#!/usr/bin/env bash
# Runs check.py on the virtual camera of a tree that make_tree.sh made: run.sh TREE
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../../.." && pwd)
readonly here repository tree=${1:?name the folder of the tree}
frames=$(mktemp -d)
readonly frames
trap 'rm -rf "$frames"' EXIT

"$repository/.venv/bin/python" "$here/frames.py" "$frames"
systemd-nspawn --quiet --directory="$tree" --register=no --keep-unit --private-network --pipe \
    --bind-ro="$frames:/opt/frames" --bind-ro="$repository:/opt/edge-anpr" \
    --setenv=LD_PRELOAD=/opt/udmabuf.so --setenv=LIBCAMERA_LOG_LEVELS='*:ERROR' \
    --setenv=PYTHONPATH=/opt/stubs:/opt/edge-anpr --chdir=/tmp /opt/venv/bin/python -m benchmarks.cameras.virtual.check
