#include "engine/execute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROW, COL, LANES = 256, PARTS = 2 };

/* Lanes that are stepped together. Where the backend can begin a forward and finish it later there
 * are two such parts, one played on while the device works for the other. Whichever part a game is
 * played in, the same comes out. */
typedef struct part {
    agon_lanes* lanes;
    int playing;
    bool asked;    /* and not answered yet */
    int* game;     /* (lanes) game of the lane */
    double* total; /* (lanes, seats) returns so far */
} part;

typedef struct arena {
    const agon_task* task;
    const agon_match_task* def;
    int seats;
    int round; /* games of one group: one in each seat, or a single one */
    part part[PARTS];
    int parts;
    agon_key opening;
    int next;      /* game to start next */
    float* score;  /* (games) mean return of the row policy's seats, by game */
    float* others; /* (games) mean return of the other seats */
    /* What the game leaves behind; NULL where it leaves nothing. */
    const agon_rules* rules;
    agon_feature_sum* feature; /* (games, features) */
    float* stat;               /* (games, stats) */
    agon_error* error;
} arena;

/* The row policy's seats, as bits: in game g of a round of all seats, seat g. */
static uint64_t row_seats(const arena* a, int game) {
    return a->def->row_seats ? a->def->row_seats : 1ull << game % a->seats;
}

/* Game g belongs to opening g / round. */
static void start_game(arena* a, part* p, int lane) {
    agon_lanes* l = p->lanes;
    const int game = a->next++;
    const uint64_t own = row_seats(a, game);
    p->game[lane] = game;
    p->playing++;
    for (int seat = 0; seat < a->seats; seat++) {
        l->player_of[lane * a->seats + seat] = own >> seat & 1 ? ROW : COL;
        p->total[lane * a->seats + seat] = 0;
    }
    agon_lanes_start(l, lane, (uint32_t)game, (uint32_t)(game / a->round));
    agon_lanes_opening(l, lane, a->def->opening, a->opening);
    for (int seat = 0; seat < a->seats; seat++)
        p->total[lane * a->seats + seat] += l->reward[(size_t)lane * a->seats + seat];
}

static int refuse_number(const arena* a, const char* what, const char* name, double value) {
    return agon_fail(a->error, AGON_EINVALID, "game %s: %s %s is %g, expected a finite number",
                     a->rules->name, what, name, value);
}

/* Features of the row's seats and of the others, as means; stats of the game. */
static int describe_game(arena* a, const void* state, int game, uint64_t own) {
    const agon_rules* r = a->rules;
    const agon_spec* spec = &r->spec;
    const int owned = __builtin_popcountll(own);
    agon_feature_sum* sum = a->feature + (size_t)game * (size_t)spec->features;
    float* stat = a->stat + (size_t)game * (size_t)spec->stats;
    for (int seat = 0; seat < a->seats && spec->features; seat++) {
        float feature[AGON_MAX_NUMBERS];
        r->game->features(r->config, state, seat, feature);
        for (int f = 0; f < spec->features; f++) {
            if (!isfinite(feature[f]))
                return refuse_number(a, "feature", spec->feature_names[f], (double)feature[f]);
            if (own >> seat & 1)
                sum[f].row += (double)feature[f] / owned;
            else
                sum[f].col += (double)feature[f] / (a->seats - owned);
        }
    }
    if (spec->stats)
        r->game->stats(r->config, state, stat);
    for (int s = 0; s < spec->stats; s++)
        if (!isfinite(stat[s]))
            return refuse_number(a, "stat", spec->stat_names[s], (double)stat[s]);
    return AGON_OK;
}

static int finish_game(arena* a, part* p, int lane) {
    const int game = p->game[lane];
    const uint64_t own = row_seats(a, game);
    const int owned = __builtin_popcountll(own);
    double mine = 0, others = 0;
    for (int seat = 0; seat < a->seats; seat++)
        if (own >> seat & 1)
            mine += p->total[lane * a->seats + seat];
        else
            others += p->total[lane * a->seats + seat];
    a->score[game] = (float)(mine / owned);
    a->others[game] = a->seats > owned ? (float)(others / (a->seats - owned)) : 0;
    const int rc =
        describe_game(a, p->lanes->state + (size_t)lane * a->rules->spec.state_size, game, own);
    p->lanes->live[lane] = 0;
    p->playing--;
    if (a->next < a->def->games)
        start_game(a, p, lane);
    return rc;
}

