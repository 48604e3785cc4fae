#!/bin/sh
# Installs other people's programs from their package registries, and runs them against a device without its camera.
#   benchmarks/clients/run.sh node-red
#   benchmarks/clients/run.sh home-assistant
# Needs mosquitto, for Node-RED npm, for Home Assistant a Python that it takes (HOME_ASSISTANT_PYTHON, default:
# python3.13). CLIENTS: where they are kept (default: build/clients).
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

home_assistant() {
    folder=$clients/home-assistant
    if [ ! -x "$folder/bin/hass" ]; then
        "${HOME_ASSISTANT_PYTHON:-python3.13}" -m venv "$folder"
        "$folder/bin/python" -m pip install --quiet uv
        # uv looks for certificates in places of its own
        SSL_CERT_FILE=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt} "$folder/bin/uv" pip install \
            --python "$folder/bin/python" "homeassistant==${HOME_ASSISTANT_VERSION:-2025.4.4}"
    fi
    "$python" -m benchmarks.clients.home_assistant "$folder/bin/hass"
}

case ${1:-} in
    node-red) node_red ;;
    home-assistant) home_assistant ;;
    *)
        echo "usage: benchmarks/clients/run.sh node-red|home-assistant" >&2
        exit 2
        ;;
esac
