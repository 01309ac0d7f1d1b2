/* test_message.c: messages between processes; each must arrive as it was sent, or not at all. */
#include "tests/unit/message_fixture.h"

#include "engine/codec.h"
#include "net/frame.h"

#include <limits.h>
#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

typedef struct packet {
    uint8_t* data; /* owned */
    size_t size;
} packet;

static packet encode(const agon__message* message) {
    agon_error error = {0};
    packet p;
    if (agon__message_encode(message, &p.data, &p.size, &error) != AGON_OK)
        fail_msg("kind %d: %s", (int)message->kind, error.text);
    return p;
}

/* Decoded from a block of exactly `size` bytes, so that the sanitizer sees the first one beyond. */
static int decode(const uint8_t* data, size_t size, agon__message* out, agon_error* error) {
    uint8_t* copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    const int code = agon__message_decode(copy, size, out, error);
    free(copy);
    return code;
}

static packet encode_example(agon__message_kind kind) {
    agon__message message;
    example_message(kind, &message);
    const packet p = encode(&message);
    agon__message_clear(&message);
    return p;
}

/* What a message owns: where its pointer is, and how many bytes; NULL: nothing. */
static uint8_t** owned(agon__message* message, size_t* size) {
    *size = message->kind == AGON__TASK         ? message->as.task.size
            : message->kind == AGON__CHUNK_DATA ? message->as.chunk.size
                                                : message->as.result.inlined;
    return message->kind == AGON__TASK         ? &message->as.task.data
           : message->kind == AGON__CHUNK_DATA ? &message->as.chunk.data
           : message->kind == AGON__RESULT     ? &message->as.result.data
                                               : NULL;
}

/* Promise: a message of every kind arrives as it was sent, every bit of it. */
static void test_round_trip(void** unused) {
    for (int kind = 1; kind <= AGON__MESSAGE_KINDS; kind++) {
        agon__message message, back;
        size_t size, back_size;
        agon_error error = {0};
        memset(&back, 0, sizeof back);
        example_message((agon__message_kind)kind, &message);
        const packet p = encode(&message);
        if (decode(p.data, p.size, &back, &error) != AGON_OK)
            fail_msg("kind %d: %s", kind, error.text);
        const packet again = encode(&back);
        assert_int_equal(again.size, p.size);
        assert_memory_equal(again.data, p.data, p.size);
        uint8_t** data = owned(&message, &size);
        if (data) {
            uint8_t** back_data = owned(&back, &back_size);
            assert_int_equal(back_size, size);
            assert_memory_equal(*back_data, *data, size);
            free(*back_data);
            *back_data = *data;
        }
        assert_memory_equal(&back, &message, sizeof back);
        agon__message_clear(&message);
        free(again.data);
        free(p.data);
    }
}

/* Promise: the largest of each kind fit into a frame. */
static void test_largest(void** unused) {
    static agon__message message;
    example_message(AGON__CHUNK_DATA, &message);
    free(message.as.chunk.data);
    message.as.chunk.data = example_bytes(AGON__CHUNK);
    message.as.chunk.size = AGON__CHUNK;
    free(encode(&message).data);
    agon__message_clear(&message);
    example_message(AGON__BEAT, &message);
    message.as.beat.leases = AGON__BEATS;
    for (int i = 0; i < AGON__BEATS; i++)
        message.as.beat.lease[i] = (agon__progress){INT64_MAX, 1000, INT64_MAX};
    const packet p = encode(&message);
    assert_int_equal(decode(p.data, p.size, &message, NULL), AGON_OK);
    assert_int_equal(message.as.beat.leases, AGON__BEATS);
    free(p.data);
    example_message(AGON__HELLO, &message);
    message.as.hello.games = message.as.hello.agents = AGON__OFFERS;
    for (int i = 0; i < AGON__OFFERS; i++) {
        message.as.hello.game[i] = (agon__game_offer){"game", UINT64_MAX, HASH_A};
        message.as.hello.agent[i] = (agon__agent_offer){"agent", HASH_A};
    }
    free(encode(&message).data);
}

