/* shard.c: learners side by side on a GPU: their memory, their rollouts and their updates. */
#include "cuda/shard.h"

#include "cuda/carve.h"
#include "cuda/play.h"
#include "cuda/resident.h"
#include "cuda/pack_kernel.h"
#include "cuda/update.h"

#include <assert.h>
#include <stdlib.h>

enum { MOST_MEMBERS = 4096, LINE = 32 /* floats that parameters of a learner are padded to */ };

struct agon_shard {
    agon_shard_def def;
    agon__gpu* gpu;
    agon__stream* stream;
    agon__gpu_learners learners;
    agon__gpu_rectangles rectangles;
    size_t places; /* of each member, when the caller plays; else all entries and what is spare */
    agon__gpu_update* update;
    agon__gpu_play* play;
    agon__gpu_learner* each;        /* (members) */
    agon__resident** own;           /* (members) learners, as nets for forwards */
    agon__resident*** opponent;     /* (members, opponents) */
    const void** packed;            /* (members, 1 + opponents) weights on the device */
    const void* const** packed_row; /* (members) */
    uint32_t* place;                /* (entries) of one member, on its way to the device */
    float *target, *value;          /* (entries) of one member, on the host */
    void* memory;                   /* of the device: learners and rectangles */
};

/* ---- sizes -------------------------------------------------------------------------------- */

static size_t rows_of(const agon_shard_def* d) {
    return (size_t)d->lanes * (size_t)(d->own_seats ? __builtin_popcountll(d->own_seats) : 1);
}

static size_t entries_of(const agon_shard_def* d) {
    return rows_of(d) * (size_t)d->horizon;
}

static void* carve(agon__carver* c, size_t count, size_t size) {
    return agon__carve(c, count * size);
}

static void lay_learners(agon__gpu_learners* l, agon__carver* c) {
    const size_t floats = (size_t)l->count * l->stride;
    l->params = carve(c, floats, sizeof(float));
    l->moment1 = carve(c, floats, sizeof(float));
    l->moment2 = carve(c, floats, sizeof(float));
    l->grads = carve(c, floats, sizeof(float));
    l->packed = carve(c, (size_t)l->count, l->net.bytes);
}

static void lay_rectangles(agon__gpu_rectangles* r, size_t places, int with_place,
                           agon__carver* c) {
    const size_t rows = (size_t)r->members * (size_t)r->rows;
    const size_t entries = rows * (size_t)r->horizon;
    r->place = with_place ? carve(c, entries, sizeof *r->place) : NULL;
    r->obs = carve(c, places, r->obs_bytes);
    r->mask = carve(c, places * (size_t)r->mask_words, sizeof *r->mask);
    r->action = carve(c, entries, sizeof *r->action);
    r->log_probability = carve(c, entries, sizeof *r->log_probability);
    r->value = carve(c, entries, sizeof *r->value);
    r->reward = carve(c, entries, sizeof *r->reward);
    r->last = carve(c, entries, sizeof *r->last);
    r->bootstrap = carve(c, rows, sizeof *r->bootstrap);
    r->advantage = carve(c, entries, sizeof *r->advantage);
    r->target = carve(c, entries, sizeof *r->target);
    if (r->remembered)
        r->memory = carve(c, rows * (size_t)r->remembered, sizeof *r->memory);
}

/* What a shard of `members` like the first is, without its memory. */
static void shape(agon_shard* s, const agon_shard_def* def, agon_precision precision, int members) {
    const agon_spec* spec = &def->rules->spec;
    s->def = *def;
    s->def.members = members;
    s->learners.net = agon__gpu_net_of(&def->member[0].learner->net, (int)precision);
    s->learners.count = members;
    s->learners.stride = (s->learners.net.params + LINE - 1) / LINE * LINE;
    s->rectangles = (agon__gpu_rectangles){
        .members = members,
        .rows = (int)rows_of(def),
        .horizon = def->horizon,
        .obs_type = (int)spec->obs_type,
        .scale = spec->obs_scale,
        .obs_bytes = def->rules->obs_bytes,
        .mask_words = def->rules->mask_words,
        .remembered = s->learners.net.memory,
    };
    if (def->plays)
        s->places = (size_t)members * entries_of(def) + agon__gpu_play_spare(&s->def);
    else
        s->places = (size_t)members * (size_t)def->member[0].data->places;
}

