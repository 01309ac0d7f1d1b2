/* scripted.c: the table of scripted policies, and the two simplest.
 *
 * one_ply, exactly. A move wins when the episode is over after it and the mover's reward for that
 * ply exceeds the mean of the other seats'; it loses when the episode is over and the reward is
 * below that mean. A move is safe when it does not lose and, if another seat acts next, that seat
 * has no winning move. Where chance moves next, what it may bring is not looked at: neither a win
 * nor a loss. The policy chooses evenly among the winning moves; without any, among the safe moves;
 * without any, among all legal moves. */
#include "agents/scripted.h"

/* ---- random ------------------------------------------------------------------------------- */

static void random_act(const agon_policy* policy, const agon_batch* batch) {
    const size_t words = (size_t)batch->rules->mask_words;
    (void)policy;
    for (int i = 0; i < batch->count; i++)
        agon__choose_evenly(batch, i, batch->mask + (size_t)i * words);
}

static int random_open(agon__call* call, const agon_rules* rules, agon_policy* out,
                       agon_error* error) {
    (void)rules;
    const int code = agon__call_check(call, error);
    if (code != 0)
        return code;
    *out = (agon_policy){.name = "random", .uniform = true, .act = random_act};
    return 0;
}

/* ---- one_ply ------------------------------------------------------------------------------ */

/* Reward of `seat` for the last ply above the mean of the others. */
static double walk_lead(const agon__walk* walk, int seat) {
    const int seats = walk->rules->spec.seats;
    double others = 0;
    for (int s = 0; s < seats; s++)
        others += s == seat ? 0.0 : (double)walk->reward[s];
    return (double)walk->reward[seat] - (seats > 1 ? others / (seats - 1) : 0.0);
}

/* Whether `seat`, to act at `level`, has a winning move there. */
static bool can_win(agon__walk* walk, int level, int seat) {
    const int words = walk->rules->mask_words;
    const uint64_t* mask = agon__walk_legal(walk, level, seat);
    for (int a = agon__mask_next(mask, words, 0); a >= 0; a = agon__mask_next(mask, words, a + 1)) {
        if (agon__walk_play(walk, level, seat, a) == 0 && walk_lead(walk, seat) > 0)
            return true;
    }
    return false;
}

typedef enum verdict { LOSES, SAFE, WINS } verdict;

static verdict judge(agon__walk* walk, int seat, int action) {
    const uint64_t acting = agon__walk_play(walk, 0, seat, action);
    if (!acting) {
        const double lead = walk_lead(walk, seat);
        return lead > 0 ? WINS : lead < 0 ? LOSES : SAFE;
    }
    if (acting & AGON_CHANCE)
        return SAFE;
    const int next = __builtin_ctzll(acting);
    return next != seat && can_win(walk, 1, next) ? LOSES : SAFE;
}

/* Leaves in the mask of level 0 the actions to choose from. */
static const uint64_t* one_ply_set(agon__walk* walk, int seat) {
    const int words = walk->rules->mask_words;
    uint64_t* legal = agon__walk_legal(walk, 0, seat);
    uint64_t* best = agon__walk_mask(walk, 2);
    verdict reached = LOSES;
    memcpy(best, legal, (size_t)words * sizeof *best);
    for (int a = agon__mask_next(legal, words, 0); a >= 0;
         a = agon__mask_next(legal, words, a + 1)) {
        const verdict v = judge(walk, seat, a);
        if (v < reached || v == LOSES)
            continue;
        if (v > reached)
            memset(best, 0, (size_t)words * sizeof *best);
        reached = v;
        best[a >> 6] |= 1ull << (a & 63);
    }
    return best;
}

static void one_ply_act(const agon_policy* policy, const agon_batch* batch) {
    agon__walk* walk = (agon__walk*)policy->self;
    for (int i = 0; i < batch->count; i++) {
        agon__walk_begin(walk, batch, i);
        agon__choose_evenly(batch, i, one_ply_set(walk, batch->seat[i]));
    }
}

static void one_ply_close(agon_policy* policy) {
    agon__walk_close((agon__walk*)policy->self);
}

static int one_ply_open(agon__call* call, const agon_rules* rules, agon_policy* out,
                        agon_error* error) {
    const agon_spec* spec = &rules->spec;
    const int code = agon__call_check(call, error);
    if (code != 0)
        return code;
    const char* missing = spec->information != AGON_PERFECT ? "perfect information"
                          : spec->simultaneous              ? "one seat acting at a time"
                                                            : NULL;
    if (missing)
        return agon_fail(error, AGON_EUNSUPPORTED, "one_ply needs %s, which %s does not have",
                         missing, rules->name);
    agon__walk* walk = agon__walk_open(rules, 2);
    if (!walk)
        return agon_fail(error, AGON_EMEMORY, "one_ply: out of memory");
    *out = (agon_policy){.name = "one_ply",
                         .needs_state = true,
                         .self = walk,
                         .act = one_ply_act,
                         .close = one_ply_close};
    return 0;
}

/* ---- the table ---------------------------------------------------------------------------- */

typedef struct scripted {
    const char* name;
    const char* description;
    int (*open)(agon__call* call, const agon_rules* rules, agon_policy* out, agon_error* error);
} scripted;

static const scripted table[] = {
    {"random", "any game: uniform over legal actions", random_open},
    {"one_ply",
     "perfect information: wins at once, else avoids giving the next seat a win, else random",
     one_ply_open},
    {"alpha_beta",
     "two seats, perfect information, no chance, zero or constant sum: negamax; depth (1..20, "
     "default 4)",
     agon__alpha_beta_open},
    {"mcts",
     "two seats, perfect information, no chance, zero or constant sum: UCT; playouts (1..1000000, "
     "default 100), c (0..1000, default 1.4)",
     agon__mcts_open},
};
enum { TABLE = sizeof table / sizeof table[0] };

static int unknown_policy(const char* name, agon_error* error) {
    const char* names[TABLE];
    char known[128] = "";
    for (int i = 0; i < TABLE; i++) {
        names[i] = table[i].name;
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    }
    const char* near = agon_nearest(name, names, TABLE);
    const int code = agon_fail(error, AGON_EUNKNOWN, "no scripted policy is called '%s'", name);
    if (near)
        agon_hint(error, "did you mean %s? Known: %s", near, known);
    else
        agon_hint(error, "known: %s", known);
    return code;
}

static agon_policy_opener* outside;

void agon_policy_set_outside(agon_policy_opener* open) {
    outside = open;
}

static int open_outside(const char* text, const agon_rules* rules, agon_policy* out,
                        agon_error* error) {
    if (outside)
        return outside(text, rules, out, error);
    return agon_fail(error, AGON_EUNSUPPORTED, "'%.60s': no programs play here", text);
}

int agon_scripted_open(const char* text, const agon_rules* rules, agon_policy* out,
                       agon_error* error) {
    agon__call call;
    if (strncmp(text, AGON_OUTSIDE, strlen(AGON_OUTSIDE)) == 0)
        return open_outside(text, rules, out, error);
    const int code = agon__call_parse(text, &call, error);
    if (code != 0)
        return code;
    for (int i = 0; i < TABLE; i++) {
        if (strcmp(table[i].name, call.name) == 0)
            return table[i].open(&call, rules, out, error);
    }
    return unknown_policy(call.name, error);
}

bool agon_scripted_at(int index, const char** name, const char** description) {
    if (index < 0 || index >= TABLE)
        return false;
    *name = table[index].name;
    *description = table[index].description;
    return true;
}
