/* SPDX-License-Identifier: 0BSD
 *
 * agon_game.h: the contract between a game and everything else. It is the only header a game
 * author reads, and any program may include it under any licence.
 *
 * A game is a table of functions over plain bytes:
 *
 *   config   what `configure` makes of the parameters ("connect_four(rows=5)"): facts and tables.
 *            Read-only afterwards, shared by all threads, first argument of every other function.
 *   state    one position. Plain bytes of fixed size: no pointers, no random numbers, no padding
 *            left unset. Hence clone = memcpy, replay = the actions, hash = hash of the bytes.
 *
 * Rules every function obeys:
 *   1. It touches only its arguments: no globals, no allocation, no files, no clock, no random
 *      numbers. (`configure` alone may read a file that a parameter names.)
 *   2. States evolve by integers. Floats appear only in observations and rewards, and only by
 *      + - * / and table look-up, so that bytes are the same on every machine.
 *   3. Source is the common subset of C11 and CUDA C++20: functions marked AGON_FN, casts from
 *      void* written out, designators in declaration order, no variable-length arrays, no tables
 *      outside `config`.
 *
 * A game file ends in
 *
 *   AGON_GAME_BATCH(my_game)          // batch loops made of the scalar functions below
 *   const agon_game agon_game_my_game = {
 *       AGON_GAME_HEAD(my_game, 1, "one line about it", sizeof(my_game_config)),
 *       .text = my_game_text,         // optional slots, in the order of the table
 *   };
 *
 * The same file is a built-in or, compiled with -DAGON_PLUGIN into a shared object
 * (`agon build-game FILE.c`), a plug-in: every agon of the same ABI number loads it, because
 * `agon_game` and `agon_spec` only ever grow at their ends.
 */
#ifndef AGON_GAME_H
#define AGON_GAME_H

#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGON_ABI         1  /* the first number of every agon_game table */
#define AGON_MAX_SEATS   32 /* bits 0..31 of an acting set */
#define AGON_MAX_ACTIONS 65535
#define AGON_MAX_PLANES  32
#define AGON_MAX_PARAMS  16
#define AGON_MAX_ROLES   8
#define AGON_MAX_NUMBERS 16           /* features, and stats, of a game */
#define AGON_ACTION_NAME 64           /* bytes that hold every name of an action, NUL included */
#define AGON_INFOSTATE   1024         /* bytes of the longest information state */
#define AGON_CHANCE      (1ull << 63) /* acting set: nature moves, alone */

#ifdef __CUDACC__
#define AGON_FN     static __host__ __device__ inline
#define AGON_INLINE static __host__ __device__ __forceinline__
#else
#define AGON_FN     static inline
#define AGON_INLINE static inline __attribute__((always_inline)) /* constants reach its loops */
#endif

/* A table with external linkage in C and in C++ alike (const objects are local in C++). */
#ifdef __cplusplus
#define AGON_EXTERN extern "C"
#else
#define AGON_EXTERN extern
#endif

/* ---- parameters -------------------------------------------------------------------------- */

/* The parameters of a game string, as text. `configure` asks for each by name through the two
 * functions below; the host then refuses every parameter nobody asked for, and lists `asked`. */
typedef struct agon_params {
    int count;                          /* parameters given */
    const char* name[AGON_MAX_PARAMS];  /* borrowed */
    const char* value[AGON_MAX_PARAMS]; /* borrowed */
    uint32_t used;                      /* bit i: parameter i was asked for */
    char asked[512];                    /* "rows (4..10, default 6), ...", for messages */
    char error[256];                    /* the first mistake; empty: none */
} agon_params;

/* The text of parameter `name`, or NULL when it was not given. Marks it as used. */
static inline const char* agon_param_text(agon_params* p, const char* name) {
    for (int i = 0; i < p->count; i++) {
        if (strcmp(p->name[i], name) == 0) {
            p->used |= 1u << i;
            return p->value[i];
        }
    }
    return NULL;
}

