#include "engine/training_probes.h"

#include "engine/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE ((size_t)1 << 32) /* bytes of a probe file */

/* ---- a file ------------------------------------------------------------------------------- */

static int refuse_hash(const agon_training* t, const char* hash, agon_error* error) {
    agon_fail(error, AGON_EINVALID,
              "metrics.probe_file = %s: its SHA-256 is %.12s..., expected metrics.probe_hash = "
              "%.12s...",
              t->config.metrics.probe_file, hash, t->config.metrics.probe_hash);
    return agon_hint(error, "the file is another one than these settings were made with: bring "
                            "that back, or leave metrics.probe_hash empty for a run of its own");
}

/* The file that the configuration names, held to the hash that it names, if it does. */
static int read_file(const agon_training* t, agon_bytes* out, agon_error* error) {
    const char* path = t->config.metrics.probe_file;
    agon_bytes bytes = {.data = NULL};
    agon_error why = {0};
    int rc = agon_file_read(path, MAX_FILE, &bytes.data, &bytes.size, &why);
    if (rc) {
        agon_fail(error, rc, "metrics.probe_file = %s: %.300s", path, why.text);
        return agon_hint(error, "agon probes make writes such a file");
    }
    agon_sha256(bytes.data, bytes.size, bytes.hash);
    if (t->config.metrics.probe_hash[0] && strcmp(bytes.hash, t->config.metrics.probe_hash) != 0)
        rc = refuse_hash(t, bytes.hash, error);
    if (rc)
        free(bytes.data);
    else
        *out = bytes;
    return rc;
}

int agon__training_pin_probes(agon_training* t, agon_error* error) {
    const char* path = t->config.metrics.probe_file;
    agon_bytes bytes = {.data = NULL};
    agon_probe_sets sets = {0};
    agon_error why = {0};
    if (!path[0])
        return AGON_OK;
    int rc = read_file(t, &bytes, error);
    if (rc)
        return rc;
    rc = agon_probe_sets_decode(bytes.data, bytes.size, t->rules, &sets, &why);
    if (rc) {
        agon_fail(error, rc, "metrics.probe_file = %s: %.300s", path, why.text);
        agon_hint(error, "%s", why.hint);
    } else if (!sets.set[AGON_PROBES_B].states && !sets.set[AGON_PROBES_U].states) {
        rc = agon_fail(error, AGON_EINVALID,
                       "metrics.probe_file = %s has set X alone; expected B or U", path);
        agon_hint(error, "agon probes make --only U,X");
    } else {
        memcpy(t->config.metrics.probe_hash, bytes.hash, AGON_HASH_SIZE);
    }
    agon_probe_sets_close(&sets);
    free(bytes.data);
    return rc;
}

/* ---- of the run --------------------------------------------------------------------------- */

static int make(agon_training* t, agon_bytes* out, agon_error* error) {
    agon_probes probes = {0};
    int rc =
        agon_probes_make(t->rules, t->config.metrics.probes, t->config.train.seed, &probes, error);
    if (!rc)
        rc = agon_probes_encode(&probes, t->rules, out, error);
    agon_probes_close(&probes);
    return rc;
}

/* Into the store: from now on the run knows it by its hash. */
static int keep(agon_training* t, agon_error* error) {
    agon_bytes bytes = {.data = NULL};
    int rc = t->config.metrics.probe_file[0] ? read_file(t, &bytes, error) : make(t, &bytes, error);
    if (!rc)
        rc = agon_store_put_blob(t->store, &bytes, error);
    if (!rc)
        rc = agon_store_set_meta(t->store, "probes", bytes.hash, error);
    free(bytes.data);
    return rc;
}

/* The run's hash is made of the probes' hash: both places must say the same. */
static int check_pinned(const agon_training* t, const char* hash, agon_error* error) {
    const char* pinned = t->config.metrics.probe_hash;
    if (!pinned[0] || strcmp(pinned, hash) == 0)
        return AGON_OK;
    agon_fail(error, AGON_EFORMAT,
              "%s/run.db names probe set %.12s..., expected %.12s..., as config.ini has it",
              agon_store_dir(t->store), hash, pinned);
    return agon_hint(error, "restore the run from a copy, or start a new one");
}

int agon__training_settle_probes(agon_training* t, bool may_make, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = AGON_OK;
    if (!agon_store_meta(t->store, "probes")) {
        if (!may_make)
            return agon_fail(error, AGON_EMISSING, "%s has no probe set yet",
                             agon_store_dir(t->store));
        rc = keep(t, error);
        if (rc)
            return rc;
    }
    const char* hash = agon_store_meta(t->store, "probes");
    rc = check_pinned(t, hash, error);
    if (!rc)
        rc = agon_store_blob_load(t->store, hash, &data, &size, error);
    if (!rc)
        rc = agon_probes_decode(data, size, t->rules, &t->probes, error);
    free(data);
    if (rc)
        return rc;
    snprintf(t->population.probes, AGON_HASH_SIZE, "%s", hash);
    t->population.probe_set =
        t->config.metrics.probe_file[0] ? agon_probe_set_name(t->probes.set) : NULL;
    t->population.probe_weight = t->probes.weight;
    t->population.probe_reach = t->probes.reach;
    t->population.probe_seat = t->probes.seat;
    return AGON_OK;
}
