/* probes.c: probe sets as blobs. How they are made: probes_make.c (U), probes_balanced.c (B),
 * probes_solved.c (X); asking them: probes_ask.c. */
#include "engine/probes_replay.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

enum { TENSOR_NAME = 32 };

static const char* const set_names[AGON_PROBE_SETS] = {"U", "B", "X"};

const char* agon_probe_set_name(agon_probe_set set) {
    assert(set >= 0 && set < AGON_PROBE_SETS);
    return set_names[set];
}

void agon_probes_close(agon_probes* probes) {
    if (!probes)
        return;
    free(probes->offset);
    free(probes->action);
    free(probes->seat);
    free(probes->ply);
    free(probes->weight);
    free(probes->reach);
    free(probes->origin);
    free(probes->source);
    free(probes->worth);
    memset(probes, 0, sizeof *probes);
}

void agon_probe_sets_close(agon_probe_sets* sets) {
    for (int i = 0; sets && i < AGON_PROBE_SETS; i++)
        agon_probes_close(&sets->set[i]);
}

/* "U.weight". out: (TENSOR_NAME). */
static const char* tensor_name(const agon_probes* p, const char* name, char* out) {
    snprintf(out, TENSOR_NAME, "%s.%s", agon_probe_set_name(p->set), name);
    return out;
}

/* ---- out ---------------------------------------------------------------------------------- */

static void add_tensor(agon_blob* blob, const agon_probes* p, const char* name,
                       agon_blob_dtype dtype, int64_t rows, int64_t cols, const void* data) {
    const int64_t shape[2] = {rows, cols};
    char full[TENSOR_NAME];
    agon_blob_add_tensor(blob, tensor_name(p, name, full), dtype, cols ? 2 : 1, shape, data);
}

static const char* description(const agon_probes* p) {
    if (p->set == AGON_PROBES_B)
        return "agents of stored runs against each other, equal numbers per run and phase";
    if (p->set == AGON_PROBES_X)
        return "best play with random deviations, solved positions, equal numbers per ply bucket";
    return p->complete ? "every information set with two legal actions or more"
                       : "uniformly random legal play, equal numbers per ply bucket";
}

static void add_metas(agon_blob* blob, const agon_probes* p) {
    const char* name = agon_probe_set_name(p->set);
    char key[TENSOR_NAME];
    agon_blob_add_meta(blob, name, "%s", description(p));
    if (p->set == AGON_PROBES_U)
        agon_blob_add_meta(blob, tensor_name(p, "complete", key), "%d", p->complete);
    if (p->set == AGON_PROBES_X) {
        agon_blob_add_meta(blob, tensor_name(p, "limit", key), "%" PRId64, p->limit);
        agon_blob_add_meta(blob, tensor_name(p, "unsolved", key), "%" PRId64, p->unsolved);
    }
}

static void add_set(agon_blob* blob, const agon_probes* p, const agon_rules* rules) {
    const int64_t states = p->states;
    add_metas(blob, p);
    add_tensor(blob, p, "weight", AGON_BLOB_F64, states, 0, p->weight);
    if (p->reach)
        add_tensor(blob, p, "reach", AGON_BLOB_F64, states, 0, p->reach);
    if (p->worth)
        add_tensor(blob, p, "worth", AGON_BLOB_F64, states, rules->spec.actions, p->worth);
    add_tensor(blob, p, "offset", AGON_BLOB_I32, states + 1, 0, p->offset);
    add_tensor(blob, p, "ply", AGON_BLOB_I32, states, 0, p->ply);
    if (p->source)
        add_tensor(blob, p, "source", AGON_BLOB_I32, states, 0, p->source);
    add_tensor(blob, p, "action", AGON_BLOB_U16, p->offset[states], p->seats, p->action);
    add_tensor(blob, p, "seat", AGON_BLOB_U8, states, 0, p->seat);
    if (p->origin)
        add_tensor(blob, p, "origin", AGON_BLOB_U8, p->runs, AGON_PROBE_ORIGIN, p->origin);
}

