#!/usr/bin/env bash
# Promise: `agon doctor` tells which GPU there is, whether this program can use it, and if not, why and what to
# do. The driver is the tests' own, tests/cuda/driver.h, with the faults that its environment asks for.
set -eu
faults=0
doctor() { env "$@" "$AGON" doctor; }
# expect "SETTINGS" TEXT...: lines of doctor that hold each text
expect() {
    local said text
    # shellcheck disable=SC2086
    said=$(doctor LD_LIBRARY_PATH="$BUILD/tests/cuda" $1) || { echo "FAILED: $1"; faults=1; return; }
    for text in "${@:2}"; do
        grep -qF -- "$text" <<<"$said" ||
            { printf '%s\n' "MISSING with '$1': $text" "$(grep -A 1 'cuda\|kernels' <<<"$said")"; faults=1; }
    done
}

# Without a driver; a machine that has one of its own cannot show this.
if said=$(doctor LD_LIBRARY_PATH=/nowhere | grep -w cuda) && grep -q 'no CUDA driver' <<<"$said"; then
    grep -q '^ok .*libcuda.so.1: cannot open' <<<"$said" || { echo "WRONG: $said"; faults=1; }
fi

if [ -e "$BUILD/cuda/kernels.fatbin" ]; then
    expect "FAKE_CUDA_STRICT=1" 'ok       kernels' ' images by CUDA '
    refused="kernels 'kernels' do not load on GPU Emulated GPU, compute 12.0: CUDA_ERROR_NO_BINARY_FOR_GPU (209)"
    advice="install a newer driver, or build with -DAGON_CUDA_ARCHITECTURES=120"
else
    refused="this agon was built without nvcc: it has no kernels for GPU Emulated GPU"
    advice="install CUDA's nvcc 12 or later and build again"
    expect "FAKE_CUDA_STRICT=1" "warning  kernels    $refused" "-> $advice"
    expect "" 'built without nvcc'
fi
expect "" 'ok       cuda       Emulated GPU (8.0 GiB, compute 9.0); driver of CUDA 13.0' 'ok       kernels'
expect "FAKE_CUDA_DEVICES=2 FAKE_CUDA_NAME=H100,T4 FAKE_CUDA_COMPUTE=90,75" \
    'ok       cuda       H100 (8.0 GiB, compute 9.0), T4 (8.0 GiB, compute 7.5)' 'ok       kernels'
expect "FAKE_CUDA_DEVICES=0" 'warning  cuda       the CUDA driver is there and finds no device' '-> `nvidia-smi`' \
    'ok       kernels'
expect "FAKE_CUDA_DEVICES=0 CUDA_VISIBLE_DEVICES=3" "-> CUDA_VISIBLE_DEVICES is '3'"
expect "FAKE_CUDA_VERSION=11080" \
    'warning  cuda       the CUDA driver is too old: it is of CUDA 11.8, needed is 12.0' '-> install NVIDIA'
expect "FAKE_CUDA_INIT=999" 'warning  cuda       the CUDA driver does not start: CUDA_ERROR_UNKNOWN (999)'
expect "FAKE_CUDA_COMPUTE=70 FAKE_CUDA_NAME=V100" 'V100 (8.0 GiB, compute 7.0)' \
    'warning  kernels    GPU V100 is too old: it has compute capability 7.0, needed is 7.5' '-> train on the CPU'
expect "FAKE_CUDA_IMAGE=209 FAKE_CUDA_COMPUTE=120" "warning  kernels    $refused" "-> $advice"
expect "FAKE_CUDA_OPEN=46" \
    'warning  kernels    GPU Emulated GPU does not open: CUDA_ERROR_DEVICE_UNAVAILABLE (46)'
[ $faults = 0 ] && echo "doctor: every fault has its message"
exit $faults
