/* message_fixture.h: a message of each kind, every field of it set. For the tests and fuzz targets
 * of what travels between processes. */
#ifndef AGON_MESSAGE_FIXTURE_H
#define AGON_MESSAGE_FIXTURE_H

#include "net/message.h"

#include <stdlib.h>
#include <string.h>

#define HASH_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HASH_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

/* The bytes of a blob; what a message owns must be malloc'd. */
static inline uint8_t* example_bytes(size_t size) {
    uint8_t* data = malloc(size ? size : 1);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 31);
    return data;
}

static inline void example_hello(agon__hello* hello) {
    *hello = (agon__hello){.protocol = AGON__PROTOCOL,
                           .task_format = AGON_TASK_FORMAT,
                           .build = "agon 0.1.0 (gcc 12)",
                           .class = "cpu",
                           .name = "host-7",
                           .id = HASH_A,
                           .nonce = HASH_B,
                           .token = "-",
                           .pid = 4711,
                           .slots = 8,
                           .memory = 16ull << 30,
                           .games = 2,
                           .game = {{"one", UINT64_MAX, HASH_A}, {"two", 0, ""}},
                           .agents = 1,
                           .agent = {{"engine", HASH_B}}};
}

static inline void example_of_people(agon__message* message) {
    switch (message->kind) {
    case AGON__HELLO:
        example_hello(&message->as.hello);
        break;
    case AGON__CHALLENGE:
        message->as.challenge = (agon__challenge){HASH_A, 1};
        break;
    case AGON__AUTH:
        message->as.auth = (agon__auth){HASH_B};
        break;
    case AGON__WELCOME:
        message->as.welcome = (agon__welcome){"runs/first", 30000, 10000};
        break;
    case AGON__REJECT:
        message->as.reject = (agon__rejection){AGON__REJECT_TOKEN, "no such token"};
        break;
    default:
        message->as.bye = (agon__bye){"done"};
    }
}

static inline void example_of_work(agon__message* message) {
    switch (message->kind) {
    case AGON__CREDIT:
        message->as.credit = (agon__credit){9};
        break;
    case AGON__TASK:
        message->as.task = (agon__task_grant){HASH_A, 1, example_bytes(300), 300};
        break;
    case AGON__BEAT:
        message->as.beat = (agon__beat){2, {{1, 0, 5}, {INT64_MAX, 1000, INT64_MAX}}};
        break;
    case AGON__BEAT_OK:
        message->as.beat_ok = (agon__beat_ok){2, {{1}, {INT64_MAX}}};
        break;
    case AGON__RESULT:
        message->as.result = (agon__result_offer){.task = HASH_A,
                                                  .lease = 7,
                                                  .hash = HASH_B,
                                                  .size = 500,
                                                  .steps = 1000,
                                                  .cpu_ms = 20,
                                                  .phases = AGON_PHASES,
                                                  .spent = {{1}, {INT64_MAX}},
                                                  .data = example_bytes(500),
                                                  .inlined = 500};
        break;
    case AGON__ACK:
        message->as.ack = (agon__ack){HASH_A, 7, AGON__DUPLICATE};
        break;
    default:
        message->as.nak = (agon__nak){HASH_A, 7, AGON__NAK_HOST, "out of memory"};
    }
}

static inline void example_of_blobs(agon__message* message) {
    if (message->kind == AGON__WANT)
        message->as.want = (agon__want){HASH_A, 3};
    else if (message->kind == AGON__CHUNK_DATA)
        message->as.chunk = (agon__chunk){HASH_A, 2, 3, example_bytes(100), 100};
    else
        message->as.missing = (agon__missing){HASH_A};
}

/* The caller clears it. Zeroed beyond its fields, so that messages can be compared as memory. */
static inline void example_message(agon__message_kind kind, agon__message* out) {
    memset(out, 0, sizeof *out);
    out->kind = kind;
    if (kind <= AGON__REJECT || kind == AGON__BYE)
        example_of_people(out);
    else if (kind == AGON__WANT || kind == AGON__CHUNK_DATA || kind == AGON__MISSING)
        example_of_blobs(out);
    else
        example_of_work(out);
}

#endif