/* ---- refusals ----------------------------------------------------------------------------- */

static void must_refuse(agon__message* message, int code, const char* words) {
    agon_error error = {0};
    packet p;
    if (agon__message_encode(message, &p.data, &p.size, &error) != code)
        fail_msg("code %d (%s); expected %d (%s)", error.code, error.text, code, words);
    if (!strstr(error.text, words))
        fail_msg("\"%s\" lacks \"%s\"", error.text, words);
}

#define BAD(KIND, CHANGE, WORDS)                                                                   \
    do {                                                                                           \
        agon__message message;                                                                     \
        example_message(KIND, &message);                                                           \
        CHANGE;                                                                                    \
        must_refuse(&message, AGON_EFORMAT, WORDS);                                                \
        agon__message_clear(&message);                                                             \
    } while (0)

/* Promise: a message out of its ranges is refused with the field's name. Checks of sender and
 * receiver are the same code, so the sender shows them. */
static void test_ranges_of_people(void** unused) {
    BAD(AGON__HELLO, message.as.hello.protocol = 0, "hello: field protocol = 0");
    BAD(AGON__HELLO, message.as.hello.slots = 0, "field slots = 0; expected 1..1024");
    BAD(AGON__HELLO, message.as.hello.slots = 1025, "field slots");
    BAD(AGON__HELLO, message.as.hello.pid = -1, "field pid");
    BAD(AGON__HELLO, message.as.hello.memory = 1ull << 63, "field memory");
    BAD(AGON__HELLO, message.as.hello.name[0] = '\0', "field name = \"\"");
    BAD(AGON__HELLO, strcpy(message.as.hello.class, "cpu\x1b[31m"), "field class = \"cpu?[31m\"");
    BAD(AGON__HELLO, message.as.hello.id[63] = 'g', "field id");
    BAD(AGON__HELLO, message.as.hello.id[0] = '\0', "field id");
    BAD(AGON__HELLO, message.as.hello.nonce[10] = 'A', "field nonce");
    BAD(AGON__HELLO, message.as.hello.games = 17, "field games: 17 entries; expected at most 16");
    BAD(AGON__HELLO, message.as.hello.games = -1, "field games: -1 entries");
    BAD(AGON__HELLO, message.as.hello.game[1].name[0] = '\0', "hello: game: field name");
    BAD(AGON__HELLO, message.as.hello.agent[0].file[0] = '\0', "hello: agent: field file");
    BAD(AGON__CHALLENGE, message.as.challenge.token = 2, "field token = 2; expected 0..1");
    BAD(AGON__AUTH, message.as.auth.mac[5] = '\0', "field mac");
    BAD(AGON__WELCOME, message.as.welcome.lease_ms = 0, "field lease_ms");
    BAD(AGON__WELCOME, message.as.welcome.beat_ms = 86400001, "field beat_ms");
    BAD(AGON__REJECT, message.as.reject.code = 0, "field code");
    BAD(AGON__REJECT, strcpy(message.as.reject.text, "a\nb"), "field text = \"a?b\"");
    BAD(AGON__BYE, message.as.bye.text[0] = '\0', "field text");
}

