#!/usr/bin/env python3
"""Promise: a folder includes only folders below it, and each library is included where it belongs.

The order is games < agents < cuda < engine < net < tools < tests.
"""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ["SOURCE"])
ORDER = ["games", "agents", "cuda", "engine", "net", "tools", "tests"]

# Header of a library -> files that may include it, as regular expressions over paths.
LIBRARIES = {
    r"Random123/.*": [r"games/.*"],
    r"sleef\.h": [r"agents/.*"],
    r"(cuda|cuda_runtime|cuda_bf16|cuda_fp16|nvrtc|curand.*|cublas.*|cooperative_groups)(\.h)?": [r"cuda/.*"],
    r"uv\.h": [r"engine/.*", r"net/.*", r"tools/bench_net.*"],
    r"sqlite3\.h": [r"engine/.*"],
    r"msgpack(/.*|\.h)": [r"engine/.*", r"net/.*"],
    r"ini\.h": [r"engine/.*"],
    r"cJSON\.h|cjson/cJSON\.h": [r"engine/.*", r"net/.*", r"tools/.*"],
    r"zip\.h": [r"engine/.*"],
    r"openssl/.*": [r"engine/.*", r"net/.*"],
    r"nats/.*": [r"net/.*"],
    r"(cblas|lapacke)\.h": [r"tools/bench.*"],
    r"cmocka\.h": [],
    r".*intrin\.h|arm_neon\.h": [r"agents/.*", r"tools/bench.*"],
}
# Asks every library for its version, and does nothing else with it.
EVERYTHING = r"tools/libraries\.c|tests/.*"
ONCE = [("engine", r"openssl/.*"), ("engine", r"ini\.h"), ("engine", r"zip\.h"), ("games", r"Random123/.*")]
STANDARD = set(
    """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign
    stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath threads time
    uchar wchar wctype unistd fcntl dirent dlfcn elf link fts glob libgen poll pthread pwd sched spawn termios
    regex semaphore getopt execinfo malloc ftw arpa/inet netdb netinet/in netinet/tcp sys/file
    sys/ioctl sys/mman sys/prctl sys/random sys/resource sys/select sys/socket sys/stat sys/statvfs sys/sysinfo
    sys/syscall sys/time sys/types sys/uio sys/un sys/utsname sys/wait sys/auxv sanitizer/lsan_interface
    sanitizer/asan_interface cpuid""".split()
)
MADE = {"agon_build.h", "agon_images.h", "agon_twins.h"}  # written by the build


def folder_of(path, text):
    """The folder an include with quotes leads to, or None when there is no such file."""
    bases = [path.parent, ROOT]
    if path.parent.name in ("template", "plugins"):  # plug-ins: agon build-game knows where the header is
        bases.append(ROOT / "games")
    for base in bases:
        target = (base / text).resolve()
        if target.is_file():
            return target.relative_to(ROOT.resolve()).parts[0]
    return None


def check_own(path, name, text):
    if text in MADE:
        return []
    target = folder_of(path, text)
    if target is None:
        return [f'{name}: "{text}": no such file']
    if target not in ORDER:
        return [f'{name}: "{text}" is in {target}/, which is not a folder of code']
    here = name.split("/")[0]
    if ORDER.index(target) > ORDER.index(here):
        return [f'{name}: "{text}": {here}/ may not include {target}/, which is above it']
    return []


def check_library(name, text, uses):
    if text.removesuffix(".h") in STANDARD:
        return []
    for pattern, allowed in LIBRARIES.items():
        if re.fullmatch(pattern, text):
            uses.setdefault((name.split("/")[0], pattern), set()).add(name)
            if any(re.fullmatch(rule, name) for rule in [*allowed, EVERYTHING]):
                return []
            return [f"{name}: <{text}> does not belong here"]
    return [f"{name}: <{text}> is in no list of {os.path.basename(__file__)}"]


def main():
    faults, uses, files = [], {}, 0
    for folder in ORDER:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".c", ".h", ".cu", ".cuh"):
                continue
            files += 1
            name = path.relative_to(ROOT).as_posix()
            for kind, text in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', path.read_text(), re.M):
                faults += check_own(path, name, text) if kind == '"' else check_library(name, text, uses)
    for folder, pattern in ONCE:
        users = sorted(uses.get((folder, pattern), ()))
        if len(users) > 1:
            faults.append(f"{pattern} is included by {', '.join(users)}; one file was promised")
    print("\n".join(faults))
    print(f"{files} files, {len(faults)} faults")
    return 1 if faults or files < 10 else 0


sys.exit(main())
