#!/bin/sh
# Brings what a chore needs, and does nothing when nothing is missing.
#
#   scripts/setup.sh run      a Rust that builds exectrail, and a linker (default)
#   scripts/setup.sh kernel   and what rebuilds the kernel side
#   scripts/setup.sh check    and what `make check` runs
#   scripts/setup.sh bench    what run needs, and the peers of `make bench`
#   scripts/setup.sh kernels  what run needs, and what `make kernels` boots kernels in
#   scripts/setup.sh fuzz     what run needs, and what `make fuzz` runs
#
# A shell script, and not a chore of xtask, because there may be no cargo yet.
set -eu

cd "$(dirname "$0")/.."
tools=$PWD/.tools
PATH=$PATH:$tools/bin:${CARGO_HOME:-$HOME/.cargo}/bin
export PATH

oldest_rust=1.88
# 0.13 is what made the committed object; another may give other bytes.
linker_version=0.13.0
# The LLVM releases that bpf-linker has a feature for, oldest first.
linker_llvms="21 22 23"
deny_version=0.20.2
fuzz_version=0.13.2

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        fail "this needs root, and there is no sudo: $*"
    fi
}

# --- packages -----------------------------------------------------------------

lists_are_fresh=no

# Fetches the package lists, once, and only when something is to be installed.
refresh_lists() {
    have apt-get || return 1
    [ "$lists_are_fresh" = no ] || return 0
    as_root apt-get update -qq </dev/null || say "some package lists could not be fetched; going on"
    lists_are_fresh=yes
}

# The version apt would install of a package; nothing when it knows none.
candidate() {
    apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([^(].*\)/\1/p'
}

# install WHAT-FOR PACKAGE...: asks apt, or says what is missing where there is none.
install() {
    purpose=$1
    shift
    refresh_lists || fail "$purpose is missing; install the equivalent of: $*"
    say "installing $* ($purpose)"
    # --no-remove: a package of the user's own that is in the way stays.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-remove \
        --no-install-recommends "$@" </dev/null >/dev/null || fail "apt-get could not install: $*"
}

# Debian has a newer Rust beside the release's own, with packages named -web.
family() {
    if dpkg -s rustc-web >/dev/null 2>&1; then
        echo web
    elif dpkg -s rustc >/dev/null 2>&1; then
        echo plain
    elif [ -n "$(candidate rustc-web)" ]; then
        echo web
    else
        echo plain
    fi
}

# package_for ROLE: what it is called in that family.
package_for() {
    case $(family)-$1 in
        web-core) echo libstd-rust-web-dev-bpf ;;
        plain-core) echo libstd-rust-dev-bpf ;;
        web-clippy) echo rust-web-clippy ;;
        plain-clippy) echo rust-clippy ;;
        web-rustfmt) echo rustfmt-web ;;
        plain-rustfmt) echo rustfmt ;;
        web-*) echo "$1-web" ;;
        plain-*) echo "$1" ;;
    esac
}

# --- run: Rust and a linker ---------------------------------------------------

# at_least WANTED FOUND, both as 1.88 or longer.
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

rust_will_do() {
    have cargo && have rustc || return 1
    version=$(rustc -V 2>/dev/null | cut -d' ' -f2)
    [ -n "$version" ] && at_least "$oldest_rust" "$version"
}

need_rust() {
    rust_will_do && return
    how="see https://rustup.rs, or install your distribution's if it is new enough"
    if have rustup; then
        fail "Rust $oldest_rust or newer is missing: run \`rustup update stable\`"
    fi
    refresh_lists || fail "Rust $oldest_rust or newer is missing: $how"
    offered=$(candidate "$(package_for rustc)")
    at_least "$oldest_rust" "${offered:-0}" ||
        fail "Rust $oldest_rust or newer is missing, and the packages offer ${offered:-none}: $how"
    install "Rust" "$(package_for cargo)" "$(package_for rustc)"
    hash -r
    rust_will_do || fail "Rust was installed, but an older one comes before it on PATH"
}

need_c_linker() {
    # With a test and not by name: a compiler may be there without its library.
    if have cc && echo 'int main(void) { return 0; }' | cc -x c - -o /dev/null 2>/dev/null; then
        return
    fi
    install "a C compiler, which Rust links with" gcc libc6-dev
}

# --- kernel: what rebuilds the kernel side -------------------------------------

# The same search as crates/object/src/tools.rs: sets kernel_rustc, or fails.
find_kernel_rustc() {
    for rustc in "${EXECTRAIL_BPF_RUSTC:-}" "$(command -v rustc)" /usr/bin/rustc; do
        [ -x "$rustc" ] || continue
        root=$("$rustc" --print sysroot 2>/dev/null) || continue
        if [ -d "$root/lib/rustlib/bpfel-unknown-none/lib" ]; then
            kernel_rustc=$root/bin/rustc
            return 0
        fi
    done
    root=$(rustup run nightly rustc --print sysroot 2>/dev/null) || return 1
    [ -d "$root/lib/rustlib/src/rust/library/core" ] || return 1
    kernel_rustc=$root/bin/rustc
}