static void test_ranges_of_work(void** unused) {
    BAD(AGON__CREDIT, message.as.credit.tasks = -1, "field tasks");
    BAD(AGON__CREDIT, message.as.credit.tasks = 1025, "field tasks");
    BAD(AGON__TASK, message.as.task.size = 0, "task: field data is empty");
    BAD(AGON__TASK, message.as.task.lease = UINT64_MAX, "field lease");
    BAD(AGON__TASK, message.as.task.id[0] = 'x', "field id");
    BAD(AGON__WANT, message.as.want.from = -1, "field from");
    BAD(AGON__WANT, message.as.want.from = INT_MAX, "field from");
    BAD(AGON__BEAT, message.as.beat.leases = 1025, "1025 entries; expected at most 1024");
    BAD(AGON__BEAT, message.as.beat.lease[1].permille = 1001, "field permille = 1001");
    BAD(AGON__BEAT, message.as.beat.lease[1].steps = UINT64_MAX, "field steps");
    BAD(AGON__BEAT_OK, message.as.beat_ok.cancelled = -1, "field cancel");
    BAD(AGON__BEAT_OK, message.as.beat_ok.cancel[0].lease = 1ull << 63, "field lease");
    BAD(AGON__RESULT, message.as.result.size = 0, "field size = 0");
    BAD(AGON__RESULT, message.as.result.size = AGON_CODEC_MAX_MESSAGE + 1, "field size = 67108865");
    BAD(AGON__RESULT, message.as.result.inlined = 499, "expected none, or all 500");
    BAD(AGON__RESULT, message.as.result.size = 501, "500 bytes; expected none, or all 501");
    BAD(AGON__RESULT, message.as.result.phases = 1, "field spent: 1 entries");
    BAD(AGON__RESULT, message.as.result.spent[0].ms = UINT64_MAX, "result: spent: field ms");
    BAD(AGON__RESULT, message.as.result.cpu_ms = UINT64_MAX, "field cpu_ms");
    BAD(AGON__ACK, message.as.ack.verdict = 0, "field verdict");
    BAD(AGON__ACK, message.as.ack.verdict = 5, "field verdict");
    BAD(AGON__NAK, message.as.nak.class = 4, "field class");
    BAD(AGON__NAK, message.as.nak.class = 0, "field class");
}

/* Promise: an index beyond the count, and a chunk that is shorter or longer than its place, are
 * refused. */
static void test_chunks(void** unused) {
    BAD(AGON__CHUNK_DATA, message.as.chunk.index = 3, "field index = 3; expected 0..2");
    BAD(AGON__CHUNK_DATA, message.as.chunk.index = -1, "field index");
    BAD(AGON__CHUNK_DATA, message.as.chunk.count = 0, "field count");
    BAD(AGON__CHUNK_DATA, message.as.chunk.count = INT_MAX, "field count");
    BAD(AGON__CHUNK_DATA, message.as.chunk.index = 1, "100 bytes in 1 of 3; expected 524288");
    BAD(AGON__CHUNK_DATA, message.as.chunk.size = 0, "0 bytes in 2 of 3; expected 1..524288");
    assert_int_equal(agon__chunks(0), 1);
    assert_int_equal(agon__chunks(AGON__CHUNK), 1);
    assert_int_equal(agon__chunks(AGON__CHUNK + 1), 2);
    assert_int_equal(agon__chunks(UINT64_MAX), INT_MAX);
}

/* Promise: what no frame could carry is not sent, and not looked at when it comes. */
static void test_too_long(void** unused) {
    agon__message message;
    agon_error error = {0};
    example_message(AGON__TASK, &message);
    free(message.as.task.data);
    message.as.task.size = AGON__FRAME_MAX;
    message.as.task.data = example_bytes(AGON__FRAME_MAX);
    must_refuse(&message, AGON_ELIMIT, "task: 614");
    assert_int_equal(decode(message.as.task.data, AGON__FRAME_MAX, &message, &error), AGON_EFORMAT);
    free(message.as.task.data);
    uint8_t* more = calloc(1, AGON__FRAME_MAX + 1);
    assert_int_equal(decode(more, AGON__FRAME_MAX + 1, &message, &error), AGON_ELIMIT);
    assert_string_equal(error.text, "message: 614401 bytes; expected at most 614400");
    free(more);
}

/* Promise: a message that is cut anywhere is refused. */
static void test_truncation(void** unused) {
    agon__message back;
    for (int kind = 1; kind <= AGON__MESSAGE_KINDS; kind++) {
        const packet p = encode_example((agon__message_kind)kind);
        for (size_t size = 0; size < p.size; size++)
            assert_int_equal(decode(p.data, size, &back, NULL), AGON_EFORMAT);
        free(p.data);
    }
}

