# Sourced by checks: `aarch64_root DIR PACKAGE ...` unpacks Debian's packages for AArch64, and what they need,
# into DIR: something to compile for and, under qemu-user, to run in. This machine's own packages stay as they
# are. Exits 77 where that cannot be had. A DIR that has the same packages is left as it is.
aarch64_root() {
    local root=$1 apt=$1.apt package
    shift
    [ "$(uname -m)" != aarch64 ] || aarch64_skip "this is an AArch64 machine: the other tests run here"
    command -v aarch64-linux-gnu-gcc >/dev/null || aarch64_skip "no aarch64-linux-gnu-gcc here (apt-get install gcc-aarch64-linux-gnu)"
    command -v qemu-aarch64 >/dev/null || aarch64_skip "no qemu-aarch64 here (apt-get install qemu-user)"
    command -v dpkg-deb >/dev/null && command -v apt-get >/dev/null || aarch64_skip "no apt-get here"
    [ "$(cat "$root.packages" 2>/dev/null)" != "$*" ] || return 0
    rm -rf "$root" "$root.packages" "$apt"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$root/usr/lib"
    : >"$apt/state/status" # nothing is installed, so that everything needed is fetched
    aarch64_apt "$apt" update >"$apt/log" 2>&1
    aarch64_apt "$apt" install --download-only --no-install-recommends "$@" >>"$apt/log" 2>&1 ||
        aarch64_skip "packages for AArch64 are out of reach; $(grep -m 1 '^E: ' "$apt/log" || echo 'apt-get took too long')"
    ln -s usr/lib "$root/lib" # where the loader is looked for
    for package in "$apt"/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$root" || exit 1
    done
    rm -rf "$apt"
    echo "$*" >"$root.packages"
}
aarch64_skip() {
    echo "skipped: $*"
    exit 77
}
aarch64_apt() { # DIR COMMAND ...: an apt-get whose machine is of the other kind, and lies in DIR
    local dir=$1
    shift
    timeout 120 apt-get -q -y -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Acquire::Languages=none \
        -o Acquire::Retries=1 -o Acquire::http::Timeout=15 -o APT::Sandbox::User="$(id -un)" \
        -o Dir::State="$dir/state" -o Dir::State::status="$dir/state/status" -o Dir::Cache="$dir/cache" "$@"
}