/* Parameter `name` as an integer in [low, high]; `fallback` when absent. A value that is not an
 * integer or is out of range fills p->error and gives `fallback`. */
static inline int agon_param_int(agon_params* p, const char* name, int fallback, int low,
                                 int high) {
    const char* text = agon_param_text(p, name);
    char* end = NULL;
    long value;
    size_t used = strlen(p->asked);
    snprintf(p->asked + used, sizeof p->asked - used, "%s%s (%d..%d, default %d)", used ? ", " : "",
             name, low, high, fallback);
    if (!text)
        return fallback;
    value = strtol(text, &end, 10);
    if (end == text || *end || value < low || value > high) {
        if (!p->error[0])
            snprintf(p->error, sizeof p->error, "%s=%s: expected an integer from %d to %d", name,
                     text, low, high);
        return fallback;
    }
    return (int)value;
}

/* Parameter `name` as one of the words of `choices`, separated by '|': its number, counted from 0.
 * `fallback` (a number, too) when absent; otherwise as agon_param_int. */
static inline int agon_param_choice(agon_params* p, const char* name, int fallback,
                                    const char* choices) {
    const char* text = agon_param_text(p, name);
    const char* word = choices;
    const char* standard = choices;
    size_t used = strlen(p->asked);
    int found = -1;
    for (int number = 0; *word; number++) {
        const size_t length = strcspn(word, "|");
        if (number == fallback)
            standard = word;
        if (text && strlen(text) == length && strncmp(text, word, length) == 0)
            found = number;
        word += length + (word[length] == '|');
    }
    snprintf(p->asked + used, sizeof p->asked - used, "%s%s (%s, default %.*s)", used ? ", " : "",
             name, choices, (int)strcspn(standard, "|"), standard);
    if (text && found < 0 && !p->error[0])
        snprintf(p->error, sizeof p->error, "%s=%s: expected one of %s", name, text, choices);
    return found < 0 ? fallback : found;
}

/* Parameter `name` as a switch: true or false (also True, False, 1, 0); as agon_param_int. */
static inline int agon_param_bool(agon_params* p, const char* name, int fallback) {
    const char* text = agon_param_text(p, name);
    const char* const word[] = {"false", "False", "0", "true", "True", "1"};
    size_t used = strlen(p->asked);
    snprintf(p->asked + used, sizeof p->asked - used, "%s%s (true|false, default %s)",
             used ? ", " : "", name, fallback ? "true" : "false");
    for (int i = 0; text && i < 6; i++) {
        if (strcmp(text, word[i]) == 0)
            return i >= 3;
    }
    if (text && !p->error[0])
        snprintf(p->error, sizeof p->error, "%s=%s: expected true or false", name, text);
    return fallback;
}

/* Parameter `name` as a decimal number in [low, high]; otherwise as agon_param_int. */
static inline double agon_param_float(agon_params* p, const char* name, double fallback, double low,
                                      double high) {
    const char* text = agon_param_text(p, name);
    char* end = NULL;
    double value;
    size_t used = strlen(p->asked);
    snprintf(p->asked + used, sizeof p->asked - used, "%s%s (%g..%g, default %g)", used ? ", " : "",
             name, low, high, fallback);
    if (!text)
        return fallback;
    value = strtod(text, &end);
    if (end == text || *end || text[strspn(text, "+-.0123456789eE")] ||
        !(value >= low && value <= high)) {
        if (!p->error[0])
            snprintf(p->error, sizeof p->error, "%s=%s: expected a number from %g to %g", name,
                     text, low, high);
        return fallback;
    }
    return value;
}

/* ---- facts ------------------------------------------------------------------------------- */

typedef enum agon_utility {
    AGON_ZERO_SUM,     /* returns of all seats add up to 0 */
    AGON_CONSTANT_SUM, /* ... to agon_spec.utility_sum */
    AGON_GENERAL_SUM   /* nothing is promised */
} agon_utility;

