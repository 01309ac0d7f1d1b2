/* SPDX-License-Identifier: 0BSD
 *
 * check_again.c: questions about the same once more: copied, from the start, between the plies of
 * another episode, in threads, in another process. */
#include "check_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PLAY_ON = 8, THREADS = 4, EPISODES = 16, SILENCE = 10 /* seconds */ };

/* ---- the same plies elsewhere ------------------------------------------------------------- */

/* Random legal plies from `state` on, without the checker's own position; a hash of all states and
 * rewards, so that two such plays can be compared. */
static uint64_t play_on(agon__check* k, void* state, int plies) {
    const agon_rules* rules = k->rules;
    float reward[AGON_MAX_SEATS] = {0};
    uint64_t hash = AGON_HASH_START;
    for (uint32_t ply = 0; ply < (uint32_t)plies; ply++) {
        uint16_t row[AGON_MAX_SEATS];
        const uint64_t acting = agon__call(k, "acting")->acting(rules->config, state);
        if (!acting)
            break;
        agon__walk_row(k, state, acting, 100 + ply, row);
        if (agon__call(k, "apply")->apply(rules->config, state, row, reward) != 0)
            break;
        hash = agon_hash(hash, state, rules->spec.state_size);
        hash = agon_hash(hash, reward, sizeof reward);
    }
    return hash;
}

bool agon__ask_clone(agon__check* k) {
    const size_t size = k->rules->spec.state_size;
    uint8_t* const elsewhere = k->spare2 + 8; /* aligned as promised, and no better */
    if (!k->sane || !k->acting)
        return true;
    memcpy(elsewhere, k->state, size);
    memcpy(k->spare, k->state, size);
    const uint64_t first = play_on(k, elsewhere, PLAY_ON);
    if (memcmp(k->spare, k->state, size) != 0)
        return agon__broken(k, "a copy was played on, and the original has changed");
    const uint64_t second = play_on(k, k->spare, PLAY_ON);
    if (first != second)
        return agon__broken(k, "two copies of the position, played on alike, differ");
    return true;
}

/* The line from the start, in memory of its own; other work is done between the plies. */
typedef struct again {
    agon__check* k; /* of several threads: they only read it, and beat */
    uint8_t* state;
    double reward[AGON_MAX_SEATS];
    bool played;
} again;

static void play_line(again* a, void (*between)(void* user), void* user) {
    const agon_rules* rules = a->k->rules;
    const agon__line* line = &a->k->shared->line;
    const size_t seats = (size_t)rules->spec.seats;
    memset(a->state, 0x5a, rules->spec.state_size);
    memset(a->reward, 0, sizeof a->reward);
    rules->game->init(rules->config, a->state);
    a->played = true;
    for (int i = 0; i < line->steps && a->played; i++) {
        float reward[AGON_MAX_SEATS] = {0};
        if (between)
            between(user);
        a->played = rules->game->apply(rules->config, a->state, line->number + (size_t)i * seats,
                                       reward) == 0;
        for (size_t seat = 0; seat < seats; seat++)
            a->reward[seat] += (double)reward[seat];
        __atomic_fetch_add(&a->k->shared->beat, 1, __ATOMIC_RELAXED);
    }
}

static bool same_again(agon__check* k, const again* a, const char* how) {
    if (!a->played)
        return agon__broken(k, "%s: the game refuses a ply that it took before", how);
    for (size_t i = 0; i < k->rules->spec.state_size; i++)
        if (a->state[i] != k->state[i])
            return agon__broken(k, "%s: byte %zu of the state is %d, not %d", how, i, a->state[i],
                                k->state[i]);
    if (memcmp(a->reward, k->reward, sizeof a->reward) != 0)
        return agon__broken(k, "%s: other returns", how);
    return true;
}

bool agon__ask_replay(agon__check* k) {
    again a = {.k = k, .state = k->spare};
    agon__call(k, "apply");
    play_line(&a, NULL, NULL);
    return same_again(k, &a, "the same line from the start");
}

/* One ply of another episode. */
static void play_other(void* user) {
    agon__check* k = (agon__check*)user;
    const agon_rules* rules = k->rules;
    if (!rules->game->acting(rules->config, k->spare2))
        rules->game->init(rules->config, k->spare2);
    play_on(k, k->spare2, 1);
    if (agon__decides(k))
        agon__call(k, "observe")
            ->observe(rules->config, k->state, __builtin_ctzll(k->acting), k->out);
    agon__call(k, "apply"); /* what the line goes on with */
}

bool agon__ask_interleaving(agon__check* k) {
    again a = {.k = k, .state = k->spare};
    agon__call(k, "apply")->init(k->rules->config, k->spare2);
    play_line(&a, play_other, k);
    return same_again(k, &a, "between the plies of another episode");
}

static void* thread_main(void* user) {
    again* a = (again*)user;
    for (int times = 0; times < 4 && (!times || !agon__is_late(a->k)); times++)
        play_line(a, NULL, NULL);
    return NULL;
}

