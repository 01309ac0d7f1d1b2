/* Promise: packed weights are kept while they fit or are held, the least recently used go first,
 * and what is found under a hash is what was put there. */
#include "engine/packed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static agon_net net;
static float* params;

static int setup(void** state) {
    assert_int_equal(agon_net_parse("1024-1024-2 relu", &net, NULL), 0);
    params = malloc(agon_net_size(&net) * sizeof *params);
    assert_non_null(params);
    return 0;
}

static int teardown(void** state) {
    free(params);
    return 0;
}

static agon__packed* put(agon__packed_shelf* shelf, int number) {
    char hash[65];
    snprintf(hash, sizeof hash, "%064d", number);
    for (size_t i = 0; i < agon_net_size(&net); i++)
        params[i] = (float)number;
    return agon__packed_add(shelf, agon_cpu_backend(), hash, &net, params);
}

static agon__packed* find(agon__packed_shelf* shelf, int number) {
    char hash[65];
    snprintf(hash, sizeof hash, "%064d", number);
    return agon__packed_find(shelf, hash);
}

/* Promise: about 4 MB each, so some eight stay; the one asked for meanwhile outlives older ones. */
static void least_recent_goes(void** state) {
    agon__packed_shelf shelf = {0};
    const int fit = (int)(AGON__PACKED_BYTES / agon_cpu_backend()->packed_size(&net));
    assert_in_range(fit, 4, 100);
    for (int i = 0; i < fit; i++)
        agon__packed_release(&shelf, put(&shelf, i));
    assert_int_equal(shelf.count, fit);
    agon__packed_release(&shelf, find(&shelf, 0));
    agon__packed_release(&shelf, put(&shelf, fit));
    assert_int_equal(shelf.count, fit);
    assert_null(find(&shelf, 1));
    agon__packed* first = find(&shelf, 0);
    assert_non_null(first);
    assert_true(((const float*)first->weights)[0] == 0.0f);
    agon__packed_release(&shelf, first);
    agon__packed* last = find(&shelf, fit);
    assert_true(((const float*)last->weights)[0] == (float)fit);
    agon__packed_release(&shelf, last);
    agon__packed_clear(&shelf);
    assert_int_equal(shelf.count, 0);
}

/* Promise: what is held stays, however much is held. */
static void held_stays(void** state) {
    agon__packed_shelf shelf = {0};
    agon__packed* held[20];
    for (int i = 0; i < 20; i++)
        held[i] = put(&shelf, i);
    for (int i = 0; i < 20; i++) {
        assert_ptr_equal(find(&shelf, i), held[i]);
        assert_true(((const float*)held[i]->weights)[0] == (float)i);
        agon__packed_release(&shelf, held[i]);
    }
    for (int i = 0; i < 20; i++)
        agon__packed_release(&shelf, held[i]);
    assert_true(shelf.bytes <= AGON__PACKED_BYTES);
    agon__packed_clear(&shelf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_recent_goes),
        cmocka_unit_test(held_stays),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