typedef enum agon_information {
    AGON_PERFECT,  /* every seat sees everything, one acts at a time: nothing to resample */
    AGON_IMPERFECT /* hidden cards, or seats that act at the same time */
} agon_information;

typedef enum agon_dtype {
    AGON_U8, /* observation entries are bytes; the net sees byte * obs_scale */
    AGON_F32 /* observation entries are floats, seen as they are */
} agon_dtype;

/* What `configure` says about a game with these parameters. All bounds are promises that the
 * game suite tests. Zeroed before the call, but for struct_size; a fact left at 0 is absent, so the
 * struct can grow at its end without a new ABI. */
typedef struct agon_spec {
    uint32_t struct_size; /* set by the host: bytes it has room for */
    int seats;            /* 1..AGON_MAX_SEATS */
    int actions;          /* actions are 0..actions-1; 1..AGON_MAX_ACTIONS */
    int chance_outcomes;  /* largest number of outcomes of a chance node; 0: no chance */
    int simultaneous;     /* 1: several seats may act in one ply */
    int seats_symmetric;  /* 1: the rules treat all seats alike (relabelling seats maps
                             games to games; the order of moves counts as asymmetric) */
    agon_utility utility; /* what the returns add up to */
    float utility_sum;    /* AGON_CONSTANT_SUM: the sum */
    agon_information information;
    int max_plies;                /* hard bound on the plies of an episode; chance not counted */
    float return_min, return_max; /* bounds of one seat's return (sum of rewards) */
    size_t state_size;            /* bytes; a multiple of 8 */
    int planes, rows, cols;       /* observation shape: planes * rows * cols entries, plane-major */
    agon_dtype obs_type;
    float obs_scale;                          /* AGON_U8: factor on widening; 1 for 0/1 planes */
    const char* plane_names[AGON_MAX_PLANES]; /* static strings; one per plane, without spaces */
    int symmetries; /* order of the symmetry group, identity included; 1: none */

    /* Who belongs together. Zeros: every seat for itself, all seats of one kind. */
    uint8_t team[AGON_MAX_SEATS]; /* seats of one team number, from 1, share an aim, by what rewards
                                     they get; 0: no team */
    uint8_t role[AGON_MAX_SEATS]; /* kind of part: 0, 1, .. without gaps, < AGON_MAX_ROLES */
    const char* role_names[AGON_MAX_ROLES]; /* static strings; NULL: the number */

    /* Numbers that a finished episode leaves behind (slots `features` and `stats`). */
    int features, stats;                         /* 0..AGON_MAX_NUMBERS each */
    const char* feature_names[AGON_MAX_NUMBERS]; /* static strings: a-z, 0-9, _ */
    const char* stat_names[AGON_MAX_NUMBERS];
} agon_spec;

/* ---- the table --------------------------------------------------------------------------- */

