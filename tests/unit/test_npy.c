/* Promises of engine/npy.h and engine/npz.h: what NumPy writes is read, whatever its order and
 * type; what does not fit its own header is refused by name; what is written is read back. */
#include "engine/npz.h"

#include "engine/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* A file with this header text and these numbers, of version 1 or 2. */
static size_t make(uint8_t* out, int version, const char* header, const void* data, size_t bytes) {
    const size_t length = strlen(header), begin = version == 1 ? 10 : 12;
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (uint8_t)version;
    out[7] = 0;
    memset(out + 8, 0, 4);
    out[8] = (uint8_t)(length & 0xff);
    out[9] = (uint8_t)(length >> 8);
    memcpy(out + begin, header, length);
    if (bytes)
        memcpy(out + begin + length, data, bytes);
    return begin + length + bytes;
}

static void refused(const char* header, size_t bytes, int code, const char* said) {
    static const uint8_t zeros[256];
    uint8_t file[1024];
    agon_npy npy = {.rank = -7};
    agon_error error = {0};
    const size_t size = make(file, 1, header, zeros, bytes);
    assert_int_equal(agon_npy_decode(file, size, "x.npy", &npy, &error), code);
    if (!strstr(error.text, said))
        fail_msg("'%s' does not say '%s'", error.text, said);
    assert_non_null(strstr(error.text, "x.npy"));
    assert_int_equal(npy.rank, -7);
}

/* Promise: each type that is said to be read is read, from each version of the format. */
static void test_types(void** state) {
    static const struct {
        const char* descr;
        uint8_t bytes[8];
        size_t size;
        double value;
    } cases[] = {
        {"<f4", {0, 0, 0xc0, 0xbf}, 4, -1.5},
        {"<f8", {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 8, 1.5},
        {"|i1", {0xfe}, 1, -2},
        {"<i2", {0xfe, 0xff}, 2, -2},
        {"<i4", {0xfe, 0xff, 0xff, 0xff}, 4, -2},
        {"<i8", {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8, -2},
        {"|u1", {0xfe}, 1, 254},
        {"<u2", {0xfe, 0xff}, 2, 65534},
        {"<u4", {0, 0, 0, 0x80}, 4, 2147483648.0},
        {"<u8", {0, 0, 0, 0, 1, 0, 0, 0}, 8, 4294967296.0},
        {"|b1", {7}, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int version = 1; version <= 3; version++) {
            uint8_t file[256];
            char header[128];
            agon_npy npy;
            agon_error error = {0};
            snprintf(header, sizeof header,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (), }\n", cases[i].descr);
            const size_t size = make(file, version, header, cases[i].bytes, cases[i].size);
            assert_int_equal(agon_npy_decode(file, size, "x.npy", &npy, &error), 0);
            assert_int_equal(npy.rank, 0);
            assert_int_equal(npy.count, 1);
            assert_true(agon_npy_at(&npy, 0) == cases[i].value);
            assert_int_equal(agon_npy_is_whole(&npy), cases[i].descr[1] != 'f');
        }
    }
}

/* Promise: a column-major file gives the same numbers at the same index. */
static void test_fortran(void** state) {
    uint8_t data[24], file[256];
    agon_npy npy;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++) /* first index fastest */
                data[i + 2 * (j + 3 * k)] = (uint8_t)(100 * i + 10 * j + k);
    const size_t size =
        make(file, 1, "{\"shape\": (2L, 3, 4), 'fortran_order': True, 'descr': '|u1'}", data, 24);
    assert_int_equal(agon_npy_decode(file, size, "x.npy", &npy, NULL), 0);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++)
                assert_true(agon_npy_at(&npy, (size_t)((i * 3 + j) * 4 + k)) ==
                            100 * i + 10 * j + k);
}

/* Promise: what is no .npy, or of a kind that is not read, or of another size than it says, is
 * refused with the reason; nothing overflows. */
