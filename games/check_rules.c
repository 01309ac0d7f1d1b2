/* SPDX-License-Identifier: 0BSD
 *
 * check_rules.c: the rules that a checker asks for, and the one about facts. */
#include "check_inside.h"

/* ---- the table ---------------------------------------------------------------------------- */

static const char* no_chance(const agon_rules* r) {
    return r->spec.chance_outcomes ? NULL : "there is no chance";
}
static const char* no_sum(const agon_rules* r) {
    return r->spec.utility == AGON_GENERAL_SUM ? "the game is general-sum" : NULL;
}
static const char* no_seats(const agon_rules* r) {
    return r->spec.seats_symmetric ? NULL : "the facts do not say that seats are alike";
}
static const char* no_symmetry(const agon_rules* r) {
    return r->spec.symmetries > 1 ? NULL : "there are no symmetries";
}
/* A coordinate of a mirrored board is another number. */
static const char* no_views(const agon_rules* r) {
    return r->spec.symmetries == 1        ? no_symmetry(r)
           : r->spec.obs_type == AGON_F32 ? "observations are numbers, which a symmetry may change"
                                          : NULL;
}
static const char* no_secrets(const agon_rules* r) {
    if (r->game->resample)
        return NULL;
    return r->spec.information == AGON_PERFECT ? "nothing is hidden"
           : r->spec.simultaneous ? "there is no resample: only moves at once are hidden"
                                  : "leaks cannot be found: there is no resample, which replaces "
                                    "what is hidden";
}
static const char* no_recall(const agon_rules* r) {
    return r->spec.information == AGON_PERFECT ? "everything is seen" : NULL;
}
static const char* no_names(const agon_rules* r) {
    return r->game->action_name ? NULL : "actions have no names";
}
static const char* no_text(const agon_rules* r) {
    return r->game->text ? NULL : "positions have no text";
}
static const char* no_numbers(const agon_rules* r) {
    return r->spec.features || r->spec.stats ? NULL : "there are no features or stats";
}
static const char* never(const agon_rules* r) {
    (void)r;
    return NULL;
}

const agon__rule agon__check_rule[AGON__RULES] = {
    {"facts", "facts are in range, agree with each other and are the same each time", NULL, false,
     never},
    {"acting", "acting names seats of the game, or chance alone", agon__ask_acting, false, never},
    {"mask", "actions of the mask are played, all others refused", agon__ask_mask, false, never},
    {"refusal", "a refused action changes not a byte", agon__ask_refusal, false, never},
    {"end", "after the end nothing is accepted", agon__ask_end, false, never},
    {"plies", "no line is longer than max_plies", agon__ask_plies, false, never},
    {"chance", "probabilities are above 0, add up to 1, and outcomes come as often",
     agon__ask_chance, false, no_chance},
    {"utility", "returns add up as declared", agon__ask_utility, false, no_sum},
    {"rewards", "returns are finite and within their bounds", agon__ask_rewards, false, never},
    {"seats", "seats that are said to be alike can be exchanged", agon__ask_seats, true, no_seats},
    {"symmetry", "symmetries are a group and commute with playing", agon__ask_symmetry, false,
     no_symmetry},
    {"views", "observations follow the symmetries", NULL, false, no_views},
    {"leaks", "what a seat cannot know is not in what it sees, knows or may do", agon__ask_leaks,
     false, no_secrets},
    {"recall", "what a seat knows tells what it knew and did before", agon__ask_recall, false,
     no_recall},
    {"names", "names of actions differ, and lead back to their actions", agon__ask_names, false,
     no_names},
    {"text", "a text is printable and says its length", agon__ask_text, false, no_text},
    {"buffers", "outputs are written whole and nothing beside them", agon__ask_buffers, false,
     never},
    {"reads", "what only reads changes nothing; actions of seats that wait are not read",
     agon__ask_reads, false, never},
    {"config", "the config stays as configure left it", agon__ask_config, true, never},
    {"numbers", "features and stats are finite", agon__ask_numbers, false, no_numbers},
    {"batch", "batches do what the scalar functions do", agon__ask_batch, false, never},
    {"clone", "a copy plays on like the original, and apart from it", agon__ask_clone, false,
     never},
    {"replay", "a line from the start gives the same bytes", agon__ask_replay, true, never},
    {"interleaving", "another episode in between changes nothing", agon__ask_interleaving, true,
     never},
    {"threads", "threads that play at once change nothing", agon__ask_threads, true, never},
    {"process", "another process gives the same bytes", NULL, false, never},
    {"crash", "the game neither crashes nor exits nor hangs", NULL, false, never},
};

