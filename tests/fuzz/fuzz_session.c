/* fuzz_session.c: whatever workers say to a coordinator, in whatever order: it sends nothing but
 * messages, and nothing to those it has parted with; each of its tasks ends exactly once; what a
 * worker can make it keep is bounded. Five bytes are one step: what happens, to which peer, and
 * three that say how. */
#include "tests/fuzz/session_world.h"

enum { STEP = 5, STEPS = 400, GONE = AGON__MESSAGE_KINDS + 3 };

/* ---- the driver --------------------------------------------------------------------------- */

static void on_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                    const agon_error* error) {
    (void)user;
    MUST(ticket >= 1 && ticket <= w.tickets);
    MUST(w.ended[ticket]++ == 0);
    MUST((status == AGON_OK) == (data != NULL));
    MUST(status == AGON_OK || error->text[0]);
    MUST(!data || size > 0);
}

static void on_wrong(void* user, const uint8_t* task, size_t size, const agon_error* why) {
    (void)user;
    MUST(task && size && why->text[0]);
}

static void on_note(void* user, const char* text) {
    (void)user;
    MUST(text[0]);
}

static void on_changed(void* user) {
    (void)user;
}

static void submit(int i) {
    uint8_t* data = malloc(table[i].size);
    MUST(data != NULL);
    memcpy(data, table[i].data, table[i].size);
    w.tickets++;
    MUST(w.executor.submit(&w.executor, w.tickets, data, table[i].size) == AGON_OK);
}

/* ---- workers ------------------------------------------------------------------------------ */

static void say(peer* p, const agon__message* m) {
    uint8_t* data;
    size_t size;
    if (agon__message_encode(m, &data, &size, NULL) != AGON_OK)
        return;
    agon__session_message(p->session, data, size);
    free(data);
}

static void say_hello(agon__message* m, const uint8_t* how) {
    agon__hello* h = &m->as.hello;
    m->kind = AGON__HELLO;
    *h = (agon__hello){.protocol = how[1] == 255 ? 2 : AGON__PROTOCOL,
                       .task_format = how[1] == 254 ? 9999 : AGON_TASK_FORMAT,
                       .build = "agon",
                       .class = "cpu",
                       .name = "w",
                       .token = "-",
                       .slots = 1 + how[2] % 8,
                       .agents = how[1] & 1};
    agon_sha256(&how[0], 1, h->nonce);
    const char number = (char)(how[0] % IDS);
    agon_sha256(&number, 1, h->id);
    snprintf(h->agent[0].name, sizeof h->agent[0].name, "prog");
    memcpy(h->agent[0].file, program_hash, AGON_HASH_SIZE);
}

/* A task by its place in the table, or as it was handed out. */
static handed pick(const uint8_t* how) {
    handed h = {.lease = how[1] % 16};
    if (how[0] < TASKS)
        memcpy(h.id, table[how[0]].id, AGON_HASH_SIZE);
    else if (w.handed_count)
        h = w.handed[how[0] % (w.handed_count < LEASES ? w.handed_count : LEASES)];
    else
        agon_sha256("nothing", 7, h.id);
    if (how[1] & 128)
        h.lease = how[1] & 1 ? 0 : h.lease + 1;
    return h;
}

/* how[2]: 1 a lie, 2 inside the message, 4 of another size, 8 another's bytes. */
static void say_result(agon__message* m, const uint8_t* how) {
    static handed h; /* a golden result is its id */
    h = pick(how);
    const int t = table_of(h.id);
    agon__result_offer* r = &m->as.result;
    m->kind = AGON__RESULT;
    memcpy(r->task, h.id, AGON_HASH_SIZE);
    r->lease = h.lease;
    r->steps = how[2];
    const int from = t >= 0 && how[2] & 8 ? (t + 1) % TASKS : t;
    const uint8_t* data = from >= 0 ? table[from].result : (const uint8_t*)h.id;
    r->size = from >= 0 ? table[from].result_size : AGON_HASH_SIZE - 1;
    agon_sha256(data, how[2] & 1 ? 1 + how[2] / 16 : r->size, r->hash);
    if (how[2] & 2 && r->size <= AGON__INLINE) {
        r->data = (uint8_t*)data;
        r->inlined = r->size;
    }
    r->size += how[2] & 4 ? how[2] >> 4 : 0;
}

