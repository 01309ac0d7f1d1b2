/* message.c: what the messages look like on the wire; see message.h. */
#include "net/message.h"

#include "engine/codec.h"
#include "net/frame.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define GREETING   1 /* format of HELLO and REJECT, whatever the protocol is */
#define DAY_MS     86400000
#define MAX_CHUNKS (1 << 20)

#define INT(MEMBER, NAME, LOW, HIGH)                                                               \
    AGON_CODEC_PLAIN(AGON_CODEC_INT, agon__message, as.MEMBER, NAME, LOW, HIGH)
#define COUNT(MEMBER, NAME) AGON_CODEC_PLAIN(AGON_CODEC_COUNT, agon__message, as.MEMBER, NAME, 0, 0)
#define TEXT(MEMBER, NAME)  AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon__message, as.MEMBER, NAME)
#define HASH(MEMBER, NAME)  AGON_CODEC_SIZED(AGON_CODEC_HASH, agon__message, as.MEMBER, NAME)
#define BYTES(MEMBER, NAME, SIZE)                                                                  \
    {                                                                                              \
        .name = NAME, .type = AGON_CODEC_BYTES, .offset = offsetof(agon__message, as.MEMBER),      \
        .count = offsetof(agon__message, as.SIZE)                                                  \
    }
#define MANY(MEMBER, NAME, COUNT_OF, FORM)                                                         \
    AGON_CODEC_MANY(agon__message, as.MEMBER, NAME, as.COUNT_OF, FORM)
#define BEGIN(KIND, FORMAT)                                                                        \
    {.name = "format", .type = AGON_CODEC_FORMAT, .low = FORMAT},                                  \
        AGON_CODEC_PLAIN(AGON_CODEC_INT, agon__message, kind, "kind", KIND, KIND)

/* ---- who is there ------------------------------------------------------------------------- */

static const agon_codec_field game_fields[] = {
    AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon__game_offer, name, "name"),
    AGON_CODEC_PLAIN(AGON_CODEC_BITS, agon__game_offer, fingerprint, "fingerprint", 0, 0),
    AGON_CODEC_SIZED(AGON_CODEC_NEW, agon__game_offer, file, "file"),
};
static const agon_codec_form game_form = AGON_CODEC_FORM("hello: game", game_fields, NULL);

static const agon_codec_field agent_fields[] = {
    AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon__agent_offer, name, "name"),
    AGON_CODEC_SIZED(AGON_CODEC_HASH, agon__agent_offer, file, "file"),
};
static const agon_codec_form agent_form = AGON_CODEC_FORM("hello: agent", agent_fields, NULL);

/* HELLO and REJECT keep these fields in every protocol, so that two versions can tell each other
 * that they are not of one. */
static const agon_codec_field hello_fields[] = {
    BEGIN(AGON__HELLO, GREETING),
    INT(hello.protocol, "protocol", 1, INT_MAX),
    INT(hello.task_format, "task_format", 1, INT_MAX),
    TEXT(hello.build, "build"),
    TEXT(hello.class, "class"),
    TEXT(hello.name, "name"),
    HASH(hello.id, "id"),
    HASH(hello.nonce, "nonce"),
    TEXT(hello.token, "token"),
    INT(hello.pid, "pid", 0, INT_MAX),
    INT(hello.slots, "slots", 1, AGON__BEATS),
    COUNT(hello.memory, "memory"),
    MANY(hello.game, "games", hello.games, game_form),
    MANY(hello.agent, "agents", hello.agents, agent_form),
};

static const agon_codec_field reject_fields[] = {
    BEGIN(AGON__REJECT, GREETING),
    INT(reject.code, "code", 1, INT_MAX),
    TEXT(reject.text, "text"),
};

static const agon_codec_field challenge_fields[] = {
    BEGIN(AGON__CHALLENGE, AGON__PROTOCOL),
    HASH(challenge.nonce, "nonce"),
    INT(challenge.token, "token", 0, 1),
};

static const agon_codec_field auth_fields[] = {
    BEGIN(AGON__AUTH, AGON__PROTOCOL),
    AGON_CODEC_SIZED(AGON_CODEC_NEW, agon__message, as.auth.mac, "mac"),
};

static const agon_codec_field welcome_fields[] = {
    BEGIN(AGON__WELCOME, AGON__PROTOCOL),
    TEXT(welcome.run, "run"),
    INT(welcome.lease_ms, "lease_ms", 1, DAY_MS),
    INT(welcome.beat_ms, "beat_ms", 1, DAY_MS),
};

static const agon_codec_field bye_fields[] = {
    BEGIN(AGON__BYE, AGON__PROTOCOL),
    TEXT(bye.text, "text"),
};

/* ---- tasks -------------------------------------------------------------------------------- */

static const agon_codec_field credit_fields[] = {
    BEGIN(AGON__CREDIT, AGON__PROTOCOL),
    INT(credit.tasks, "tasks", 0, AGON__BEATS),
};

