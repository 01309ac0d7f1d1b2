#include "tools/agent.h"

#include "agents/backend_cpu.h"
#include "engine/files.h"
#include "engine/training.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool ends_with(const char* text, const char* end) {
    const size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static int append(agon_agents* list, const agon_agent* agent, agon_error* error) {
    agon_agent* more = realloc(list->agent, ((size_t)list->count + 1) * sizeof *more);
    if (!more)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d agents", list->count + 1);
    list->agent = more;
    list->agent[list->count++] = *agent;
    return AGON_OK;
}

static void close_agent(agon_agent* agent) {
    agon_policy_close(&agent->policy);
    free(agent->packed);
    free(agent->data);
}

/* ---- nets --------------------------------------------------------------------------------- */

static int keep_snapshot(agon_agent* agent, const void* data, size_t size, agon_error* error) {
    agent->data = malloc(size);
    if (!agent->data)
        return agon_fail(error, AGON_EMEMORY, "no memory for %s", agent->name);
    memcpy(agent->data, data, size);
    agent->size = size;
    agon_sha256(data, size, agent->ref);
    return AGON_OK;
}

/* A net that can play the game. *params: malloc'd, owned by the caller. */
static int decode_net(const char* name, const void* data, size_t size, const agon_rules* rules,
                      agon_net* net, float** params, agon_error* error) {
    float* read = NULL;
    int rc = agon_snapshot_decode(data, size, name, net, &read, NULL, error);
    if (!rc)
        rc = agon_net_fits(net, rules, name, error);
    if (rc)
        free(read);
    else
        *params = read;
    return rc;
}

static int add_net(agon_agents* list, const char* name, const void* data, size_t size,
                   const agon_rules* rules, agon_error* error) {
    const agon_backend* backend = agon_cpu_backend();
    agon_agent agent = {0};
    agon_net net;
    float* params = NULL;
    int rc = decode_net(name, data, size, rules, &net, &params, error);
    if (rc)
        return rc;
    snprintf(agent.name, sizeof agent.name, "%s", name);
    if (posix_memalign(&agent.packed, 64, backend->packed_size(&net)) != 0) {
        agent.packed = NULL;
        rc = agon_fail(error, AGON_EMEMORY, "no memory for %s", name);
    } else {
        backend->pack(&net, params, agent.packed);
        rc = agon_net_policy_open(backend, &net, agent.packed, rules, &agent.policy, error);
    }
    free(params);
    if (rc) {
        free(agent.packed);
        return rc;
    }
    rc = keep_snapshot(&agent, data, size, error);
    if (!rc)
        rc = append(list, &agent, error);
    if (rc)
        close_agent(&agent);
    return rc;
}

static int add_file(agon_agents* list, const char* path, const agon_rules* rules,
                    agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = agon_file_read(path, (size_t)1 << 30, &data, &size, error);
    if (!rc)
        rc = add_net(list, path, data, size, rules, error);
    free(data);
    return rc;
}

/* ---- agents of a run ---------------------------------------------------------------------- */

static int add_of_run(agon_agents* list, const agon_training* t, int generation, int agent,
                      const agon_rules* rules, agon_error* error) {
    const agon_train_result* trained = agon_record_train(t->population.record, generation, agent);
    char name[160];
    uint8_t* data = NULL;
    size_t size = 0;
    if (!trained)
        return agon_fail(error, AGON_EMISSING, "%s has no agent %d at generation %d yet",
                         agon_store_dir(t->store), agent, generation);
    snprintf(name, sizeof name, "%s:%d/%d", agon_store_dir(t->store), generation, agent);
    int rc = agon_store_blob_load(t->store, trained->snapshot, &data, &size, error);
    if (!rc)
        rc = add_net(list, name, data, size, rules, error);
    free(data);
    return rc;
}

static int last_generation(const agon_training* t, bool measured) {
    const agon_population* p = &t->population;
    for (int g = t->config.train.generations; g >= 0; g--) {
        if (agon_population_trained(p, g) &&
            (!measured || (agon_population_measures(p, g) && agon_population_measured(p, g))))
            return g;
    }
    return -1;
}

static int add_best(agon_agents* list, const agon_training* t, const agon_rules* rules,
                    agon_error* error) {
    agon_measurement m;
    const int generation = last_generation(t, true);
    const int failed = agon_record_failure(t->population.record, error);
    if (failed)
        return failed;
    if (generation < 0)
        return agon_fail(error, AGON_EMISSING, "%s has no measured generation yet",
                         agon_store_dir(t->store));
    int rc = agon_measure(&t->population, generation, &m, error);
    if (rc)
        return rc;
    for (int role = 0; !rc && role < m.roles; role++)
        rc = add_of_run(list, t, generation, agon_measurement_best(&m, role), rules, error);
    agon_measurement_clear(&m);
    return rc;
}

