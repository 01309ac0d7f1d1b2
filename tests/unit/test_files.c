/* Files and devices: what engine/files.h and cuda/device.h promise about the machine around us. */
#include "cuda/device.h"
#include "engine/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct place {
    char dir[64]; /* a new temporary directory; also the working one */
} place;

static int setup(void** state) {
    place* p = calloc(1, sizeof *p);
    strcpy(p->dir, "/tmp/agon-files-XXXXXX");
    *state = p;
    return mkdtemp(p->dir) && chdir(p->dir) == 0 ? 0 : -1;
}

static int teardown(void** state) {
    place* p = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    free(p);
    return chdir("/") == 0 ? system(command) : -1;
}

static int count_files(void) {
    FILE* list = popen("ls -A | wc -l", "r");
    int count = -1;
    assert_int_equal(fscanf(list, "%d", &count), 1);
    pclose(list);
    return count;
}

static void assert_content(const char* path, const char* expected) {
    uint8_t* data = NULL;
    size_t size = 0;
    assert_int_equal(agon_file_read(path, 1 << 20, &data, &size, NULL), AGON_OK);
    assert_int_equal(size, strlen(expected));
    assert_string_equal((char*)data, expected);
    free(data);
}

/* Promise: a file is replaced whole, any bytes come back, and no temporary file stays. */
static void test_write_replaces(void** state) {
    const char zero[3] = {'a', 0, 'b'};
    uint8_t* data = NULL;
    size_t size;
    assert_int_equal(agon_file_write("f", "old and long", 12, NULL), AGON_OK);
    assert_int_equal(agon_file_write("f", "new", 3, NULL), AGON_OK);
    assert_content("f", "new");
    assert_int_equal(agon_file_place("f", zero, 3, NULL), AGON_OK);
    assert_int_equal(agon_file_read("f", 3, &data, &size, NULL), AGON_OK);
    assert_int_equal(size, 3);
    assert_memory_equal(data, zero, 3);
    free(data);
    assert_int_equal(count_files(), 1);
}

/* Promise: a write that fails leaves the old file and no temporary one, and names the path. */
static void test_write_fails_clean(void** state) {
    agon_error error = {0};
    assert_int_equal(mkdir("d", 0777), 0);
    assert_int_equal(agon_file_write("d/keep", "x", 1, NULL), AGON_OK);
    assert_int_equal(agon_file_write("d", "y", 1, &error), AGON_EIO); /* d is a directory */
    assert_non_null(strstr(error.text, "cannot write d"));
    assert_content("d/keep", "x");
    assert_int_equal(agon_file_write("none/f", "y", 1, &error), AGON_EMISSING);
    assert_non_null(strstr(error.text, "none/f"));
    assert_int_equal(agon_file_write("d/keep/f", "y", 1, &error), AGON_EIO);
    assert_int_equal(count_files(), 1);
}

/* Promise: without permission there is a message; nothing is written. */
static void test_permission(void** state) {
    agon_error error = {0};
    if (geteuid() == 0) {
        print_message("permission part skipped: root may write everywhere; /proc instead\n");
        assert_true(agon_file_write("/proc/agon", "x", 1, &error) < 0);
        assert_non_null(strstr(error.text, "/proc/agon"));
        assert_true(agon_dir_make("/proc/agon/run", &error) < 0);
        return;
    }
    assert_int_equal(mkdir("closed", 0555), 0);
    assert_int_equal(agon_file_write("closed/f", "x", 1, &error), AGON_EIO);
    assert_int_equal(agon_dir_make("closed/d", &error), AGON_EIO);
    assert_non_null(strstr(error.text, "closed/d"));
}

/* Promise: a full disk has a code of its own and says how much room is left. */
static void test_full(void** state) {
    agon_error error = {0};
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(agon_file_append("/dev/full", "line", &error), AGON_ENOSPACE);
    assert_non_null(strstr(error.text, "/dev/full"));
    assert_non_null(strstr(error.text, "MiB are free"));
    assert_non_null(strstr(error.hint, "nothing was lost"));
}

