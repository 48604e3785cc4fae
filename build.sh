#!/usr/bin/env bash
# Every task of this repository, one subcommand each: ./build.sh --help
set -euo pipefail
shopt -s inherit_errexit

readonly CALLED_FROM=$PWD
readonly VENV=.venv
readonly PYTHON=$VENV/bin/python
readonly STAMPS=$VENV/edge-anpr-setup
readonly LEVELS=(bundle device demo development workstation)
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
  study     train earlier approaches beside ours, and write docs/study: which network for which board
  import    make a dataset folder of annotations in Pascal VOC, YOLO or CSV
  clips     render traffic with known plates, to measure events on or to train with
  bundle    make one signed file that installs code, models and packages on a device, without a network
  deploy    put this repository's release, or its models alone, on devices over ssh
  rollback  take devices back to the release that they ran before
  status    show what devices run, and how they are
  install   put this repository's release on this device, or take it off
  make-signing-key
            make the key that signs bundles
  trial     try deploying on containers with real systemd
  lock      bring the versions in requirements/*.txt up to date

Each command first sets up what it needs and has not got. `./build.sh COMMAND --help` explains each.
TEXT
}

help_setup() {
    cat <<'TEXT'
Usage: ./build.sh setup [LEVEL…]

Installs what is missing, and names it: system packages with apt-get (as root; otherwise the missing
ones are named and nothing is done), a virtual environment in .venv, and Python packages whose versions
and hashes requirements/*.txt fix. Where nothing is missing it ends at once. The levels, all by default:

  bundle       what makes bundles: uv
  device       what runs on the device
  demo         the same and the demo's embedded broker
  development  the same and what tests and checks need
  workstation  what training and conversion need: TensorFlow

PYTHON_FOR_VENV=python3.13 ./build.sh setup   takes that Python (3.10 to 3.13) for a new environment
TEXT
}

help_demo() {
    cat <<'TEXT'
Usage: ./build.sh demo [ARGUMENT…]

Sets up the demo level and runs `edge-anpr demo`: a rendered clip of a road, the real daemon, an embedded
MQTT broker, and the reads as they arrive. `--web` shows the page in a browser. Arguments go to `edge-anpr demo`.
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

Sets up the workstation level and runs `python -m training`. `train --quick` trains all networks
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

  --checkpoint FILE   a .keras file instead of that in --out      --out DIR      models by default
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

  --out FILE      the page (docs/accuracy.md, which it overwrites)   --models DIR   models by default
  --generated N   generated plates at each size and blur (200)
TEXT
}

help_study() {
    cat <<'TEXT'
Usage: ./build.sh study [--quick] [--only NAME…] [ARGUMENT…]

Sets up the workstation level and runs `python -m training.study`: trains networks that others published on generated
plates, measures them as int8 models beside ours, and writes docs/study. What is done already is kept in runs/study and
not done again; a run that was cut off goes on. In full it takes hours; with --quick under 15 minutes on two cores.
Tesseract is measured too if it is installed (Debian: tesseract-ocr).

  --setting S       quick, short or full (full)     --only NAME…   these networks alone; needs --out
  --data DATASET…   run complete systems on dataset folders (docs/datasets.md) as well
  --out DIR         the report (docs/study, which it overwrites)       --seed N   of everything
  --train-only      neither measure nor report; KERAS_BACKEND may then be any
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

help_bundle() {
    cat <<'TEXT'
Usage: ./build.sh bundle --arch aarch64|x86_64 --python 3.10|3.11|3.12|3.13 [--key FILE] [--out DIR]
       ./build.sh bundle --models [--key FILE] [--out DIR]

Makes one file in dist/ that installs edge-anpr without a network: packages, code, models, units, installer, a list of
it all with checksums, an SBOM (CycloneDX), and an Ed25519 signature. The same commit gives the same bytes. Raspberry Pi
OS and Debian have Python 3.11 (bookworm) or 3.13 (trixie), a Jetson with JetPack 6 has 3.10. On the device:

  tar -xf BUNDLE install.sh && sudo sh install.sh BUNDLE --trust KEY.pub
TEXT
}

help_deploy() {
    cat <<'TEXT'
Usage: ./build.sh deploy [--convert] [--models] HOST… [ARGUMENT…]

Makes a bundle for each kind of machine among the hosts, copies it over ssh (an interrupted copy goes on), installs it
beside what runs there, tries it on pictures with known plates, switches, and watches the service for a minute; if it is
not well, the old release comes back by itself. HOST is a name that your ssh knows; there it has to be root or to have
sudo without a password. EDGE_ANPR_SSH="ssh -F FILE" takes another ssh.

  --convert       run ./build.sh convert first, with its parity gate   --models       the models alone
  --bundle FILE   a bundle that is made already                        --allow-older  also over a newer release
  --jobs N        hosts at a time (4)                                  --watch S      seconds to watch (60)
  --keep-going    go on with the others after a failure                --key FILE     sign with it
TEXT
}

help_rollback() {
    cat <<'TEXT'
Usage: ./build.sh rollback HOST…

Takes devices back to the release that they ran before, over ssh; once more, and they run the newer one again.
TEXT
}

help_status() {
    cat <<'TEXT'
Usage: ./build.sh status [--json] HOST…

Shows of each device its release and models, whether camera, broker and disk work, and how many events wait.
TEXT
}

help_install() {
    cat <<'TEXT'
Usage: sudo ./build.sh install [--root DIR]
       sudo ./build.sh install --uninstall [--purge]

Makes a bundle of this repository for this machine, which needs a network for its packages, and installs it here, or in
the image below DIR. `--uninstall` takes program and units off, with `--purge` configuration and outbox too. What else
there is to an installation: edge-anpr release --help.
TEXT
}

help_make-signing-key() {
    cat <<'TEXT'
Usage: ./build.sh make-signing-key [--key FILE]

Makes an Ed25519 key in ~/.config/edge-anpr/signing-key, or FILE, which signs bundles, and FILE.pub, by which devices
know it. A device trusts the keys in /etc/edge-anpr/keys.d; the first deploy puts the public one there.
TEXT
}

help_trial() {
    cat <<'TEXT'
Usage: sudo ./build.sh trial [PART…] [--only WORDS] [--cuts N] [--watch SECONDS] [--folder DIR]

Installs, breaks, updates and rolls back devices that are containers with real systemd, and prints a table with the time
of each row; exit code 1 for any miss. PART is some of bookworm, trixie, bundles, arm64, python3.10, parts (of Debian in
place of the release's), fleet; all take about an hour. `--only doctor --only "power cut"` tries the rows with these
words, and what they need. It needs Debian's systemd-container, mmdebstrap, openssh-server, mosquitto,
mosquitto-clients, and qemu-user-static for arm64. Root file systems, and bundles until a commit changes them, stay in
DIR (/var/tmp/edge-anpr-trial) for the next time.
TEXT
}

help_lock() {
    cat <<'TEXT'
Usage: ./build.sh lock [ARGUMENT…]

Resolves requirements/*.in anew into requirements/*.txt: one version of each package for Python 3.11 to
3.13 on x86-64 and 64-bit ARM Linux, with hashes; device-3.10.txt is for Python 3.10. Arguments go to
`uv pip compile`: `--upgrade-package numpy`, or `--upgrade` for all.
TEXT
}

# ---- setting up ---------------------------------------------------------------------------------

supported_python() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in "${PYTHON_FOR_VENV:-python3}" python3.13 python3.12 python3.11 python3.10; do
        if supported_python "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# The Debian packages that LEVEL… miss, each found by a search for what it is needed for.
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
    command -v ssh-keygen >/dev/null || echo openssh-client # signs bundles
    command -v openssl >/dev/null || echo openssl # makes the certificates of test brokers
    command -v shellcheck >/dev/null || echo shellcheck
    command -v promtool >/dev/null || echo prometheus # checks figures and rules
    command -v chromium >/dev/null || echo chromium # opens the page
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
    ((${#missing[@]} == 0)) || die "still missing: ${missing[*]} (edge-anpr needs Python 3.10 to 3.13)"
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

run_study() {
    ensure demo workstation
    module training.study "$@"
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

run_bundle() {
    ensure bundle demo
    (($#)) || die "give --arch and --python of the devices, or --models (see ./build.sh bundle --help)" 2
    module converters.bundle "$@"
}

run_deploy() {
    local -a words=()
    local word
    for word in "$@"; do
        if [[ $word == --convert ]]; then
            run_convert all
        else
            words+=("$word")
        fi
    done
    ensure bundle demo
    module converters.deploy deploy "${words[@]}"
}

run_rollback() {
    ensure demo
    module converters.deploy rollback "$@"
}

run_status() {
    ensure demo
    module converters.deploy status "$@"
}

run_make-signing-key() {
    ensure demo
    module converters.bundle --make-key "$@"
}

run_trial() {
    ((EUID == 0)) || die "containers need root: sudo ./build.sh trial"
    ensure bundle demo development
    module benchmarks.trial "$@"
}

run_install() {
    local -a for_what=(--local) where=() purge=()
    local bundles word action=install
    ((EUID == 0)) || die "this changes the system: run it as root, with sudo"
    while (($#)); do
        word=$1
        shift
        case $word in
            --root)
                (($#)) || die "--root needs a folder" 2
                for_what=(--image "$(realpath "$1")")
                where=(--root "$(realpath "$1")")
                shift
                ;;
            --uninstall) action=uninstall ;;
            --purge) purge=(--purge) ;;
            *) die "unknown: $word (see ./build.sh install --help)" 2 ;;
        esac
    done
    if [[ $action == uninstall ]]; then
        /usr/bin/python3 -m edge_app release "${where[@]}" uninstall "${purge[@]}"
        return
    fi
    ensure bundle
    bundles=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$bundles'" EXIT
    module converters.bundle "${for_what[@]}" --out "$bundles"
    sh systemd/install.sh "$bundles"/*.tar --unsigned "${where[@]}"
}

# All levels are resolved together first, so that each names the same versions; what is locked now is preferred.
run_lock() {
    ensure demo development
    local level together=$VENV/requirements.txt
    cat requirements/development.txt requirements/workstation.txt >"$together"
    compile 3.11 requirements/development.in requirements/workstation.in --output-file "$together" "$@"
    for level in "${LEVELS[@]}"; do
        compile 3.11 "requirements/$level.in" --constraints "$together" --output-file "requirements/$level.txt"
    done
    compile 3.10 requirements/device-3.10.in --output-file requirements/device-3.10.txt "$@"
}

compile() { # LEAST_PYTHON FILE… [ARGUMENT…]
    "$VENV/bin/uv" pip compile --quiet --universal --python-version "$1" --fork-strategy fewest \
        --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command './build.sh lock' "${@:2}"
}

main() {
    cd "$(dirname "${BASH_SOURCE[0]}")"
    PATH=$PATH:/usr/sbin:/sbin # Debian keeps mosquitto there, outside a user's PATH
    local command=${1:---help}
    (($#)) && shift
    case $command in
        -h | --help | help) help_overall ;;
        setup | demo | test | check | train | convert | evaluate | study | import | clips | install | lock | bundle | \
            deploy | rollback | status | make-signing-key | trial)
            case ${1-} in
                -h | --help) "help_$command" ;;
                *) "run_$command" "$@" ;;
            esac
            ;;
        *) die "no such command: $command (see ./build.sh --help)" 2 ;;
    esac
}

main "$@"