/* A chunk of the result of a task; how[2]: 1 of wrong bytes, then the index. */
static void say_chunk(agon__message* m, const uint8_t* how) {
    const int t = how[0] % TASKS;
    agon__chunk* chunk = &m->as.chunk;
    m->kind = AGON__CHUNK_DATA;
    chunk->count = agon__chunks(table[t].result_size);
    chunk->index = (how[2] >> 1) % chunk->count;
    agon_sha256(table[t].result, table[t].result_size, chunk->hash);
    const size_t from = (size_t)chunk->index * AGON__CHUNK, left = table[t].result_size - from;
    chunk->size = left < AGON__CHUNK ? left : AGON__CHUNK;
    chunk->data = how[2] & 1 ? blob_bytes : table[t].result + from;
}

static void say_beat(agon__message* m, const uint8_t* how) {
    m->kind = AGON__BEAT;
    m->as.beat.leases = how[0] % 16;
    for (int i = 0; i < m->as.beat.leases; i++)
        m->as.beat.lease[i] =
            (agon__progress){(uint64_t)(how[1] + i), how[2] * 3, (uint64_t)how[2] * 100};
}

static void say_nak(agon__message* m, const uint8_t* how) {
    const handed h = pick(how);
    m->kind = AGON__NAK;
    memcpy(m->as.nak.task, h.id, AGON_HASH_SIZE);
    m->as.nak.lease = h.lease;
    m->as.nak.class = AGON__NAK_BACK + how[2] % 3;
    snprintf(m->as.nak.text, sizeof m->as.nak.text, "no");
}

static void say_want(agon__message* m, const uint8_t* how) {
    m->kind = AGON__WANT;
    if (how[0] < BLOBS)
        memcpy(m->as.want.hash, blobs[how[0]].hash, AGON_HASH_SIZE);
    else
        agon_sha256(how, 2, m->as.want.hash);
    m->as.want.from = how[2];
}

static void speak(peer* p, int kind, const uint8_t* how) {
    static agon__message m;
    memset(&m, 0, sizeof m);
    m.kind = (agon__message_kind)kind;
    if (kind == AGON__HELLO)
        say_hello(&m, how);
    else if (kind == AGON__CREDIT)
        m.as.credit.tasks = how[0];
    else if (kind == AGON__WANT)
        say_want(&m, how);
    else if (kind == AGON__BEAT)
        say_beat(&m, how);
    else if (kind == AGON__RESULT)
        say_result(&m, how);
    else if (kind == AGON__CHUNK_DATA)
        say_chunk(&m, how);
    else if (kind == AGON__NAK)
        say_nak(&m, how);
    else if (kind == AGON__BYE)
        snprintf(m.as.bye.text, sizeof m.as.bye.text, "bye");
    const int most = kind == AGON__WANT     ? how[1] == 255 ? 2000 : 1 + how[1] % 4
                     : kind == AGON__RESULT ? 1 + how[2] / 128 * IDS * TASKS
                                            : 1;
    for (int i = 0; i < most && p->session; i++)
        say(p, &m);
}

/* ---- steps -------------------------------------------------------------------------------- */

static void turn(void) {
    for (int i = 0; i < 8 && uv_is_active((uv_handle_t*)&w.c->pump); i++)
        w.c->pump.idle_cb(&w.c->pump);
}

static void pass_time(int quarters) {
    for (int i = 0; i < quarters; i++) {
        w.now += 2500000000u;
        w.c->ticker.timer_cb(&w.c->ticker);
        turn();
    }
}

