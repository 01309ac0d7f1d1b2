/* agon play: a game at the keyboard, against an agent or watching one. */
#include "games/rules.h"
#include "tools/agent.h"
#include "tools/command.h"
#include "tools/game_word.h"
#include "tools/ui.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 32768, LISTED = 40 };

typedef struct match {
    agon_rules* rules;
    agon_agents agents;
    int person; /* seat at the keyboard; -1: nobody */
    agon_key chance, action;
    uint32_t episode, ply;
    void* state;
    char* obs;
    uint64_t* mask;
    int most;      /* floats that the agent which keeps most of them remembers */
    float* memory; /* (seats, most) what the agents of the seats remember of this game */
    float reward[AGON_MAX_SEATS], total[AGON_MAX_SEATS];
    uint16_t chosen[AGON_MAX_SEATS];
    agon_error error;
} match;

/* ---- showing ------------------------------------------------------------------------------ */

static double entry_at(const match* m, int i) {
    const agon_spec* s = &m->rules->spec;
    return s->obs_type == AGON_U8 ? (double)((const uint8_t*)m->obs)[i]
                                  : (double)((const float*)m->obs)[i];
}

/* What a seat sees where the position must not be shown: plane by plane. */
static void print_observation(const match* m) {
    const agon_spec* s = &m->rules->spec;
    const int size = s->rows * s->cols;
    m->rules->game->observe(m->rules->config, m->state, m->person, m->obs);
    for (int plane = 0; plane < s->planes; plane++) {
        printf("%s%s%s", agon_ui_colour(stdout, AGON_DIM), s->plane_names[plane],
               agon_ui_colour(stdout, AGON_PLAIN));
        for (int i = 0; i < size; i++) {
            const double value = entry_at(m, plane * size + i);
            if (s->rows > 1 && i % s->cols == 0)
                printf("\n  ");
            if (value == 0)
                printf(" .");
            else
                printf(" %g", value);
        }
        putchar('\n');
    }
}

/* Games that can resample have something hidden: only what the seat sees may be shown then. */
static void show_position(const match* m) {
    const agon_game* game = m->rules->game;
    char text[TEXT] = "";
    if (m->person >= 0 && (game->resample || !game->text)) {
        print_observation(m);
        return;
    }
    if (!game->text)
        return;
    game->text(m->rules->config, m->state, text, sizeof text);
    const size_t length = strlen(text);
    printf("%s%s", text, length && text[length - 1] == '\n' ? "" : "\n");
}

static void print_choices(const match* m, int seat) {
    const int count = agon_mask_count(m->mask, m->rules->mask_words);
    char name[AGON_ACTION_NAME];
    printf("%sseat %d may play:%s", agon_ui_colour(stdout, AGON_DIM), seat,
           agon_ui_colour(stdout, AGON_PLAIN));
    for (int k = 0; k < count && k < LISTED; k++) {
        agon_action_text(m->rules, m->state, seat, agon_mask_nth(m->mask, m->rules->mask_words, k),
                         name, sizeof name);
        printf(" %s", name);
    }
    printf(count > LISTED ? " ... (%d in all; ? lists them)\n" : "\n", count);
}

static void print_all_choices(const match* m, int seat) {
    char name[AGON_ACTION_NAME];
    for (int k = 0; k < agon_mask_count(m->mask, m->rules->mask_words); k++) {
        agon_action_text(m->rules, m->state, seat, agon_mask_nth(m->mask, m->rules->mask_words, k),
                         name, sizeof name);
        printf("%s%s", k % 10 ? " " : k ? "\n  " : "  ", name);
    }
    putchar('\n');
}

/* ---- choosing ----------------------------------------------------------------------------- */

static void read_mask(match* m, int seat) {
    memset(m->mask, 0, (size_t)m->rules->mask_words * sizeof *m->mask);
    m->rules->game->legal(m->rules->config, m->state, seat, m->mask);
}

/* A line from the keyboard without blanks around it; false at its end. */
static bool read_word(char* out, size_t size) {
    if (!fgets(out, (int)size, stdin))
        return false;
    size_t length = strlen(out);
    while (length && isspace((unsigned char)out[length - 1]))
        out[--length] = '\0';
    const size_t blanks = strspn(out, " \t");
    memmove(out, out + blanks, length - blanks + 1);
    return true;
}

/* False: the person has left. */
static bool ask_person(match* m, int seat) {
    char word[256];
    print_choices(m, seat);
    for (;;) {
        printf("> ");
        fflush(stdout);
        if (!read_word(word, sizeof word) || strcmp(word, "quit") == 0)
            return false;
        if (!word[0])
            continue;
        if (strcmp(word, "?") == 0) {
            print_all_choices(m, seat);
            continue;
        }
        const int action = agon_action_find(m->rules, m->state, seat, word);
        if (action >= 0) {
            m->chosen[seat] = (uint16_t)action;
            return true;
        }
        printf("'%s' is no legal action here; ? lists them, quit leaves\n", word);
    }
}

