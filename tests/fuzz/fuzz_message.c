/* fuzz_message.c: any bytes are a message between processes or none; what was decoded can be
 * encoded, in at most as many bytes, and then it is canonical: it decodes to the same bytes again.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/message_fixture.h"

static void fuzz_seeds(const char* dir) {
    for (int kind = 1; kind <= AGON__MESSAGE_KINDS; kind++) {
        static agon__message message;
        uint8_t* data;
        size_t size;
        char name[32];
        example_message((agon__message_kind)kind, &message);
        MUST(agon__message_encode(&message, &data, &size, NULL) == AGON_OK);
        snprintf(name, sizeof name, "kind_%02d", kind);
        fuzz_seed(dir, name, data, size);
        agon__message_clear(&message);
        free(data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static agon__message message, again;
    agon_error error = {0};
    uint8_t *first, *second;
    size_t first_size, second_size;
    MUST(agon__message_decode(data, size, &message, &error) == error.code);
    MUST((error.code != AGON_OK) == (error.text[0] != '\0'));
    if (error.code != AGON_OK)
        return 0;
    MUST(agon__message_encode(&message, &first, &first_size, NULL) == AGON_OK);
    MUST(first_size <= size);
    MUST(agon__message_decode(first, first_size, &again, NULL) == AGON_OK);
    MUST(agon__message_encode(&again, &second, &second_size, NULL) == AGON_OK);
    MUST(first_size == second_size && memcmp(first, second, first_size) == 0);
    agon__message_clear(&message);
    agon__message_clear(&again);
    free(first);
    free(second);
    return 0;
}