/* probes: the sets of a file, `count` of them, some absent. */
static int encode(const agon_probes* probes, int count, const agon_rules* rules, agon_bytes* out,
                  agon_error* error) {
    agon_blob* blob = (agon_blob*)malloc(sizeof *blob);
    if (!blob)
        return agon_fail(error, AGON_EMEMORY, "probe states of %s: out of memory", rules->name);
    agon_blob_begin(blob);
    agon_blob_add_meta(blob, "kind", "probes");
    agon_blob_add_meta(blob, "game", "%s", rules->name);
    agon_blob_add_meta(blob, "fingerprint", "%016" PRIx64, agon_rules_fingerprint(rules));
    for (int i = 0; i < count; i++) {
        if (probes[i].states > 0)
            add_set(blob, &probes[i], rules);
    }
    assert(blob->tensors > 0);
    const int code = agon_blob_encode(blob, out, error);
    free(blob);
    return code;
}

int agon_probes_encode(const agon_probes* probes, const agon_rules* rules, agon_bytes* out,
                       agon_error* error) {
    return encode(probes, 1, rules, out, error);
}

int agon_probe_sets_encode(const agon_probe_sets* sets, const agon_rules* rules, agon_bytes* out,
                           agon_error* error) {
    return encode(sets->set, AGON_PROBE_SETS, rules, out, error);
}

/* ---- in: metadata ------------------------------------------------------------------------- */

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

static int take_number(const agon_blob* blob, const agon_probes* p, const char* name, int64_t* out,
                       agon_error* error) {
    char key[TENSOR_NAME];
    char* end = NULL;
    const char* text = agon_blob_meta_find(blob, tensor_name(p, name, key));
    *out = text ? strtoll(text, &end, 10) : -1;
    if (text && end != text && !*end && *out >= 0)
        return 0;
    return agon_fail(error, AGON_EFORMAT, "probe set: %s is '%.100s', expected a number", key,
                     text ? text : "missing");
}

/* ---- in: tensors -------------------------------------------------------------------------- */

/* A copy (tensors in a file need not be aligned) of a tensor of `rows` rows, -1: any number, and
 * `cols` columns, 0: one dimension. Returns the rows, or -1 with the error set. */