typedef struct agon_game {
    uint32_t abi;         /* AGON_ABI */
    uint32_t struct_size; /* sizeof(agon_game); the table only ever grows at its end */
    const char* name;     /* lower_case, as in game strings */
    int rules_version;    /* raised when the rules change */
    const char* summary;  /* one line */
    const char* source;   /* the file it was compiled from, for checks and messages */
    uint32_t spec_size;   /* sizeof(agon_spec) it was compiled with */
    uint32_t unused;      /* 0 */
    size_t config_size;   /* bytes of config; tables included */

    /* Fills facts and config. Returns 0, or -1 with params->error set. */
    int (*configure)(agon_params* params, agon_spec* spec, void* config);

    /* The starting position; writes every byte of state. */
    void (*init)(const void* config, void* state);

    /* Who acts: a set of seats (bits 0..31), AGON_CHANCE alone, or 0 when the episode is over. */
    uint64_t (*acting)(const void* config, const void* state);

    /* Sets the bits of the legal actions of `seat`, which must be acting. mask: (actions + 63) / 64
     * words, zeroed by the callee; at least one bit is set, none beyond `actions`. */
    void (*legal)(const void* config, const void* state, int seat, uint64_t* mask);

    /* Plays one ply. action: (seats), read at acting seats only; at a chance node action[0] is the
     * outcome. reward: (seats); ADDS what each seat just earned, acting or not. Returns 0, or -1
     * for an illegal action: then neither state nor reward has changed. */
    int (*apply)(const void* config, void* state, const uint16_t* action, float* reward);

    /* Writes what `seat` knows, and nothing else: planes * rows * cols entries of obs_type. Any
     * seat may ask in any state that is not over and not a chance node. */
    void (*observe)(const void* config, const void* state, int seat, void* out);

    /* Batch loops over the scalar functions, made by AGON_GAME_BATCH so that they inline.
     * states: base of an array with stride spec.state_size; lane[i] indexes it. */

    /* acting[i] of `lanes` consecutive states. */
    void (*acting_batch)(const void* config, const void* states, int lanes, uint64_t* acting);

    /* Plays one ply in each of `count` different lanes. action, reward: (all lanes, seats). Stops
     * at the first illegal action and returns the number of lanes played. */
    int (*apply_batch)(const void* config, void* states, const uint32_t* lane, int count,
                       const uint16_t* action, float* reward);

    /* Observations and masks by slot: obs (count, entries), mask (count, mask words). */
    void (*observe_batch)(const void* config, const void* states, const uint32_t* lane,
                          const uint8_t* seat, int count, void* obs, uint64_t* mask);

    /* (optional; NULL: no chance) Probabilities of the outcomes of a chance node; every listed one
     * is > 0 and they add up to 1. prob: (chance_outcomes). Returns the number of outcomes. */
    int (*chance)(const void* config, const void* state, double* prob);

    /* (optional; NULL: none) The position for people, as lines of text, of any position. Returns
     * the length that is needed, as snprintf does. */
    int (*text)(const void* config, const void* state, char* out, size_t size);

    /* (optional; NULL: the number) Name of an action, without spaces. At a chance node `seat` is
     * -1 and `action` the outcome. Names of a position's legal actions differ. Returns the length
     * that is needed, < AGON_ACTION_NAME. */
    int (*action_name)(const void* config, const void* state, int seat, int action, char* out,
                       size_t size);

    /* (optional; NULL: spec.symmetries = 1) out = symmetry g of state; g = 0 is the identity. */
    void (*symmetry)(const void* config, int g, const void* state, void* out);
    /* (with symmetry) The action that corresponds to `action` after symmetry g. */
    int (*symmetry_action)(const void* config, int g, int action);

    /* (optional; NULL: nothing is hidden) Replaces what `seat` cannot know by another value it
     * holds possible, chosen by `random`. What the seat observes must not change. Asked where
     * `observe` is. */
    void (*resample)(const void* config, void* state, int seat, uint64_t random);

    /* (optional; NULL: the observation tells all that the seat has seen) The seat's information
     * state as bytes, perfect recall: what it has seen and done, in order. Asked where `observe`
     * is. out: (AGON_INFOSTATE). Returns its length in bytes. */
    int (*infostate)(const void* config, const void* state, int seat, void* out);

    /* (optional; with spec.features) Behaviour descriptors of one seat over a finished episode, any
     * finite numbers, also of a seat that never acted: out (spec.features). Means per agent reach
     * metrics.jsonl by their names. */
    void (*features)(const void* config, const void* state, int seat, float* out);

    /* (optional; with spec.stats) Numbers about a finished episode as a whole: out (spec.stats). */
    void (*stats)(const void* config, const void* state, float* out);
} agon_game;

/* What the loader of plug-ins asks for, visible when all else in the file is hidden. */
#ifdef AGON_PLUGIN
#define AGON_GAME_EXPORT(NAME)                                                                     \
    AGON_EXTERN __attribute__((visibility("default"))) const agon_game* agon_plugin(void);         \
    const agon_game* agon_plugin(void) {                                                           \
        return &agon_game_##NAME;                                                                  \
    }
