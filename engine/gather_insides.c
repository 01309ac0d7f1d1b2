/* gather_insides.c: last hidden layers and parameters of nets of one shape. */
#include "engine/gather.h"

#include "agents/net.h"

#include <stdlib.h>
#include <string.h>

#define INPUTS 256               /* states on which hidden layers are compared, at most */
#define LIMIT  ((size_t)1 << 30) /* bytes of activations, and of parameters, that are kept */

/* A policy that answers nothing and keeps what the trunk of a net makes of its observations: the
 * net with the identity as its policy head, whose logits are the last hidden layer. */
typedef struct looking {
    const agon_backend* backend;
    agon_net net;
    agon_input input;
    void* packed;
    agon_scratch* scratch;
    int width, done;
    float* out; /* (questions, width) */
    bool failed;
} looking;

/* Without probabilities to give, a decision on the way to a question: only memory moves on. */
static void look(const agon_policy* policy, const agon_batch* batch) {
    looking* l = policy->self;
    const int offsets[2] = {0, batch->count};
    const void* packed[1] = {l->packed};
    l->failed = l->failed || l->backend->scratch_reserve(l->scratch, &l->net, batch->count, 0) != 0;
    if (l->failed)
        return;
    const agon_forward call = {
        .net = &l->net,
        .input = l->input,
        .nets = 1,
        .packed = packed,
        .offsets = offsets,
        .obs = batch->obs,
        .memory = batch->memory,
        .temperature = 1,
        .logits = batch->probability ? l->out + (size_t)l->done * (size_t)l->width : NULL};
    l->backend->forward(&call, l->scratch);
    if (!batch->probability)
        return;
    memset(batch->probability, 0,
           (size_t)batch->count * (size_t)batch->rules->spec.actions * sizeof(float));
    l->done += batch->count;
}

/* Parameters of the trunk, then the identity head and a value head of zeros. */
static float* with_identity(const agon_net* net, const float* params, agon_net* out) {
    agon_tensor tensor[AGON_MAX_TENSORS], made[AGON_MAX_TENSORS];
    const int last = agon_net_last(net);
    *out = *net;
    out->actions = last;
    float* p = calloc(agon_net_size(out), sizeof *p);
    if (!p)
        return NULL;
    agon_net_tensors(net, tensor);
    agon_net_tensors(out, made);
    const int head = 2 * net->layers; /* the policy's weight comes after the trunk's tensors */
    memcpy(p, params, tensor[head].offset * sizeof *p);
    for (int i = 0; i < last; i++)
        p[made[head].offset + (size_t)i * (size_t)last + (size_t)i] = 1;
    return p;
}

static int open_looking(const agon_gather* g, const agon_net* net, const float* params, float* out,
                        looking* l) {
    *l = (looking){.backend = g->backend,
                   .input = {g->rules->spec.obs_type, g->rules->spec.obs_scale},
                   .width = agon_net_last(net),
                   .out = out};
    float* own = with_identity(net, params, &l->net);
    l->scratch = g->backend->scratch_open();
    if (posix_memalign(&l->packed, 64, g->backend->packed_size(&l->net)) != 0)
        l->packed = NULL;
    if (own && l->packed && l->scratch)
        g->backend->pack(&l->net, own, l->packed);
    const bool whole = own && l->packed && l->scratch;
    free(own);
    return whole ? AGON_OK : AGON_EMEMORY;
}

static void close_looking(looking* l) {
    if (l->scratch)
        l->backend->scratch_close(l->scratch);
    free(l->packed);
}

static int decode_net(const agon_gather* g, int agent, agon_net* net, float** params,
                      agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    *params = NULL;
    int rc = g->load(g->load_user, g->ref[agent], &data, &size, error);
    if (!rc)
        rc = agon_snapshot_decode(data, size, g->ref[agent], net, params, NULL, error);
    free(data);
    return rc;
}

static bool is_net(const char* ref) {
    return strlen(ref) == AGON_HASH_SIZE - 1 && strspn(ref, "0123456789abcdef") == 64;
}

