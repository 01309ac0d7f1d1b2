/* SPDX-License-Identifier: 0BSD
 *
 * plugin_file.c: what can be said about a shared object before any of its code runs. The system's
 * loader would say less, and maps a file that was cut short without noticing. */
#include "internal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SEGMENTS 64

static int refuse(const char* path, const char* what, agon_error* error) {
    const size_t length = strlen(path);
    agon_fail(error, AGON_EFORMAT, "plug-in %.200s %s, expected a shared object", path, what);
    if (length > 2 && strcmp(path + length - 2, ".c") == 0)
        return agon_hint(error, "compile it first: agon build-game %.150s", path);
    return agon_hint(error, "agon build-game FILE.c makes one");
}

/* `count` bytes at `from`, all of them. */
static bool read_at(int file, void* out, size_t count, ElfW(Off) from) {
    return pread(file, out, count, (off_t)from) == (ssize_t)count;
}

/* Do `count` bytes from `from` on lie within a file of `size` bytes? */
static bool within(uint64_t from, uint64_t count, uint64_t size) {
    return from <= size && count <= size - from;
}

/* Kind, class, byte order and machine: those of the running program. */
static int check_header(const char* path, const ElfW(Ehdr) * header, agon_error* error) {
    ElfW(Ehdr) own;
    const int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const bool known = self >= 0 && read_at(self, &own, sizeof own, 0);
    if (self >= 0)
        close(self);
    if (known && (memcmp(header->e_ident, own.e_ident, EI_VERSION) != 0 ||
                  header->e_machine != own.e_machine))
        return refuse(path, "is for another kind of machine", error);
    if (header->e_type == ET_REL)
        return refuse(path, "is an object file that was not linked", error);
    if (header->e_type != ET_DYN)
        return refuse(path, "is a program", error);
    return 0;
}

static int check_whole(const char* path, int file, const ElfW(Ehdr) * h, uint64_t size,
                       agon_error* error) {
    ElfW(Phdr) segment[MAX_SEGMENTS];
    bool whole = within(h->e_shoff, (uint64_t)h->e_shnum * h->e_shentsize, size) &&
                 within(h->e_phoff, (uint64_t)h->e_phnum * sizeof *segment, size) &&
                 h->e_phentsize == sizeof *segment && h->e_phnum <= MAX_SEGMENTS &&
                 read_at(file, segment, h->e_phnum * sizeof *segment, h->e_phoff);
    for (int i = 0; whole && i < h->e_phnum; i++)
        whole = within(segment[i].p_offset, segment[i].p_filesz, size);
    return whole ? 0 : refuse(path, "is damaged or cut short", error);
}

static int check_open(const char* path, int file, agon_error* error) {
    struct stat facts;
    ElfW(Ehdr) header = {0};
    if (fstat(file, &facts) != 0)
        return agon_fail(error, AGON_EIO, "plug-in %.200s: %s", path, strerror(errno));
    if (S_ISDIR(facts.st_mode))
        return refuse(path, "is a directory", error);
    if (!S_ISREG(facts.st_mode))
        return refuse(path, "is not a regular file", error);
    if (!read_at(file, &header, SELFMAG, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(path, "is a file of another kind", error);
    if (!read_at(file, &header, sizeof header, 0))
        return refuse(path, "is damaged or cut short", error);
    const int code = check_header(path, &header, error);
    return code ? code : check_whole(path, file, &header, (uint64_t)facts.st_size, error);
}

int agon__plugin_check_file(const char* path, agon_error* error) {
    /* A pipe without a writer must not make us wait. */
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 && errno == ENOENT) {
        agon_fail(error, AGON_EMISSING, "plug-in %.200s: there is no such file", path);
        return agon_hint(error, "agon build-game FILE.c makes a plug-in");
    }
    if (file < 0)
        return agon_fail(error, AGON_EIO, "plug-in %.200s: %s", path, strerror(errno));
    const int code = check_open(path, file, error);
    close(file);
    return code;
}
