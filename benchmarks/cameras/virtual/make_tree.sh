#!/usr/bin/env bash
# Makes a Debian tree with the real picamera2 on libcamera's virtual pipeline, and what edge-anpr needs: make_tree.sh TREE
# Needs root, mmdebstrap, systemd-container and gcc; takes some minutes and 1.5 GB.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../../.." && pwd)
readonly here repository tree=${1:?name the folder of the tree}
# shellcheck disable=SC2016 # apt-get expands it
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)
readonly mirror certificates=/etc/ssl/certs/ca-certificates.crt

inside() {
    systemd-nspawn --quiet --directory="$tree" --register=no --keep-unit --pipe --resolv-conf=replace-host \
        --bind-ro="$certificates" --bind-ro="$repository/requirements:/opt/requirements" \
        --setenv=PIP_CERT="$certificates" --setenv=DEBIAN_FRONTEND=noninteractive "$@"
}

if [[ ! -d $tree/usr ]]; then
    mmdebstrap --variant=minbase --include=ca-certificates,python3 trixie "$tree" "$mirror"
fi
echo "deb $mirror trixie-backports main" >"$tree/etc/apt/sources.list.d/backports.list"
inside sh -ec '
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends ca-certificates python3-venv python3-dev python3-numpy \
        python3-prctl gcc libc6-dev
    apt-get install -qq -y --no-install-recommends -t trixie-backports python3-libcamera
    python3 -m venv --system-site-packages /opt/venv
    /opt/venv/bin/pip install --quiet picamera2==0.3.38
    /opt/venv/bin/pip install --quiet --require-hashes --no-deps -r /opt/requirements/demo.txt'
install -D -m 644 "$here/virtual.yaml" -t "$tree/usr/share/libcamera/pipeline/virtual/"
mkdir -p "$tree/opt/frames" "$tree/opt/edge-anpr" "$tree/opt/stubs"
printf 'class PixelFormat:\n    RGB888 = None\n\n\nclass Card:\n    pass\n' >"$tree/opt/stubs/pykms.py"
gcc -O2 -shared -fPIC -o "$tree/opt/udmabuf.so" "$here/udmabuf.c" -ldl