/* "60" or "60/3"; agent -1: all of them. */
static bool read_place(const char* text, int* generation, int* agent) {
    char* end = NULL;
    const long g = strtol(text, &end, 10);
    if (end == text || g < 0 || g > INT32_MAX)
        return false;
    *generation = (int)g;
    *agent = -1;
    if (*end == '\0')
        return true;
    text = end + 1;
    const long a = *end == '/' ? strtol(text, &end, 10) : -1;
    *agent = (int)a;
    return end != text && *end == '\0' && a >= 0 && a <= INT32_MAX;
}

static int choose(agon_agents* list, const agon_training* t, const char* which,
                  const agon_rules* rules, agon_error* error) {
    int generation, agent = -1, rc = AGON_OK;
    if (strcmp(which, "best") == 0)
        return add_best(list, t, rules, error);
    if (strcmp(which, "all") == 0)
        generation = last_generation(t, false);
    else if (!read_place(which, &generation, &agent))
        return agon_fail(error, AGON_EUSAGE,
                         "'%s' of run %s: expected best, all, GENERATION or GENERATION/AGENT",
                         which, agon_store_dir(t->store));
    if (generation < 0 || generation > t->config.train.generations)
        return agon_fail(error, AGON_EMISSING, "run %s: generation %s, expected 0 to %d",
                         agon_store_dir(t->store), which, t->config.train.generations);
    if (agent >= 0)
        return add_of_run(list, t, generation, agent, rules, error);
    for (int a = 0; !rc && a < agon_population_agents(&t->population); a++)
        rc = add_of_run(list, t, generation, a, rules, error);
    return rc;
}

static int add_run(agon_agents* list, const char* dir, const char* which, const agon_rules* rules,
                   agon_error* error) {
    agon_training* t = NULL;
    int rc = agon_training_read(dir, &t, error);
    if (rc)
        return rc;
    if (strcmp(t->rules->name, rules->name) != 0)
        rc = agon_fail(error, AGON_EINVALID, "run %s is of %s, not of %s", dir, t->rules->name,
                       rules->name);
    if (!rc)
        rc = choose(list, t, which, rules, error);
    agon_training_close(t);
    return rc;
}

/* ---- the grammar -------------------------------------------------------------------------- */

static int add_scripted(agon_agents* list, const char* text, const agon_rules* rules,
                        agon_error* error) {
    agon_agent agent = {0};
    int rc = agon_scripted_open(text, rules, &agent.policy, error);
    if (rc)
        return rc;
    snprintf(agent.name, sizeof agent.name, "%s", agent.policy.name);
    snprintf(agent.ref, sizeof agent.ref, "%s", agent.policy.name);
    rc = append(list, &agent, error);
    if (rc)
        close_agent(&agent);
    return rc;
}

int agon_agents_add(agon_agents* list, const char* text, const agon_rules* rules,
                    agon_error* error) {
    const int before = list->count;
    const char* colon = strrchr(text, ':');
    char dir[512];
    struct stat s;
    int rc;
    snprintf(dir, sizeof dir, "%.*s", colon ? (int)(colon - text) : 0, text);
    if (ends_with(text, ".safetensors"))
        rc = add_file(list, text, rules, error);
    else if (strncmp(text, AGON_OUTSIDE, strlen(AGON_OUTSIDE)) == 0)
        rc = add_scripted(list, text, rules, error);
    else if (colon)
        rc = add_run(list, dir, colon + 1, rules, error);
    else if (stat(text, &s) == 0 && S_ISDIR(s.st_mode))
        rc = agon_fail(error, AGON_EUSAGE, "'%s' is a run; say which agent: %s:best or %s:all",
                       text, text, text);
    else
        rc = add_scripted(list, text, rules, error);
    while (rc && list->count > before)
        close_agent(&list->agent[--list->count]);
    return rc;
}

void agon_agents_close(agon_agents* list) {
    for (int i = 0; i < list->count; i++)
        close_agent(&list->agent[i]);
    free(list->agent);
    *list = (agon_agents){NULL, 0};
}

int agon_agents_add_words(agon_agents* list, const char* words, const agon_rules* rules,
                          agon_error* error) {
    char word[512];
    int rc = AGON_OK;
    while (!rc && *(words += strspn(words, " "))) {
        size_t length = 0;
        for (int depth = 0; words[length] && (words[length] != ' ' || depth > 0); length++)
            depth += (words[length] == '(') - (words[length] == ')');
        if (length >= sizeof word)
            return agon_fail(error, AGON_EUSAGE, "'%.40s...' is too long for an agent", words);
        memcpy(word, words, length);
        word[length] = '\0';
        words += length;
        rc = agon_agents_add(list, word, rules, error);
    }
    return rc;
}

int agon_agents_load(void* user, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error) {
    const agon_agents* list = user;
    for (int i = 0; i < list->count; i++) {
        const agon_agent* a = &list->agent[i];
        if (!a->data || strcmp(a->ref, hash) != 0)
            continue;
        *data = malloc(a->size);
        if (!*data)
            return agon_fail(error, AGON_EMEMORY, "no memory for snapshot %.12s", hash);
        memcpy(*data, a->data, a->size);
        *size = a->size;
        return AGON_OK;
    }
    return agon_fail(error, AGON_EMISSING, "snapshot %.12s is not at hand", hash);
}
