#!/usr/bin/env bash
# Puts edge-anpr onto this device, or takes it off again: systemd/install.sh --help
set -euo pipefail
shopt -s inherit_errexit

readonly HOME_DIRECTORY=/opt/edge-anpr CONFIGURATION=/etc/edge-anpr UNIT=/etc/systemd/system/edge-anpr.service

say() { printf '==> %s\n' "$*"; }

die() { # MESSAGE [EXIT_CODE]
    printf 'install.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

help() {
    cat <<'TEXT'
Usage: systemd/install.sh [--root DIR] [--uninstall]

Puts the program and its models into /opt/edge-anpr, a configuration into /etc/edge-anpr (one that is there is
kept) and the unit edge-anpr.service into /etc/systemd/system, and enables the unit where systemd runs. Running it
again brings an installation up to date.

  --root DIR    put everything below DIR instead of /, for an image of this architecture with this Debian's Python;
                nothing is enabled or started
  --uninstall   take program and unit off; configuration and the reads not yet delivered stay
TEXT
}

systemd_runs() { [[ -z $root && -d /run/systemd/system ]]; }

# The Debian packages that are missing, each found out by looking for what it is needed for.
missing_packages() {
    python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv
    # What tells systemd that the service is ready. An image's own cannot be imported here.
    [[ -n $root ]] || python3 -c 'import systemd.daemon' 2>/dev/null || echo python3-systemd
}

install_system_packages() {
    local missing
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]})) || return 0
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        die "missing system packages (by their Debian names): ${missing[*]}; install them, then run this again"
    fi
    say "Installing system packages: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]} == 0)) || die "$(command -v python3) still lacks ${missing[*]}: let python3 be the system's own"
}

# The service sees no home directory, and an image has no Python but its own.
check_python() {
    local python
    python=$(realpath "$(command -v python3)")
    [[ $python != /usr/bin/* ]] || return 0
    if [[ -n $root ]]; then
        say "Warning: python3 is $python here: the image will look for it there. Put /usr/bin first in PATH"
    elif [[ $python == /home/* || $python == /root/* ]]; then
        die "python3 is $python, which the service may not see: put /usr/bin first in PATH, then run this again"
    fi
}

# Debian 12's picamera2 is built for numpy 1; a numpy 2 in the environment would stand before the one it came with.
needs_numpy_of_system() {
    python3 - <<'PYTHON'
import importlib.util, sys
found = all(importlib.util.find_spec(name) for name in ("numpy", "picamera2"))
sys.exit(not (found and __import__("numpy").__version__.startswith("1.")))
PYTHON
}

make_environment() {
    local venv=$root$HOME_DIRECTORY/venv
    say "Creating the environment $venv"
    # The system's packages are seen, for picamera2 and systemd-python come with the system.
    python3 -m venv --system-site-packages "$venv"
    say "Installing the program and what it needs"
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
    "$venv/bin/python" -m pip install --quiet --require-hashes --no-deps --ignore-installed \
        --requirement requirements/device.txt
    if [[ -z $root ]] && needs_numpy_of_system; then
        say "Leaving numpy to the system, whose picamera2 needs its own"
        "$venv/bin/python" -m pip uninstall --quiet --yes numpy
    fi
    local site
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    rm -rf "$site/edge_app"
    cp --recursive --dereference edge_app "$site/edge_app"
    find "$site/edge_app" -name __pycache__ -prune -exec rm -r {} +
    rm -f "$site"/edge_app/models/*.keras # what the workstation converts from
    install -m 755 /dev/stdin "$venv/bin/edge-anpr" <<TEXT
#!$HOME_DIRECTORY/venv/bin/python
import sys
from edge_app.__main__ import main
sys.exit(main())
TEXT
    "$venv/bin/python" -m compileall -q "$site/edge_app"
}

install_files() {
    say "Unit: $root$UNIT"
    install -D -m 644 systemd/edge-anpr.service "$root$UNIT"
    install -D -m 644 README.md "$root$HOME_DIRECTORY/README.md"
    if [[ -e $root$CONFIGURATION/config.toml ]]; then
        say "Configuration: $root$CONFIGURATION/config.toml is there and kept"
    else
        say "Configuration: $root$CONFIGURATION/config.toml"
        install -D -m 644 config/default.toml "$root$CONFIGURATION/config.toml"
    fi
    install -D -m 644 config/default.toml "$root$CONFIGURATION/config.default.toml"
    mkdir -p "$root/usr/local/bin"
    ln -sf "$HOME_DIRECTORY/venv/bin/edge-anpr" "$root/usr/local/bin/edge-anpr"
}

enable() {
    if systemd_runs; then
        say "Enabling and starting edge-anpr.service"
        systemctl daemon-reload
        systemctl enable edge-anpr.service
        systemctl restart edge-anpr.service || true
        say "State: $(systemctl is-active edge-anpr.service || true); 'edge-anpr doctor' tells what is wrong"
    else
        say "systemd does not run here: enable with 'systemctl enable --now edge-anpr' on the device"
    fi
}

uninstall() {
    if systemd_runs && [[ -e $UNIT ]]; then
        systemctl disable --now edge-anpr.service
    fi
    rm -rf "$root$HOME_DIRECTORY"
    rm -f "$root$UNIT" "$root/usr/local/bin/edge-anpr"
    say "edge-anpr is off; $root$CONFIGURATION and $root/var/lib/edge-anpr stay"
}

root=
action=install
while (($#)); do
    case $1 in
        --root)
            [[ -n ${2-} ]] || die "--root needs a folder" 2
            root=$(realpath --canonicalize-missing "$2")
            shift
            ;;
        --uninstall) action=uninstall ;;
        -h | --help)
            help
            exit
            ;;
        *) die "unknown: $1 (see --help)" 2 ;;
    esac
    shift
done
[[ -n $root || $EUID -eq 0 ]] || die "run this as root: sudo ./build.sh install"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ $action == uninstall ]]; then
    uninstall
else
    check_python
    install_system_packages
    make_environment
    install_files
    enable
    [[ -z $root ]] || say "The image needs the package python3-systemd, too, or the service never becomes ready"
    say "Done. Next: set the camera and the broker in $root$CONFIGURATION/config.toml"
fi