static void connect_peer(peer* p, const uint8_t* how) {
    if (p->session)
        return;
    p->session = agon__session_open(w.c, p, "10.0.0.1:1", how[0] & 1 ? "node" : "");
    MUST(p->session != NULL);
}

static void disconnect(peer* p) {
    agon__session* session = p->session;
    p->session = NULL;
    agon__session_close(session);
}

/* What is done by the coordinator's side. */
static void go_on(const uint8_t* step) {
    switch (step[0] & 15) {
    case 0:
        pass_time(step[2] % 32);
        break;
    case 1:
        do_work(step[2] % 8);
        break;
    case 2:
        own_finish(step[2] % OWN, step[3] == 255);
        break;
    case 3:
        if (w.tickets)
            w.executor.committed(&w.executor, 1 + step[2] % w.tickets);
        break;
    case 4:
        submit(step[2] % TASKS);
        break;
    case 5:
        w.queued = 0;
        break;
    case 6:
        w.executor.recall(&w.executor);
        break;
    case 7:
        if (step[2] == 255)
            w.executor.cancel(&w.executor);
        break;
    default:
        turn();
    }
}

static void check_bounds(void) {
    int sessions = 0, waiting = 0;
    for (const agon__session* s = w.c->sessions.first; s; s = s->next) {
        MUST(s->parcel_count >= 0 && s->reading >= 0 && s->offer_count >= 0);
        MUST(s->parcel_count + s->reading <= AGON__MOST_PARCELS && s->offer_count <= TASKS);
        MUST(agon__inbox_bytes(s->inbox) <= AGON__SESSION_INBOX);
        sessions++;
    }
    for (int i = 0; i < AGON__WAITING_BUCKETS; i++)
        for (const agon__waiting* x = w.c->by_ticket[i]; x; x = x->of_ticket)
            waiting++;
    MUST(sessions <= PEERS && waiting <= IDS * TASKS);
    unsigned permille;
    uint64_t steps;
    w.executor.progress(&w.executor, &permille, &steps);
    MUST(w.executor.begun(&w.executor) >= 0 && w.executor.checks(&w.executor) >= 0);
}

static void take_step(const uint8_t* step) {
    peer* p = &w.peer[step[1] % PEERS];
    if (step[0] < 128)
        go_on(step);
    else if (!p->session)
        connect_peer(p, step + 2);
    else if ((step[0] & 31) >= 1 && (step[0] & 31) <= AGON__MESSAGE_KINDS)
        speak(p, step[0] & 31, step + 2);
    else if ((step[0] & 31) == 17)
        agon__session_drained(p->session);
    else if ((step[0] & 31) == 18)
        agon__session_message(p->session, step + 2, 3);
    else if ((step[0] & 31) == GONE)
        disconnect(p);
    check_bounds();
}

/* ---- the beginning and the end of a world ------------------------------------------------- */

static void open_world(uint8_t threads) {
    agon_cluster_def cluster = {
        .listen = "tcp://127.0.0.1:1", .lease = 10, .audit = 0.5, .threads = threads % (OWN + 1)};
    const agon_executor_def def = {.loop = &w.loop,
                                   .backend = agon_cpu_backend(),
                                   .slots = OWN,
                                   .load = load_blob,
                                   .done = on_done,
                                   .changed = on_changed,
                                   .wrong = on_wrong,
                                   .note = on_note};
    memset(&w, 0, sizeof w);
    w.now = 1000000000u;
    MUST(uv_loop_init(&w.loop) == 0);
    MUST(agon_executor_cluster(&def, &cluster, &w.executor, NULL) == AGON_OK);
    for (int i = 0; i < TASKS; i++)
        submit(i);
    turn();
}

