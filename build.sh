#!/usr/bin/env bash
# Every task of this repository, one subcommand each: ./build.sh --help
set -euo pipefail
shopt -s inherit_errexit

readonly CALLED_FROM=$PWD
readonly VENV=.venv
readonly PYTHON=$VENV/bin/python
readonly STAMPS=$VENV/edge-anpr-setup
readonly LEVELS=(device demo development workstation)
readonly FONTS=(fonts-b612 fonts-bebas-neue fonts-dejavu-core fonts-dejavu-extra fonts-liberation
    fonts-national-park fonts-opendin fonts-roadgeek fonts-routed-gothic fonts-urw-base35)

say() { printf '\n==> %s\n' "$*"; }

die() { # MESSAGE [EXIT_CODE]
    printf 'build.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

# ---- help ---------------------------------------------------------------------------------------

help_overall() {
    cat <<'TEXT'
Usage: ./build.sh COMMAND [ARGUMENT…]

  setup     install what is missing: system packages, a virtual environment in .venv, Python packages
  demo      show the whole path on a rendered clip: no camera, no broker, no configuration
  test      run the tests
  check     run ruff, mypy and shellcheck
  train     train the plate detector and the plate reader
  convert   turn trained networks into int8 TFLite models, gated by a comparison with the originals
  evaluate  score the models on dataset folders and write docs/accuracy.md
  import    make a dataset folder of annotations in Pascal VOC, YOLO or CSV
  clips     render traffic with known plates, to measure events on or to train with
  install   put code, models, configuration and systemd unit in place on this device
  lock      bring the versions in requirements/*.txt up to date

Each command first sets up what it needs and has not got. `./build.sh COMMAND --help` explains each.
TEXT
}

help_setup() {
    cat <<'TEXT'
Usage: ./build.sh setup [LEVEL…]

Installs what is missing, and says what: system packages with apt-get (as root; otherwise the missing
ones are named and nothing is done), a virtual environment in .venv, and Python packages whose versions
and hashes requirements/*.txt fix. Where nothing is missing it ends at once. The levels, all by default:

  device       what runs on the device
  demo         the same and the demo's embedded broker
  development  the same and what tests and checks need
  workstation  what training and conversion need: TensorFlow

PYTHON_FOR_VENV=python3.13 ./build.sh setup   takes that Python (3.11 to 3.13) for a new environment
TEXT
}

help_demo() {
    cat <<'TEXT'
Usage: ./build.sh demo [ARGUMENT…]

Sets up the demo level and runs `edge-anpr demo`: a rendered clip of a road, the real daemon, an embedded
MQTT broker, and the reads as they arrive. Arguments go to `edge-anpr demo`.
TEXT
}

help_test() {
    cat <<'TEXT'
Usage: ./build.sh test [ARGUMENT…]

Sets up everything and runs the tests. Arguments go to pytest: `./build.sh test tests/tracking -k voter`.

  --cov                   print how much of the code the tests run
  --only-expected-skips   fail if a test is skipped that tests/conftest.py does not list, as CI does
TEXT
}

help_check() {
    cat <<'TEXT'
Usage: ./build.sh check

Sets up the development level and runs ruff (rules and format), mypy (strict) and shellcheck. Changes nothing.
TEXT
}

help_train() {
    cat <<'TEXT'
Usage: ./build.sh train [all|detector|reader] [--quick] [--data DIR] [ARGUMENT…]

Sets up the workstation level and runs `python -m training`. `train --quick` trains both networks
from generated plates alone in under 15 minutes on two cores; `--data DIR` adds the dataset folders in DIR.
As root on Debian it also installs fonts: the more letterings, the better the generated plates.

  --from FILE   begin with its weights, at half the rate  --steps N   optimizer steps instead of the plan's
  --run DIR     run folder; a run cut off is resumed      --out DIR   where the checkpoints go (models)
  --clips DIR   rendered clips to learn from too          --seed N      of the generated plates and of the order
TEXT
}

help_convert() {
    cat <<'TEXT'
Usage: ./build.sh convert [all|detector|reader|parity|threshold] [ARGUMENT…]

Sets up the workstation level and runs `python -m converters`: Keras to int8 TFLite with calibration pictures,
then the parity gate, which runs the result in the device's own runtime beside the float network on held-out
pictures (--held-out DATASET…; without it on generated scenes). Where int8 lost too much it ends with exit
code 1 and leaves models/ as it was. `convert threshold --held-out DATASET…` chooses the detector's confidence.

  --checkpoint FILE   a .keras file instead of that in --out      --out DIR      models, unless told otherwise
  --calibration DIR   dataset folders to calibrate on             --tolerance N  most that int8 may lose
  --held-out DATASET… dataset folders not trained on: the gate's and the threshold's
TEXT
}

help_evaluate() {
    cat <<'TEXT'
Usage: ./build.sh evaluate DATASET… [ARGUMENT…]

Sets up the workstation level and runs `python -m training.accuracy`: scores the int8 models beside the float
networks on dataset folders (docs/datasets.md), and writes a page with tables and plots. For scores alone, on a
device too: `edge-anpr evaluate DATASET…`.

  --out FILE      the page (docs/accuracy.md, which it overwrites)   --models DIR   models, unless told otherwise
  --generated N   generated plates at each size and blur (200)
TEXT
}

help_import() {
    cat <<'TEXT'
Usage: ./build.sh import --from voc|yolo|csv SOURCE DESTINATION

Sets up the workstation level and runs `python -m training.importers`: a dataset folder (docs/datasets.md) from
labels in another form.

  --classes CLASS…  those that are plates   --country CODE   of all plates, ISO 3166-1 alpha-2
  --scene           images without boxes are whole scenes, not crops
TEXT
}

help_clips() {
    cat <<'TEXT'
Usage: ./build.sh clips --out DIR [ARGUMENT…]

Sets up the workstation level and runs `python -m training.clips`, which renders clips with their truth
(docs/clips.md); a clip of ten seconds takes about a minute of one core. `edge-anpr evaluate DIR` scores them.

  --count N     of clips (60)           --seconds S     of each clip (10)
  --seed N      another seed, other clips                --processes N   that render side by side (one a core)
  --kinds KIND… town, highway, bikes, night, infrared, rain, occlusion, shake, parked, stop_and_go, dusk, leaving
TEXT
}

help_install() {
    cat <<'TEXT'
Usage: sudo ./build.sh install [ARGUMENT…]

Runs systemd/install.sh: code and models into /opt/edge-anpr, configuration into /etc/edge-anpr (an existing
one is kept), and the systemd unit. `--uninstall` takes program and unit off again, `--root DIR` installs below DIR.
TEXT
}

help_lock() {
    cat <<'TEXT'
Usage: ./build.sh lock [ARGUMENT…]

Resolves requirements/*.in anew into requirements/*.txt: one version of each package for Python 3.11 to
3.13 on x86-64 and 64-bit ARM Linux, with hashes. Arguments go to `uv pip compile`: `--upgrade-package numpy`,
or `--upgrade` for all.
TEXT
}

# ---- setting up ---------------------------------------------------------------------------------

supported_python() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in "${PYTHON_FOR_VENV:-python3}" python3.13 python3.12 python3.11; do
        if supported_python "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

has_python_headers() {
    "$1" -c 'import os, sysconfig
open(os.path.join(sysconfig.get_path("include"), "Python.h")).close()' 2>/dev/null
}

# The Debian packages that LEVEL… miss, each found out by looking for what it is needed for.
missing_packages() {
    local python
    python=$(find_python) || {
        echo python3
        python=false
    }
    "$python" -c 'import ensurepip' 2>/dev/null || echo python3-venv
    [[ " $* " == *" development "* ]] || return 0
    command -v mosquitto >/dev/null || echo mosquitto # the broker that the tests publish to
    command -v mosquitto_rr >/dev/null || echo mosquitto-clients # what docs/commands.md sends commands with
    command -v systemd-analyze >/dev/null || echo systemd # checks the unit
    command -v jq >/dev/null || echo jq # of the examples in docs/lists.md and docs/commands.md
    command -v openssl >/dev/null || echo openssl # makes the certificates of test brokers
    command -v shellcheck >/dev/null || echo shellcheck
    # systemd-python comes as source only:
    command -v gcc >/dev/null || echo gcc
    has_python_headers "$python" || echo python3-dev
    command -v pkg-config >/dev/null || echo pkg-config
    pkg-config --exists libsystemd 2>/dev/null || echo libsystemd-dev
}

apt_install() {
    say "Installing system packages: $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

install_system_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        die "missing system packages (by their Debian names); install them, then run this again:
  sudo apt-get install --no-install-recommends ${missing[*]}"
    fi
    apt_install "${missing[@]}"
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]} == 0)) || die "still missing: ${missing[*]} (edge-anpr needs Python 3.11, 3.12 or 3.13)"
}

make_venv() {
    if supported_python "$PYTHON"; then
        "$PYTHON" -m pip --version >/dev/null 2>&1 || "$PYTHON" -m ensurepip --upgrade
        return
    fi
    local python
    python=$(find_python)
    say "Creating the virtual environment $VENV with $("$python" --version)"
    "$python" -m venv --clear "$VENV"
}

# What LEVEL's packages were installed from: a stamp that differs means that something has changed.
fingerprint() {
    "$PYTHON" --version && sha256sum "requirements/$1.txt" pyproject.toml
}

is_installed() {
    [[ -x $PYTHON && -f $STAMPS/$1 ]] && [[ $(fingerprint "$1") == "$(<"$STAMPS/$1")" ]]
}

install_python_packages() {
    local level
    local -a files=()
    for level in "$@"; do
        files+=(--requirement "requirements/$level.txt")
    done
    say "Installing Python packages into $VENV, as fixed in${files[*]//--requirement/}"
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
    "$PYTHON" -m pip install --require-hashes --no-deps "${files[@]}"
    if [[ " $* " == *" demo "* ]]; then
        "$PYTHON" -m pip install --quiet --no-deps --no-build-isolation --editable .
    fi
    mkdir -p "$STAMPS"
    for level in "$@"; do
        fingerprint "$level" >"$STAMPS/$level"
    done
}

ensure() {
    local level
    local -a pending=()
    install_system_packages "$@"
    for level in "$@"; do
        is_installed "$level" || pending+=("$level")
    done
    ((${#pending[@]})) || return 0
    make_venv
    install_python_packages "${pending[@]}"
}

# ---- commands -----------------------------------------------------------------------------------

# Runs a program of this repository where build.sh was called, so that the paths it is given start there.
where_called() { # PROGRAM [ARGUMENT…]
    local program=$PWD/$1
    (cd "$CALLED_FROM" && "$program" "${@:2}")
}

# -P: a folder there that is called like a package of ours is not taken for it.
module() { # NAME [ARGUMENT…]
    PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} where_called "$PYTHON" -P -m "$@"
}

run_setup() {
    local level
    for level in "$@"; do
        [[ " ${LEVELS[*]} " == *" $level "* ]] || die "no such level: $level (there are: ${LEVELS[*]})" 2
    done
    (($#)) || set -- "${LEVELS[@]}"
    ensure "$@"
    say "Ready: $*"
}

run_demo() {
    ensure demo
    where_called "$VENV/bin/edge-anpr" demo "$@"
}

run_test() {
    ensure demo development workstation
    "$PYTHON" -m pytest "$@"
}

run_check() {
    ensure demo development
    local -a scripts
    mapfile -t scripts < <(find . -name .venv -prune -o -name '*.sh' -print)
    say "ruff" && "$PYTHON" -m ruff check .
    say "ruff format" && "$PYTHON" -m ruff format --check .
    say "mypy" && "$PYTHON" -m mypy
    say "shellcheck" && shellcheck .ci/run .ci/package "${scripts[@]}"
}

run_train() {
    local -a fonts=()
    ensure demo workstation
    if ((EUID == 0)) && command -v apt-get >/dev/null; then
        mapfile -t fonts < <(missing_fonts)
        ((${#fonts[@]} == 0)) || apt_install "${fonts[@]}"
    fi
    module training "$@"
}

missing_fonts() {
    local font
    for font in "${FONTS[@]}"; do
        [[ $(dpkg-query --show --showformat '${Status}' "$font" 2>/dev/null) == *installed ]] || echo "$font"
    done
}

run_convert() {
    ensure demo workstation
    module converters "$@"
}

run_evaluate() {
    (($#)) || die "give a dataset folder (see ./build.sh evaluate --help)" 2
    ensure demo workstation
    module training.accuracy "$@"
}

run_import() {
    (($#)) || die "give --from, a source and a destination (see ./build.sh import --help)" 2
    ensure demo workstation
    module training.importers "$@"
}

run_clips() {
    (($#)) || die "give --out DIR (see ./build.sh clips --help)" 2
    ensure demo workstation
    module training.clips "$@"
}

run_install() {
    where_called systemd/install.sh "$@"
}

# All levels are resolved together first, so that each names the same versions; what is locked now is preferred.
run_lock() {
    ensure demo development
    local level together=$VENV/requirements.txt
    cat requirements/development.txt requirements/workstation.txt >"$together"
    compile requirements/development.in requirements/workstation.in --output-file "$together" "$@"
    for level in "${LEVELS[@]}"; do
        compile "requirements/$level.in" --constraints "$together" --output-file "requirements/$level.txt"
    done
}

compile() {
    "$VENV/bin/uv" pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command './build.sh lock' "$@"
}

main() {
    cd "$(dirname "${BASH_SOURCE[0]}")"
    PATH=$PATH:/usr/sbin:/sbin # Debian keeps mosquitto there, outside a user's PATH
    local command=${1:---help}
    (($#)) && shift
    case $command in
        -h | --help | help) help_overall ;;
        setup | demo | test | check | train | convert | evaluate | import | clips | install | lock)
            case ${1-} in
                -h | --help) "help_$command" ;;
                *) "run_$command" "$@" ;;
            esac
            ;;
        *) die "no such command: $command (see ./build.sh --help)" 2 ;;
    esac
}

main "$@"