need_kernel_rustc() {
    find_kernel_rustc && return
    how="run \`rustup toolchain install nightly --component rust-src\`"
    refresh_lists || fail "a compiler for BPF is missing: $how"
    core=$(package_for core)
    [ -n "$(candidate "$core")" ] || fail "a compiler for BPF is missing, and no package has one: $how"
    install "a compiler for BPF" "$(package_for rustc)" "$core"
    find_kernel_rustc || fail "$core was installed, and still no compiler for BPF is found: $how"
}

# The oldest LLVM that bpf-linker can use and that reads what the compiler writes.
choose_llvm() {
    wanted=$("$kernel_rustc" -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    for llvm in $linker_llvms; do
        [ "$llvm" -ge "${wanted:-0}" ] || continue
        if [ -x "/usr/lib/llvm-$llvm/bin/llvm-config" ] || [ -n "$(candidate "llvm-$llvm-dev")" ]; then
            return 0
        fi
    done
    fail "bpf-linker is missing, and no package has LLVM $wanted or newer to build it on:" \
        "see https://github.com/aya-rs/bpf-linker#installation"
}

need_bpf_linker() {
    have bpf-linker && return
    refresh_lists || say "there is no apt-get; looking for an LLVM that is already here"
    choose_llvm
    # llvm-dev alone is not enough: bpf-linker links LLVM's C++ side and what that uses.
    if ! [ -x "/usr/lib/llvm-$llvm/bin/llvm-config" ] || ! have c++; then
        install "LLVM for bpf-linker" "llvm-$llvm-dev" g++ zlib1g-dev libzstd-dev
    fi
    say "building bpf-linker $linker_version (a minute or two)"
    # Without LLVM_PREFIX the build does not find libLLVM ("unable to find library -lLLVM").
    LLVM_PREFIX=/usr/lib/llvm-$llvm cargo install bpf-linker --version "$linker_version" --locked \
        --quiet --no-default-features --features "llvm-$llvm" --root "$tools"
}

need_llvm_strip() {
    for strip in llvm-strip /usr/bin/llvm-strip-* /usr/lib/llvm-*/bin/llvm-strip; do
        if have "$strip"; then return; fi
    done
    install "llvm-strip" llvm
}

# --- check: what `make check` runs ----------------------------------------------

# need_component NAME: rustfmt or clippy, for the cargo that is used.
need_component() {
    case $1 in
        rustfmt) cargo fmt --version >/dev/null 2>&1 && return ;;
        clippy) cargo clippy --version >/dev/null 2>&1 && return ;;
    esac
    if have rustup; then
        rustup component add "$1" >&2 || fail "rustup could not add $1"
    else
        install "$1" "$(package_for "$1")"
    fi
}

