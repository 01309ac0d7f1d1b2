/* probes_ask.c: probe states as questions, and what is known of them besides answers. */
#include "engine/probes_questions.h"

#include <assert.h>
#include <math.h>

/* ---- questions ---------------------------------------------------------------------------- */

/* Chunk by chunk; lines are held to the rules before they are played again for memory. */
static int ask(const agon_probes* probes, const agon_rules* rules, const agon_policy* policy,
               int image, float temperature, float* probability, agon_error* error) {
    assert(probes->seats == rules->spec.seats);
    agon__questions q = {.rules = rules, .policy = policy, .image = image};
    agon__remember m = {0};
    agon__replay r = {.rules = rules, .probes = probes, .error = error};
    int code = agon__replay_open(&r);
    if (code == 0)
        code = agon__questions_open(&q, error);
    if (code == 0 && policy->memory)
        code = agon__remember_open(&m, &q, error);
    for (int first = 0; code == 0 && first < probes->states; first += AGON__QUESTIONS) {
        const int left = probes->states - first;
        const int count = left < AGON__QUESTIONS ? left : AGON__QUESTIONS;
        for (int i = 0; code == 0 && i < count; i++) {
            r.index = first + i;
            code = agon__replay_line(&r);
            if (code == 0)
                code = agon__questions_put(&q, &r, i, probes->ply[r.index]);
        }
        if (code == 0 && policy->memory)
            code = agon__remember_lines(&m, &r, first, count, q.memory);
        if (code == 0)
            agon__questions_ask(&q, count, temperature,
                                probability + (size_t)first * (size_t)rules->spec.actions);
        if (code == 0)
            code = agon_policy_check(policy, error);
    }
    agon__remember_close(&m);
    agon__questions_close(&q);
    agon__replay_close(&r);
    return code;
}

int agon_probes_ask(const agon_probes* probes, const agon_rules* rules, const agon_policy* policy,
                    float temperature, float* probability, agon_error* error) {
    return ask(probes, rules, policy, 0, temperature, probability, error);
}

int agon_probes_ask_image(const agon_probes* probes, const agon_rules* rules,
                          const agon_policy* policy, int image, float temperature,
                          float* probability, agon_error* error) {
    const size_t actions = (size_t)rules->spec.actions;
    const agon_game* game = rules->game;
    if (image < 0 || image >= rules->spec.symmetries ||
        (image > 0 && (!game->symmetry || !game->symmetry_action)))
        return agon_fail(error, AGON_EUNSUPPORTED, "%s has no symmetry %d, expected 0 to %d",
                         rules->name, image, rules->spec.symmetries - 1);
    int code = ask(probes, rules, policy, image, temperature, probability, error);
    float* row = code == 0 ? (float*)malloc(actions * sizeof *row) : NULL;
    if (code == 0 && !row)
        code = agon_fail(error, AGON_EMEMORY, "probe states of %s: out of memory", rules->name);
    for (int i = 0; row && image > 0 && i < probes->states; i++) {
        float* p = probability + (size_t)i * actions;
        memcpy(row, p, actions * sizeof *row);
        for (size_t a = 0; a < actions; a++)
            p[a] = row[game->symmetry_action(rules->config, image, (int)a)];
    }
    free(row);
    return code;
}

/* ---- facts -------------------------------------------------------------------------------- */

/* Whether the set falls, state by state in its order, into `count` buckets of rising plies that
 * weigh 1 / count each, states of one bucket alike. Fills stratum. */
static bool weights_make(const agon_probes* p, int count, int* stratum) {
    int at = 0, first = 0, last_ply = -1;
    for (int k = 0; k < count; k++) {
        double sum = 0;
        int low = 0, high = 0;
        for (first = at; at < p->states && sum < 1.0 / count - 1e-9; at++) {
            if (fabs(p->weight[at] - p->weight[first]) > 1e-12)
                return false;
            low = at == first || p->ply[at] < low ? p->ply[at] : low;
            high = at == first || p->ply[at] > high ? p->ply[at] : high;
            sum += p->weight[at];
            stratum[at] = k;
        }
        if (fabs(sum - 1.0 / count) > 1e-9 || low <= last_ply)
            return false;
        last_ply = high;
    }
    return at == p->states;
}

