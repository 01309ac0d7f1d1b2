/* evidence_insides.c: activations of nets. */
#include "engine/evidence_source.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int read_activations(const agon_npy* npy, agon_insides* out, agon_error* error) {
    char shape[128];
    if (npy->rank != 3 || npy->count == 0 || npy->shape[0] > INT32_MAX ||
        npy->shape[1] > INT32_MAX || npy->shape[2] > INT32_MAX)
        return agon_fail(error, AGON_EINVALID, "%s has shape %s, expected (agents, inputs, width)",
                         npy->name, agon_npy_shape_text(npy, shape));
    out->activation = malloc(npy->count * sizeof *out->activation);
    if (!out->activation)
        return agon_fail(error, AGON_EMEMORY, "no memory for %zu activations", npy->count);
    for (size_t i = 0; i < npy->count; i++) {
        out->activation[i] = (float)agon_npy_at(npy, i);
        if (!isfinite(out->activation[i]))
            return agon_fail(error, AGON_EINVALID,
                             "%s: agent %zu, input %zu, unit %zu is %g, expected a finite number",
                             npy->name, i / npy->shape[2] / npy->shape[1],
                             i / npy->shape[2] % npy->shape[1], i % npy->shape[2],
                             (double)out->activation[i]);
    }
    out->inputs = (int)npy->shape[1];
    out->width = (int)npy->shape[2];
    return AGON_OK;
}

static int add_insides(const agon_npy* npy, const agon__label* label, agon_insides* insides,
                       agon_evidence* e, agon_error* error) {
    const size_t bytes = npy->shape[1] * npy->shape[2] * sizeof *insides->activation;
    agon__join j;
    int rc = agon__join_make(e, (int)npy->shape[0], label, false, npy->name, &j, error);
    if (rc)
        return rc;
    rc = agon__join_move(&j, insides->activation, bytes, error);
    if (!rc) {
        e->insides = *insides;
        insides->activation = NULL;
        agon__join_commit(e, &j, npy->name);
    }
    agon__join_clear(&j);
    return rc;
}

int agon_evidence_read_insides(const char* activations, const char* labels, agon_evidence* evidence,
                               agon_evidence_notes* notes, agon_error* error) {
    agon_npy npy;
    agon_insides insides = {0};
    agon__label* label = NULL;
    int rc = agon_npy_read(activations, &npy, error);
    assert(evidence->insides.inputs == 0);
    if (rc)
        return rc;
    rc = read_activations(&npy, &insides, error);
    if (!rc && labels)
        rc = agon__labels_read(labels, (int)npy.shape[0], &label, error);
    if (!rc)
        rc = add_insides(&npy, label, &insides, evidence, error);
    if (!rc)
        agon__note(notes, "%s: %d activations of each agent on %d inputs", npy.name,
                   evidence->insides.width, evidence->insides.inputs);
    free(label);
    free(insides.activation);
    agon_npy_clear(&npy);
    return rc;
}