static void count_steps(const part* p, agon_match_result* out) {
    const agon_lanes* l = p->lanes;
    out->row_steps += (uint64_t)(l->offset[ROW + 1] - l->offset[ROW]);
    out->col_steps += (uint64_t)(l->offset[COL + 1] - l->offset[COL]);
    out->plies += (uint64_t)p->playing;
}

static void ask(part* p) {
    p->asked = p->playing > 0;
    if (p->asked)
        agon_lanes_begin(p->lanes);
}

static void take_answer(part* p) {
    if (p->asked)
        agon_lanes_finish(p->lanes);
    p->asked = false;
}

/* One ply of a part's games, and the next question. */
static int play_on(arena* a, part* p, agon_match_result* out) {
    agon_lanes* l = p->lanes;
    take_answer(p);
    count_steps(p, out);
    agon_lanes_play(l);
    for (int lane = 0; lane < l->def.lanes; lane++) {
        if (!l->live[lane])
            continue;
        for (int seat = 0; seat < a->seats; seat++)
            p->total[lane * a->seats + seat] += l->reward[(size_t)lane * a->seats + seat];
        const int rc = l->acting[lane] ? AGON_OK : finish_game(a, p, lane);
        if (rc)
            return rc;
    }
    ask(p);
    return AGON_OK;
}

static void begin_games(arena* a) {
    for (int i = 0; i < a->parts; i++) {
        part* p = &a->part[i];
        for (int lane = 0; lane < p->lanes->def.lanes && a->next < a->def->games; lane++)
            start_game(a, p, lane);
        ask(p);
    }
}

static int play_all(arena* a, agon_context* context, agon_match_result* out, agon_error* error) {
    int rc = AGON_OK, playing = 1;
    begin_games(a);
    while (!rc && playing) {
        playing = 0;
        if (agon__gauge_cancelled(context->gauge))
            rc = agon_fail(error, AGON_ECANCELLED, "task %s was cancelled", a->task->key);
        for (int i = 0; !rc && i < a->parts; i++) {
            if (a->part[i].asked)
                rc = play_on(a, &a->part[i], out);
            playing += a->part[i].playing;
        }
        const unsigned over = (unsigned)(a->next - playing);
        agon__gauge_set(context->gauge, (unsigned)(1000ull * over / (unsigned)a->def->games), 0);
    }
    for (int i = 0; i < a->parts; i++)
        take_answer(&a->part[i]);
    return rc;
}

/* Sums in game order, so that they do not depend on which lane finished first. */
static void tally(const arena* a, agon_match_result* out) {
    out->seats = a->seats;
    for (int g = 0; g < a->def->games; g++) {
        agon_tally* t = &out->tally[__builtin_ctzll(row_seats(a, g))];
        t->games++;
        t->wins += a->score[g] > a->others[g];
        t->losses += a->score[g] < a->others[g];
        t->draws += a->score[g] == a->others[g];
        t->sum += a->score[g];
        t->sum_squares += (double)a->score[g] * a->score[g];
    }
    for (int pair = 0; pair < a->def->games / a->round; pair++) {
        double mean = 0;
        for (int i = 0; i < a->round; i++)
            mean += a->score[pair * a->round + i];
        mean /= a->round;
        out->pairs++;
        out->pair_sum += mean;
        out->pair_sum_squares += mean * mean;
    }
}

/* In game order, too. */
static void tally_numbers(const arena* a, agon_match_result* out) {
    const agon_spec* spec = &a->rules->spec;
    out->features = spec->features;
    out->stats = spec->stats;
    for (int g = 0; g < a->def->games; g++) {
        for (int f = 0; f < spec->features; f++) {
            out->feature[f].row += a->feature[g * spec->features + f].row;
            out->feature[f].col += a->feature[g * spec->features + f].col;
        }
        for (int s = 0; s < spec->stats; s++)
            out->stat[s] += (double)a->stat[g * spec->stats + s];
    }
}