/* Buckets of equal width over the plies of the set; empty ones are left out. */
static int equal_widths(const agon_probes* p, int* stratum) {
    int low = p->ply[0], high = p->ply[0], count = 0, number[AGON_PROBE_BUCKETS];
    bool there[AGON_PROBE_BUCKETS] = {false};
    for (int i = 1; i < p->states; i++) {
        low = p->ply[i] < low ? p->ply[i] : low;
        high = p->ply[i] > high ? p->ply[i] : high;
    }
    const int span = high - low + 1;
    const int buckets = span < AGON_PROBE_BUCKETS ? span : AGON_PROBE_BUCKETS;
    for (int i = 0; i < p->states; i++) {
        stratum[i] = (int)((int64_t)(p->ply[i] - low) * buckets / span);
        there[stratum[i]] = true;
    }
    for (int k = 0; k < buckets; k++) {
        number[k] = count;
        count += there[k];
    }
    for (int i = 0; i < p->states; i++)
        stratum[i] = number[stratum[i]];
    return count;
}

static void label_strata(const agon_probes* p, const int* stratum, agon_probe_strata* out) {
    for (int k = 0; k < out->count; k++) {
        int low = INT32_MAX, high = -1;
        for (int i = 0; i < p->states; i++) {
            if (stratum[i] != k)
                continue;
            low = p->ply[i] < low ? p->ply[i] : low;
            high = p->ply[i] > high ? p->ply[i] : high;
        }
        if (low == high)
            snprintf(out->label[k], AGON_PROBE_LABEL, "ply %d", low);
        else
            snprintf(out->label[k], AGON_PROBE_LABEL, "plies %d-%d", low, high);
    }
}

/* stratum: out (states). */
static void find_strata(const agon_probes* p, int* stratum, agon_probe_strata* out) {
    memset(out, 0, sizeof *out);
    for (int count = AGON_PROBE_BUCKETS; count > 0 && out->count == 0; count--)
        out->count = weights_make(p, count, stratum) ? count : 0;
    if (out->count == 0)
        out->count = equal_widths(p, stratum);
    label_strata(p, stratum, out);
}

int agon_probes_facts(const agon_probes* probes, const agon_rules* rules, int* options,
                      uint8_t* legal, int* stratum, agon_probe_strata* strata, agon_error* error) {
    const size_t actions = (size_t)rules->spec.actions;
    agon__replay r = {.rules = rules, .probes = probes, .error = error};
    int* kinds = stratum ? stratum : (int*)malloc((size_t)probes->states * sizeof *kinds);
    int code = agon__replay_open(&r);
    if (code == 0 && !kinds)
        code = agon_fail(error, AGON_EMEMORY, "probe states of %s: out of memory", rules->name);
    for (; code == 0 && (options || legal) && r.index < probes->states; r.index++) {
        code = agon__replay_line(&r);
        if (code != 0)
            break;
        const uint64_t* mask = agon__replay_legal(&r, probes->seat[r.index]);
        if (options)
            options[r.index] = agon_mask_count(mask, rules->mask_words);
        for (size_t a = 0; legal && a < actions; a++)
            legal[(size_t)r.index * actions + a] = agon_mask_has(mask, (int)a);
    }
    if (code == 0)
        find_strata(probes, kinds, strata);
    agon__replay_close(&r);
    if (!stratum)
        free(kinds);
    return code;
}

int agon_probes_position(const agon_probes* probes, const agon_rules* rules, int state, void* out,
                         agon_error* error) {
    assert(state >= 0 && state < probes->states);
    agon__replay r = {.rules = rules, .probes = probes, .index = state, .error = error};
    int code = agon__replay_open(&r);
    if (code == 0)
        code = agon__replay_line(&r);
    if (code == 0)
        memcpy(out, r.state, rules->spec.state_size);
    agon__replay_close(&r);
    return code;
}
