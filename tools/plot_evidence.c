#include "tools/plot_evidence.h"

#include "engine/evidence_run.h"
#include "engine/files.h"
#include "engine/probes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct agon_plot_asker {
    agon_training* run;
    agon_probe_sets sets;      /* of view->probes */
    const agon_probes* probes; /* one of them; NULL: the run's own */
    char hash[AGON_HASH_SIZE];
    char role[AGON_ROLE_NAME];
};

void agon_plot_asker_close(agon_plot_asker* a) {
    if (!a)
        return;
    agon_probe_sets_close(&a->sets);
    agon_training_close(a->run);
    free(a);
}

/* A solved set where there is one, else the first. */
static int read_probes(agon_plot_asker* a, const char* path, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    int code = agon_file_read(path, (size_t)1 << 30, &data, &size, error);
    if (!code)
        code = agon_probe_sets_decode(data, size, a->run->rules, &a->sets, error);
    if (!code)
        agon_sha256(data, size, a->hash);
    free(data);
    for (int i = 0; i < AGON_PROBE_SETS && !code; i++) {
        const agon_probes* set = &a->sets.set[i];
        if (set->states > 0 && (!a->probes || (set->worth && !a->probes->worth)))
            a->probes = set;
    }
    return code;
}

agon_plot_asker* agon_plot_asker_open(agon_plot_view* view, bool other_probes) {
    agon_error error = {0};
    agon_plot_asker* a = calloc(1, sizeof *a);
    int code = a ? agon_training_read(view->run->dir, &a->run, &error)
                 : agon_fail(&error, AGON_EMEMORY, "out of memory");
    if (!code && agon_population_roles(&a->run->population) > 1)
        agon_rules_role_name(a->run->rules, 0, a->role, sizeof a->role);
    if (!code && other_probes && view->probes)
        code = read_probes(a, view->probes, &error);
    if (!code)
        return a;
    snprintf(view->why, sizeof view->why, "%.230s", error.text);
    agon_plot_asker_close(a);
    return NULL;
}

int agon_plot_ask(agon_plot_asker* a, unsigned needs, int generation, agon_evidence* out,
                  agon_error* error) {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    agon_run_wish wish = {.needs = needs,
                          .generation = generation,
                          .probes = a->probes,
                          .threads = cores > 0 && cores < 64 ? (int)cores : 1};
    snprintf(wish.probes_hash, sizeof wish.probes_hash, "%s", a->hash);
    return agon_evidence_run(a->run, &wish, out, error);
}

const char* agon_plot_asker_role(const agon_plot_asker* a) {
    return a->role;
}
