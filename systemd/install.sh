#!/bin/sh
# Installs a bundle on this device, or in an image: sh install.sh --help
set -eu

die() { # MESSAGE [EXIT_CODE]
    printf 'install.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

help() {
    cat <<'TEXT'
Usage: sh install.sh BUNDLE [--trust FILE.pub] [--root DIR] [ARGUMENT…]

Installs a bundle that `./build.sh bundle` made: beside what runs already, tried there, and only then in its place.
It lies in each bundle: tar -xf BUNDLE install.sh. No network is needed, except for python3 where there is none.

  --trust FILE.pub  accept bundles signed with this key, now and from now on
  --root DIR        install into the image below DIR

Further arguments go to `edge-anpr release install`.
TEXT
}

case ${1:-} in
    -h | --help)
        help
        exit
        ;;
esac
[ $# -gt 0 ] || die "name the bundle (see --help)" 2
bundle=$1
shift
[ -f "$bundle" ] || die "$bundle: no such file" 2

# --root belongs to `release`, all other words to its action `install`.
root=/
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    if [ "$word" = --root ] && [ "$left" -gt 0 ]; then
        root=$1
        shift
        left=$((left - 1))
    else
        set -- "$@" "$word"
    fi
done

if [ "$root" = / ]; then
    bits=$(getconf LONG_BIT)
    [ "$bits" = 64 ] || die "this is a $bits-bit system, and the runtime of the networks exists for 64 bits only: \
install the 64-bit system (on a Raspberry Pi: Raspberry Pi OS, 64-bit)"
    [ "$(id -u)" = 0 ] || die "run this as root: sudo sh install.sh $bundle"
fi
if [ ! -x /usr/bin/python3 ]; then
    command -v apt-get >/dev/null || die "/usr/bin/python3 is missing: install the system's Python, then run this again"
    echo "==> Installing python3"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3; } ||
        die "python3 is missing and could not be installed: apt-get install python3, then run this again"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tar -xf "$bundle" -C "$scratch" installer.pyz || die "$bundle: no bundle, or cut off: fetch it again"
/usr/bin/python3 -I "$scratch/installer.pyz" release --root "$root" install "$bundle" "$@"
