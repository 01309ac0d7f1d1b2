#!/usr/bin/env bash
# Promise: every C source has the format of .clang-format.
set -euo pipefail
cd "$SOURCE"
if ! command -v clang-format >/dev/null; then
    echo "skipped: clang-format is missing (tools/setup --tests installs it)"
    exit 77
fi
version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
if [ "$version" -ne 14 ]; then
    echo "skipped: the format is that of clang-format 14, here is $version"
    exit 77
fi
files=$(find games agents cuda engine net tools tests \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' \) | sort)
clang-format --dry-run -Werror $files
echo "$(wc -w <<<"$files") files"