static int64_t take_tensor(const agon_blob* blob, const agon_probes* p, const char* name,
                           agon_blob_dtype dtype, int64_t rows, int64_t cols, void** out,
                           agon_error* error) {
    char full[TENSOR_NAME];
    const agon_blob_tensor* t = agon_blob_tensor_find(blob, tensor_name(p, name, full));
    if (!t || t->dtype != dtype || t->dims != (cols ? 2 : 1) || (cols && t->shape[1] != cols) ||
        (rows >= 0 && t->shape[0] != rows) || t->shape[0] > INT32_MAX - 1) {
        agon_fail(error, AGON_EFORMAT,
                  "probe set: tensor %s is missing, or of another type or shape", full);
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

/* What only one of the sets has. */
static bool take_own_tensors(const agon_blob* blob, const agon_rules* rules, agon_probes* p,
                             agon_error* error) {
    char full[TENSOR_NAME];
    if (agon_blob_tensor_find(blob, tensor_name(p, "reach", full)) &&
        take_tensor(blob, p, "reach", AGON_BLOB_F64, p->states, 0, (void**)&p->reach, error) < 0)
        return false;
    if (p->set == AGON_PROBES_X)
        return take_tensor(blob, p, "worth", AGON_BLOB_F64, p->states, rules->spec.actions,
                           (void**)&p->worth, error) >= 0;
    if (p->set != AGON_PROBES_B)
        return true;
    const int64_t runs = take_tensor(blob, p, "origin", AGON_BLOB_U8, -1, AGON_PROBE_ORIGIN,
                                     (void**)&p->origin, error);
    p->runs = (int)runs;
    return runs >= 0 && take_tensor(blob, p, "source", AGON_BLOB_I32, p->states, 0,
                                    (void**)&p->source, error) >= 0;
}

static bool take_tensors(const agon_blob* blob, const agon_rules* rules, agon_probes* p,
                         agon_error* error) {
    const int64_t states =
        take_tensor(blob, p, "seat", AGON_BLOB_U8, -1, 0, (void**)&p->seat, error);
    if (states < 0)
        return false;
    p->states = (int)states;
    p->seats = rules->spec.seats;
    if (take_tensor(blob, p, "offset", AGON_BLOB_I32, states + 1, 0, (void**)&p->offset, error) < 0)
        return false;
    const int64_t rows = p->offset[states] >= 0 ? p->offset[states] : 0;
    return take_tensor(blob, p, "ply", AGON_BLOB_I32, states, 0, (void**)&p->ply, error) >= 0 &&
           take_tensor(blob, p, "weight", AGON_BLOB_F64, states, 0, (void**)&p->weight, error) >=
               0 &&
           take_tensor(blob, p, "action", AGON_BLOB_U16, rows, p->seats, (void**)&p->action,
                       error) >= 0 &&
           take_own_tensors(blob, rules, p, error);
}

/* ---- in: checks --------------------------------------------------------------------------- */

static int check_distribution(const agon_probes* p, const double* x, const char* name,
                              agon_error* error) {
    double sum = 0;
    for (int i = 0; i < p->states; i++) {
        if (!(x[i] >= 0 && x[i] <= 1))
            return agon_fail(error, AGON_EFORMAT,
                             "probe set: %s.%s of state %d is %g, expected 0..1",
                             agon_probe_set_name(p->set), name, i, x[i]);
        sum += x[i];
    }
    if (!(fabs(sum - 1.0) <= 1e-9))
        return agon_fail(error, AGON_EFORMAT,
                         "probe set: values of %s.%s add up to %.12g, expected 1",
                         agon_probe_set_name(p->set), name, sum);
    return 0;
}

/* Weights are distributions; how often uniform play comes to a state is known of complete sets. */
static int check_weights(const agon_probes* p, agon_error* error) {
    const int code = check_distribution(p, p->weight, "weight", error);
    if (code != 0)
        return code;
    if ((p->reach != NULL) != (p->complete != 0))
        return agon_fail(error, AGON_EFORMAT,
                         "probe set: %s.reach is %s, but %s.complete is %d; expected together",
                         agon_probe_set_name(p->set), p->reach ? "there" : "missing",
                         agon_probe_set_name(p->set), p->complete);
    return p->reach ? check_distribution(p, p->reach, "reach", error) : 0;
}

/* Offsets rise from 0 to the number of plies. */
static int check_offsets(const agon_probes* p, agon_error* error) {
    if (p->states == 0 || p->offset[0] != 0)
        return agon_fail(error, AGON_EFORMAT,
                         "probe set: %d states beginning at ply %d, expected some, from 0",
                         p->states, p->offset[0]);
    for (int i = 0; i < p->states; i++) {
        if (p->offset[i + 1] < p->offset[i])
            return agon_fail(error, AGON_EFORMAT, "probe set: %s.offset falls at state %d",
                             agon_probe_set_name(p->set), i);
    }
    return 0;
}

/* Runs are in order and named once; every state comes from one of them. */
static int check_sources(const agon_probes* p, agon_error* error) {
    for (int r = 1; r < p->runs; r++) {
        const uint8_t* name = p->origin + (size_t)r * AGON_PROBE_ORIGIN;
        if (memcmp(name - AGON_PROBE_ORIGIN, name, AGON_PROBE_ORIGIN) >= 0)
            return agon_fail(error, AGON_EFORMAT,
                             "probe set: B.origin of run %d does not follow that before", r);
    }
    for (int i = 0; p->source && i < p->states; i++) {
        if (p->source[i] < 0 || p->source[i] / AGON_PROBE_PHASES >= p->runs)
            return agon_fail(error, AGON_EFORMAT,
                             "probe set: B.source of state %d is %d, expected one of %d runs", i,
                             p->source[i], p->runs);
    }
    return 0;
}

/* What legal actions are worth lies within the game's returns; others are worth nothing. */
static int check_worth(agon__replay* r) {
    const agon_spec* spec = &r->rules->spec;
    const double* worth = r->probes->worth + (size_t)r->index * (size_t)spec->actions;
    const double slack =
        1e-5 * (1 + fabs((double)spec->return_max) + fabs((double)spec->return_min));
    const uint64_t* mask = agon__replay_legal(r, r->probes->seat[r->index]);
    for (int a = 0; a < spec->actions; a++) {
        if (agon_mask_has(mask, a) ? !(worth[a] >= (double)spec->return_min - slack &&
                                       worth[a] <= (double)spec->return_max + slack)
                                   : !isnan(worth[a]))
            return agon__replay_refuse(r, "X.worth of an action is no return of the game, or of "
                                          "an illegal one not NaN");
    }
    return 0;
}

static int check_lines(const agon_probes* p, const agon_rules* rules, agon_error* error) {
    agon__replay r = {.rules = rules, .probes = p, .error = error};
    int code = agon__replay_open(&r);
    for (; code == 0 && r.index < p->states; r.index++) {
        code = agon__replay_line(&r);
        if (code == 0 &&
            agon_mask_count(agon__replay_legal(&r, p->seat[r.index]), rules->mask_words) < 2)
            code = agon__replay_refuse(&r, "fewer than two legal actions");
        if (code == 0 && p->worth)
            code = check_worth(&r);
    }
    agon__replay_close(&r);
    return code;
}

/* ---- in: sets ----------------------------------------------------------------------------- */

static bool has_set(const agon_blob* blob, agon_probe_set set) {
    const char* name = agon_probe_set_name(set);
    for (int i = 0; i < blob->tensors; i++) {
        if (blob->tensor[i].name[0] == name[0] && blob->tensor[i].name[1] == '.')
            return true;
    }
    return false;
}

static int read_set(const agon_blob* blob, const agon_rules* rules, agon_probe_set set,
                    agon_probes* p, agon_error* error) {
    int code = 0;
    *p = (agon_probes){.set = set};
    const char* complete = agon_blob_meta_find(blob, "U.complete");
    p->complete = set == AGON_PROBES_U && complete && strcmp(complete, "1") == 0;
    if (!take_tensors(blob, rules, p, error))
        code = error ? error->code : AGON_EFORMAT;
    if (code == 0 && set == AGON_PROBES_X)
        code = take_number(blob, p, "limit", &p->limit, error);
    if (code == 0 && set == AGON_PROBES_X)
        code = take_number(blob, p, "unsolved", &p->unsolved, error);
    if (code == 0)
        code = check_offsets(p, error);
    if (code == 0)
        code = check_weights(p, error);
    if (code == 0)
        code = check_sources(p, error);
    if (code == 0)
        code = check_lines(p, rules, error);
    if (code != 0)
        agon_probes_close(p);
    return code;
}

/* Borrows from data. */
static int open_blob(const void* data, size_t size, const agon_rules* rules, agon_blob** out,
                     agon_error* error) {
    agon_blob* blob = (agon_blob*)malloc(sizeof *blob);
    if (!blob)
        return agon_fail(error, AGON_EMEMORY, "probe set: out of memory");
    int code = agon_blob_decode(data, size, "probe set", blob, error);
    if (code == 0)
        code = check_metas(blob, rules, error);
    if (code == 0)
        *out = blob;
    else
        free(blob);
    return code;
}

int agon_probes_decode(const void* data, size_t size, const agon_rules* rules, agon_probes* out,
                       agon_error* error) {
    agon_probes read = {0};
    agon_blob* blob = NULL;
    int code = open_blob(data, size, rules, &blob, error);
    if (code != 0)
        return code;
    if (has_set(blob, AGON_PROBES_B))
        code = read_set(blob, rules, AGON_PROBES_B, &read, error);
    else if (!has_set(blob, AGON_PROBES_U) && has_set(blob, AGON_PROBES_X))
        code = agon_fail(error, AGON_EMISSING,
                         "probe set: the file has set X alone, expected B or U beside it");
    else
        code = read_set(blob, rules, AGON_PROBES_U, &read, error);
    free(blob);
    if (code == 0)
        *out = read;
    return code;
}

int agon_probe_sets_decode(const void* data, size_t size, const agon_rules* rules,
                           agon_probe_sets* out, agon_error* error) {
    agon_probe_sets read = {0};
    agon_blob* blob = NULL;
    bool any = false;
    int code = open_blob(data, size, rules, &blob, error);
    for (int i = 0; code == 0 && i < AGON_PROBE_SETS; i++) {
        if (!has_set(blob, (agon_probe_set)i))
            continue;
        any = true;
        code = read_set(blob, rules, (agon_probe_set)i, &read.set[i], error);
    }
    if (code == 0 && !any)
        code = agon_fail(error, AGON_EFORMAT, "probe set: no set in it, expected U, B or X");
    free(blob);
    if (code == 0)
        *out = read;
    else
        agon_probe_sets_close(&read);
    return code;
}
