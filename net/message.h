/* message.h: what coordinator (C) and worker (W) say to each other, over any transport.
 *
 *   W: HELLO                       C: CHALLENGE
 *   W: AUTH                        C: WELCOME, or REJECT and the end
 *   W: CREDIT                      C: TASK ...
 *   W: WANT (a blob of a task)     C: CHUNK ..., or MISSING
 *   W: BEAT, every WELCOME.beat_ms C: BEAT_OK (leases to drop)
 *   W: RESULT (hash and size)      C: WANT, when it lacks these bytes
 *   W: CHUNK ...                   C: ACK, once the result is accepted
 *   W: NAK (a lease handed back)
 *   W or C: BYE
 *
 * A task is named by the SHA-256 of its bytes (engine/task.h), a result likewise. A result of at
 * most AGON__INLINE bytes travels inside RESULT. Everything is sent again after a connection was
 * lost; every message but HELLO and AUTH may come twice without harm. */
#ifndef AGON_MESSAGE_H
#define AGON_MESSAGE_H

#include "agents/profile.h"
#include "engine/codec.h"

#define AGON__PROTOCOL 2
#define AGON__CHUNK    (512 << 10) /* bytes of a chunk, but for the last */
#define AGON__INLINE   (128 << 10)
#define AGON__OFFERS   16
#define AGON__BEATS    1024 /* leases of one worker, at most */

typedef enum agon__message_kind {
    AGON__HELLO = 1,
    AGON__CHALLENGE,
    AGON__AUTH,
    AGON__WELCOME,
    AGON__REJECT,
    AGON__CREDIT,
    AGON__TASK,
    AGON__WANT,
    AGON__CHUNK_DATA,
    AGON__MISSING,
    AGON__BEAT,
    AGON__BEAT_OK,
    AGON__RESULT,
    AGON__ACK,
    AGON__NAK,
    AGON__BYE,
    AGON__MESSAGE_KINDS = AGON__BYE
} agon__message_kind;

/* Why a worker is turned away. The text says which value, what was expected, and what to do. */
typedef enum agon__reject {
    AGON__REJECT_PROTOCOL = 1, /* another protocol number */
    AGON__REJECT_BUILD,        /* another floating-point class or task format */
    AGON__REJECT_TOKEN,        /* no such token, or a wrong answer to the challenge */
    AGON__REJECT_GAME,         /* a game it offers has other rules here */
    AGON__REJECT_STRUCK,       /* its results were wrong */
    AGON__REJECT_BUSY          /* too many workers; come again */
} agon__reject;

typedef enum agon__verdict {
    AGON__ACCEPTED = 1,
    AGON__DUPLICATE, /* the same result was there */
    AGON__CONFLICT,  /* another result is there, or is being looked for */
    AGON__UNKNOWN    /* nobody asked for it (any more) */
} agon__verdict;

typedef enum agon__nak_class {
    AGON__NAK_BACK = 1, /* handed back: the worker stops, or cannot play this */
    AGON__NAK_HOST,     /* it failed for want of memory, disk, ... here */
    AGON__NAK_TASK      /* the task itself failed; elsewhere it would, too */
} agon__nak_class;

typedef struct agon__game_offer {
    char name[128];            /* of the game, without parameters */
    uint64_t fingerprint;      /* of the game with its default parameters */
    char file[AGON_HASH_SIZE]; /* SHA-256 of its plug-in; "": a built-in */
} agon__game_offer;

typedef struct agon__agent_offer {
    char name[64];             /* tasks call it "cmd:NAME" */
    char file[AGON_HASH_SIZE]; /* SHA-256 of its program */
} agon__agent_offer;

typedef struct agon__hello {
    int protocol, task_format;
    char build[128];         /* `agon --version`, one line */
    char class[64];          /* who computes equal bytes: as engine/device.h says it */
    char name[64];           /* for people: the host's name unless told otherwise */
    char id[AGON_HASH_SIZE]; /* random, of this process: a second hello of it replaces the first */
    char nonce[AGON_HASH_SIZE]; /* random, of this hello */
    char token[64];             /* name of its token; "-": none */
    int pid, slots;             /* at most AGON__BEATS */
    uint64_t memory;            /* bytes */
    int games;                  /* plug-ins that it has besides the built-ins */
    agon__game_offer game[AGON__OFFERS];
    int agents;
    agon__agent_offer agent[AGON__OFFERS];
} agon__hello;

typedef struct agon__challenge {
    char nonce[AGON_HASH_SIZE];
    int token; /* 1: AUTH must prove one */
} agon__challenge;

