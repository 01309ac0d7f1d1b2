/* probes_questions.c: positions of probe states, as they are or mirrored, put to a policy. */
#include "engine/probes_questions.h"

int agon__questions_open(agon__questions* q, agon_error* error) {
    const agon_rules* rules = q->rules;
    const size_t memory = (size_t)q->policy->memory;
    q->obs = (char*)malloc(AGON__QUESTIONS * rules->obs_bytes);
    q->mask = (uint64_t*)malloc(AGON__QUESTIONS * (size_t)rules->mask_words * sizeof *q->mask);
    q->states = (char*)malloc(AGON__QUESTIONS * rules->spec.state_size);
    if (memory)
        q->memory = (float*)malloc(AGON__QUESTIONS * memory * sizeof *q->memory);
    if (!q->obs || !q->mask || !q->states || (memory && !q->memory))
        return agon_fail(error, AGON_EMEMORY, "probe states of %s: out of memory", rules->name);
    return 0;
}

void agon__questions_close(agon__questions* q) {
    free(q->obs);
    free(q->mask);
    free(q->states);
    free(q->memory);
}

static int refuse_image(const agon__replay* r, int image) {
    return agon_fail(r->error, AGON_EUNSUPPORTED,
                     "%s: symmetry %d does not keep the seat that acts, or the legal actions, at "
                     "state %d of set %s; run agon check",
                     r->rules->name, image, r->index, agon_probe_set_name(r->probes->set));
}

/* Turns the position over. r->mask holds what is legal before. */
static int apply_image(agon__replay* r, int image, int seat, char* state, uint64_t* mask) {
    const agon_rules* rules = r->rules;
    const size_t words = (size_t)rules->mask_words;
    rules->game->symmetry(rules->config, image, r->state, state);
    if (rules->game->acting(rules->config, state) != rules->game->acting(rules->config, r->state))
        return refuse_image(r, image);
    memset(mask, 0, words * sizeof *mask);
    rules->game->legal(rules->config, state, seat, mask);
    for (int a = 0; a < rules->spec.actions; a++) {
        const int to = rules->game->symmetry_action(rules->config, image, a);
        if (to < 0 || to >= rules->spec.actions ||
            agon_mask_has(r->mask, a) != agon_mask_has(mask, to))
            return refuse_image(r, image);
    }
    return 0;
}

int agon__questions_put(agon__questions* q, agon__replay* r, int i, int ply) {
    const agon_rules* rules = r->rules;
    const int seat = r->probes->seat[r->index];
    const size_t words = (size_t)rules->mask_words;
    char* state = q->states + (size_t)i * rules->spec.state_size;
    uint64_t* mask = q->mask + (size_t)i * words;
    int code = 0;
    memcpy(state, r->state, rules->spec.state_size);
    memcpy(mask, agon__replay_legal(r, seat), words * sizeof *mask);
    if (q->image > 0)
        code = apply_image(r, q->image, seat, state, mask);
    if (code != 0)
        return code;
    memset(q->obs + (size_t)i * rules->obs_bytes, 0, rules->obs_bytes);
    rules->game->observe(rules->config, state, seat, q->obs + (size_t)i * rules->obs_bytes);
    q->lane[i] = (uint32_t)i;
    q->episode[i] = (uint32_t)r->index;
    q->ply[i] = (uint32_t)ply;
    q->seat[i] = (uint8_t)seat;
    return 0;
}

void agon__questions_ask(const agon__questions* q, int count, float temperature,
                         float* probability) {
    const agon_batch batch = {
        .rules = q->rules,
        .count = count,
        .obs = q->obs,
        .mask = q->mask,
        .states = q->states,
        .lane = q->lane,
        .seat = q->seat,
        .key = agon_key_make(0, "probes/ask", AGON_FOR_ACTION),
        .episode = q->episode,
        .ply = q->ply,
        .memory = q->memory,
        .temperature = temperature,
        .probability = probability,
    };
    q->policy->act(q->policy, &batch);
}
