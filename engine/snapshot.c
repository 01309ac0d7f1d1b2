/* snapshot.c: nets and learners as blobs, and back. */
#include "engine/blob.h"
#include "engine/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOT_FORMAT "agon.snapshot/1"
#define LEARNER_FORMAT  "agon.learner/1"

#define PARTS 3 /* of a learner: parameters and both moments */
static const char* const prefixes[PARTS] = {"", "moment1.", "moment2."};

/* The first number that is not finite, or below 0 in a mean of squares; -1: none. floats: not
 * aligned. */
static ptrdiff_t first_wild(const void* floats, size_t count, bool squares) {
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, (const char*)floats + i * sizeof value, sizeof value);
        if (!isfinite(value) || (squares && value < 0))
            return (ptrdiff_t)i;
    }
    return -1;
}

static bool is_squares(const char* prefix) {
    return strcmp(prefix, "moment2.") == 0;
}

static int tensor_shape(const agon_tensor* tensor, int64_t shape[4]) {
    shape[0] = tensor->rows;
    shape[1] = tensor->cols;
    return tensor->cols ? 2 : 1;
}

/* ---- out ---------------------------------------------------------------------------------- */

static int add_part(agon_blob* blob, const agon_net* net, const char* prefix, const float* floats,
                    agon_error* error) {
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int count = agon_net_tensors(net, tensors);
    for (int i = 0; i < count; i++) {
        char name[64];
        int64_t shape[4];
        const int dims = tensor_shape(&tensors[i], shape);
        const ptrdiff_t wild =
            first_wild(floats + tensors[i].offset, tensors[i].count, is_squares(prefix));
        snprintf(name, sizeof name, "%s%.31s", prefix, tensors[i].name);
        if (wild >= 0) {
            agon_fail(error, AGON_EINVALID,
                      "%s[%td] = %f: training diverged; expected a finite "
                      "number",
                      name, wild, (double)floats[tensors[i].offset + (size_t)wild]);
            agon_hint(error, "lower train.learning_rate or train.max_grad_norm");
            return AGON_EINVALID;
        }
        agon_blob_add_tensor(blob, name, AGON_BLOB_F32, dims, shape, floats + tensors[i].offset);
    }
    return AGON_OK;
}

static void add_info(agon_blob* blob, const char* format, const agon_net* net,
                     const agon_snapshot_info* info) {
    char text[128];
    const int length = agon_net_format(net, text, sizeof text);
    assert(length < (int)sizeof text);
    (void)length;
    agon_blob_add_meta(blob, "format", "%s", format);
    agon_blob_add_meta(blob, "net", "%s", text);
    agon_blob_add_meta(blob, "game", "%s", info->game);
    agon_blob_add_meta(blob, "layout", "%s", info->layout);
    agon_blob_add_meta(blob, "agent", "%d", info->agent);
    agon_blob_add_meta(blob, "generation", "%d", info->generation);
    agon_blob_add_meta(blob, "steps", "%" PRIu64, info->steps);
}

int agon_snapshot_encode(const agon_net* net, const float* params, const agon_snapshot_info* info,
                         agon_bytes* out, agon_error* error) {
    agon_blob blob;
    agon_blob_begin(&blob);
    add_info(&blob, SNAPSHOT_FORMAT, net, info);
    const int code = add_part(&blob, net, "", params, error);
    return code != AGON_OK ? code : agon_blob_encode(&blob, out, error);
}

int agon_learner_encode(const agon_learner* learner, const agon_snapshot_info* info,
                        agon_bytes* out, agon_error* error) {
    const float* parts[PARTS] = {learner->params, learner->moment1, learner->moment2};
    agon_snapshot_info own = *info;
    agon_blob blob;
    own.steps = learner->steps; /* the learner knows */
    agon_blob_begin(&blob);
    add_info(&blob, LEARNER_FORMAT, &learner->net, &own);
    agon_blob_add_meta(&blob, "updates", "%" PRIu64, learner->updates);
    agon_blob_add_meta(&blob, "beta1_power", "%.17g", learner->beta1_power);
    agon_blob_add_meta(&blob, "beta2_power", "%.17g", learner->beta2_power);
    for (int i = 0; i < PARTS; i++) {
        const int code = add_part(&blob, &learner->net, prefixes[i], parts[i], error);
        if (code != AGON_OK)
            return code;
    }
    return agon_blob_encode(&blob, out, error);
}