int agon_check_rule_count(void) {
    return AGON__RULES;
}
const char* agon_check_rule_name(int index) {
    return agon__check_rule[index].name;
}

/* ---- facts -------------------------------------------------------------------------------- */

static bool same_names(const char* const* name, int count, const char* what, char* said) {
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < i; j++) {
            if (strcmp(name[i], name[j]) != 0)
                continue;
            snprintf(said, 512, "%s %d and %d are both called %.100s", what, j, i, name[i]);
            return true;
        }
    }
    return false;
}

static bool sums_are_possible(const agon_spec* s, char* said) {
    const double sum = s->utility == AGON_CONSTANT_SUM ? (double)s->utility_sum : 0;
    const double least = s->seats * (double)s->return_min, most = s->seats * (double)s->return_max;
    if (s->utility == AGON_GENERAL_SUM || (least <= sum + 1e-6 && most >= sum - 1e-6))
        return true;
    snprintf(said, 512, "%d returns from %g to %g cannot add up to %g", s->seats,
             (double)s->return_min, (double)s->return_max, sum);
    return false;
}

/* configure once more, with a guard behind the config: the same facts and tables. */
static bool configures_alike(const agon_rules* rules, const agon__game_string* string, char* said) {
    const size_t size = rules->game->config_size;
    agon_params params = {.count = string->count};
    agon_spec spec = {.struct_size = sizeof spec};
    uint8_t* config = (uint8_t*)calloc(1, size + 64);
    if (!config)
        return true;
    for (int i = 0; i < string->count; i++) {
        params.name[i] = string->param[i];
        params.value[i] = string->value[i];
    }
    memset(config + size, 0xa5, 64);
    rules->game->configure(&params, &spec, config);
    const char* wrong = memcmp(&spec, &rules->spec, sizeof spec) != 0 ? "other facts"
                        : memcmp(config, rules->config, size) != 0    ? "another config"
                                                                      : NULL;
    if (wrong)
        snprintf(said, 512, "configure gives %s when it is called again", wrong);
    for (size_t i = 0; i < 64 && !wrong; i++) {
        if (config[size + i] == 0xa5)
            continue;
        wrong = "too much";
        snprintf(said, 512, "configure writes beyond the %zu bytes of config_size", size);
    }
    free(config);
    return !wrong;
}

static bool is_configured(const agon_game* game, const agon__game_string* string) {
    agon_params params = {.count = string->count};
    agon_spec spec = {.struct_size = sizeof spec};
    void* config = calloc(1, game->config_size + 1);
    for (int i = 0; i < string->count; i++) {
        params.name[i] = string->param[i];
        params.value[i] = string->value[i];
    }
    const bool done = config && game->configure && game->configure(&params, &spec, config) == 0 &&
                      !params.error[0] && params.used == (1u << params.count) - 1;
    free(config);
    return done;
}

int agon__check_facts(const agon_game* game, const agon__game_string* string, agon_rules** out,
                      char* said, agon_error* error) {
    said[0] = '\0';
    const int code = agon__rules_open_game(game, string, out, error);
    if (code == AGON_EINVALID && is_configured(game, string)) {
        snprintf(said, 512, "%s", error->text);
        return 0;
    }
    if (code)
        return code;
    const agon_spec* s = &(*out)->spec;
    if (!same_names(s->plane_names, s->planes, "planes", said) &&
        !same_names(s->feature_names, s->features, "features", said) &&
        !same_names(s->stat_names, s->stats, "stats", said) && sums_are_possible(s, said))
        configures_alike(*out, string, said);
    return 0;
}
