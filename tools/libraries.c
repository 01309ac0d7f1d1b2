#include "tools/libraries.h"

#include "agon_build.h" /* made by tools/version.cmake */

#include <cjson/cJSON.h>
#include <cblas.h>
#include <msgpack.h>
#include <openssl/crypto.h>
#include <sleef.h>
#include <sqlite3.h>
#include <stdio.h>
#include <uv.h>
#include <zip.h>

static void cjson_version(char* out, size_t size) {
    snprintf(out, size, "%s", cJSON_Version());
}

static void inih_version(char* out, size_t size) {
    snprintf(out, size, "%s", AGON_INIH_VERSION);
}

static void libuv_version(char* out, size_t size) {
    snprintf(out, size, "%s", uv_version_string());
}

static void libzip_version(char* out, size_t size) {
    snprintf(out, size, "%s", zip_libzip_version());
}

static void msgpack_version_text(char* out, size_t size) {
    snprintf(out, size, "%s", msgpack_version());
}

/* The core name is the kernel set OpenBLAS chose for this CPU. */
static void openblas_version(char* out, size_t size) {
    snprintf(out, size, "%s (%s)", AGON_OPENBLAS_VERSION, openblas_get_corename());
}

static void openssl_version(char* out, size_t size) {
    snprintf(out, size, "%s", OpenSSL_version(OPENSSL_VERSION_STRING));
}

static void sleef_version(char* out, size_t size) {
    snprintf(out, size, "%d.%d.%d", SLEEF_VERSION_MAJOR, SLEEF_VERSION_MINOR,
             SLEEF_VERSION_PATCHLEVEL);
}

static void sqlite_version(char* out, size_t size) {
    snprintf(out, size, "%s", sqlite3_libversion());
}

const char* agon_library_at(int index, char* version, size_t size) {
    static const struct {
        const char* name;
        void (*version)(char* out, size_t size);
    } library[] = {
        {"cJSON", cjson_version},       {"inih", inih_version},
        {"libcrypto", openssl_version}, {"libuv", libuv_version},
        {"libzip", libzip_version},     {"msgpack-c", msgpack_version_text},
        {"OpenBLAS", openblas_version}, {"SLEEF", sleef_version},
        {"SQLite", sqlite_version},
    };
    if (index < 0 || index >= (int)(sizeof library / sizeof *library))
        return NULL;
    library[index].version(version, size);
    return library[index].name;
}
