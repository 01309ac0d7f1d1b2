/* probes.c: probe sets as blobs, and asking them. How set U is made: probes_make.c. */
#include "engine/probes.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

enum { CHUNK = 256 }; /* states asked at a time */

void agon_probes_close(agon_probes* probes) {
    if (!probes)
        return;
    free(probes->offset);
    free(probes->action);
    free(probes->seat);
    free(probes->ply);
    free(probes->weight);
    free(probes->reach);
    memset(probes, 0, sizeof *probes);
}

/* ---- replay ------------------------------------------------------------------------------- */

/* A line on its way; the set may be hostile, so every step is checked. */
typedef struct replay {
    const agon_rules* rules;
    const agon_probes* probes;
    int index;      /* of the probe state */
    char* state;    /* (state_size) */
    uint64_t* mask; /* (mask_words) */
    double* chance; /* (chance_outcomes) */
    float* reward;  /* (seats) */
    agon_error* error;
} replay;

static int replay_open(replay* r) {
    const agon_spec* spec = &r->rules->spec;
    r->state = (char*)calloc(1, spec->state_size);
    r->mask = (uint64_t*)calloc((size_t)r->rules->mask_words, sizeof *r->mask);
    r->chance = (double*)calloc((size_t)spec->chance_outcomes + 1, sizeof *r->chance);
    r->reward = (float*)calloc((size_t)spec->seats, sizeof *r->reward);
    if (!r->state || !r->mask || !r->chance || !r->reward)
        return agon_fail(r->error, AGON_EMEMORY, "probe states of %s: out of memory",
                         r->rules->name);
    return 0;
}

static void replay_close(replay* r) {
    free(r->state);
    free(r->mask);
    free(r->chance);
    free(r->reward);
}

static int refuse(const replay* r, const char* what) {
    return agon_fail(r->error, AGON_EFORMAT, "probe state %d of %s: %s", r->index, r->rules->name,
                     what);
}

static const uint64_t* legal(replay* r, int seat) {
    memset(r->mask, 0, (size_t)r->rules->mask_words * sizeof *r->mask);
    r->rules->game->legal(r->rules->config, r->state, seat, r->mask);
    return r->mask;
}

/* Whether the acting seats may choose so; the other columns must be 0, so that equal lines are
 * equal bytes. */
static bool row_allowed(replay* r, uint64_t acting, const uint16_t* action) {
    const agon_rules* rules = r->rules;
    for (int s = 0; s < rules->spec.seats; s++) {
        if (acting == AGON_CHANCE && s == 0) {
            if (action[0] >= rules->game->chance(rules->config, r->state, r->chance))
                return false;
        } else if (acting == AGON_CHANCE || !(acting >> s & 1)) {
            if (action[s] != 0)
                return false;
        } else if (action[s] >= rules->spec.actions || !agon_mask_has(legal(r, s), action[s])) {
            return false;
        }
    }
    return true;
}

/* Plays the line of state r->index into r->state. */
static int replay_line(replay* r) {
    const agon_rules* rules = r->rules;
    const agon_probes* p = r->probes;
    int ply = 0;
    rules->game->init(rules->config, r->state);
    for (int32_t k = p->offset[r->index]; k < p->offset[r->index + 1]; k++) {
        const uint16_t* action = p->action + (size_t)k * (size_t)p->seats;
        const uint64_t acting = rules->game->acting(rules->config, r->state);
        if (acting == 0)
            return refuse(r, "its line goes on after the end of the episode");
        if (!row_allowed(r, acting, action) ||
            rules->game->apply(rules->config, r->state, action, r->reward) != 0)
            return refuse(r, "its line holds a move that the rules do not allow");
        ply += acting != AGON_CHANCE;
    }
    const uint64_t acting = rules->game->acting(rules->config, r->state);
    if (acting == AGON_CHANCE || p->seat[r->index] >= rules->spec.seats ||
        !(acting >> p->seat[r->index] & 1))
        return refuse(r, "the seat that is asked does not act after the line");
    if (ply != p->ply[r->index])
        return refuse(r, "its number of plies is not that of its line");
    return 0;
}

