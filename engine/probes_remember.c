/* probes_remember.c: what seats remember at probe states: their own decisions made once more.
 *
 * Lines go side by side: one step takes each line to the next decision of its seat, and all of them
 * are one question to the policy. */
#include "engine/probes_questions.h"

int agon__remember_open(agon__remember* m, const agon__questions* q, agon_error* error) {
    m->asked = (agon__questions){.rules = q->rules, .policy = q->policy, .image = q->image};
    m->states = (char*)malloc(AGON__QUESTIONS * q->rules->spec.state_size);
    if (!m->states)
        return agon_fail(error, AGON_EMEMORY, "probe states of %s: out of memory", q->rules->name);
    return agon__questions_open(&m->asked, error);
}

void agon__remember_close(agon__remember* m) {
    agon__questions_close(&m->asked);
    free(m->states);
}

/* Plays on in r->state, to a decision of the asked seat before the line's end. 1: there is one, 0:
 * there is none, negative: a code. */
static int find_decision(agon__replay* r, int32_t* row, int* ply) {
    const agon_rules* rules = r->rules;
    const int seat = r->probes->seat[r->index];
    while (*row < r->probes->offset[r->index + 1]) {
        const uint64_t acting = rules->game->acting(rules->config, r->state);
        if (acting != AGON_CHANCE && (acting >> seat & 1))
            return 1;
        const int code = agon__replay_row(r, acting, (*row)++);
        if (code != 0)
            return code;
        *ply += acting != AGON_CHANCE;
    }
    return 0;
}

/* Takes line i to its seat's next decision, which becomes a question if there is one, and past it.
 */
static int step_line(agon__remember* m, agon__replay* r, int i, int* questions) {
    const agon_rules* rules = r->rules;
    char* state = m->states + (size_t)i * rules->spec.state_size;
    memcpy(r->state, state, rules->spec.state_size);
    const int found = find_decision(r, &m->row[i], &m->ply[i]);
    if (found <= 0)
        return found;
    int code = agon__questions_put(&m->asked, r, *questions, m->ply[i]);
    m->line[(*questions)++] = i;
    if (code == 0)
        code = agon__replay_row(r, rules->game->acting(rules->config, r->state), m->row[i]++);
    m->ply[i]++;
    memcpy(state, r->state, rules->spec.state_size);
    return code;
}

static void ask_step(const agon__remember* m, int questions, float* memory) {
    const size_t floats = (size_t)m->asked.policy->memory;
    for (int k = 0; k < questions; k++)
        memcpy(m->asked.memory + (size_t)k * floats, memory + (size_t)m->line[k] * floats,
               floats * sizeof *memory);
    agon__questions_ask(&m->asked, questions, 1, NULL);
    for (int k = 0; k < questions; k++)
        memcpy(memory + (size_t)m->line[k] * floats, m->asked.memory + (size_t)k * floats,
               floats * sizeof *memory);
}

int agon__remember_lines(agon__remember* m, agon__replay* r, int first, int count, float* memory) {
    const agon_rules* rules = r->rules;
    const size_t floats = (size_t)m->asked.policy->memory;
    int code = 0, questions = 0;
    memset(memory, 0, (size_t)count * floats * sizeof *memory);
    for (int i = 0; i < count; i++) {
        rules->game->init(rules->config, m->states + (size_t)i * rules->spec.state_size);
        m->row[i] = r->probes->offset[first + i];
        m->ply[i] = 0;
    }
    do {
        questions = 0;
        for (int i = 0; code == 0 && i < count; i++) {
            r->index = first + i;
            code = step_line(m, r, i, &questions);
        }
        if (code == 0 && questions)
            ask_step(m, questions, memory);
    } while (code == 0 && questions);
    return code;
}
