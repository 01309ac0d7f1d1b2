/* playthrough GAME: one random episode as text to read and to keep in git.
 *
 * Facts, then every ply with its action's name; at the first plies, every tenth and the end also
 * the position as people see it, what may be played, and hashes of what each seat observes and
 * knows. A change of rules, names, texts or observations shows as a difference. */
#include "games/rules.h"

#include <inttypes.h>

enum { FIRST = 4, EVERY = 10, SHOWN = 24 };

typedef struct telling {
    const agon_rules* rules;
    void* state;
    void* obs;
    uint64_t* mask;
    uint16_t action[AGON_MAX_SEATS];
    float reward[AGON_MAX_SEATS];
} telling;

static void print_facts(const agon_rules* r) {
    static const char* const utility[] = {"zero-sum", "constant-sum", "general-sum"};
    const agon_spec* s = &r->spec;
    printf("game %s\n%s\nrules version %d\n\n", r->name, r->game->summary, r->game->rules_version);
    printf("seats %d%s%s\n", s->seats, s->simultaneous ? ", at once" : ", in turn",
           s->seats_symmetric ? ", symmetric" : "");
    printf("actions %d, chance outcomes %d, plies at most %d\n", s->actions, s->chance_outcomes,
           s->max_plies);
    printf("%s, returns %g to %g, %s information\n", utility[s->utility], (double)s->return_min,
           (double)s->return_max, s->information == AGON_PERFECT ? "perfect" : "imperfect");
    printf("observation %d x %d x %d %s:", s->planes, s->rows, s->cols,
           s->obs_type == AGON_U8 ? "u8" : "f32");
    for (int i = 0; i < s->planes; i++)
        printf(" %s", s->plane_names[i]);
    printf("\nstate %zu bytes, symmetries %d\n", s->state_size, s->symmetries);
}

static uint64_t hash(const void* bytes, size_t count) {
    uint64_t h = AGON_HASH_START;
    for (size_t i = 0; i < count; i++)
        h = (h ^ ((const uint8_t*)bytes)[i]) * 0x100000001b3ull;
    return h;
}

static void print_position(const telling* t) {
    static char text[32768];
    if (!t->rules->game->text)
        return;
    t->rules->game->text(t->rules->config, t->state, text, sizeof text);
    printf("%s", text);
}

static void print_knowledge(telling* t) {
    const agon_rules* r = t->rules;
    for (int seat = 0; seat < r->spec.seats; seat++) {
        uint64_t knows[AGON_INFOSTATE / 8];
        r->game->observe(r->config, t->state, seat, t->obs);
        printf("seat %d observes %016" PRIx64, seat, hash(t->obs, r->obs_bytes));
        if (r->game->infostate) {
            const int length = r->game->infostate(r->config, t->state, seat, knows);
            printf(", knows %016" PRIx64 " (%d bytes)", hash(knows, (size_t)length), length);
        }
        putchar('\n');
    }
}

static void print_legal(const telling* t, int seat) {
    const int count = agon_mask_count(t->mask, t->rules->mask_words);
    char name[AGON_ACTION_NAME];
    printf("seat %d may play %d:", seat, count);
    for (int k = 0; k < count && k < SHOWN; k++) {
        const int action = agon_mask_nth(t->mask, t->rules->mask_words, k);
        agon_action_text(t->rules, t->state, seat, action, name, sizeof name);
        printf(" %s", name);
    }
    printf(count > SHOWN ? " ...\n" : "\n");
}

static void choose(telling* t, int seat, agon_key key, uint32_t ply, bool full) {
    const agon_rules* r = t->rules;
    memset(t->mask, 0, (size_t)r->mask_words * sizeof *t->mask);
    r->game->legal(r->config, t->state, seat, t->mask);
    const uint32_t word = agon_random(key, 0, ply, (uint32_t)seat, 0).word[0];
    const int count = agon_mask_count(t->mask, r->mask_words);
    t->action[seat] =
        (uint16_t)agon_mask_nth(t->mask, r->mask_words, (int)agon_below(word, (uint32_t)count));
    if (full)
        print_legal(t, seat);
}

static void print_action(const telling* t, int seat, int action) {
    char name[AGON_ACTION_NAME];
    agon_action_text(t->rules, t->state, seat, action, name, sizeof name);
    if (seat < 0)
        printf("> chance: %s\n", name);
    else
        printf("> seat %d: %s (%d)\n", seat, name, action);
}

static void print_numbers(const char* what, const float* number, int seats) {
    printf("%s", what);
    for (int seat = 0; seat < seats; seat++)
        printf(" %g", (double)number[seat]);
    putchar('\n');
}

/* Chooses and tells one ply; `full`: with the position. */
static void tell(telling* t, uint64_t acting, agon_key key, uint32_t ply, uint32_t draw,
                 bool full) {
    if (full)
        print_position(t);
    if (acting == AGON_CHANCE) {
        t->action[0] = (uint16_t)agon_rules_chance(t->rules, t->state, key, 0, ply, draw);
        print_action(t, -1, t->action[0]);
        return;
    }
    if (full)
        print_knowledge(t);
    for (int seat = 0; seat < t->rules->spec.seats; seat++)
        if (acting >> seat & 1)
            choose(t, seat, key, ply, full);
    for (int seat = 0; seat < t->rules->spec.seats; seat++)
        if (acting >> seat & 1)
            print_action(t, seat, t->action[seat]);
}

static int play(telling* t) {
    const agon_rules* r = t->rules;
    const agon_key key = agon_key_make(1, "playthrough", AGON_FOR_TEST);
    uint32_t ply = 0, draw = 0;
    print_facts(r);
    r->game->init(r->config, t->state);
    for (uint64_t acting; (acting = r->game->acting(r->config, t->state)) != 0;) {
        const uint32_t number = ply + draw;
        float before[AGON_MAX_SEATS];
        const bool full = number < FIRST || number % EVERY == 0;
        printf(full ? "\n# %u\n" : "# %u\n", number);
        tell(t, acting, key, ply, draw, full);
        memcpy(before, t->reward, sizeof before);
        if (r->game->apply(r->config, t->state, t->action, t->reward) != 0)
            return 1;
        if (memcmp(before, t->reward, sizeof before) != 0)
            print_numbers("returns so far", t->reward, r->spec.seats);
        *(acting == AGON_CHANCE ? &draw : &ply) += 1;
    }
    printf("\n# the end, after %u plies and %u of chance\n", ply, draw);
    print_position(t);
    print_numbers("returns", t->reward, r->spec.seats);
    return 0;
}

int main(int argc, char** argv) {
    agon_error error = {0};
    agon_rules* rules = NULL;
    if (argc != 2) {
        fprintf(stderr, "usage: playthrough GAME\n");
        return 2;
    }
    if (agon_rules_open(argv[1], &rules, &error) != 0) {
        fprintf(stderr, "playthrough: %s\n", error.text);
        return 1;
    }
    telling t = {.rules = rules};
    t.state = calloc(1, rules->spec.state_size);
    t.obs = calloc(1, rules->obs_bytes);
    t.mask = calloc((size_t)rules->mask_words, sizeof *t.mask);
    const int code = t.state && t.obs && t.mask ? play(&t) : 1;
    free(t.state);
    free(t.obs);
    free(t.mask);
    agon_rules_close(rules);
    return code;
}