/* Promise: any changed byte ends in an error or in a message that can be sent on. */
static void test_corruption(void** unused) {
    agon__message back;
    for (int kind = 1; kind <= AGON__MESSAGE_KINDS; kind++) {
        packet p = encode_example((agon__message_kind)kind);
        for (size_t i = 0; i < p.size; i++) {
            static const uint8_t changes[] = {0x01, 0x20, 0x80, 0xff};
            for (int c = 0; c < 4; c++) {
                p.data[i] ^= changes[c];
                if (decode(p.data, p.size, &back, NULL) == AGON_OK) {
                    free(encode(&back).data);
                    agon__message_clear(&back);
                }
                p.data[i] ^= changes[c];
            }
        }
        free(p.data);
    }
}

/* Promise: a failure leaves the output as it was. */
static void test_untouched(void** unused) {
    agon__message message, before;
    memset(&message, 0x5a, sizeof message);
    before = message;
    const packet p = encode_example(AGON__CHUNK_DATA);
    assert_int_equal(decode(p.data, p.size - 1, &message, NULL), AGON_EFORMAT);
    p.data[1 + 1 + strlen("format")] = 9;
    assert_int_equal(decode(p.data, p.size, &message, NULL), AGON_EFORMAT);
    assert_memory_equal(&message, &before, sizeof message);
    free(p.data);
}

/* ---- crafted by hand ---------------------------------------------------------------------- */

static void pack_text(msgpack_packer* out, const char* text) {
    msgpack_pack_str(out, strlen(text));
    msgpack_pack_str_body(out, text, strlen(text));
}

/* An ACK with `value` (packed already) for a verdict; other formats, kinds and last names. */
static int decode_ack(int format, int kind, const char* name, const void* value, size_t size,
                      agon_error* error) {
    msgpack_sbuffer buffer;
    msgpack_packer out;
    agon__message back;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&out, &buffer, msgpack_sbuffer_write);
    msgpack_pack_map(&out, 5);
    pack_text(&out, "format");
    msgpack_pack_int(&out, format);
    pack_text(&out, "kind");
    msgpack_pack_int(&out, kind);
    pack_text(&out, "task");
    pack_text(&out, HASH_A);
    pack_text(&out, "lease");
    msgpack_pack_int(&out, 1);
    pack_text(&out, name);
    msgpack_sbuffer_write(&buffer, value, size);
    const int code = decode((const uint8_t*)buffer.data, buffer.size, &back, error);
    msgpack_sbuffer_destroy(&buffer);
    return code;
}

/* Promise: fields of other types or names, kinds that do not exist and other formats are refused by
 * name. */
static void test_crafted(void** unused) {
    static const struct {
        int format, kind;
        const char* name;
        uint8_t value[6];
        size_t size;
        const char* words;
    } cases[] = {
        {AGON__PROTOCOL, AGON__ACK, "verdict", {0xa1, 'x'}, 2, "verdict: expected an integer"},
        {AGON__PROTOCOL, AGON__ACK, "verdict", {0x91, 1}, 2, "verdict: expected an integer"},
        {AGON__PROTOCOL, AGON__ACK, "verdict", {0xca, 0x3f, 0x80, 0, 0}, 5, "expected an integer"},
        {AGON__PROTOCOL, AGON__ACK, "verdict", {0xc0}, 1, "a type that is not used"},
        {AGON__PROTOCOL, AGON__ACK, "verdict", {0xd4, 1, 0}, 3, "a type that is not used"},
        {AGON__PROTOCOL, AGON__ACK, "verdict", {0xff}, 1, "verdict = -1; expected 1..4"},
        {AGON__PROTOCOL, AGON__ACK, "verdikt", {1}, 1, "unknown field verdikt"},
        {AGON__PROTOCOL, AGON__ACK, "lease", {1}, 1, "field lease is repeated"},
        {AGON__PROTOCOL + 1, AGON__ACK, "verdict", {1}, 1, "ack: format 3; expected 2"},
        {AGON__PROTOCOL, AGON__BYE, "verdict", {1}, 1, "bye: unknown field task"},
        {1, 0, "verdict", {1}, 1, "hello: unknown field task"},
        {1, AGON__MESSAGE_KINDS + 1, "verdict", {1}, 1, "hello: unknown field task"},
        {1, -1, "verdict", {1}, 1, "hello: unknown field task"},
    };
    agon_error error = {0};
    assert_int_equal(decode_ack(AGON__PROTOCOL, AGON__ACK, "verdict", "\x01", 1, &error), AGON_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int code = decode_ack(cases[i].format, cases[i].kind, cases[i].name, cases[i].value,
                                    cases[i].size, &error);
        if (code != AGON_EFORMAT || !strstr(error.text, cases[i].words))
            fail_msg("case %zu: %d, \"%s\"; expected \"%s\"", i, code, error.text, cases[i].words);
    }
}

