#!/usr/bin/env bash
# Builds what the sections of run.sh run. In the order of what is tried:
#   1. build-gpu/carried/, made by `run.sh --carry` on another machine from the same sources
#   2. all of agon, by cmake
#   3. games/, agents/, cuda/ and the programs of tests/gpu, by cmake (AGON_GPU_ONLY), where
#      libraries are missing
# and primitives and rates by nvcc.   build.sh here ARCHITECTURE | carry [ARCHITECTURE ...] | sources | cublas
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
top="build-gpu"
carried=$top/carried
nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null)
jobs=$(nproc)

# A hash of everything that is compiled.
sources() {
    find games agents cuda engine net tools tests/gpu CMakeLists.txt -type f \
        \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cmake' -o -name CMakeLists.txt \) -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-64
}

# The folder of a file of cuBLAS, where PyTorch brought one: include/cublasLt.h or lib/libcublasLt.so*
cublas() {
    python3 -c 'import glob, sys
for path in sys.path:
    for found in glob.glob(path + "/nvidia/*/" + sys.argv[1])[:1]:
        print(found.rsplit("/", 1)[0])' "$1" 2>/dev/null | head -n 1
}

# architecture..., e.g. 90a: of nvcc's -gencode, into the directory `to`
compile_nvcc() {
    local to=$1 words=() a include
    shift
    [ -n "$nvcc" ] || {
        echo "no nvcc: primitives and rates are not built" >&2
        return 1
    }
    for a in "$@"; do words+=(-gencode "arch=compute_$a,code=sm_$a"); done
    mkdir -p "$to"
    cc -std=gnu11 -O2 -ffp-contract=off -march=x86-64-v3 -I. -c tests/gpu/primitives.c \
        -o "$to/primitives.o" &&
        "$nvcc" -std=c++20 -fmad=false -O3 -I. "${words[@]}" tests/gpu/primitives.cu \
            "$to/primitives.o" -o "$to/gpu_primitives"
    include=$(cublas include/cublasLt.h) # after the toolkit's own
    "$nvcc" -std=c++20 -O3 -I. ${include:+-isystem "$include"} "${words[@]}" tests/gpu/rates.cu -ldl \
        -o "$to/gpu_rates"
    [ -x "$to/gpu_primitives" ] && [ -x "$to/gpu_rates" ]
}

# The four programs of a build directory, by name, for sections.sh.
name_programs() { # KIND AGON DIRECTORY NVCC_DIRECTORY LIBRARIES
    printf 'kind=%s\nagon=%s\ncompare=%s\nbench=%s\nprimitives=%s\nrates=%s\nlibraries=%s\n' \
        "$1" "$2" "$3/gpu_compare" "$3/gpu_bench" "$4/gpu_primitives" "$4/gpu_rates" "$5"
}

configure() { # DIRECTORY ARCHITECTURES option...
    local to=$1 architectures=$2 generator=()
    shift 2
    command -v ninja >/dev/null && generator=(-G Ninja)
    cmake -S . -B "$to" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
        "-DAGON_CUDA_ARCHITECTURES=$architectures" "$@" >"$to.log" 2>&1
}

build_here() { # ARCHITECTURE, as in 90a
    local here=$top/here
    mkdir -p $top
    if [ -f $carried/sources ] && [ "$(cat $carried/sources)" = "$(sources)" ]; then
        local lib=$PWD/$top/lib
        rm -rf "${top:?}/lib"
        tar -xzf $carried/lib.tar.gz -C $top || return 1
        if LD_LIBRARY_PATH=$lib $carried/bin/agon version >&2; then
            name_programs carried "$carried/bin/agon" "$carried/bin" "$carried/bin" "$lib"
            return 0
        fi
        echo "what was carried does not run here" >&2
    fi
    command -v cmake >/dev/null || {
        echo "no cmake here, and nothing carried that fits: tests/gpu/run.sh --carry" >&2
        return 1
    }
    compile_nvcc $top/nvcc "$1" &
    local nvcc_job=$! kind=whole agon=$here/tools/agon
    if configure $here "$1-real" && cmake --build $here --parallel "$jobs" \
        --target agon gpu_compare gpu_bench >&2; then
        :
    else
        echo "agon itself cannot be built here:" >&2
        grep -A 3 -m 3 -iE 'error|not found|no package' $here.log >&2
        kind=part agon='' here=$top/part
        if ! configure $here "$1-real" -DAGON_GPU_ONLY=ON; then
            tail -n 20 $here.log >&2
            return 1
        fi
        cmake --build $here --parallel "$jobs" >&2 || return 1
    fi
    wait $nvcc_job || echo "primitives or rates were not built" >&2
    name_programs $kind "$agon" "$here/tests/gpu" $top/nvcc ''
}

# Binaries, and the libraries that Debian's packages hold: all but the C library's own.
carry() { # architecture...
    local build=$top/carry a
    [ $# -gt 0 ] || set -- 80 90a
    [ -n "$nvcc" ] || {
        echo "run.sh: --carry needs nvcc" >&2
        exit 1
    }
    mkdir -p $top
    rm -rf $carried
    mkdir -p $carried/bin $top/lib
    configure $build "$(printf '%s-real;' "$@" | sed 's/;$//')" || {
        tail $build.log >&2
        exit 1
    }
    cmake --build $build --parallel "$jobs" --target agon gpu_compare gpu_bench || exit 1
    compile_nvcc $carried/bin "$@" || exit 1
    rm -f $carried/bin/*.o
    for a in tools/agon tests/gpu/gpu_compare tests/gpu/gpu_bench; do
        strip -o "$carried/bin/$(basename $a)" "$build/$a"
    done
    ldd $carried/bin/agon | sed -n 's|.* => \(/[^ ]*\) .*|\1|p' |
        grep -vE '/(libc|libm|libdl|libpthread|librt|libgcc_s|ld-linux[^/]*)\.so' |
        xargs -I{} cp -L {} $top/lib/
    tar -czf $carried/lib.tar.gz -C $top lib || exit 1
    git rev-parse HEAD >$carried/commit
    if [ -z "$(git status --porcelain -- . ':!tests/gpu/records')" ]; then
        echo false >$carried/dirty
    else
        echo true >$carried/dirty
    fi
    sources >$carried/sources
    du -sh $carried
    echo "copy $carried with the tree; tests/gpu/run.sh uses it there while the sources are these"
}

case ${1:-} in
    cublas) cublas 'lib/libcublasLt.so*' ;;
    here) build_here "$2" ;;
    carry) carry "${@:2}" ;;
    sources) sources ;;
    *) exit 2 ;;
esac
