#include "engine/shard_fill.h"

#include <pthread.h>
#include <stdlib.h>

enum { MOST_THREADS = 256, TOGETHER = 64 /* rollouts of a thread whose forwards are in flight */ };

typedef struct share {
    pthread_t thread;
    bool started;
    agon__fill* fill;
    int count;
    agon_profile* profile; /* the caller's for the first share, else the next */
    agon_profile own;
} share;

static void fill_some(share* s, int from, int count) {
    agon_rollout* rollout[TOGETHER] = {NULL};
    agon_error error[TOGETHER];
    int code[TOGETHER];
    for (int i = 0; i < count; i++) {
        rollout[i] = s->fill[from + i].rollout;
        agon_rollout_watch(rollout[i], s->profile);
    }
    agon_rollouts_collect(rollout, count, code, error);
    for (int i = 0; i < count; i++) {
        s->fill[from + i].code = code[i];
        if (code[i])
            s->fill[from + i].error = error[i];
    }
}

static void fill_share(share* s) {
    for (int from = 0; from < s->count; from += TOGETHER)
        fill_some(s, from, s->count - from < TOGETHER ? s->count - from : TOGETHER);
}

static void* work(void* user) {
    share* s = user;
    pthread_setname_np(pthread_self(), "agon-fill");
    agon_profile_begin(&s->own, AGON_PHASE_COLLECT);
    fill_share(s);
    agon_profile_end(&s->own);
    return NULL;
}

/* The caller takes the first share, and those for which there is no thread. */
void agon__shard_fill(agon__fill* fills, int count, int threads, agon_profile* profile) {
    const int most = threads > MOST_THREADS ? MOST_THREADS : threads < 1 ? 1 : threads;
    const int shares = most < count ? most : count;
    share* s = calloc((size_t)shares + 1, sizeof *s);
    if (!s) { /* then one by one */
        for (int i = 0; i < count; i++)
            fills[i].code = agon_rollout_collect(fills[i].rollout, &fills[i].error);
        return;
    }
    for (int i = 0; i < shares; i++) {
        const int from = (int)((int64_t)count * i / shares);
        s[i].fill = fills + from;
        s[i].count = (int)((int64_t)count * (i + 1) / shares) - from;
        s[i].profile = i ? &s[i].own : profile;
        s[i].started = i && pthread_create(&s[i].thread, NULL, work, &s[i]) == 0;
    }
    for (int i = 0; i < shares; i++)
        if (!s[i].started)
            fill_share(&s[i]);
    for (int i = 0; i < shares; i++) {
        if (!s[i].started)
            continue;
        pthread_join(s[i].thread, NULL);
        agon_profile_take(profile, &s[i].own);
    }
    for (int i = 0; i < count; i++)
        agon_rollout_watch(fills[i].rollout, profile);
    free(s);
}