static void close_world(void) {
    w.executor.cancel(&w.executor);
    for (int i = 0; i < 100; i++) {
        turn();
        for (int k = 0; k < OWN; k++)
            own_finish(k, false);
    }
    for (uint64_t ticket = 1; ticket <= w.tickets; ticket++)
        MUST(w.ended[ticket] == 1);
    w.executor.shut(&w.executor);
    for (int i = 0; i < PEERS; i++)
        MUST(w.peer[i].session == NULL);
    while (w.works)
        do_work(0);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    w.executor.close(&w.executor);
    MUST(uv_loop_close(&w.loop) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (!table[0].data)
        make_all();
    open_world(size ? data[0] : 0);
    for (size_t at = 1; at + STEP <= size && at < STEP * (STEPS - TASKS); at += STEP)
        take_step(data + at);
    close_world();
    return 0;
}

/* ---- seeds -------------------------------------------------------------------------------- */

static const struct {
    char letter;
    uint8_t what;
} names[] = {
    {'t', 0},   /* time passes */
    {'k', 1},   /* a blob is read */
    {'o', 2},   /* this process ends a task */
    {'m', 3},   /* a result is committed */
    {'.', 15},  /* a turn of the loop */
    {'j', 128}, /* a peer connects ... */
    {'h', 128 + AGON__HELLO},
    {'a', 128 + AGON__AUTH},
    {'c', 128 + AGON__CREDIT},
    {'w', 128 + AGON__WANT},
    {'b', 128 + AGON__BEAT},
    {'r', 128 + AGON__RESULT},
    {'g', 128 + AGON__CHUNK_DATA},
    {'n', 128 + AGON__NAK},
    {'y', 128 + AGON__BYE},
    {'x', 128 + GONE},
};

/* From "w0,1 .": a letter for what happens, then the other bytes of its step. */
static size_t write_steps(uint8_t* out, const char* text) {
    size_t size = 1;
    for (; *text; text += strcspn(text, " "), text += *text == ' ') {
        int how[STEP - 1] = {0}, n = 0;
        while (names[n].letter != *text)
            n++;
        sscanf(text + 1, "%d,%d,%d,%d", &how[0], &how[1], &how[2], &how[3]);
        out[size++] = names[n].what;
        for (int i = 0; i < STEP - 1; i++)
            out[size++] = (uint8_t)how[i];
    }
    return size;
}

static void fuzz_seeds(const char* dir) {
    static const char* const seeds[][2] = {
        {"honest",
         "j0 h0,0,1,3 a0 c0,4 . o o0,1 . r0,8 . o o0,1 r0,9 . b0,8,1,9 t0,2 w0,0 w0,1 k k "
         "r0,0 g0,0,0,0 g0,0,0,2 m r0,1,0,2 m0,1 r0,2,0,2 r0,3,0,2 m0,2 m0,3 . r0,6,0,2 "
         "m0,6 o . y0"},
        {"lies", "j0 h0,0,1,3 a0 c0,4 j1 h1,1,1,3 a1 c1,4 . o o0,1 . r0,8 r0,9 r1,10 r1,11 . "
                 "o o0,1 . r0,12 r1,13 r0,1,0,10 r1,2,0,1 r1,3,0,2 n1,4,3,1 r0,3,0,1 . o . x1 ."},
        {"chunks", "j0 h0,0,1,3 a0 c0,4 . r0,0 g0,0,0,1 g0,0,0,2 g0,0,0,0 r0,1 g0,1 t0,9 ."},
        {"again", "j0 h0,0,1,3 a0 c0,4 . r0,1,0,130 m0,1 . r0,1,0,130 w0,0,255 w0,7,255 x0 k k"},
        {"twice", "j0 h0,0,1,3 a0 c0,4 . j1 h1,0,1,3 a1 . c1,2 . b1,8,1,1 t0,30 ."},
    };
    uint8_t out[STEPS * STEP] = {1};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        fuzz_seed(dir, seeds[i][0], out, write_steps(out, seeds[i][1]));
}
