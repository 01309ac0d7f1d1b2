/* worker_hello.c: see worker_hello.h. */
#include "net/worker_hello.h"

#include "engine/device.h"
#include "games/rules.h"
#include "net/auth.h"
#include "net/program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Kubernetes and Slurm give a process less than the machine has. */
static uint64_t memory_here(void) {
    const uint64_t all = uv_get_total_memory(), allowed = uv_get_constrained_memory();
    return allowed && allowed < all ? allowed : all;
}

static int offer_game(const char* word, const char* file, agon__game_offer* out,
                      agon_error* error) {
    agon_rules* rules = NULL;
    snprintf(out->name, sizeof out->name, "%.*s", (int)strcspn(word, "("), word);
    const int rc = agon_rules_open(out->name, &rules, error);
    if (rc)
        return rc;
    out->fingerprint = agon_rules_fingerprint(rules);
    snprintf(out->file, sizeof out->file, "%s", file);
    agon_rules_close(rules);
    return AGON_OK;
}

static void offer_agents(agon__hello* out) {
    const char *name, *hash;
    for (int i = 0; i < AGON__OFFERS && agon_program_at(i, &name, &hash); i++) {
        snprintf(out->agent[i].name, sizeof out->agent[i].name, "%s", name);
        snprintf(out->agent[i].file, sizeof out->agent[i].file, "%s", hash);
        out->agents = i + 1;
    }
}

int agon__worker_hello(const agon_worker_def* def, int slots, agon__hello* out, agon_error* error) {
    char host[256] = "";
    int rc = AGON_OK;
    gethostname(host, sizeof host - 1);
    memset(out, 0, sizeof *out);
    out->protocol = AGON__PROTOCOL;
    out->task_format = AGON_TASK_FORMAT;
    snprintf(out->build, sizeof out->build, "%s", def->build[0] ? def->build : "-");
    agon_device_class(def->backend, out->class);
    snprintf(out->name, sizeof out->name, "%.63s", def->name[0] ? def->name : host[0] ? host : "-");
    snprintf(out->token, sizeof out->token, "-");
    out->pid = (int)getpid();
    out->slots = slots;
    out->memory = memory_here();
    out->games = def->games;
    for (int i = 0; i < def->games && !rc; i++)
        rc = offer_game(def->game[i], def->game_file[i], &out->game[i], error);
    offer_agents(out);
    return rc ? rc : agon__random_hex(out->id, error);
}