/* Room for everyone, once the first net says how much. */
static int open_insides(const agon_gather* g, const agon_net* net, int inputs, agon_insides* s,
                        agon_evidence* out) {
    const size_t width = (size_t)agon_net_last(net), size = agon_net_size(net);
    const size_t activations = (size_t)g->agents * (size_t)inputs * width * sizeof(float);
    const size_t parameters = (size_t)g->agents * size * sizeof(float);
    if (width > AGON_MAX_ACTIONS || width * width * sizeof(float) > LIMIT) {
        snprintf(out->why.insides, sizeof out->why.insides,
                 "last hidden layers of %zu numbers are too wide to look at", width);
        return AGON_EUNSUPPORTED;
    }
    if (activations > LIMIT || parameters > LIMIT) {
        snprintf(out->why.insides, sizeof out->why.insides,
                 "%d nets of %zu parameters are too many to compare inside", g->agents, size);
        return AGON_EUNSUPPORTED;
    }
    s->activation = malloc(activations);
    s->parameter = malloc(parameters);
    s->width = (int)width;
    s->parameters = (int)size;
    return s->activation && s->parameter ? AGON_OK : AGON_EMEMORY;
}

static int look_into(const agon_gather* g, const agon_probes* probes, int agent,
                     const agon_net* net, const float* params, int inputs, agon_insides* s,
                     agon_error* error) {
    const size_t width = (size_t)s->width, size = (size_t)s->parameters;
    float* out = s->activation + (size_t)agent * (size_t)inputs * width;
    float* unused = malloc((size_t)inputs * (size_t)g->rules->spec.actions * sizeof *unused);
    agon_probes first = *probes;
    looking l;
    agon_policy policy = {
        .name = "inside", .memory = agon_net_memory(net), .act = look, .self = &l};
    first.states = inputs;
    int rc = open_looking(g, net, params, out, &l);
    if (!rc && !unused)
        rc = AGON_EMEMORY;
    if (!rc)
        rc = agon_probes_ask(&first, g->rules, &policy, 1, unused, error);
    if (!rc && l.failed)
        rc = AGON_EMEMORY;
    close_looking(&l);
    free(unused);
    memcpy(s->parameter + (size_t)agent * size, params, size * sizeof *params);
    return rc;
}

/* AGON_EUNSUPPORTED: not nets of one shape, and out->why says so. */
static int gather(const agon_gather* g, const agon_probes* probes, int inputs, agon_insides* s,
                  agon_evidence* out, agon_error* error) {
    agon_net first, net;
    int rc = AGON_OK;
    for (int i = 0; !rc && i < g->agents; i++) {
        float* params = NULL;
        if (!is_net(g->ref[i])) {
            snprintf(out->why.insides, sizeof out->why.insides, "%s is not a net", g->label[i]);
            return AGON_EUNSUPPORTED;
        }
        rc = decode_net(g, i, &net, &params, error);
        if (!rc && i == 0) {
            first = net;
            rc = open_insides(g, &net, inputs, s, out);
        } else if (!rc && memcmp(&net, &first, sizeof net) != 0) {
            snprintf(out->why.insides, sizeof out->why.insides, "%s has another shape than %s",
                     g->label[i], g->label[0]);
            rc = AGON_EUNSUPPORTED;
        }
        if (!rc)
            rc = look_into(g, probes, i, &net, params, inputs, s, error);
        free(params);
    }
    return rc;
}

int agon_gather_insides(const agon_gather* g, const agon_probes* probes, agon_evidence* out,
                        agon_error* error) {
    const int inputs = probes->states < INPUTS ? probes->states : INPUTS;
    agon_insides s = {0};
    const int rc = gather(g, probes, inputs, &s, out, error);
    if (rc == AGON_OK) {
        s.inputs = inputs;
        out->insides = s;
        return AGON_OK;
    }
    free(s.activation);
    free(s.parameter);
    if (rc == AGON_EMEMORY)
        agon_fail(error, rc, "no memory for the inside of %d nets", g->agents);
    return rc == AGON_EUNSUPPORTED ? AGON_OK : rc;
}