bool agon__ask_threads(agon__check* k) {
    const size_t size = k->rules->spec.state_size;
    pthread_t thread[THREADS];
    again a[THREADS];
    uint8_t* const room = (uint8_t*)malloc(THREADS * size);
    int begun = 0;
    bool same = room != NULL;
    agon__call(k, "apply");
    for (; same && begun < THREADS; begun++) {
        a[begun] = (again){.k = k, .state = room + (size_t)begun * size};
        if (pthread_create(&thread[begun], NULL, thread_main, &a[begun]) != 0)
            break;
    }
    for (int i = 0; i < begun; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < begun && same; i++)
        same = same_again(k, &a[i], "in several threads at once");
    free(room);
    return same;
}

/* ---- another process ---------------------------------------------------------------------- */

/* Episodes at random, from one number to the next: a hash at every position. `tell` is false to
 * stop. */
static void walk_hashes(agon__check* k, bool (*tell)(void* user, uint64_t hash), void* user) {
    for (uint32_t episode = 1; episode <= EPISODES; episode++) {
        k->stream = episode;
        agon__walk_start(k);
        for (int ply = 0; ply < 2000; ply++) {
            uint64_t hash = agon_hash(AGON_HASH_START, k->state, k->rules->spec.state_size);
            hash = agon_hash(hash, k->reward, sizeof k->reward);
            if (agon__decides(k)) {
                agon__call(k, "observe")
                    ->observe(k->rules->config, k->state, __builtin_ctzll(k->acting), k->out);
                hash = agon_hash(hash, k->out, k->rules->obs_bytes);
            }
            if (!tell(user, hash))
                return;
            if (!agon__walk_choose(k, 0) || !agon__walk_step(k, k->action))
                break;
        }
    }
}

/* One hash is 16 digits and a newline. */
enum { HASH = 17 };

static bool print_hash(void* user, uint64_t hash) {
    char text[HASH + 1];
    snprintf(text, sizeof text, "%016llx\n", (unsigned long long)hash);
    return write(*(const int*)user, text, HASH) == HASH;
}

/* What the game itself prints goes elsewhere. */
void agon_check_hashes(const agon_rules* rules) {
    static agon__shared shared;
    static agon__check k;
    int out = dup(STDOUT_FILENO);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    k.shared = &shared;
    if (out >= 0 && nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0 &&
        agon__check_open(&k, rules))
        walk_hashes(&k, print_hash, &out);
    agon__check_close(&k);
}

typedef struct listener {
    agon__check* k;
    pid_t child;
    int said; /* the end of a pipe; -1: there is none */
    int count;
    enum { SAME, DIFFERENT, SILENT } heard;
} listener;

static void start(listener* l, const char* const* words) {
    int ends[2];
    l->said = -1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    l->child = fork();
    if (l->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        execv(words[0], (char* const*)words);
        _exit(127);
    }
    close(ends[1]);
    if (l->child > 0)
        l->said = ends[0];
    else
        close(ends[0]);
}

static void stop(listener* l) {
    if (l->said >= 0)
        close(l->said);
    if (l->child > 0)
        kill(l->child, SIGKILL);
    while (l->child > 0 && waitpid(l->child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* The next hash; false: none came in time. This process is not the one that hangs. */
static bool hear(listener* l, unsigned long long* hash) {
    char text[HASH + 1] = "";
    for (int got = 0, turns = 0; got < HASH;) {
        struct pollfd ready = {.fd = l->said, .events = POLLIN};
        l->k->shared->beat++;
        if (poll(&ready, 1, 100) <= 0 && ++turns < 10 * SILENCE)
            continue;
        const ssize_t more = ready.revents ? read(l->said, text + got, (size_t)(HASH - got)) : 0;
        if (more <= 0)
            return false;
        got += (int)more;
    }
    return sscanf(text, "%16llx", hash) == 1;
}

static bool compare_hash(void* user, uint64_t hash) {
    listener* l = (listener*)user;
    unsigned long long theirs;
    if (!hear(l, &theirs))
        l->heard = SILENT;
    else if (theirs != hash)
        l->heard = DIFFERENT;
    l->count++;
    return l->heard == SAME && !agon__is_late(l->k);
}

bool agon__same_in_process(agon__check* k) {
    listener l = {.k = k};
    start(&l, k->options->hashes);
    k->end = agon__now() + k->options->seconds / 2;
    if (l.said >= 0)
        walk_hashes(k, compare_hash, &l);
    k->end = 0;
    stop(&l);
    if (l.said < 0 || (l.heard == SILENT && l.count == 1)) {
        k->shared->note[AGON__PROCESS] = "no other process could be started";
        return true;
    }
    return l.heard == SAME ||
           agon__broken(k, l.heard == SILENT
                               ? "another process stops playing the same plies"
                               : "in another process the same plies give other bytes");
}
