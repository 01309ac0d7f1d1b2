#!/usr/bin/env bash
# Prints what machine this is and what tree: lines of name, tab, value. FAKE: a build directory with
# the tests' driver instead of a GPU. Exit code 1, with a message, when there is no GPU.
set -uo pipefail
say() {
    printf '%s\t%s\n' "$1" "$(tr '\t\n' '  ' <<<"$2" | sed 's/ *$//')"
}
nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null)
toolkit=$([ -z "$nvcc" ] || "$nvcc" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')

if [ -n "${FAKE:-}" ]; then
    say emulated true
    say device "none (emulated)"
    say driver "tests/cuda/driver.c"
    say compute 9.0
else
    command -v nvidia-smi >/dev/null || {
        echo "run.sh: no nvidia-smi here: this wants a machine with an NVIDIA GPU" >&2
        echo "hint: --fake BUILD --out DIR tries the script without one" >&2
        exit 1
    }
    found=$(nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap,clocks.max.sm \
        --format=csv,noheader,nounits --id=0) || {
        echo "run.sh: nvidia-smi: $found" >&2
        exit 1
    }
    IFS=, read -r name driver memory compute clock <<<"$found"
    say emulated false
    say device "${name# }"
    say driver "${driver# }"
    say memory_mib "${memory# }"
    say compute "${compute# }"
    say clock_mhz "${clock# }"
fi
say toolkit "${toolkit:-none}"
say host "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)"
say cores "$(nproc)"
say system "$(uname -sr), $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release 2>/dev/null)"

# A copy of the tree without .git says where it is from by what --carry left in it.
carried=build-gpu/carried
if commit=$(git rev-parse HEAD 2>/dev/null); then
    say commit "$commit"
    changed=$(git status --porcelain -- . ':!tests/gpu/records' | cut -c 4-)
    say dirty "$([ -n "$changed" ] && echo true || echo false)"
    say changed "$(head -n 20 <<<"$changed")"
elif [ -f $carried/commit ]; then
    say commit "$(cat $carried/commit)"
    say dirty "$([ "$(cat $carried/sources)" = "$(tests/gpu/build.sh sources)" ] &&
        cat $carried/dirty || echo true)"
    say changed "no .git here; as build-gpu/carried says"
else
    say commit unknown
    say dirty true
    say changed "no .git here"
fi