/* ---- in: metadata ------------------------------------------------------------------------- */

typedef struct source {
    const char* what;
    agon_blob blob;
    agon_net net;
    bool learner;
    agon_error* error;
} source;

/* The text of a metadata key; NULL and *error filled when it is missing. */
static const char* need_meta(const source* in, const char* key) {
    const char* text = agon_blob_meta_find(&in->blob, key);
    if (!text)
        agon_fail(in->error, AGON_EFORMAT, "%s: metadata %s is missing", in->what, key);
    return text;
}

static int refuse_meta(const source* in, const char* key, const char* text, const char* expected) {
    char shown[AGON__QUOTE];
    return agon_fail(in->error, AGON_EFORMAT, "%s: metadata %s = %s; expected %s", in->what, key,
                     agon__quote(text, shown), expected);
}

static int read_count(const source* in, const char* key, uint64_t high, uint64_t* out) {
    const char* text = need_meta(in, key);
    if (!text)
        return AGON_EFORMAT;
    const size_t digits = strspn(text, "0123456789");
    errno = 0;
    const uint64_t value = strtoull(text, NULL, 10);
    if (digits == 0 || text[digits] || errno != 0 || value > high)
        return refuse_meta(in, key, text, "a whole number in range");
    *out = value;
    return AGON_OK;
}

static int read_power(const source* in, const char* key, double* out) {
    const char* text = need_meta(in, key);
    char* end;
    if (!text)
        return AGON_EFORMAT;
    const double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0 && value <= 1))
        return refuse_meta(in, key, text, "a number from 0 to 1");
    *out = value;
    return AGON_OK;
}

static int read_text(const source* in, const char* key, char* out, size_t size) {
    const char* text = need_meta(in, key);
    if (!text)
        return AGON_EFORMAT;
    if (strlen(text) >= size || !agon__text_is_printable(text))
        return refuse_meta(in, key, text, "short printable text");
    strcpy(out, text);
    return AGON_OK;
}

static int read_info(const source* in, agon_snapshot_info* out) {
    uint64_t agent, generation;
    int code;
    if ((code = read_text(in, "game", out->game, sizeof out->game)) != AGON_OK ||
        (code = read_text(in, "layout", out->layout, sizeof out->layout)) != AGON_OK ||
        (code = read_count(in, "agent", INT_MAX, &agent)) != AGON_OK ||
        (code = read_count(in, "generation", INT_MAX, &generation)) != AGON_OK ||
        (code = read_count(in, "steps", UINT64_MAX, &out->steps)) != AGON_OK)
        return code;
    out->agent = (int)agent;
    out->generation = (int)generation;
    return AGON_OK;
}

static int read_architecture(source* in) {
    const char* format = need_meta(in, "format");
    if (!format)
        return AGON_EFORMAT;
    in->learner = strcmp(format, LEARNER_FORMAT) == 0;
    if (!in->learner && strcmp(format, SNAPSHOT_FORMAT) != 0)
        return refuse_meta(in, "format", format, SNAPSHOT_FORMAT " or " LEARNER_FORMAT);
    const char* net = need_meta(in, "net");
    if (!net)
        return AGON_EFORMAT;
    agon_error why = {0};
    if (agon_net_parse(net, &in->net, &why) == AGON_OK)
        return AGON_OK;
    agon_fail(in->error, AGON_EFORMAT, "%s: metadata net: %s", in->what, why.text);
    return agon_hint(in->error, "%s", why.hint);
}

/* ---- in: tensors -------------------------------------------------------------------------- */

static int check_tensor(const source* in, const agon_tensor* tensor, const char* prefix) {
    char name[64];
    int64_t shape[4] = {0};
    const int dims = tensor_shape(tensor, shape);
    snprintf(name, sizeof name, "%s%.31s", prefix, tensor->name);
    const agon_blob_tensor* found = agon_blob_tensor_find(&in->blob, name);
    if (!found)
        return agon_fail(in->error, AGON_EFORMAT, "%s: tensor %s is missing", in->what, name);
    if (found->dtype != AGON_BLOB_F32 || found->dims != dims || found->shape[0] != shape[0] ||
        (dims == 2 && found->shape[1] != shape[1]))
        return agon_fail(in->error, AGON_EFORMAT,
                         dims == 2 ? "%s: tensor %s: expected F32 of shape (%d, %d)"
                                   : "%s: tensor %s: expected F32 of shape (%d)",
                         in->what, name, tensor->rows, tensor->cols);
    const ptrdiff_t wild = first_wild(found->data, tensor->count, is_squares(prefix));
    if (wild >= 0)
        return agon_fail(in->error, AGON_EFORMAT,
                         "%s: tensor %s: entry %td is out of range; expected finite numbers%s",
                         in->what, name, wild, is_squares(prefix) ? ", none negative" : "");
    return AGON_OK;
}

