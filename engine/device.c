#include "engine/device.h"

#include "cuda/backend_cuda.h"

#include <stdio.h>
#include <string.h>

static const char* precision_name(int precision) {
    static const char* const names[] = {"auto", "fp32", "tf32", "bf16"};
    return names[precision];
}

static int open_cpu(int precision, const agon_backend** out, agon_error* error) {
    if (precision > 1 + AGON_PRECISION_FP32) {
        agon_fail(error, AGON_EINVALID, "precision %s: expected auto or fp32 on a CPU",
                  precision_name(precision));
        return agon_hint(error, "it goes with a GPU: device cuda, or auto where one can be used");
    }
    *out = agon_cpu_backend();
    return AGON_OK;
}

static int open_cuda(int precision, const agon_backend** out, agon_error* error) {
    const agon_precision p = precision ? (agon_precision)(precision - 1) : AGON_PRECISION_BF16;
    return agon_cuda_backend(p, out, error);
}

int agon_device_open(int device, int precision, const agon_backend** out, agon_error* error) {
    if (device == AGON_DEVICE_CUDA)
        return open_cuda(precision, out, error);
    if (device == AGON_DEVICE_AUTO && open_cuda(precision, out, NULL) == AGON_OK)
        return AGON_OK;
    return open_cpu(precision, out, error);
}

/* Puts words before what an error says. */
static int preface(agon_error* error, int code, const char* words) {
    if (error) {
        const agon_error why = *error;
        snprintf(error->text, sizeof error->text, "%s%.*s", words,
                 (int)(sizeof error->text - 1 - strlen(words)), why.text);
    }
    return code;
}

/* ---- a new run ---------------------------------------------------------------------------- */

static int hold_model(agon_config* c, const agon_backend* backend, agon_error* error) {
    char* model = c->train.device_model;
    if (model[0] && strcmp(model, backend->device) != 0) {
        agon_fail(error, AGON_EUNSUPPORTED,
                  "train.device_model = %s, but the GPU here is %s: its results would differ",
                  model, backend->device);
        return agon_hint(error, "leave train.device_model empty: it is filled in when a run "
                                "begins");
    }
    memset(model, 0, sizeof c->train.device_model);
    snprintf(model, sizeof c->train.device_model, "%s", backend->device);
    return AGON_OK;
}

static int resolve_cuda(agon_config* c, const agon_backend** out, agon_error* error) {
    const int rc = open_cuda(c->train.precision, out, error);
    if (rc)
        return preface(error, rc, "train.device = cuda: ");
    c->train.device = AGON_DEVICE_CUDA;
    if (!c->train.precision)
        c->train.precision = 1 + AGON_PRECISION_BF16;
    return hold_model(c, *out, error);
}

int agon_device_resolve(agon_config* c, const agon_backend** out, char* notice, size_t size,
                        agon_error* error) {
    agon_error why = {0};
    if (c->train.device == AGON_DEVICE_CUDA)
        return resolve_cuda(c, out, error);
    if (c->train.device == AGON_DEVICE_AUTO) {
        const agon_backend* found;
        if (open_cuda(c->train.precision, &found, &why) == AGON_OK) {
            const int rc = resolve_cuda(c, out, error);
            if (!rc)
                snprintf(notice, size, "train.device = auto: the run computes on the GPU %s in %s",
                         c->train.device_model, precision_name(c->train.precision));
            return rc;
        }
        snprintf(notice, size, "train.device = auto: the run computes on the CPU: %.300s",
                 why.text);
        c->train.device = AGON_DEVICE_CPU;
    }
    const int rc = agon_config_check(c, error);
    if (rc)
        return rc;
    c->train.precision = 0;
    return open_cpu(0, out, error);
}

/* ---- a stored run ------------------------------------------------------------------------- */

static int refuse_missing(const agon_config* c, const char* dir, const agon_error* why,
                          agon_error* error) {
    agon_fail(error, AGON_EUNSUPPORTED,
              "%s was made on the GPU %s in %s, and none can be used here: %.250s", dir,
              c->train.device_model, precision_name(c->train.precision), why->text);
    return agon_hint(error,
                     "the run is as it was: resume it where there is such a GPU, or start a new "
                     "run with train.device=cpu%s%.100s",
                     why->hint[0] ? "; here: " : "", why->hint);
}

static int refuse_other(const agon_config* c, const char* dir, const agon_backend* here,
                        agon_error* error) {
    agon_fail(error, AGON_EUNSUPPORTED,
              "%s was made on the GPU %s in %s, and the one here is %s: its results would differ",
              dir, c->train.device_model, precision_name(c->train.precision), here->device);
    return agon_hint(error, "the run is as it was: resume it where there is such a GPU, or start a "
                            "new run here");
}

int agon_device_again(const agon_config* c, const char* dir, const agon_backend** out,
                      agon_error* error) {
    const agon_backend* here = NULL;
    agon_error why = {0};
    if (c->train.device == AGON_DEVICE_CPU)
        return open_cpu(c->train.precision, out, error);
    if (open_cuda(c->train.precision, &here, &why) != AGON_OK)
        return refuse_missing(c, dir, &why, error);
    if (strcmp(here->device, c->train.device_model) != 0)
        return refuse_other(c, dir, here, error);
    *out = here;
    return AGON_OK;
}