/* Promise: reading takes regular files within the limit and refuses the rest with a reason. */
static void test_read_refuses(void** state) {
    agon_error error = {0};
    uint8_t* data = NULL;
    size_t size = 77;
    assert_int_equal(agon_file_write("f", "12345", 5, NULL), AGON_OK);
    assert_int_equal(agon_file_read("f", 4, &data, &size, &error), AGON_ELIMIT);
    assert_non_null(strstr(error.text, "5 bytes"));
    assert_int_equal(agon_file_read("absent", 4, &data, &size, &error), AGON_EMISSING);
    assert_int_equal(agon_file_read(".", 4, &data, &size, &error), AGON_EIO);
    assert_int_equal(mkfifo("pipe", 0666), 0);
    assert_int_equal(agon_file_read("pipe", 4, &data, &size, &error), AGON_EIO);
    assert_null(data);
    assert_int_equal(size, 77); /* on failure the output is untouched */
    assert_int_equal(agon_file_write("empty", "", 0, NULL), AGON_OK);
    assert_content("empty", "");
}

/* Promise: lines are appended whole, also after one that a crash tore. */
static void test_append(void** state) {
    assert_int_equal(agon_file_append("log", "one", NULL), AGON_OK);
    assert_int_equal(agon_file_append("log", "two", NULL), AGON_OK);
    assert_content("log", "one\ntwo\n");
    assert_int_equal(truncate("log", 6), 0);
    assert_int_equal(agon_file_append("log", "three", NULL), AGON_OK);
    assert_content("log", "one\ntw\nthree\n");
}

/* Promise: parents are made, existing directories are fine, a file in the way is named. */
static void test_directories(void** state) {
    agon_error error = {0};
    char deep[AGON_PATH_SIZE + 10];
    struct stat facts;
    assert_int_equal(agon_dir_make("a/b//c/", NULL), AGON_OK);
    assert_int_equal(agon_dir_make("a/b/c", NULL), AGON_OK);
    assert_int_equal(stat("a/b/c", &facts), 0);
    assert_true(S_ISDIR(facts.st_mode));
    assert_int_equal(agon_dir_sync("a/b", NULL), AGON_OK);
    assert_int_equal(agon_dir_sync("a/z", &error), AGON_EMISSING);
    assert_int_equal(agon_file_write("a/f", "x", 1, NULL), AGON_OK);
    assert_int_equal(agon_dir_make("a/f/d", &error), AGON_EIO);
    assert_non_null(strstr(error.text, "a/f: there is a file"));
    assert_int_equal(agon_dir_make("", &error), AGON_EINVALID);
    memset(deep, 'x', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(agon_dir_make(deep, &error), AGON_ELIMIT);
}

/* Promise: cleaning takes temporary files and nothing else. */
static void test_clean(void** state) {
    assert_int_equal(agon_file_write("b.safetensors.77-1" AGON_TEMPORARY, "x", 1, NULL), AGON_OK);
    assert_int_equal(agon_file_write("b.safetensors", "x", 1, NULL), AGON_OK);
    assert_int_equal(agon_file_write("my.tmp", "x", 1, NULL), AGON_OK);
    assert_int_equal(agon_dir_clean(".", NULL), 1);
    assert_int_equal(count_files(), 2);
    assert_int_equal(agon_dir_clean("none", NULL), AGON_EMISSING);
}

/* Promise: free space is told for paths that do not exist yet. */
static void test_free_space(void** state) {
    assert_true(agon_free_space(".") > 0);
    assert_true(agon_free_space("not/yet/made") > 0);
}

/* Promise: one line always, devices or the reason for none, never beyond the buffer. */
static void test_devices(void** state) {
    char text[256], tiny[16];
    int count = agon_cuda_describe(text, sizeof text);
    print_message("%d CUDA devices: %s\n", count, text);
    assert_true(count >= -1); /* -1: there is no driver */
    assert_true(strlen(text) > 0 && !strchr(text, '\n'));
    assert_int_equal(count <= 0, strncmp(text, "no CUDA", 7) == 0);
    memset(tiny, '#', sizeof tiny);
    assert_int_equal(agon_cuda_describe(tiny, 8), count);
    assert_int_equal(strlen(tiny), 7);
    assert_int_equal(tiny[8], '#');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_replaces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_fails_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(test_permission, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_append, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directories, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_space, setup, teardown),
        cmocka_unit_test(test_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
