#include "cuda/resident.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    HEAD = 64, /* bytes before the parameters */
    SHARE = 8, /* nets that nobody holds may take this part of the memory */
    BUCKETS = 4096
};

/* What lies at the start of a packed net. */
typedef struct head {
    uint64_t number; /* never 0, never twice in a process */
} head;

struct agon__resident {
    agon__resident* next;
    agon__gpu* gpu; /* NULL: the memory is its owner's */
    uint64_t number, used;
    int mode, holders;
    const void* weights;
    void* memory; /* owned, or NULL */
    size_t bytes;
};

static struct {
    pthread_mutex_t lock;
    agon__resident* first[BUCKETS]; /* by number */
    size_t bytes;                   /* of memory that is owned */
    uint64_t uses;
} nets = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- packed nets in host memory ----------------------------------------------------------- */

size_t agon__resident_packed_size(const agon_net* net) {
    return HEAD + agon_net_size(net) * sizeof(float);
}

void agon__resident_repack(const agon_net* net, const float* params, void* packed) {
    memcpy((char*)packed + HEAD, params, agon_net_size(net) * sizeof(float));
}

void agon__resident_pack(const agon_net* net, const float* params, void* packed) {
    static atomic_ullong numbers;
    const head h = {atomic_fetch_add(&numbers, 1) + 1};
    memset(packed, 0, HEAD);
    memcpy(packed, &h, sizeof h);
    agon__resident_repack(net, params, packed);
}

static uint64_t number_of(const void* packed) {
    head h;
    memcpy(&h, packed, sizeof h);
    assert(h.number != 0 && "a net was packed by another backend");
    return h.number;
}

/* ---- nets on the device ------------------------------------------------------------------- */

static agon__resident* find(uint64_t number, int mode) {
    agon__resident* r = nets.first[number % BUCKETS];
    while (r && (r->number != number || r->mode != mode))
        r = r->next;
    return r;
}

static void unlink_one(agon__resident* gone) {
    agon__resident** at = &nets.first[gone->number % BUCKETS];
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
}

static void drop(agon__resident* r) {
    unlink_one(r);
    nets.bytes -= r->bytes;
    agon__gpu_free(r->gpu, r->memory);
    free(r);
}

static agon__resident* oldest_free(void) {
    agon__resident* oldest = NULL;
    for (int i = 0; i < BUCKETS; i++)
        for (agon__resident* r = nets.first[i]; r; r = r->next)
            if (r->gpu && !r->holders && (!oldest || r->used < oldest->used))
                oldest = r;
    return oldest;
}

static void shrink(size_t bytes) {
    for (agon__resident* r; nets.bytes > bytes && (r = oldest_free());)
        drop(r);
}

/* Device memory; nets that nobody holds make room for it. */
static void* make_room(agon__gpu* gpu, size_t bytes, agon_error* error) {
    void* memory = agon__gpu_alloc(gpu, bytes, error);
    if (memory || agon__gpu_check(gpu, NULL) || !oldest_free())
        return memory;
    shrink(0);
    return agon__gpu_alloc(gpu, bytes, error);
}

static int upload(agon__stream* stream, const agon__gpu_net* net, const void* packed, void* memory,
                  agon_error* error) {
    void* host = malloc(net->bytes);
    if (!host)
        return agon_fail(error, AGON_EMEMORY, "no memory for a net of %llu bytes",
                         (unsigned long long)net->bytes);
    agon__gpu_pack(net, (const float*)((const char*)packed + HEAD), host);
    agon__stream_in(stream, memory, host, net->bytes);
    const int rc = agon__stream_wait(stream, error);
    free(host);
    return rc;
}

static agon__resident* link_new(uint64_t number, const agon__gpu_net* net, agon_error* error) {
    agon__resident* r = calloc(1, sizeof *r);
    if (!r) {
        agon_fail(error, AGON_EMEMORY, "no memory for the list of nets on the device");
        return NULL;
    }
    r->number = number;
    r->mode = net->mode;
    r->next = nets.first[number % BUCKETS];
    nets.first[number % BUCKETS] = r;
    return r;
}

static agon__resident* bring(agon__gpu* gpu, agon__stream* stream, const agon__gpu_net* net,
                             const void* packed, agon_error* error) {
    void* memory = make_room(gpu, net->bytes, error);
    agon__resident* r = NULL;
    if (memory && upload(stream, net, packed, memory, error) == AGON_OK)
        r = link_new(number_of(packed), net, error);
    if (!r) {
        agon__gpu_free(gpu, memory);
        return NULL;
    }
    r->gpu = gpu;
    r->memory = memory;
    r->weights = memory;
    r->bytes = net->bytes;
    nets.bytes += r->bytes;
    return r;
}

agon__resident* agon__resident_hold(agon__gpu* gpu, agon__stream* stream, const agon__gpu_net* net,
                                    const void* packed, agon_error* error) {
    pthread_mutex_lock(&nets.lock);
    agon__resident* r = find(number_of(packed), net->mode);
    if (!r)
        r = bring(gpu, stream, net, packed, error);
    if (r) {
        r->holders++;
        r->used = ++nets.uses;
    }
    pthread_mutex_unlock(&nets.lock);
    return r;
}

const void* agon__resident_weights(const agon__resident* resident) {
    return resident->weights;
}

void agon__resident_release(agon__resident* r) {
    if (!r)
        return;
    pthread_mutex_lock(&nets.lock);
    assert(r->holders > 0);
    r->holders--;
    if (r->gpu && !r->holders)
        shrink(agon__gpu_memory(r->gpu, NULL) / SHARE);
    pthread_mutex_unlock(&nets.lock);
}

agon__resident* agon__resident_own(const agon__gpu_net* net, const void* packed,
                                   const void* weights, agon_error* error) {
    pthread_mutex_lock(&nets.lock);
    agon__resident* r = find(number_of(packed), net->mode);
    assert(!r || (r->gpu && !r->holders));
    if (r)
        drop(r);
    r = link_new(number_of(packed), net, error);
    if (r)
        r->weights = weights;
    pthread_mutex_unlock(&nets.lock);
    return r;
}

void agon__resident_disown(agon__resident* r) {
    if (!r)
        return;
    pthread_mutex_lock(&nets.lock);
    assert(!r->gpu && !r->holders);
    unlink_one(r);
    free(r);
    pthread_mutex_unlock(&nets.lock);
}
