/* npz.c: see npz.h. */
#include "engine/npz.h"

#include "engine/files.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

struct agon_npz {
    char path[AGON_PATH_SIZE];
    zip_t* zip; /* NULL: finished */
};

/* What libzip says, in our words: a full disk keeps its code and its message. */
static int fail(const agon_npz* npz, zip_error_t* reason, const char* what, agon_error* error) {
    if (zip_error_system_type(reason) == ZIP_ET_SYS && zip_error_code_system(reason))
        return agon_file_fail(error, zip_error_code_system(reason), what, npz->path);
    return agon_fail(error, AGON_EIO, "%s %s: %s", what, npz->path, zip_error_strerror(reason));
}

int agon_npz_open(const char* path, agon_npz** out, agon_error* error) {
    int code = 0;
    agon_npz* npz = calloc(1, sizeof *npz);
    if (!npz)
        return agon_fail(error, AGON_EMEMORY, "no memory for an archive");
    if (snprintf(npz->path, sizeof npz->path, "%s", path) >= (int)sizeof npz->path) {
        free(npz);
        return agon_fail(error, AGON_ELIMIT, "path %.60s... is too long: at most %d bytes", path,
                         AGON_PATH_SIZE - 1);
    }
    npz->zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (!npz->zip) {
        zip_error_t reason;
        zip_error_init_with_code(&reason, code);
        code = fail(npz, &reason, "cannot write", error);
        zip_error_fini(&reason);
        free(npz);
        return code;
    }
    *out = npz;
    return AGON_OK;
}

int agon_npz_add(agon_npz* npz, const char* name, agon_npy_type type, int rank, const size_t* shape,
                 const void* data, agon_error* error) {
    char file[128];
    uint8_t* bytes = NULL;
    size_t size = 0;
    assert(npz->zip && strlen(name) < sizeof file - 4);
    snprintf(file, sizeof file, "%s.npy", name);
    int rc = agon_npy_encode(type, rank, shape, data, &bytes, &size, error);
    if (rc)
        return rc;
    zip_source_t* source = zip_source_buffer(npz->zip, bytes, size, 1);
    if (!source) {
        free(bytes);
        return fail(npz, zip_get_error(npz->zip), "cannot add to", error);
    }
    const zip_int64_t index = zip_file_add(npz->zip, file, source, 0);
    if (index < 0) {
        rc = fail(npz, zip_get_error(npz->zip), "cannot add to", error);
        zip_source_free(source);
        return rc;
    }
    /* The first day that a ZIP archive knows, so that equal contents are equal files. */
    if (zip_set_file_compression(npz->zip, (zip_uint64_t)index, ZIP_CM_DEFLATE, 0) != 0 ||
        zip_file_set_dostime(npz->zip, (zip_uint64_t)index, 0, 1 << 5 | 1, 0) != 0)
        return fail(npz, zip_get_error(npz->zip), "cannot add to", error);
    return AGON_OK;
}

int agon_npz_finish(agon_npz* npz, agon_error* error) {
    assert(npz->zip);
    if (zip_close(npz->zip) != 0)
        return fail(npz, zip_get_error(npz->zip), "cannot write", error);
    npz->zip = NULL;
    return AGON_OK;
}

void agon_npz_close(agon_npz* npz) {
    if (npz && npz->zip)
        zip_discard(npz->zip);
    free(npz);
}