#else
#define AGON_GAME_EXPORT(NAME)
#endif

/* The batch loops and the facts they need, for a game whose functions are NAME_acting, NAME_apply,
 * NAME_legal, NAME_observe. The four facts are macros or constants visible at this point:
 * NAME_STATE (bytes of a state), NAME_seats(config), NAME_obs_bytes(config), NAME_words(config).
 * It also declares the table that follows, external in C++ too. A game that has a faster loop of
 * its own writes the four lines instead, without the one for that loop. */
#define AGON_GAME_BATCH(NAME)                                                                      \
    AGON_GAME_ACTING_BATCH(NAME)                                                                   \
    AGON_GAME_APPLY_BATCH(NAME)                                                                    \
    AGON_GAME_OBSERVE_BATCH(NAME)                                                                  \
    AGON_GAME_DECLARE(NAME)

#define AGON_GAME_ACTING_BATCH(NAME)                                                               \
    static void NAME##_acting_batch(const void* config, const void* states, int lanes,             \
                                    uint64_t* acting) {                                            \
        const char* base = (const char*)states;                                                    \
        for (int i = 0; i < lanes; i++)                                                            \
            acting[i] = NAME##_acting(config, base + (size_t)i * NAME##_STATE);                    \
    }

#define AGON_GAME_APPLY_BATCH(NAME)                                                                \
    static int NAME##_apply_batch(const void* config, void* states, const uint32_t* lane,          \
                                  int count, const uint16_t* action, float* reward) {              \
        char* base = (char*)states;                                                                \
        const size_t seats = (size_t)NAME##_seats(config);                                         \
        for (int i = 0; i < count; i++) {                                                          \
            const size_t at = lane[i];                                                             \
            if (NAME##_apply(config, base + at * NAME##_STATE, action + at * seats,                \
                             reward + at * seats) != 0)                                            \
                return i;                                                                          \
        }                                                                                          \
        return count;                                                                              \
    }

#define AGON_GAME_OBSERVE_BATCH(NAME)                                                              \
    static void NAME##_observe_batch(const void* config, const void* states, const uint32_t* lane, \
                                     const uint8_t* seat, int count, void* obs, uint64_t* mask) {  \
        const char* base = (const char*)states;                                                    \
        const size_t bytes = NAME##_obs_bytes(config), words = NAME##_words(config);               \
        for (int i = 0; i < count; i++) {                                                          \
            const char* state = base + (size_t)lane[i] * NAME##_STATE;                             \
            NAME##_observe(config, state, seat[i], (char*)obs + (size_t)i * bytes);                \
            NAME##_legal(config, state, seat[i], mask + (size_t)i * words);                        \
        }                                                                                          \
    }

#define AGON_GAME_DECLARE(NAME)                                                                    \
    AGON_EXTERN const agon_game agon_game_##NAME;                                                  \
    AGON_GAME_EXPORT(NAME)

/* The beginning of a table: all that is not optional. Optional slots follow, in their order. */
#define AGON_GAME_HEAD(NAME, RULES_VERSION, SUMMARY, CONFIG_SIZE)                                  \
    .abi = AGON_ABI, .struct_size = sizeof(agon_game), .name = #NAME,                              \
    .rules_version = RULES_VERSION, .summary = SUMMARY, .source = __FILE__,                        \
    .spec_size = sizeof(agon_spec), .unused = 0, .config_size = CONFIG_SIZE,                       \
    .configure = NAME##_configure, .init = NAME##_init, .acting = NAME##_acting,                   \
    .legal = NAME##_legal, .apply = NAME##_apply, .observe = NAME##_observe,                       \
    .acting_batch = NAME##_acting_batch, .apply_batch = NAME##_apply_batch,                        \
    .observe_batch = NAME##_observe_batch

#endif