static int ask_agent(match* m, int seat) {
    const int others = m->agents.count;
    const int number = m->person < 0 ? seat : seat < m->person ? seat : seat - 1;
    const agon_policy* policy = &m->agents.agent[number % others].policy;
    const uint32_t lane = 0;
    const uint8_t by = (uint8_t)seat;
    m->rules->game->observe(m->rules->config, m->state, seat, m->obs);
    const agon_batch batch = {
        .rules = m->rules,
        .count = 1,
        .obs = m->obs,
        .mask = m->mask,
        .states = m->state,
        .lane = &lane,
        .seat = &by,
        .key = m->action,
        .episode = &m->episode,
        .ply = &m->ply,
        .memory = policy->memory ? m->memory + (size_t)seat * (size_t)m->most : NULL,
        .temperature = 1,
        .action = &m->chosen[seat],
    };
    policy->act(policy, &batch);
    return agon_policy_check(policy, &m->error);
}

/* ---- playing ------------------------------------------------------------------------------ */

static void print_ply(const match* m, uint64_t acting, const void* before) {
    char name[AGON_ACTION_NAME];
    const bool together = (acting & (acting - 1)) != 0;
    const bool hidden = m->person >= 0 && m->rules->game->resample && !together;
    for (int seat = 0; seat < m->rules->spec.seats; seat++) {
        if (!(acting >> seat & 1) || seat == m->person)
            continue;
        agon_action_text(m->rules, before, seat, m->chosen[seat], name, sizeof name);
        printf(hidden ? "seat %d has played\n" : "seat %d plays %s\n", seat, name);
    }
}

/* One ply of all acting seats. Returns 1 when the person left, or a negative code. */
static int play_ply(match* m, uint64_t acting, void* before) {
    const agon_rules* r = m->rules;
    if (m->person < 0 || acting >> m->person & 1)
        show_position(m);
    for (int seat = 0; seat < r->spec.seats; seat++) {
        if (!(acting >> seat & 1))
            continue;
        read_mask(m, seat);
        const int rc = seat != m->person ? ask_agent(m, seat) : !ask_person(m, seat);
        if (rc)
            return rc;
    }
    memcpy(before, m->state, r->spec.state_size);
    if (r->game->apply(r->config, m->state, m->chosen, m->reward) != 0)
        return agon_fail(&m->error, AGON_EINVALID, "%s refuses an action that it calls legal",
                         r->name);
    print_ply(m, acting, before);
    m->ply++;
    return AGON_OK;
}

static void credit(match* m) {
    for (int seat = 0; seat < m->rules->spec.seats; seat++) {
        m->total[seat] += m->reward[seat];
        m->reward[seat] = 0;
    }
}

static void print_end(const match* m) {
    const agon_game* game = m->rules->game;
    char text[TEXT] = "";
    if (game->text) {
        game->text(m->rules->config, m->state, text, sizeof text);
        printf("%s%s", text, text[0] && text[strlen(text) - 1] == '\n' ? "" : "\n");
    }
    printf("%sover after %u plies; returns:", agon_ui_colour(stdout, AGON_BOLD), m->ply);
    for (int seat = 0; seat < m->rules->spec.seats; seat++)
        printf(" %g%s", (double)m->total[seat], seat == m->person ? " (you)" : "");
    printf("%s\n", agon_ui_colour(stdout, AGON_PLAIN));
}

/* Plays chance nodes as agon_rules_settle does, and tells the outcomes that may be seen: all of
 * them to who only watches, or where nothing is hidden. */
static uint64_t settle(match* m) {
    const agon_rules* r = m->rules;
    const bool open = m->person < 0 || !r->game->resample;
    uint64_t acting = r->game->acting(r->config, m->state);
    for (uint32_t draw = 0; acting == AGON_CHANCE; draw++) {
        char name[AGON_ACTION_NAME];
        const uint16_t outcome[AGON_MAX_SEATS] = {
            (uint16_t)agon_rules_chance(r, m->state, m->chance, m->episode, m->ply, draw)};
        agon_action_text(r, m->state, -1, outcome[0], name, sizeof name);
        if (open)
            printf("%schance: %s%s\n", agon_ui_colour(stdout, AGON_DIM), name,
                   agon_ui_colour(stdout, AGON_PLAIN));
        r->game->apply(r->config, m->state, outcome, m->reward);
        acting = r->game->acting(r->config, m->state);
    }
    return acting;
}

