/* probes_replay.c: every step of a line held to the rules. */
#include "engine/probes_replay.h"

int agon__replay_open(agon__replay* r) {
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

void agon__replay_close(agon__replay* r) {
    free(r->state);
    free(r->mask);
    free(r->chance);
    free(r->reward);
}

int agon__replay_refuse(const agon__replay* r, const char* what) {
    return agon_fail(r->error, AGON_EFORMAT, "probe state %d of set %s, %s: %s", r->index,
                     agon_probe_set_name(r->probes->set), r->rules->name, what);
}

const uint64_t* agon__replay_legal(agon__replay* r, int seat) {
    memset(r->mask, 0, (size_t)r->rules->mask_words * sizeof *r->mask);
    r->rules->game->legal(r->rules->config, r->state, seat, r->mask);
    return r->mask;
}

/* Whether the acting seats may choose so; the other columns must be 0, so that equal lines are
 * equal bytes. */
static bool row_allowed(agon__replay* r, uint64_t acting, const uint16_t* action) {
    const agon_rules* rules = r->rules;
    for (int s = 0; s < rules->spec.seats; s++) {
        if (acting == AGON_CHANCE && s == 0) {
            if (action[0] >= rules->game->chance(rules->config, r->state, r->chance))
                return false;
        } else if (acting == AGON_CHANCE || !(acting >> s & 1)) {
            if (action[s] != 0)
                return false;
        } else if (action[s] >= rules->spec.actions ||
                   !agon_mask_has(agon__replay_legal(r, s), action[s])) {
            return false;
        }
    }
    return true;
}

int agon__replay_row(agon__replay* r, uint64_t acting, int32_t row) {
    const agon_rules* rules = r->rules;
    const uint16_t* action = r->probes->action + (size_t)row * (size_t)r->probes->seats;
    if (acting == 0)
        return agon__replay_refuse(r, "its line goes on after the end of the episode");
    if (!row_allowed(r, acting, action) ||
        rules->game->apply(rules->config, r->state, action, r->reward) != 0)
        return agon__replay_refuse(r, "its line holds a move that the rules do not allow");
    return 0;
}

int agon__replay_line(agon__replay* r) {
    const agon_rules* rules = r->rules;
    const agon_probes* p = r->probes;
    int ply = 0;
    rules->game->init(rules->config, r->state);
    for (int32_t k = p->offset[r->index]; k < p->offset[r->index + 1]; k++) {
        const uint64_t acting = rules->game->acting(rules->config, r->state);
        const int code = agon__replay_row(r, acting, k);
        if (code != 0)
            return code;
        ply += acting != AGON_CHANCE;
    }
    const uint64_t acting = rules->game->acting(rules->config, r->state);
    if (acting == AGON_CHANCE || p->seat[r->index] >= rules->spec.seats ||
        !(acting >> p->seat[r->index] & 1))
        return agon__replay_refuse(r, "the seat that is asked does not act after the line");
    if (ply != p->ply[r->index])
        return agon__replay_refuse(r, "its number of plies is not that of its line");
    return 0;
}