/* ---- as a blob ---------------------------------------------------------------------------- */

int agon_probes_encode(const agon_probes* probes, const agon_rules* rules, agon_bytes* out,
                       agon_error* error) {
    const int64_t states = probes->states, ends = states + 1;
    const int64_t actions[2] = {probes->offset[states], probes->seats};
    agon_blob* blob = (agon_blob*)malloc(sizeof *blob);
    if (!blob)
        return agon_fail(error, AGON_EMEMORY, "probe states of %s: out of memory", rules->name);
    agon_blob_begin(blob);
    agon_blob_add_meta(blob, "kind", "probes");
    agon_blob_add_meta(blob, "game", "%s", rules->name);
    agon_blob_add_meta(blob, "fingerprint", "%016" PRIx64, agon_rules_fingerprint(rules));
    agon_blob_add_meta(blob, "U", "%s",
                       probes->complete ? "every information set with two legal actions or more"
                                        : "uniformly random legal play, equal numbers per ply "
                                          "bucket");
    agon_blob_add_meta(blob, "U.complete", "%d", probes->complete);
    agon_blob_add_tensor(blob, "U.weight", AGON_BLOB_F64, 1, &states, probes->weight);
    if (probes->reach)
        agon_blob_add_tensor(blob, "U.reach", AGON_BLOB_F64, 1, &states, probes->reach);
    agon_blob_add_tensor(blob, "U.offset", AGON_BLOB_I32, 1, &ends, probes->offset);
    agon_blob_add_tensor(blob, "U.ply", AGON_BLOB_I32, 1, &states, probes->ply);
    agon_blob_add_tensor(blob, "U.action", AGON_BLOB_U16, 2, actions, probes->action);
    agon_blob_add_tensor(blob, "U.seat", AGON_BLOB_U8, 1, &states, probes->seat);
    const int code = agon_blob_encode(blob, out, error);
    free(blob);
    return code;
}

static int check_meta(const agon_blob* blob, const char* key, const char* wanted,
                      agon_error* error) {
    const char* value = agon_blob_meta_find(blob, key);
    if (value && strcmp(value, wanted) == 0)
        return 0;
    return agon_fail(error, AGON_EFORMAT, "probe set: %s is '%.100s', expected '%s'", key,
                     value ? value : "missing", wanted);
}

static int check_metas(const agon_blob* blob, const agon_rules* rules, agon_error* error) {
    char fingerprint[17];
    int code = check_meta(blob, "kind", "probes", error);
    if (code == 0)
        code = check_meta(blob, "game", rules->name, error);
    if (code != 0)
        return code;
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, agon_rules_fingerprint(rules));
    code = check_meta(blob, "fingerprint", fingerprint, error);
    if (code != 0)
        agon_hint(error, "the set was made for other rules; make a new one");
    return code;
}

/* A copy (tensors in a file need not be aligned) of a tensor of `rows` rows, -1: any number, and
 * `cols` columns, 0: one dimension. Returns the rows, or -1 with the error set. */
static int64_t take_tensor(const agon_blob* blob, const char* name, agon_blob_dtype dtype,
                           int64_t rows, int64_t cols, void** out, agon_error* error) {
    const agon_blob_tensor* t = agon_blob_tensor_find(blob, name);
    if (!t || t->dtype != dtype || t->dims != (cols ? 2 : 1) || (cols && t->shape[1] != cols) ||
        (rows >= 0 && t->shape[0] != rows) || t->shape[0] > INT32_MAX - 1) {
        agon_fail(error, AGON_EFORMAT,
                  "probe set: tensor %s is missing, or of another type or shape", name);
        return -1;
    }
    *out = malloc(t->bytes + 1);
    if (!*out) {
        agon_fail(error, AGON_EMEMORY, "probe set: out of memory");
        return -1;
    }
    if (t->bytes)
        memcpy(*out, t->data, t->bytes);
    return t->shape[0];
}