static const agon_codec_field task_fields[] = {
    BEGIN(AGON__TASK, AGON__PROTOCOL),
    HASH(task.id, "id"),
    COUNT(task.lease, "lease"),
    BYTES(task.data, "data", task.size),
};

static const agon_codec_field lease_fields[] = {
    AGON_CODEC_PLAIN(AGON_CODEC_COUNT, agon__progress, lease, "lease", 0, 0),
    AGON_CODEC_PLAIN(AGON_CODEC_INT, agon__progress, permille, "permille", 0, 1000),
    AGON_CODEC_PLAIN(AGON_CODEC_COUNT, agon__progress, steps, "steps", 0, 0),
};
static const agon_codec_form lease_form = AGON_CODEC_FORM("beat: lease", lease_fields, NULL);

static const agon_codec_field beat_fields[] = {
    BEGIN(AGON__BEAT, AGON__PROTOCOL),
    MANY(beat.lease, "leases", beat.leases, lease_form),
};

static const agon_codec_field cancel_fields[] = {{.name = "lease", .type = AGON_CODEC_COUNT}};
static const agon_codec_form cancel_form = {
    .what = "beat_ok", .fields = cancel_fields, .count = 1, .bare = true};

static const agon_codec_field beat_ok_fields[] = {
    BEGIN(AGON__BEAT_OK, AGON__PROTOCOL),
    MANY(beat_ok.cancel, "cancel", beat_ok.cancelled, cancel_form),
};

static const agon_codec_field nak_fields[] = {
    BEGIN(AGON__NAK, AGON__PROTOCOL), HASH(nak.task, "task"),
    COUNT(nak.lease, "lease"),        INT(nak.class, "class", AGON__NAK_BACK, AGON__NAK_TASK),
    TEXT(nak.text, "text"),
};

/* ---- results and blobs -------------------------------------------------------------------- */

static const agon_codec_field spent_fields[] = {{.name = "ms", .type = AGON_CODEC_COUNT}};
static const agon_codec_form spent_form = {
    .what = "result: spent", .fields = spent_fields, .count = 1, .bare = true};

static const agon_codec_field result_fields[] = {
    BEGIN(AGON__RESULT, AGON__PROTOCOL),
    HASH(result.task, "task"),
    COUNT(result.lease, "lease"),
    HASH(result.hash, "hash"),
    COUNT(result.size, "size"),
    COUNT(result.steps, "steps"),
    COUNT(result.cpu_ms, "cpu_ms"),
    MANY(result.spent, "spent", result.phases, spent_form),
    BYTES(result.data, "data", result.inlined),
};

static const agon_codec_field ack_fields[] = {
    BEGIN(AGON__ACK, AGON__PROTOCOL),
    HASH(ack.task, "task"),
    COUNT(ack.lease, "lease"),
    INT(ack.verdict, "verdict", AGON__ACCEPTED, AGON__UNKNOWN),
};

static const agon_codec_field want_fields[] = {
    BEGIN(AGON__WANT, AGON__PROTOCOL),
    HASH(want.hash, "hash"),
    INT(want.from, "from", 0, MAX_CHUNKS),
};

static const agon_codec_field chunk_fields[] = {
    BEGIN(AGON__CHUNK_DATA, AGON__PROTOCOL),      HASH(chunk.hash, "hash"),
    INT(chunk.index, "index", 0, MAX_CHUNKS - 1), INT(chunk.count, "count", 1, MAX_CHUNKS),
    BYTES(chunk.data, "data", chunk.size),
};

static const agon_codec_field missing_fields[] = {
    BEGIN(AGON__MISSING, AGON__PROTOCOL),
    HASH(missing.hash, "hash"),
};

/* ---- what concerns several fields --------------------------------------------------------- */

static int check_task(const void* record, agon_error* error) {
    const agon__task_grant* task = &((const agon__message*)record)->as.task;
    return task->size > 0 ? AGON_OK : agon_fail(error, AGON_EFORMAT, "task: field data is empty");
}

static int check_result(const void* record, agon_error* error) {
    const agon__result_offer* result = &((const agon__message*)record)->as.result;
    if (result->size < 1 || result->size > AGON_CODEC_MAX_MESSAGE)
        return agon_fail(error, AGON_EFORMAT, "result: field size = %llu; expected 1..%u",
                         (unsigned long long)result->size, AGON_CODEC_MAX_MESSAGE);
    if (result->phases != 0 && result->phases != AGON_PHASES)
        return agon_fail(error, AGON_EFORMAT,
                         "result: field spent: %d entries; expected none or %d", result->phases,
                         AGON_PHASES);
    if (result->inlined > 0 && (result->inlined != result->size || result->size > AGON__INLINE))
        return agon_fail(error, AGON_EFORMAT,
                         "result: field data: %zu bytes; expected none, or all %llu if at most %d",
                         result->inlined, (unsigned long long)result->size, AGON__INLINE);
    return AGON_OK;
}

static int check_chunk(const void* record, agon_error* error) {
    const agon__chunk* chunk = &((const agon__message*)record)->as.chunk;
    return agon__chunk_check(chunk, error);
}