static int play(match* m) {
    const agon_rules* r = m->rules;
    void* before = malloc(r->spec.state_size);
    if (!before)
        return agon_fail(&m->error, AGON_EMEMORY, "out of memory");
    memset(m->reward, 0, sizeof m->reward);
    r->game->init(r->config, m->state);
    uint64_t acting = settle(m);
    int rc = AGON_OK;
    for (credit(m); acting && rc == AGON_OK; credit(m)) {
        rc = play_ply(m, acting, before);
        if (rc == AGON_OK)
            acting = settle(m);
    }
    free(before);
    if (rc == 1)
        puts("\nleft before the end");
    else if (rc == AGON_OK)
        print_end(m);
    return rc < 0 ? rc : AGON_OK;
}

/* ---- the command -------------------------------------------------------------------------- */

static int read_seat(match* m, const char* text) {
    char* end = NULL;
    const long seat = text ? strtol(text, &end, 10) : 0;
    if (text && (end == text || *end || seat < 0 || seat >= m->rules->spec.seats))
        return agon_fail(&m->error, AGON_EUSAGE, "seat is '%s', expected 0 to %d in %s", text,
                         m->rules->spec.seats - 1, m->rules->name);
    m->person = (int)seat;
    return AGON_OK;
}

/* Agents separated by spaces, in the order of the seats they take. */
static int add_agents(match* m, const char* text) {
    char list[1024];
    char* rest = NULL;
    int rc = AGON_OK;
    if (strlen(text) >= sizeof list)
        return agon_fail(&m->error, AGON_EUSAGE, "expected at most %zu characters of agents",
                         sizeof list - 1);
    snprintf(list, sizeof list, "%s", text);
    for (char* word = strtok_r(list, " ", &rest); word && !rc; word = strtok_r(NULL, " ", &rest))
        rc = agon_agents_add(&m->agents, word, m->rules, &m->error);
    return !rc && !m->agents.count ? agon_fail(&m->error, AGON_EUSAGE, "no agent is named") : rc;
}

/* Nobody remembers anything yet. */
static int open_memory(match* m) {
    for (int i = 0; i < m->agents.count; i++) {
        const int memory = m->agents.agent[i].policy.memory;
        m->most = memory > m->most ? memory : m->most;
    }
    m->memory = calloc((size_t)m->rules->spec.seats * (size_t)m->most + 1, sizeof *m->memory);
    return m->memory ? AGON_OK : agon_fail(&m->error, AGON_EMEMORY, "out of memory");
}

static int run(match* m, const char* against, const char* seat, bool watch) {
    int rc = watch ? AGON_OK : read_seat(m, seat);
    m->state = calloc(1, m->rules->spec.state_size);
    m->obs = calloc(1, m->rules->obs_bytes);
    m->mask = calloc((size_t)m->rules->mask_words, sizeof *m->mask);
    if (!rc && (!m->state || !m->obs || !m->mask))
        rc = agon_fail(&m->error, AGON_EMEMORY, "out of memory");
    if (!rc)
        rc = add_agents(m, against);
    if (!rc)
        rc = open_memory(m);
    if (!rc)
        rc = play(m);
    free(m->state);
    free(m->obs);
    free(m->mask);
    free(m->memory);
    agon_agents_close(&m->agents);
    return rc;
}

int agon_cmd_play(int argc, char** argv) {
    match m = {.person = -1};
    const char *against = "random", *seat = NULL, *seed = "1";
    bool watch = false;
    int words;
    const agon_option options[] = {{"--vs", NULL, &against},
                                   {"--seat", NULL, &seat},
                                   {"--seed", NULL, &seed},
                                   {"--watch", &watch, NULL}};
    const int failed = agon_ui_options(argc, argv, options, 4, &words);
    char* end = NULL;
    const unsigned long long number = strtoull(seed, &end, 10);
    if (failed)
        return failed;
    if (words != 1)
        return agon_ui_usage("play", "expected one GAME; got %d words", words);
    if (end == seed || *end)
        return agon_ui_usage("play", "seed is '%s', expected a whole number", seed);
    if (watch && seat)
        return agon_ui_usage("play", "--watch has nobody at the keyboard, so no --seat");
    if (agon_game_open(argv[1], &m.rules, &m.error) != 0)
        return agon_ui_error(&m.error);
    m.chance = agon_key_make(number, "play", AGON_FOR_CHANCE);
    m.action = agon_key_make(number, "play", AGON_FOR_ACTION);
    const int rc = run(&m, against, seat, watch);
    agon_rules_close(m.rules);
    return rc ? agon_ui_error(&m.error) : AGON_EXIT_OK;
}
