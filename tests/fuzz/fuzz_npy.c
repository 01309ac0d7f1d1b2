/* fuzz_npy.c: any bytes are an array whose every number can be read, or a mistake with a message.
 */
#include "engine/npy.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_seeds(const char* dir) {
    static const double data[6] = {0, 1, 2, 3, 4, 5};
    for (int type = 0; type < AGON_NPY_TYPES; type++) {
        char name[16];
        uint8_t* bytes = NULL;
        size_t size = 0;
        snprintf(name, sizeof name, "type%d", type);
        MUST(agon_npy_encode((agon_npy_type)type, 1 + type % 3, (const size_t[]){2, 1, 3}, data,
                             &bytes, &size, NULL) == 0);
        fuzz_seed(dir, name, bytes, size);
        free(bytes);
    }
}

/* What was read is written and read again: the same numbers in the same places. */
static void again(const agon_npy* npy) {
    double* numbers = malloc((npy->count + 1) * sizeof *numbers);
    uint8_t* bytes = NULL;
    size_t size = 0;
    agon_npy second;
    MUST(numbers != NULL);
    for (size_t i = 0; i < npy->count; i++)
        numbers[i] = agon_npy_at(npy, i);
    MUST(agon_npy_encode(AGON_NPY_F64, npy->rank, npy->shape, numbers, &bytes, &size, NULL) == 0);
    MUST(agon_npy_decode(bytes, size, "again", &second, NULL) == 0);
    MUST(second.count == npy->count && second.rank == npy->rank);
    for (size_t i = 0; i < npy->count; i++) {
        const double x = agon_npy_at(&second, i);
        MUST(memcmp(&x, &numbers[i], sizeof x) == 0);
    }
    free(numbers);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    agon_npy npy;
    agon_error error = {0};
    const int code = agon_npy_decode(data, size, "fuzz", &npy, &error);
    if (code != 0) {
        MUST(error.code == code && error.text[0]);
        return 0;
    }
    MUST(npy.count * agon_npy_type_size(npy.type) <= size);
    again(&npy);
    agon_npy_clear(&npy);
    return 0;
}