static void test_refusals(void** state) {
    agon_npy npy;
    agon_error error = {0};
    uint8_t file[64] = "\x93NUMPY\x04";
    assert_int_equal(agon_npy_decode("PK\3\4 and more", 12, "x.npz", &npy, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "x.npz is no .npy file"));
    assert_int_equal(agon_npy_decode(file, 64, "x.npy", &npy, &error), AGON_EUNSUPPORTED);
    assert_non_null(strstr(error.text, "version 4"));
    file[6] = 1;
    file[8] = 200;
    assert_int_equal(agon_npy_decode(file, 64, "x.npy", &npy, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "ends at byte 210"));
    refused("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", 4, AGON_EUNSUPPORTED, ">f4");
    refused("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8, AGON_EUNSUPPORTED, "|O");
    refused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4,
            AGON_EUNSUPPORTED, "[('a'");
    refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 23, AGON_EFORMAT,
            "float32 of shape (2, 3) need 24");
    refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 25, AGON_EFORMAT,
            "25 bytes follow");
    refused("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0,
            AGON_EFORMAT, "need more than");
    refused("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999999,)}", 0,
            AGON_EFORMAT, "the length of a dimension");
    refused("{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1)}", 8, AGON_EUNSUPPORTED,
            "more than 4 dimensions");
    refused("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", 8, AGON_EFORMAT, "-1");
    refused("{'descr': '<f8', 'fortran_order': Maybe, 'shape': (1,)}", 8, AGON_EFORMAT, "Maybe");
    refused("{'descr': '<f8', 'shape': (1,)}", 8, AGON_EFORMAT, "lacks");
    refused("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", 8,
            AGON_EFORMAT, "each key once");
    refused("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x", 8, AGON_EFORMAT,
            "the end");
    refused("['descr']", 0, AGON_EFORMAT, "'{'");
}

/* Promise: an empty array is an array, even where other lengths are absurd. */
static void test_empty(void** state) {
    uint8_t file[256];
    agon_npy npy;
    const size_t size =
        make(file, 1, "{'descr': '<f8', 'fortran_order': True, 'shape': (0, 18446744073709551600)}",
             NULL, 0);
    assert_int_equal(agon_npy_decode(file, size, "x.npy", &npy, NULL), 0);
    assert_int_equal(npy.count, 0);
}

/* Promise: what is written is read back equal, and a missing file is AGON_EMISSING. */
static void test_round_trip(void** state) {
    static const float data[6] = {0, -1, 2.5f, 3, 1e30f, 5};
    char path[] = "/tmp/agon-npy-XXXXXX", shape[128];
    agon_npy npy;
    agon_error error = {0};
    close(mkstemp(path));
    assert_int_equal(agon_npy_write(path, AGON_NPY_F32, 3, (const size_t[]){1, 2, 3}, data, &error),
                     0);
    assert_int_equal(agon_npy_read(path, &npy, &error), 0);
    assert_string_equal(agon_npy_shape_text(&npy, shape), "(1, 2, 3)");
    assert_string_equal(agon_npy_type_name(npy.type), "float32");
    for (size_t i = 0; i < 6; i++)
        assert_true(agon_npy_at(&npy, i) == (double)data[i]);
    agon_npy_clear(&npy);
    unlink(path);
    assert_int_equal(agon_npy_read(path, &npy, &error), AGON_EMISSING);
    assert_non_null(strstr(error.text, path));
}

/* Promise: an archive appears only when it is finished; equal contents are equal files; a folder
 * that is not there is an error. (That NumPy opens it: tests/checks/check_export.py.) */
static void test_npz(void** state) {
    const int32_t data[4] = {1, 2, 3, 4};
    char dir[] = "/tmp/agon-npz-XXXXXX", path[2][64];
    uint8_t* bytes[2];
    size_t size[2];
    agon_npz* npz;
    agon_error error = {0};
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/%d.npz", dir, i);
        assert_int_equal(agon_npz_open(path[i], &npz, &error), 0);
        assert_int_equal(
            agon_npz_add(npz, "a", AGON_NPY_I32, 2, (const size_t[]){2, 2}, data, &error), 0);
        assert_int_equal(agon_npz_add(npz, "b", AGON_NPY_I32, 1, (const size_t[]){3}, data, &error),
                         0);
        assert_int_not_equal(access(path[i], F_OK), 0);
        assert_int_equal(agon_npz_finish(npz, &error), 0);
        agon_npz_close(npz);
        assert_int_equal(agon_file_read(path[i], 1 << 20, &bytes[i], &size[i], &error), 0);
        unlink(path[i]);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    assert_memory_equal(bytes[0], "PK\3\4", 4);
    free(bytes[0]);
    free(bytes[1]);
    rmdir(dir);
    snprintf(path[0], sizeof path[0], "%s/0.npz", dir);
    int rc = agon_npz_open(path[0], &npz, &error);
    if (!rc) {
        agon_npz_add(npz, "a", AGON_NPY_I32, 1, (const size_t[]){4}, data, &error);
        rc = agon_npz_finish(npz, &error);
        agon_npz_close(npz);
    }
    assert_int_equal(rc, AGON_EMISSING);
    assert_non_null(strstr(error.text, path[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),      cmocka_unit_test(test_fortran),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_empty),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_npz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