static int open_part(arena* a, part* p, const agon_lanes_def* def, agon_error* error) {
    p->game = calloc((size_t)def->lanes, sizeof *p->game);
    p->total = calloc((size_t)def->lanes * (size_t)a->seats, sizeof *p->total);
    if (!p->game || !p->total)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d lanes", def->lanes);
    return agon_lanes_open(def, &p->lanes, error);
}

static int open_arena(arena* a, const agon_player* player, agon_context* context,
                      agon_error* error) {
    const agon_match_task* d = a->def;
    const agon_spec* spec = &a->rules->spec;
    const int games = d->games, lanes = games < LANES ? games : LANES;
    agon_lanes_def def = {
        .rules = a->rules,
        .backend = context->backend,
        .players = 2,
        .player = player,
        .chance = agon_key_make(a->task->seed, a->task->key, AGON_FOR_CHANCE),
        .action = agon_key_make(a->task->seed, a->task->key, AGON_FOR_ACTION),
        .temperature = d->temperature,
    };
    a->opening = agon_key_make(a->task->seed, a->task->key, AGON_FOR_OPENING);
    a->score = calloc((size_t)games, sizeof *a->score);
    a->others = calloc((size_t)games, sizeof *a->others);
    a->feature = calloc((size_t)games * (size_t)spec->features + 1, sizeof *a->feature);
    a->stat = calloc((size_t)games * (size_t)spec->stats + 1, sizeof *a->stat);
    if (!a->score || !a->others || !a->feature || !a->stat)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d games", games);
    const int parts = context->backend->begin && lanes > 1 ? PARTS : 1;
    int rc = AGON_OK;
    for (; !rc && a->parts < parts; a->parts++) {
        def.lanes = lanes * (a->parts + 1) / parts - lanes * a->parts / parts;
        rc = open_part(a, &a->part[a->parts], &def, error);
    }
    return rc;
}

static void close_arena(arena* a) {
    for (int i = 0; i < a->parts; i++) {
        agon_lanes_close(a->part[i].lanes);
        free(a->part[i].game);
        free(a->part[i].total);
    }
    free(a->score);
    free(a->others);
    free(a->feature);
    free(a->stat);
}

static int check_match(const arena* a, agon_error* error) {
    const agon_match_task* d = a->def;
    if (d->row_seats & ~agon_rules_seats(a->rules))
        return agon_fail(error, AGON_EINVALID, "task %s: row_seats 0x%llx, but %s has %d seats",
                         a->task->key, (unsigned long long)d->row_seats, a->rules->name, a->seats);
    if (d->games < 1 || d->games % a->round)
        return agon_fail(error, AGON_EINVALID, "task %s: %d games; expected a multiple of %d seats",
                         a->task->key, d->games, a->round);
    return AGON_OK;
}

int agon__execute_match(const agon_task* task, const agon_rules* rules, agon_context* context,
                        agon_result* out, agon_error* error) {
    const agon_match_task* d = &task->as.match;
    agon_actor row = {0}, col = {0};
    arena a = {.task = task, .def = d, .seats = rules->spec.seats, .rules = rules, .error = error};
    a.round = d->row_seats ? 1 : a.seats;
    int rc = check_match(&a, error);
    if (!rc)
        rc = agon__actor_open(d->row_ref, rules, context, false, &row, error);
    if (!rc)
        rc = agon__actor_open(d->col_ref, rules, context, false, &col, error);
    if (!rc) {
        const agon_player player[2] = {agon__actor_player(&row), agon__actor_player(&col)};
        rc = open_arena(&a, player, context, error);
    }
    if (!rc)
        rc = play_all(&a, context, &out->as.match, error);
    for (int i = 0; !rc && i < a.parts; i++)
        rc = agon_lanes_check(a.part[i].lanes, error);
    if (!rc)
        rc = agon__actor_check(&row, error);
    if (!rc)
        rc = agon__actor_check(&col, error);
    if (!rc)
        tally_numbers(&a, &out->as.match);
    if (!rc)
        tally(&a, &out->as.match);
    close_arena(&a);
    agon__actor_close(&row);
    agon__actor_close(&col);
    return rc;
}