static bool take_tensors(const agon_blob* blob, const agon_rules* rules, agon_probes* p,
                         agon_error* error) {
    const int64_t states =
        take_tensor(blob, "U.seat", AGON_BLOB_U8, -1, 0, (void**)&p->seat, error);
    if (states < 0)
        return false;
    p->states = (int)states;
    p->seats = rules->spec.seats;
    if (take_tensor(blob, "U.offset", AGON_BLOB_I32, states + 1, 0, (void**)&p->offset, error) < 0)
        return false;
    const int64_t rows = p->offset[states] >= 0 ? p->offset[states] : 0;
    if (agon_blob_tensor_find(blob, "U.reach") &&
        take_tensor(blob, "U.reach", AGON_BLOB_F64, states, 0, (void**)&p->reach, error) < 0)
        return false;
    return take_tensor(blob, "U.ply", AGON_BLOB_I32, states, 0, (void**)&p->ply, error) >= 0 &&
           take_tensor(blob, "U.weight", AGON_BLOB_F64, states, 0, (void**)&p->weight, error) >=
               0 &&
           take_tensor(blob, "U.action", AGON_BLOB_U16, rows, p->seats, (void**)&p->action,
                       error) >= 0;
}

static int check_distribution(const double* x, int states, const char* name, agon_error* error) {
    double sum = 0;
    for (int i = 0; i < states; i++) {
        if (!(x[i] >= 0 && x[i] <= 1))
            return agon_fail(error, AGON_EFORMAT, "probe set: %s of state %d is %g, expected 0..1",
                             name, i, x[i]);
        sum += x[i];
    }
    if (!(fabs(sum - 1.0) <= 1e-9))
        return agon_fail(error, AGON_EFORMAT, "probe set: values of %s add up to %.12g, expected 1",
                         name, sum);
    return 0;
}

/* Weights are distributions; how often uniform play comes to a state is known of complete sets. */
static int check_weights(const agon_probes* p, agon_error* error) {
    const int code = check_distribution(p->weight, p->states, "U.weight", error);
    if (code != 0)
        return code;
    if ((p->reach != NULL) != (p->complete != 0))
        return agon_fail(error, AGON_EFORMAT,
                         "probe set: U.reach is %s, but U.complete is %d; expected together",
                         p->reach ? "there" : "missing", p->complete);
    return p->reach ? check_distribution(p->reach, p->states, "U.reach", error) : 0;
}

/* Offsets rise from 0 to the number of plies. */
static int check_offsets(const agon_probes* p, agon_error* error) {
    if (p->states == 0 || p->offset[0] != 0)
        return agon_fail(error, AGON_EFORMAT,
                         "probe set: %d states beginning at ply %d, expected some, from 0",
                         p->states, p->offset[0]);
    for (int i = 0; i < p->states; i++) {
        if (p->offset[i + 1] < p->offset[i])
            return agon_fail(error, AGON_EFORMAT, "probe set: U.offset falls at state %d", i);
    }
    return 0;
}

static int check_lines(const agon_probes* p, const agon_rules* rules, agon_error* error) {
    replay r = {.rules = rules, .probes = p, .error = error};
    int code = replay_open(&r);
    for (; code == 0 && r.index < p->states; r.index++) {
        code = replay_line(&r);
        if (code == 0 && agon_mask_count(legal(&r, p->seat[r.index]), rules->mask_words) < 2)
            code = refuse(&r, "fewer than two legal actions");
    }
    replay_close(&r);
    return code;
}

static int read_blob(const agon_blob* blob, const agon_rules* rules, agon_probes* out,
                     agon_error* error) {
    int code = check_metas(blob, rules, error);
    if (code != 0)
        return code;
    const char* complete = agon_blob_meta_find(blob, "U.complete");
    out->complete = complete && strcmp(complete, "1") == 0;
    if (!take_tensors(blob, rules, out, error))
        return error ? error->code : AGON_EFORMAT;
    code = check_offsets(out, error);
    if (code == 0)
        code = check_weights(out, error);
    return code == 0 ? check_lines(out, rules, error) : code;
}