# Clippy of the compiler that builds the kernel side: another cannot read its core.
need_kernel_clippy() {
    [ -x "${kernel_rustc%/*}/cargo-clippy" ] && return
    case $kernel_rustc in
        /usr/bin/*) install "clippy for the kernel side" "$(package_for clippy)" ;;
        *) rustup component add clippy --toolchain nightly >&2 || fail "rustup could not add clippy" ;;
    esac
}

need_cargo_deny() {
    have cargo-deny && return
    say "building cargo-deny $deny_version (a minute or two)"
    # --debug: it runs for a second, and builds in half the time.
    cargo install cargo-deny --version "$deny_version" --locked --quiet --debug --root "$tools"
}

need_valgrind() {
    have valgrind || install "what counts instructions" valgrind
}

# --- bench: whom `make bench` compares with ------------------------------------

# need_peer PROGRAM PACKAGE. No failure without it: the benchmark says loudly what it could
# not compare with.
need_peer() {
    # Debian puts some where only root looks.
    if have "$1" || [ -x "/usr/sbin/$1" ]; then return; fi
    without="going on without it"
    if ! refresh_lists || [ -z "$(candidate "$2")" ]; then
        say "no package has $1; $without"
        return
    fi
    # In a shell of its own: what fails there ends only that.
    (install "$1, to compare with" "$2") || say "$without"
}

# execsnoop is that of libbpf; bcc's has another name in packages, and is Python.
# auditd is not brought: its package starts a daemon that takes over the host's audit.
need_peers() {
    need_peer execsnoop libbpf-tools
    need_peer execsnoop.bt bpftrace
    need_peer forkstat forkstat
    need_peer perf linux-perf
    need_peer strace strace
}

# The namespace in which some of them find a tracefs, and what makes C programs write lines.
need_bench_tools() {
    if have unshare && have stdbuf; then return; fi
    install "what peers are started with" util-linux coreutils
}

# --- kernels: machines to boot them in -------------------------------------------

need_emulator() {
    if ! have dpkg-deb; then install "what unpacks kernels" dpkg; fi
    if ! have xz; then install "what unpacks kernels" xz-utils; fi
    have qemu-system-x86_64 || emulator qemu-system-x86 qemu-system-x86_64
}

# emulator PACKAGE PROGRAM: installed or, where a package that is there is in its way (a
# qemu-utils of a newer release), unpacked beside it.
emulator() {
    (install "an emulator" "$1") || unpack_emulator "$1" "$2" ||
        fail "$2 is missing, and $1 could be neither installed nor unpacked"
}

# All that apt would install anew for a package, below .tools, and a script that finds it.
unpack_emulator() {
    say "unpacking $1 below .tools instead; what is installed stays as it is"
    place=$tools/$1
    packages=$(apt-get install -s --no-install-recommends "$1" 2>/dev/null |
        sed -n 's/^Inst \([^ ]*\) (.*/\1/p')
    [ -n "$packages" ] || return 1
    rm -rf "$place"
    mkdir -p "$place/packages" "$tools/bin"
    # As root apt would hand the download to a user who may not write here.
    (cd "$place/packages" &&
        apt-get download -qq -o APT::Sandbox::User="$(id -un)" $packages </dev/null) || return 1
    for package in "$place"/packages/*.deb; do
        dpkg-deb -x "$package" "$place" || return 1
    done
    rm -rf "$place/packages"
    libraries=$(ls -d "$place"/usr/lib/*-linux-gnu "$place"/lib/*-linux-gnu 2>/dev/null |
        tr '\n' ':')
    modules=$(ls -d "$place"/usr/lib/*-linux-gnu/qemu | head -n 1)
    cat >"$tools/bin/$2" <<SCRIPT
#!/bin/sh
LD_LIBRARY_PATH="$libraries" QEMU_MODULE_DIR="$modules" exec "$place/usr/bin/$2" \\
    -L "$place/usr/share/qemu" -L "$place/usr/share/seabios" -L "$place/usr/lib/ipxe/qemu" "\$@"
SCRIPT
    chmod +x "$tools/bin/$2"
    "$tools/bin/$2" --version >/dev/null
}

# An emulator of 64-bit Arm, and what links programs for it. No failure without them: the
# rows of those machines say loudly that they were not run.
need_arm() {
    without="going on without 64-bit Arm"
    # The standard library for Arm comes in packages, and fits the packaged compiler only.
    if ! [ -x /usr/bin/rustc ]; then
        say "there is no Rust of the distribution's; $without"
        return
    fi
    # In shells of their own: what fails there ends only that.
    if ! have aarch64-linux-gnu-gcc || ! [ -e /usr/aarch64-linux-gnu/lib/libc.a ]; then
        (install "64-bit Arm" gcc-aarch64-linux-gnu libc6-dev-arm64-cross) || say "$without"
    fi
    have qemu-system-aarch64 || (emulator qemu-system-arm qemu-system-aarch64) || say "$without"
}

# The programs that tests run in a machine are copied from here.
need_machine_tools() {
    if have setpriv && have bash; then return; fi
    install "programs that tests run" util-linux bash
}

# --- fuzz: what `make fuzz` builds with -----------------------------------------

# libFuzzer comes as C++, in the sources of a crate.
need_cxx() {
    if have c++ && echo 'int main() { return 0; }' | c++ -x c++ - -o /dev/null 2>/dev/null; then
        return
    fi
    install "a C++ compiler, for libFuzzer" g++
}

need_cargo_fuzz() {
    have cargo-fuzz && return
    say "building cargo-fuzz $fuzz_version (a minute or two)"
    # --debug: it starts cargo and waits, and builds in half the time.
    cargo install cargo-fuzz --version "$fuzz_version" --locked --quiet --debug --root "$tools"
}

# --------------------------------------------------------------------------------

need_run() {
    need_rust
    need_c_linker
}

need_kernel() {
    need_run
    need_kernel_rustc
    need_bpf_linker
    need_llvm_strip
}

need_check() {
    need_kernel
    need_component rustfmt
    need_component clippy
    need_kernel_clippy
    need_cargo_deny
    need_valgrind
}

need_bench() {
    need_run
    need_bench_tools
    need_peers
}

need_kernels() {
    need_run
    need_emulator
    need_arm
    need_machine_tools
}

need_fuzz() {
    need_run
    need_cxx
    need_cargo_fuzz
}

case ${1:-run} in
    run | kernel | check | bench | kernels | fuzz) "need_${1:-run}" ;;
    *) fail "expected one of: run, kernel, check, bench, kernels, fuzz; got: $1" ;;
esac