static size_t lay_out(agon_shard* s, char* base) {
    agon__carver c = {base, 0};
    lay_learners(&s->learners, &c);
    lay_rectangles(&s->rectangles, s->places, !s->def.plays, &c);
    return c.used;
}

static size_t bytes_of(const agon__gpu* gpu, const agon_shard_def* def, agon_precision precision,
                       int members) {
    const agon_ppo* ppo = &def->member[0].ppo;
    agon_shard s = {0};
    shape(&s, def, precision, members);
    const agon__gpu_rectangles* r = &s.rectangles;
    if (s.places > UINT32_MAX) /* a place is named by 32 bits */
        return SIZE_MAX;
    return lay_out(&s, NULL) +
           agon__gpu_update_bytes(&s.learners.net, members, r->rows, r->horizon, ppo->epochs,
                                  ppo->minibatches) +
           (def->plays ? agon__gpu_play_bytes(gpu, &s.def, &s.learners.net) : 0);
}

/* Nine tenths of what is free: opponents' nets and matches want memory, too. */
int agon__shard_room(const agon_shard_def* def, agon_precision precision) {
    agon__gpu* gpu;
    size_t free_bytes = 0;
    int low = 1, high = MOST_MEMBERS;
    if (agon__gpu_open(&gpu, NULL))
        return 1;
    agon__gpu_memory(gpu, &free_bytes);
    while (low < high) {
        const int middle = low + (high - low + 1) / 2;
        if (bytes_of(gpu, def, precision, middle) <= free_bytes / 10 * 9)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

bool agon__shard_plays(const agon_rules* rules) {
    agon__gpu* gpu;
    return agon__gpu_open(&gpu, NULL) == AGON_OK && agon__gpu_play_has(gpu, rules);
}

/* ---- opening ------------------------------------------------------------------------------ */

static int open_host(agon_shard* s, agon_error* error) {
    const size_t members = (size_t)s->def.members, entries = entries_of(&s->def);
    size_t players = 0;
    for (size_t m = 0; m < members; m++)
        players += 1 + (size_t)s->def.member[m].opponents;
    s->each = calloc(members, sizeof *s->each);
    s->own = calloc(members, sizeof *s->own);
    s->opponent = calloc(members, sizeof *s->opponent);
    s->packed = calloc(players, sizeof *s->packed);
    s->packed_row = calloc(members, sizeof *s->packed_row);
    s->place = malloc(entries * sizeof *s->place);
    s->target = malloc(entries * sizeof *s->target);
    s->value = malloc(entries * sizeof *s->value);
    if (!s->each || !s->own || !s->opponent || !s->packed || !s->packed_row || !s->place ||
        !s->target || !s->value)
        return agon_fail(error, AGON_EMEMORY, "no memory for a shard of %d tasks", s->def.members);
    return AGON_OK;
}

static void send_learners(agon_shard* s) {
    const agon__gpu_learners* l = &s->learners;
    const size_t bytes = l->net.params * sizeof(float);
    agon__stream_fill(s->stream, l->params, 0, 4 * (size_t)l->count * l->stride * sizeof(float));
    for (int m = 0; m < l->count; m++) {
        const agon_learner* learner = s->def.member[m].learner;
        const size_t at = (size_t)m * l->stride;
        agon__stream_in(s->stream, l->params + at, learner->params, bytes);
        agon__stream_in(s->stream, l->moment1 + at, learner->moment1, bytes);
        agon__stream_in(s->stream, l->moment2 + at, learner->moment2, bytes);
    }
}

static int pack_learners(agon_shard* s, agon_error* error) {
    const agon__gpu_learners* l = &s->learners;
    const agon__function* pack = agon__gpu_function(s->gpu, "kernels", "pack");
    const agon__pack_args args = {.net = l->net,
                                  .count = l->count,
                                  .stride = l->stride,
                                  .params = l->params,
                                  .packed = l->packed};
    if (!pack)
        return agon_fail(error, AGON_EUNSUPPORTED, "the image 'kernels' lacks the kernel 'pack'");
    agon__stream_fill(s->stream, l->packed, 0, (size_t)l->count * l->net.bytes);
    agon__stream_launch(s->stream, pack, agon__gpu_processors(s->gpu) * 4, 8, 0, &args);
    return agon__stream_wait(s->stream, error);
}

static int hold_opponents(agon_shard* s, int m, const void** packed, agon_error* error) {
    const agon_shard_member* member = &s->def.member[m];
    s->opponent[m] = calloc((size_t)member->opponents + 1, sizeof *s->opponent[m]);
    if (!s->opponent[m])
        return agon_fail(error, AGON_EMEMORY, "no memory for a list of opponents");
    for (int i = 0; i < member->opponents; i++) {
        const agon_player* player = &member->opponent[i];
        assert(player->net && "a shard that plays has nets for opponents");
        s->opponent[m][i] =
            agon__resident_hold(s->gpu, s->stream, &s->learners.net, player->packed, error);
        if (!s->opponent[m][i])
            return AGON_EDEVICE;
        packed[1 + i] = agon__resident_weights(s->opponent[m][i]);
    }
    return AGON_OK;
}

static int seat_nets(agon_shard* s, agon_error* error) {
    const void** packed = s->packed;
    int rc = AGON_OK;
    for (int m = 0; !rc && m < s->def.members; m++) {
        const agon_shard_member* member = &s->def.member[m];
        packed[0] = s->learners.packed + (size_t)m * s->learners.net.bytes;
        s->own[m] = agon__resident_own(&s->learners.net, member->learner->packed, packed[0], error);
        if (!s->own[m])
            rc = AGON_EMEMORY;
        else if (s->def.plays)
            rc = hold_opponents(s, m, packed, error);
        s->packed_row[m] = packed;
        packed += 1 + member->opponents;
    }
    return rc;
}

static int open_parts(agon_shard* s, agon_error* error) {
    const agon_ppo* ppo = &s->def.member[0].ppo;
    const agon__gpu_update_def update = {
        .gpu = s->gpu,
        .stream = s->stream,
        .learners = &s->learners,
        .rectangles = &s->rectangles,
        .epochs = ppo->epochs,
        .minibatches = ppo->minibatches,
    };
    const agon__gpu_play_def play = {
        .gpu = s->gpu,
        .stream = s->stream,
        .shard = &s->def,
        .net = s->learners.net,
        .packed = s->packed_row,
        .rectangles = &s->rectangles,
    };
    int rc = agon__gpu_update_open(&update, &s->update, error);
    if (!rc && s->def.plays)
        rc = agon__gpu_play_open(&play, &s->play, error);
    return rc;
}

int agon__shard_open(const agon_shard_def* def, agon_precision precision, agon_shard** out,
                     agon_error* error) {
    agon_shard* s = calloc(1, sizeof *s);
    if (!s)
        return agon_fail(error, AGON_EMEMORY, "no memory for a shard");
    shape(s, def, precision, def->members);
    int rc = agon__gpu_open(&s->gpu, error);
    if (!rc)
        rc = agon__stream_open(s->gpu, &s->stream, error);
    if (!rc)
        rc = open_host(s, error);
    if (!rc) {
        s->memory = agon__gpu_alloc(s->gpu, lay_out(s, NULL), error);
        rc = s->memory ? AGON_OK : error ? error->code : AGON_EMEMORY;
    }
    if (!rc) {
        lay_out(s, s->memory);
        send_learners(s);
        rc = pack_learners(s, error);
    }
    if (!rc)
        rc = seat_nets(s, error);
    if (!rc)
        rc = open_parts(s, error);
    if (rc)
        agon__shard_close(s);
    else
        *out = s;
    return rc;
}

void agon__shard_close(agon_shard* s) {
    if (!s)
        return;
    agon__gpu_play_close(s->play);
    agon__gpu_update_close(s->update);
    for (int m = 0; s->own && s->opponent && m < s->def.members; m++) {
        for (int i = 0; s->opponent[m] && i < s->def.member[m].opponents; i++)
            agon__resident_release(s->opponent[m][i]);
        free(s->opponent[m]);
        agon__resident_disown(s->own[m]);
    }
    agon__stream_close(s->stream);
    if (s->memory)
        agon__gpu_free(s->gpu, s->memory);
    free(s->each);
    free(s->own);
    free(s->opponent);
    free(s->packed);
    free((void*)s->packed_row);
    free(s->place);
    free(s->target);
    free(s->value);
    free(s);
}

/* ---- work --------------------------------------------------------------------------------- */

int agon__shard_collect(agon_shard* s, agon_error* error) {
    agon_play_counts* counts = calloc((size_t)s->def.members, sizeof *counts);
    if (!counts)
        return agon_fail(error, AGON_EMEMORY, "no memory for counts of %d tasks", s->def.members);
    const int rc = agon__gpu_play_collect(s->play, counts, error);
    for (int m = 0; !rc && m < s->def.members; m++)
        s->def.member[m].counts = counts[m];
    free(counts);
    return rc;
}

/* A rectangle that the caller filled. Its places are numbered from those of all before it. */
static int send_rectangle(agon_shard* s, int m, agon_error* error) {
    const agon_rectangle* d = s->def.member[m].data;
    const agon__gpu_rectangles* r = &s->rectangles;
    const size_t entries = entries_of(&s->def), at = (size_t)m * entries;
    const size_t places = (size_t)d->places, first = (size_t)m * places;
    const size_t words = (size_t)r->mask_words, rows = (size_t)r->rows;
    for (size_t i = 0; i < entries; i++)
        s->place[i] = (uint32_t)(first + d->place[i]);
    agon__stream_in(s->stream, r->place + at, s->place, entries * sizeof *r->place);
    agon__stream_in(s->stream, (char*)r->obs + first * r->obs_bytes, d->obs, places * r->obs_bytes);
    agon__stream_in(s->stream, r->mask + first * words, d->mask, places * words * sizeof *r->mask);
    agon__stream_in(s->stream, r->action + at, d->action, entries * sizeof *r->action);
    agon__stream_in(s->stream, r->log_probability + at, d->log_probability,
                    entries * sizeof *r->log_probability);
    agon__stream_in(s->stream, r->value + at, d->value, entries * sizeof *r->value);
    agon__stream_in(s->stream, r->reward + at, d->reward, entries * sizeof *r->reward);
    agon__stream_in(s->stream, r->last + at, d->last, entries);
    agon__stream_in(s->stream, r->bootstrap + (size_t)m * rows, d->bootstrap,
                    rows * sizeof *r->bootstrap);
    if (r->remembered)
        agon__stream_in(s->stream, r->memory + (size_t)m * rows * (size_t)r->remembered, d->memory,
                        rows * (size_t)r->remembered * sizeof *r->memory);
    return agon__stream_wait(s->stream, error); /* s->place is wanted again */
}

int agon__shard_update(agon_shard* s, agon_error* error) {
    for (int m = 0; m < s->def.members; m++) {
        const agon_shard_member* member = &s->def.member[m];
        const agon_learner* learner = member->learner;
        s->each[m] = (agon__gpu_learner){.ppo = member->ppo,
                                         .shuffle = member->shuffle,
                                         .updates = learner->updates,
                                         .beta1_power = learner->beta1_power,
                                         .beta2_power = learner->beta2_power};
        const int rc = s->def.plays ? AGON_OK : send_rectangle(s, m, error);
        if (rc)
            return rc;
    }
    const int rc = agon__gpu_update_run(s->update, s->each, error);
    for (int m = 0; !rc && m < s->def.members; m++) {
        agon_shard_member* member = &s->def.member[m];
        member->stats = s->each[m].stats;
        member->learner->updates = s->each[m].updates;
        member->learner->beta1_power = s->each[m].beta1_power;
        member->learner->beta2_power = s->each[m].beta2_power;
    }
    return rc;
}

static int fetch_member(agon_shard* s, int m, agon_error* error) {
    const agon__gpu_learners* l = &s->learners;
    const agon__gpu_rectangles* r = &s->rectangles;
    const size_t bytes = l->net.params * sizeof(float), at = (size_t)m * l->stride;
    const size_t entries = entries_of(&s->def), first = (size_t)m * entries;
    agon_shard_member* member = &s->def.member[m];
    agon_learner* learner = member->learner;
    agon__stream_out(s->stream, learner->params, l->params + at, bytes);
    agon__stream_out(s->stream, learner->moment1, l->moment1 + at, bytes);
    agon__stream_out(s->stream, learner->moment2, l->moment2 + at, bytes);
    agon__stream_out(s->stream, s->target, r->target + first, entries * sizeof(float));
    agon__stream_out(s->stream, s->value, r->value + first, entries * sizeof(float));
    const int rc = agon__stream_wait(s->stream, error);
    if (rc)
        return rc;
    agon__resident_repack(&learner->net, learner->params, learner->packed);
    member->explained_variance = agon_explained_variance(s->target, s->value, entries);
    return AGON_OK;
}

int agon__shard_fetch(agon_shard* s, agon_error* error) {
    int rc = AGON_OK;
    for (int m = 0; !rc && m < s->def.members; m++)
        rc = fetch_member(s, m, error);
    return rc;
}