int agon_probes_decode(const void* data, size_t size, const agon_rules* rules, agon_probes* out,
                       agon_error* error) {
    agon_probes read = {0};
    agon_blob* blob = (agon_blob*)malloc(sizeof *blob);
    if (!blob)
        return agon_fail(error, AGON_EMEMORY, "probe set: out of memory");
    int code = agon_blob_decode(data, size, "probe set", blob, error);
    if (code == 0)
        code = read_blob(blob, rules, &read, error);
    free(blob);
    if (code == 0)
        *out = read;
    else
        agon_probes_close(&read);
    return code;
}

/* ---- asking ------------------------------------------------------------------------------- */

/* The questions of one chunk. */
typedef struct questions {
    char* obs;      /* (CHUNK, obs_bytes) */
    uint64_t* mask; /* (CHUNK, mask_words) */
    char* states;   /* (CHUNK, state_size) */
    uint32_t lane[CHUNK], episode[CHUNK], ply[CHUNK];
    uint8_t seat[CHUNK];
} questions;

static bool questions_open(questions* q, const agon_rules* rules) {
    q->obs = (char*)malloc(CHUNK * rules->obs_bytes);
    q->mask = (uint64_t*)malloc(CHUNK * (size_t)rules->mask_words * sizeof *q->mask);
    q->states = (char*)malloc(CHUNK * rules->spec.state_size);
    return q->obs && q->mask && q->states;
}

static void questions_close(questions* q) {
    free(q->obs);
    free(q->mask);
    free(q->states);
}

/* Question i of the chunk: state `r->index` of the set. */
static int questions_add(questions* q, replay* r, int i) {
    const agon_rules* rules = r->rules;
    const int seat = r->probes->seat[r->index];
    const size_t words = (size_t)rules->mask_words;
    const int code = replay_line(r);
    if (code != 0)
        return code;
    memcpy(q->states + (size_t)i * rules->spec.state_size, r->state, rules->spec.state_size);
    memset(q->obs + (size_t)i * rules->obs_bytes, 0, rules->obs_bytes);
    rules->game->observe(rules->config, r->state, seat, q->obs + (size_t)i * rules->obs_bytes);
    memcpy(q->mask + (size_t)i * words, legal(r, seat), words * sizeof *q->mask);
    q->lane[i] = (uint32_t)i;
    q->episode[i] = (uint32_t)r->index;
    q->ply[i] = (uint32_t)r->probes->ply[r->index];
    q->seat[i] = (uint8_t)seat;
    return 0;
}

static void questions_ask(const questions* q, const agon_rules* rules, const agon_policy* policy,
                          float temperature, int count, float* probability) {
    const agon_batch batch = {
        .rules = rules,
        .count = count,
        .obs = q->obs,
        .mask = q->mask,
        .states = q->states,
        .lane = q->lane,
        .seat = q->seat,
        .key = agon_key_make(0, "probes/ask", AGON_FOR_ACTION),
        .episode = q->episode,
        .ply = q->ply,
        .temperature = temperature,
        .probability = probability,
    };
    policy->act(policy, &batch);
}

int agon_probes_ask(const agon_probes* probes, const agon_rules* rules, const agon_policy* policy,
                    float temperature, float* probability, agon_error* error) {
    assert(probes->seats == rules->spec.seats);
    questions q;
    replay r = {.rules = rules, .probes = probes, .error = error};
    int code = replay_open(&r);
    if (!questions_open(&q, rules) && code == 0)
        code = agon_fail(error, AGON_EMEMORY, "probe states of %s: out of memory", rules->name);
    while (code == 0 && r.index < probes->states) {
        const int first = r.index, left = probes->states - first;
        const int count = left < CHUNK ? left : CHUNK;
        for (int i = 0; code == 0 && i < count; i++, r.index++)
            code = questions_add(&q, &r, i);
        if (code == 0)
            questions_ask(&q, rules, policy, temperature, count,
                          probability + (size_t)first * (size_t)rules->spec.actions);
    }
    questions_close(&q);
    replay_close(&r);
    return code;
}