/* Promise: bombs are refused before anything is allocated for them. */
static void test_bombs(void** unused) {
    static const struct {
        uint8_t bytes[6];
        size_t size;
        const char* words;
    } cases[] = {
        {{0xdf, 0xff, 0xff, 0xff, 0xff, 0x00}, 6, "count that is too large"},
        {{0xdd, 0x00, 0xff, 0xff, 0xff, 0x00}, 6, "count that is too large"},
        {{0xdb, 0xff, 0xff, 0xff, 0xff, 0x00}, 6, "cut short"},
        {{0xc6, 0xff, 0xff, 0xff, 0xff, 0x00}, 6, "cut short"},
        {{0x05}, 1, "expected a map"},
        {{0x80}, 1, "is missing"},
    };
    agon__message back;
    agon_error error = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decode(cases[i].bytes, cases[i].size, &back, &error), AGON_EFORMAT);
        if (!strstr(error.text, cases[i].words))
            fail_msg("case %zu: %s", i, error.text);
    }
    uint8_t* deep = malloc(AGON__FRAME_MAX);
    memset(deep, 0x91, AGON__FRAME_MAX);
    assert_int_equal(decode(deep, AGON__FRAME_MAX, &back, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "nested too deeply"));
    memset(deep, 0x00, AGON__FRAME_MAX);
    memcpy(deep, (uint8_t[]){0xdd, 0x00, 0x09, 0x5f, 0xfb}, 5);
    assert_int_equal(decode(deep, AGON__FRAME_MAX, &back, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "too many values"));
    free(deep);
}

/* Promise: HELLO and REJECT of any protocol are read by every other. The bytes are literal: whoever
 * changes them leaves workers of another version without an answer. */
static void test_greetings(void** unused) {
    static const char reject[] = "\x84\xa6"
                                 "format\x01\xa4"
                                 "kind\x05\xa4"
                                 "code\x63\xa4"
                                 "text\xa5"
                                 "hello";
    agon__message message;
    char digest[AGON_HASH_SIZE];
    agon_error error = {0};
    if (decode((const uint8_t*)reject, sizeof reject - 1, &message, &error) != AGON_OK)
        fail_msg("%s", error.text);
    assert_int_equal(message.as.reject.code, 99);
    example_message(AGON__HELLO, &message);
    message.as.hello.protocol = 1;
    message.as.hello.task_format = 1;
    const packet p = encode(&message);
    agon_sha256(p.data, p.size, digest);
    assert_string_equal(digest, "2b30ab0dc2dd610240a3e2a6f5b0c077517602f798491be8f36a1243b626c594");
    free(p.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_ranges_of_people),
        cmocka_unit_test(test_ranges_of_work),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_corruption),
        cmocka_unit_test(test_untouched),
        cmocka_unit_test(test_crafted),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_greetings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