int agon__chunk_check(const agon__chunk* chunk, agon_error* error) {
    const bool last = chunk->index == chunk->count - 1;
    if (chunk->index < 0 || chunk->index >= chunk->count)
        return agon_fail(error, AGON_EFORMAT, "chunk: field index = %d; expected 0..%d",
                         chunk->index, chunk->count - 1);
    /* Only an empty blob has an empty chunk. */
    if (chunk->size > AGON__CHUNK || (!last && chunk->size < AGON__CHUNK) ||
        (chunk->size == 0 && chunk->count > 1))
        return agon_fail(error, AGON_EFORMAT, "chunk: %zu bytes in %d of %d; expected %s%d",
                         chunk->size, chunk->index, chunk->count, last ? "1.." : "", AGON__CHUNK);
    return AGON_OK;
}

int agon__chunks(uint64_t size) {
    const uint64_t count = size / AGON__CHUNK + (size % AGON__CHUNK > 0);
    return count == 0 ? 1 : count > MAX_CHUNKS ? INT_MAX : (int)count;
}

/* ---- the messages ------------------------------------------------------------------------- */

/* A beat needs some 25 kB; most others less than a hundredth of it. */
#define FORM(NAME, CHECK)                                                                          \
    static const agon_codec_form NAME##_form = {                                                   \
        .what = #NAME,                                                                             \
        .fields = NAME##_fields,                                                                   \
        .count = sizeof NAME##_fields / sizeof NAME##_fields[0],                                   \
        .check = CHECK,                                                                            \
        .size = offsetof(agon__message, as) + sizeof(((agon__message*)0)->as.NAME),                \
    }

FORM(hello, NULL);
FORM(challenge, NULL);
FORM(auth, NULL);
FORM(welcome, NULL);
FORM(reject, NULL);
FORM(credit, NULL);
FORM(task, check_task);
FORM(want, NULL);
FORM(chunk, check_chunk);
FORM(missing, NULL);
FORM(beat, NULL);
FORM(beat_ok, NULL);
FORM(result, check_result);
FORM(ack, NULL);
FORM(nak, NULL);
FORM(bye, NULL);

static const agon_codec_form* const forms[AGON__MESSAGE_KINDS] = {
    &hello_form,  &challenge_form, &auth_form,  &welcome_form, &reject_form, &credit_form,
    &task_form,   &want_form,      &chunk_form, &missing_form, &beat_form,   &beat_ok_form,
    &result_form, &ack_form,       &nak_form,   &bye_form,
};

_Static_assert(sizeof(agon__message_kind) == sizeof(int), "kinds are read as int");

void agon__message_begin(agon__message* message, agon__message_kind kind) {
    memset(message, 0, forms[kind - 1]->size);
    message->kind = kind;
}

static int too_long(const agon__message* message, size_t size, agon_error* error) {
    return agon_fail(error, AGON_ELIMIT, "%s: %zu bytes; expected at most %d",
                     forms[message->kind - 1]->what, size, AGON__FRAME_MAX);
}

int agon__message_encode(const agon__message* message, uint8_t** data, size_t* size,
                         agon_error* error) {
    uint8_t* bytes;
    size_t length;
    const int code = agon_codec_encode(forms, AGON__MESSAGE_KINDS, (int)message->kind, message,
                                       &bytes, &length, error);
    if (code != AGON_OK)
        return code;
    if (length > AGON__FRAME_MAX) {
        free(bytes);
        return too_long(message, length, error);
    }
    *data = bytes;
    *size = length;
    return AGON_OK;
}

typedef struct measured {
    agon_codec_write* write;
    void* user;
    size_t size;
} measured;

static int write_measured(void* user, const char* data, size_t size) {
    measured* m = user;
    m->size += size;
    return m->size > AGON__FRAME_MAX ? -1 : m->write(m->user, data, size);
}

int agon__message_encode_to(const agon__message* message, agon_codec_write* write, void* user,
                            agon_error* error) {
    measured m = {write, user, 0};
    const int code = agon_codec_encode_to(forms, AGON__MESSAGE_KINDS, (int)message->kind, message,
                                          write_measured, &m, error);
    return code && m.size > AGON__FRAME_MAX ? too_long(message, m.size, error) : code;
}

int agon__message_decode(const uint8_t* data, size_t size, agon__message* out, agon_error* error) {
    if (size > AGON__FRAME_MAX)
        return agon_fail(error, AGON_ELIMIT, "message: %zu bytes; expected at most %d", size,
                         AGON__FRAME_MAX);
    agon__message message;
    const int code =
        agon_codec_decode(forms, AGON__MESSAGE_KINDS, data, size, &message, sizeof message, error);
    if (code == AGON_OK)
        memcpy(out, &message, forms[message.kind - 1]->size);
    else
        agon__message_clear(&message);
    return code;
}

void agon__message_clear(agon__message* message) {
    if (message->kind == AGON__TASK)
        free(message->as.task.data);
    if (message->kind == AGON__CHUNK_DATA)
        free(message->as.chunk.data);
    if (message->kind == AGON__RESULT)
        free(message->as.result.data);
    message->kind = 0;
}
