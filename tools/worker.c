/* agon worker: a process that runs tasks for a coordinator, and what it says meanwhile. */
#include "engine/device.h"
#include "net/program.h"
#include "tools/command.h"
#include "tools/panel.h"
#include "tools/ui.h"
#include "tools/worker_words.h"

#include <string.h>
#include <unistd.h>

#define SAY_EVERY 60 /* seconds, where nobody watches a terminal */

typedef struct watcher {
    bool quiet, terminal;
    double said;    /* when the last line was printed, of the worker's seconds */
    double at;      /* of `steps` */
    uint64_t steps; /* seen last */
    double rate;    /* agent-steps per second, smoothed */
} watcher;

/* The status line is not part of what scrolls by. */
static void clear_line(const watcher* w) {
    if (w->terminal)
        fputs("\r\033[K", stderr);
}

static void on_note(void* user, const char* text) {
    const watcher* w = user;
    if (w->quiet)
        return;
    clear_line(w);
    fprintf(stderr, "%s\n", text);
}

/* "12 B", "3.40 MB". */
static void show_bytes(uint64_t bytes, char out[24]) {
    char text[16];
    agon_panel_count((double)bytes, text);
    snprintf(out, 24, "%s%sB", text, strchr(text, ' ') ? "" : " ");
}

static void describe(const watcher* w, const agon_worker_state* s, char* out, size_t size) {
    char tasks[16], rate[16], in[24], sent[24], waiting[48] = "";
    agon_panel_count((double)s->tasks, tasks);
    agon_panel_count(w->rate, rate);
    show_bytes(s->received, in);
    show_bytes(s->sent, sent);
    if (s->spooled)
        snprintf(waiting, sizeof waiting, "   %d to be delivered", s->spooled);
    snprintf(out, size, "%s   %d/%d running   %s tasks   %s steps/s   %s in   %s out%s",
             !s->connected ? "no coordinator"
             : s->draining ? "stopping"
                           : s->run,
             s->running, s->slots, tasks, rate, in, sent, waiting);
}

/* Accepted results come in lumps, and so the rate is a mean that forgets in half a minute. */
static void measure(watcher* w, const agon_worker_state* s) {
    const double passed = s->seconds - w->at;
    if (passed <= 0)
        return;
    const double now = (double)(s->steps - w->steps) / passed, share = passed / (passed + 10);
    w->rate += (now - w->rate) * share;
    w->at = s->seconds;
    w->steps = s->steps;
}

static void on_tick(void* user, const agon_worker_state* state) {
    watcher* w = user;
    char line[512];
    measure(w, state);
    if (w->quiet || (!w->terminal && state->seconds - w->said < SAY_EVERY))
        return;
    w->said = state->seconds;
    describe(w, state, line, sizeof line);
    if (w->terminal)
        fprintf(stderr, "\r\033[K%.*s", agon_ui_width(stderr) - 1, line);
    else
        fprintf(stderr, "%s\n", line);
}

int agon_cmd_worker(int argc, char** argv) {
    agon_worker_words words;
    agon_error error = {0};
    const int code = agon_worker_read_words(argc, argv, &words);
    if (code)
        return code;
    watcher w = {.quiet = words.quiet, .terminal = !words.quiet && isatty(STDERR_FILENO) == 1};
    words.def.slots = agon_ui_tasks(words.def.slots);
    if (agon_device_open(words.device, words.precision, &words.def.backend, &error))
        return agon_ui_error(&error);
    words.def.note = on_note;
    words.def.tick = on_tick;
    words.def.user = &w;
    agon_programs_only_offered();
    const int rc = agon_worker_run(&words.def, &error);
    clear_line(&w);
    return rc ? agon_ui_error(&error) : AGON_EXIT_OK;
}