typedef struct agon__auth {
    char mac[AGON_HASH_SIZE]; /* agon__mac; "": no token */
} agon__auth;

typedef struct agon__welcome {
    char run[128]; /* for people */
    int lease_ms, beat_ms;
} agon__welcome;

typedef struct agon__rejection {
    int code; /* agon__reject */
    char text[512];
} agon__rejection;

typedef struct agon__credit {
    int tasks; /* that it takes in all, running ones included; at most AGON__BEATS */
} agon__credit;

typedef struct agon__task_grant {
    char id[AGON_HASH_SIZE];
    uint64_t lease;
    uint8_t* data; /* agon_task_encode; owned */
    size_t size;
} agon__task_grant;

typedef struct agon__want {
    char hash[AGON_HASH_SIZE];
    int from; /* first chunk */
} agon__want;

typedef struct agon__chunk {
    char hash[AGON_HASH_SIZE]; /* of the whole */
    int index, count;          /* of AGON__CHUNK bytes each, the last may be shorter */
    uint8_t* data;             /* owned */
    size_t size;
} agon__chunk;

typedef struct agon__missing {
    char hash[AGON_HASH_SIZE];
} agon__missing;

typedef struct agon__progress {
    uint64_t lease;
    int permille;
    uint64_t steps; /* agent-steps done */
} agon__progress;

typedef struct agon__beat {
    int leases;
    agon__progress lease[AGON__BEATS];
} agon__beat;

typedef struct agon__lease_name {
    uint64_t lease;
} agon__lease_name;

typedef struct agon__beat_ok {
    int cancelled; /* leases of the beat that are no longer wanted */
    agon__lease_name cancel[AGON__BEATS];
} agon__beat_ok;

typedef struct agon__spent {
    uint64_t ms;
} agon__spent;

typedef struct agon__result_offer {
    char task[AGON_HASH_SIZE];
    uint64_t lease;            /* 0: it came by a broker, or of an earlier connection */
    char hash[AGON_HASH_SIZE]; /* SHA-256 of the result's bytes */
    uint64_t size;             /* of the result, bytes */
    uint64_t steps, cpu_ms;
    int phases;                     /* 0, or AGON_PHASES */
    agon__spent spent[AGON_PHASES]; /* by all threads of the worker since its last result */
    uint8_t* data;                  /* the result, or none: asked for by WANT; owned */
    size_t inlined;
} agon__result_offer;

typedef struct agon__ack {
    char task[AGON_HASH_SIZE];
    uint64_t lease;
    int verdict; /* agon__verdict */
} agon__ack;

typedef struct agon__nak {
    char task[AGON_HASH_SIZE];
    uint64_t lease;
    int class; /* agon__nak_class */
    char text[512];
} agon__nak;

typedef struct agon__bye {
    char text[256];
} agon__bye;

typedef struct agon__message {
    agon__message_kind kind;
    union {
        agon__hello hello;
        agon__challenge challenge;
        agon__auth auth;
        agon__welcome welcome;
        agon__rejection reject;
        agon__credit credit;
        agon__task_grant task;
        agon__want want;
        agon__chunk chunk;
        agon__missing missing;
        agon__beat beat;
        agon__beat_ok beat_ok;
        agon__result_offer result;
        agon__ack ack;
        agon__nak nak;
        agon__bye bye;
    } as;
} agon__message;

/* An empty one, as far as messages of that kind reach: all of it is some 25 kB. */
void agon__message_begin(agon__message* message, agon__message_kind kind);
/* *data: malloc'd, the caller's. Texts that would be empty are written as "-" by the caller. */
int agon__message_encode(const agon__message* message, uint8_t** data, size_t* size,
                         agon_error* error);
/* The same bytes, piece by piece, to whoever keeps them; after a failure what came is worthless. */
int agon__message_encode_to(const agon__message* message, agon_codec_write* write, void* user,
                            agon_error* error);
/* Checks lengths, depth, types and ranges of every field. *out is set as far as its kind reaches,
 * and owned by the caller: agon__message_clear. */
int agon__message_decode(const uint8_t* data, size_t size, agon__message* out, agon_error* error);
void agon__message_clear(agon__message* message); /* frees what it owns */

/* Chunks of a blob: at least 1. */
int agon__chunks(uint64_t size);
/* Is it one of its blob's chunks by index and size? */
int agon__chunk_check(const agon__chunk* chunk, agon_error* error);

#endif
