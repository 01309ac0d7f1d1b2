#include "agents/scripted.h"

#include <assert.h>
#include <ctype.h>

float agon_batch_uniform(const agon_batch* batch, int slot) {
    const agon_draw draw =
        agon_random(batch->key, batch->episode[slot], batch->ply[slot], batch->seat[slot], 0);
    return agon_uniform(draw.word[0]);
}

void agon_policy_close(agon_policy* policy) {
    if (policy && policy->close)
        policy->close(policy);
    if (policy)
        memset(policy, 0, sizeof *policy);
}

/* ---- "name(param=value, ...)" ------------------------------------------------------------- */

static char* trim(char* text) {
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

static int call_malformed(const char* text, agon_error* error) {
    return agon_fail(error, AGON_EINVALID,
                     "policy '%.200s': expected name or name(param=value, param=value)", text);
}

/* One "param=value" of the list. */
static int call_add(agon__call* call, char* item, const char* text, agon_error* error) {
    agon_params* p = &call->params;
    char* equals = strchr(item, '=');
    if (!equals || p->count == AGON_MAX_PARAMS)
        return call_malformed(text, error);
    *equals = '\0';
    const char* name = trim(item);
    const char* value = trim(equals + 1);
    if (!*name || !*value)
        return call_malformed(text, error);
    for (int i = 0; i < p->count; i++) {
        if (strcmp(p->name[i], name) == 0)
            return agon_fail(error, AGON_EINVALID, "policy '%.200s': parameter %s is given twice",
                             text, name);
    }
    p->name[p->count] = name;
    p->value[p->count] = value;
    p->count++;
    return 0;
}

int agon__call_parse(const char* text, agon__call* out, agon_error* error) {
    memset(out, 0, sizeof *out);
    if (strlen(text) >= sizeof out->buffer)
        return agon_fail(error, AGON_EINVALID, "policy '%.40s...': longer than %zu characters",
                         text, sizeof out->buffer - 1);
    strcpy(out->buffer, text);
    char* name = trim(out->buffer);
    char* list = strchr(name, '(');
    if (list) {
        char* end = list + strlen(list) - 1;
        if (*end != ')' || end == list)
            return call_malformed(text, error);
        *end = '\0';
        *list++ = '\0';
        list = trim(list);
    }
    out->name = trim(name);
    while (list && *list) {
        char* comma = strchr(list, ',');
        if (comma) {
            *comma++ = '\0';
            if (!*trim(comma))
                return call_malformed(text, error);
        }
        if (call_add(out, list, text, error) != 0)
            return error ? error->code : AGON_EINVALID;
        list = comma;
    }
    return *out->name ? 0 : call_malformed(text, error);
}

int agon__call_check(const agon__call* call, agon_error* error) {
    const agon_params* p = &call->params;
    if (p->error[0])
        return agon_fail(error, AGON_EINVALID, "policy %s: %s", call->name, p->error);
    for (int i = 0; i < p->count; i++) {
        if (p->used & (1u << i))
            continue;
        const int code = agon_fail(error, AGON_EUNKNOWN, "policy %s has no parameter '%s'",
                                   call->name, p->name[i]);
        if (p->asked[0])
            agon_hint(error, "its parameters: %s", p->asked);
        else
            agon_hint(error, "it has no parameters");
        return code;
    }
    return 0;
}

/* ---- choices ------------------------------------------------------------------------------ */

int agon__mask_next(const uint64_t* mask, int words, int from) {
    int word = from >> 6;
    if (word >= words)
        return -1;
    uint64_t bits = mask[word] & (~0ull << (from & 63));
    while (!bits) {
        if (++word >= words)
            return -1;
        bits = mask[word];
    }
    return word * 64 + __builtin_ctzll(bits);
}

void agon__choose_evenly(const agon_batch* batch, int slot, const uint64_t* set) {
    const int words = batch->rules->mask_words, actions = batch->rules->spec.actions;
    const int count = agon_mask_count(set, words);
    assert(count > 0);
    if (batch->action) {
        /* Inverse of the cumulative distribution in action order; 24 bits * count is exact. */
        const int k = (int)((double)agon_batch_uniform(batch, slot) * count);
        batch->action[slot] = (uint16_t)agon_mask_nth(set, words, k);
    }
    if (batch->probability) {
        float* row = batch->probability + (size_t)slot * (size_t)actions;
        memset(row, 0, (size_t)actions * sizeof *row);
        for (int a = agon__mask_next(set, words, 0); a >= 0; a = agon__mask_next(set, words, a + 1))
            row[a] = 1.0f / (float)count;
    }
}

/* ---- walking down ------------------------------------------------------------------------- */

agon__walk* agon__walk_open(const agon_rules* rules, int levels) {
    const size_t depth = (size_t)levels + 1, seats = (size_t)rules->spec.seats;
    const size_t states = depth * rules->spec.state_size;
    const size_t masks = depth * (size_t)rules->mask_words * sizeof(uint64_t);
    char* block = (char*)calloc(1, sizeof(agon__walk) + states + masks +
                                       seats * (sizeof(float) + sizeof(uint16_t)));
    if (!block)
        return NULL;
    agon__walk* walk = (agon__walk*)(void*)block;
    walk->rules = rules;
    walk->states = block + sizeof *walk;
    walk->masks = (uint64_t*)(void*)(walk->states + states);
    walk->reward = (float*)(void*)(walk->states + states + masks);
    walk->action = (uint16_t*)(void*)(walk->reward + seats);
    return walk;
}

void agon__walk_close(agon__walk* walk) {
    free(walk);
}

void agon__walk_begin(agon__walk* walk, const agon_batch* batch, int slot) {
    const size_t size = walk->rules->spec.state_size;
    assert(batch->states && batch->lane);
    memcpy(walk->states, (const char*)batch->states + batch->lane[slot] * size, size);
}

uint64_t* agon__walk_legal(agon__walk* walk, int level, int seat) {
    const agon_rules* rules = walk->rules;
    uint64_t* mask = agon__walk_mask(walk, level);
    memset(mask, 0, (size_t)rules->mask_words * sizeof *mask);
    rules->game->legal(rules->config, agon__walk_state(walk, level), seat, mask);
    return mask;
}

uint64_t agon__walk_play(agon__walk* walk, int level, int seat, int action) {
    memcpy(agon__walk_state(walk, level + 1), agon__walk_state(walk, level),
           walk->rules->spec.state_size);
    return agon__walk_advance(walk, level + 1, seat, action);
}

uint64_t agon__walk_advance(agon__walk* walk, int level, int seat, int action) {
    const agon_rules* rules = walk->rules;
    void* state = agon__walk_state(walk, level);
    memset(walk->reward, 0, (size_t)rules->spec.seats * sizeof *walk->reward);
    walk->action[seat] = (uint16_t)action;
    const int rc = rules->game->apply(rules->config, state, walk->action, walk->reward);
    assert(rc == 0 && "a legal action was refused");
    (void)rc;
    return rules->game->acting(rules->config, state);
}
