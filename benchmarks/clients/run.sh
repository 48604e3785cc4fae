#!/bin/sh
# Installs other people's programs from their package registries, and runs them against a device without its camera.
#   benchmarks/clients/run.sh node-red
# Needs npm and mosquitto. CLIENTS: where they are kept (default: build/clients).
set -eu

cd "$(dirname "$0")/../.."
clients=${CLIENTS:-build/clients}
python=.venv/bin/python

node_red() {
    program=$clients/node-red/node_modules/.bin/node-red
    if [ ! -x "$program" ]; then
        npm install --no-audit --no-fund --prefix "$clients/node-red" "node-red@${NODE_RED_VERSION:-4}"
    fi
    "$python" -m benchmarks.clients.node_red "$program"
}

case ${1:-} in
    node-red) node_red ;;
    *)
        echo "usage: benchmarks/clients/run.sh node-red" >&2
        exit 2
        ;;
esac