static int check_tensors(const source* in) {
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int count = agon_net_tensors(&in->net, tensors);
    const int parts = in->learner ? PARTS : 1;
    for (int part = 0; part < parts; part++) {
        for (int i = 0; i < count; i++) {
            const int code = check_tensor(in, &tensors[i], prefixes[part]);
            if (code != AGON_OK)
                return code;
        }
    }
    if (in->blob.tensors != parts * count)
        return agon_fail(in->error, AGON_EFORMAT, "%s: %d tensors; expected %d for its net",
                         in->what, in->blob.tensors, parts * count);
    return AGON_OK;
}

/* Copies a part that has been checked. */
static void copy_part(const source* in, int part, float* out) {
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int count = agon_net_tensors(&in->net, tensors);
    for (int i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%.31s", prefixes[part], tensors[i].name);
        memcpy(out + tensors[i].offset, agon_blob_tensor_find(&in->blob, name)->data,
               tensors[i].count * sizeof(float));
    }
}

/* Everything that snapshots and learners have in common, checked. */
static int open_source(source* in, const void* data, size_t size, agon_snapshot_info* info) {
    int code;
    if ((code = agon_blob_decode(data, size, in->what, &in->blob, in->error)) != AGON_OK ||
        (code = read_architecture(in)) != AGON_OK || (code = read_info(in, info)) != AGON_OK)
        return code;
    return check_tensors(in);
}

int agon_snapshot_decode(const void* data, size_t size, const char* what, agon_net* net,
                         float** params, agon_snapshot_info* info, agon_error* error) {
    source in = {.what = what, .error = error};
    agon_snapshot_info read;
    const int code = open_source(&in, data, size, &read);
    if (code != AGON_OK)
        return code;
    float* floats = malloc(agon_net_size(&in.net) * sizeof *floats);
    if (!floats)
        return agon_fail(error, AGON_EMEMORY, "%s: out of memory", what);
    copy_part(&in, 0, floats);
    *net = in.net;
    *params = floats;
    if (info)
        *info = read;
    return AGON_OK;
}

static int refuse_architecture(const source* in, const agon_net* wanted) {
    char own[128], expected[128];
    agon_net_format(&in->net, own, sizeof own);
    agon_net_format(wanted, expected, sizeof expected);
    return agon_fail(in->error, AGON_EINVALID, "%s: a learner of %s; expected %s", in->what, own,
                     expected);
}

static bool same_net(const agon_net* a, const agon_net* b) {
    return memcmp(a, b, sizeof *a) == 0;
}

int agon_learner_decode(const void* data, size_t size, const char* what, agon_learner* learner,
                        agon_snapshot_info* info, agon_error* error) {
    source in = {.what = what, .error = error};
    agon_snapshot_info read;
    uint64_t updates;
    double power1, power2;
    int code = open_source(&in, data, size, &read);
    if (code != AGON_OK)
        return code;
    if (!in.learner)
        return agon_fail(error, AGON_EFORMAT,
                         "%s: a snapshot; expected a learner, which also has "
                         "the optimiser's state",
                         what);
    if (!same_net(&in.net, &learner->net))
        return refuse_architecture(&in, &learner->net);
    if ((code = read_count(&in, "updates", UINT64_MAX, &updates)) != AGON_OK ||
        (code = read_power(&in, "beta1_power", &power1)) != AGON_OK ||
        (code = read_power(&in, "beta2_power", &power2)) != AGON_OK)
        return code;
    copy_part(&in, 0, learner->params);
    copy_part(&in, 1, learner->moment1);
    copy_part(&in, 2, learner->moment2);
    learner->beta1_power = power1;
    learner->beta2_power = power2;
    learner->updates = updates;
    learner->steps = read.steps;
    if (info)
        *info = read;
    return AGON_OK;
}
