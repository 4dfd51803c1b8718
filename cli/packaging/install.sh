#!/bin/sh
# Installs rdsign, the command line, with its man pages and completions:
#   sh install.sh [--prefix DIR] [--from FOLDER_OR_URL]
# DIR is /usr/local for root and ~/.local for others, unless PREFIX is set. The archive for this machine and
# SHA256SUMS come from the release, or from a folder or a URL. An archive with another SHA-256 is refused.
set -eu

VERSION=@VERSION@
RELEASE=@REPOSITORY@/releases/download/v@VERSION@

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

platform() {
    case $(uname -m) in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) fail "no archive for $(uname -m); accepted: x86_64, aarch64" ;;
    esac
    case $(uname -s) in
    Linux)
        # Without glibc, the static program for musl runs.
        if getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
            echo "linux-$machine"
        else
            echo "linux-$machine-musl"
        fi
        ;;
    *) fail "no archive for $(uname -s); accepted: Linux" ;;
    esac
}

# get NAME: writes a file of the release to the working folder.
get() {
    case $from in
    https://* | http://*)
        if has curl; then
            curl --fail --silent --show-error --location --proto-redir =https --output "$1" "$from/$1"
        elif has wget; then
            wget -q -O "$1" "$from/$1"
        else
            fail "neither curl nor wget was found: install one, or pass --from FOLDER"
        fi || fail "$from/$1 cannot be downloaded"
        ;;
    *)
        [ -f "$from/$1" ] || fail "$from/$1 not found"
        cp "$from/$1" "$1"
        ;;
    esac
}

sha256() {
    if has sha256sum; then
        sha256sum "$1"
    elif has shasum; then
        shasum -a 256 "$1"
    else
        fail "neither sha256sum nor shasum was found: the archive cannot be checked"
    fi | cut -d ' ' -f 1
}

# put MODE FILE TARGET: replaces the target at once, so that a running rdsign is not disturbed.
put() {
    mkdir -p "$(dirname "$3")"
    cp "$2" "$3.new$$"
    chmod "$1" "$3.new$$"
    mv -f "$3.new$$" "$3"
}

main() {
    prefix=${PREFIX-}
    from=$RELEASE
    while [ $# -gt 0 ]; do
        case $1 in
        --prefix | --from)
            [ $# -gt 1 ] || fail "$1: missing; accepted: $1 followed by a value"
            [ "$1" = --prefix ] && prefix=$2 || from=$2
            shift 2
            ;;
        -h | --help)
            echo "usage: sh install.sh [--prefix DIR] [--from FOLDER_OR_URL]"
            return
            ;;
        *) fail "unknown argument: $1; accepted: --prefix DIR, --from FOLDER_OR_URL" ;;
        esac
    done
    if [ -z "$prefix" ]; then
        [ "$(id -u)" -eq 0 ] && prefix=/usr/local || prefix=${HOME:?}/.local
    fi
    # Both may be relative to the folder that the caller is in.
    here=$PWD
    case $prefix in /*) ;; *) prefix=$here/$prefix ;; esac
    case $from in /* | https://* | http://*) ;; *) from=$here/$from ;; esac

    platform=$(platform)
    name=rdsign-$VERSION-$platform
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' INT TERM HUP
    cd "$work"

    get SHA256SUMS
    expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $name\.tar\.gz\$/\1/p" SHA256SUMS)
    [ -n "$expected" ] || fail "this release has no $name.tar.gz for this machine"
    get "$name.tar.gz"
    actual=$(sha256 "$name.tar.gz")
    [ "$actual" = "$expected" ] ||
        fail "$name.tar.gz has the SHA-256 $actual, but SHA256SUMS has $expected: nothing was installed"

    tar -xzf "$name.tar.gz"
    "$name/bin/rdsign" --version >/dev/null || fail "the program does not run here: nothing was installed"
    cd "$name"
    find bin lib share -type f 2>/dev/null >../files || :
    while read -r file; do
        case $file in
        bin/*) put 755 "$file" "$prefix/$file" ;;
        *) put 644 "$file" "$prefix/$file" ;;
        esac
    done <../files

    echo "Installed rdsign $VERSION: $prefix/bin/rdsign"
    case :$PATH: in
    *":$prefix/bin:"*) ;;
    *) echo "Add $prefix/bin to PATH to run it as rdsign." ;;
    esac
}

# The last line, so that a script that was cut off does nothing.
main "$@"
