/* Promises of net/report.h, net/workers.h and net/exposition.h: what is written is read back, names
 * from the network harm neither JSON nor a terminal nor Prometheus, who was struck stays struck,
 * and a damaged file is refused with what is wrong. */
#include "net/exposition.h"
#include "net/report.h"

#include "engine/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define ID      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HOSTILE "a\"},{\\\n\x1b[31m\x80\xff{}"

static agon__worker_row example(int worker) {
    agon__worker_row row = {.worker = worker,
                            .hello = {.build = "agon 0.1.0",
                                      .class = "cpu",
                                      .id = ID,
                                      .token = "lab",
                                      .pid = 77,
                                      .slots = 8,
                                      .memory = 1ull << 40},
                            .address = "10.0.0.7:41234",
                            .present = true,
                            .credit = 9,
                            .running = 8,
                            .failures = 2,
                            .tasks = 100,
                            .steps = 1ull << 40,
                            .audits = 5,
                            .lost = 1,
                            .cpu_ms = 12345,
                            .joined_ms = 1000,
                            .seen_ms = 8000,
                            .progress_ms = 7000};
    snprintf(row.hello.name, sizeof row.hello.name, "host-%d", worker);
    return row;
}

static agon__report_def def(const agon_workers* before) {
    return (agon__report_def){
        .run = "runs/a\tb",
        .listen = "tcp://127.0.0.1:7766",
        .now = 9000,
        .time = 1700000000,
        .count = {.queued = 3, .leased = 8, .workers = 1, .slots = 8, .struck = 1, .done = 100},
        .before = before,
    };
}

static agon_workers parse(const char* text) {
    agon_workers out = {0};
    agon_error error = {0};
    if (agon_workers_parse(text, strlen(text), "here", &out, &error))
        fail_msg("%s", error.text);
    return out;
}

static char* write_rows(const agon_workers* before, const agon__worker_row* rows, int count) {
    const agon__report_def d = def(before);
    agon__report* r = agon__report_open(&d);
    assert_non_null(r);
    for (int i = 0; i < count; i++)
        agon__report_row(r, &rows[i]);
    char* text = agon__report_close(r);
    assert_non_null(text);
    return text;
}

/* ---- workers.json ------------------------------------------------------------------------- */

static void written_is_read(void** state) {
    const agon__worker_row row = example(5);
    char* text = write_rows(NULL, &row, 1);
    agon_workers w = parse(text);
    assert_int_equal(w.count, 1);
    assert_true(w.written == 1700000000);
    assert_string_equal(w.run, "runs/a?b");
    assert_string_equal(w.listen, "tcp://127.0.0.1:7766");
    assert_int_equal(w.total.queued, 3);
    assert_int_equal(w.total.done, 100);
    const agon_worker_seen* s = &w.worker[0];
    assert_int_equal(s->worker, 5);
    assert_string_equal(s->name, "host-5");
    assert_string_equal(s->id, ID);
    assert_string_equal(s->token, "lab");
    assert_true(s->present && !s->struck);
    assert_true(s->steps == 1ull << 40 && s->memory == 1ull << 40);
    assert_true(s->steps_per_second == (double)(1ull << 40) / 8);
    assert_true(s->joined == 1699999992 && s->seen == 1699999999 && s->progress == 1699999998);
    agon_workers_clear(&w);
    free(text);
}

static void order_is_present_struck_gone(void** state) {
    agon__worker_row rows[5];
    for (int i = 0; i < 5; i++)
        rows[i] = example(i);
    rows[2].present = false; /* 0 and 1 are this process and a broker: not listed */
    rows[3].present = false;
    rows[3].struck = true;
    char* text = write_rows(NULL, rows, 5);
    agon_workers w = parse(text);
    assert_int_equal(w.count, 3);
    assert_int_equal(w.worker[0].worker, 4);
    assert_int_equal(w.worker[1].worker, 3);
    assert_int_equal(w.worker[2].worker, 2);
    agon_workers_clear(&w);
    free(text);
}

static void hostile_names_are_plain(void** state) {
    agon__worker_row row = example(2);
    memcpy(row.hello.name, HOSTILE, sizeof HOSTILE);
    memcpy(row.hello.build, HOSTILE, sizeof HOSTILE);
    memcpy(row.why, HOSTILE, sizeof HOSTILE);
    char* text = write_rows(NULL, &row, 1);
    for (const char* c = text; *c; c++)
        assert_in_range(*c, 0x20, 0x7e);
    agon_workers w = parse(text);
    assert_string_equal(w.worker[0].name, "a\"},{\\??[31m??{}");
    assert_string_equal(w.worker[0].why, "a\"},{\\??[31m??{}");
    agon_workers_clear(&w);
    free(text);
}

/* Workers come and go for weeks; the file does not grow for it, and nobody who was struck is lost.
 */
static void gone_are_bounded_struck_are_kept(void** state) {
    enum { ROWS = 3 * AGON__REPORT_GONE };
    const agon__report_def d = def(NULL);
    agon__report* r = agon__report_open(&d);
    for (int i = 0; i < ROWS; i++) {
        agon__worker_row row = example(2 + i);
        row.present = false;
        row.struck = i % 100 == 0;
        agon__report_row(r, &row);
    }
    char* text = agon__report_close(r);
    agon_workers w = parse(text);
    const int struck = ROWS / 100;
    assert_int_equal(w.count, struck + AGON__REPORT_GONE);
    assert_int_equal(w.left_out, ROWS - struck - AGON__REPORT_GONE);
    for (int i = 0; i < w.count; i++)
        assert_int_equal(w.worker[i].struck, i < struck);
    assert_int_equal(w.worker[w.count - 1].worker, 2 + ROWS - 1);
    agon_workers_clear(&w);
    free(text);
}

static void struck_are_remembered(void** state) {
    char dir[] = "/tmp/agon-workers.XXXXXX", path[64];
    agon_workers before = {0}, again;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/%s", dir, AGON_WORKERS_FILE);
    assert_int_equal(agon__report_struck(dir, &before, NULL), AGON_OK); /* no file, nobody */
    assert_int_equal(before.count, 0);
    agon__worker_row rows[2] = {example(2), example(3)};
    rows[1].struck = true;
    strcpy(rows[1].why, "train/4/0: another result than two others");
    for (int process = 0; process < 3; process++) {
        char* text = write_rows(&before, rows, process == 0 ? 2 : 1);
        agon_workers_clear(&before);
        assert_int_equal(agon_file_write(path, text, strlen(text), NULL), AGON_OK);
        free(text);
        assert_int_equal(agon__report_struck(dir, &before, NULL), AGON_OK);
        assert_int_equal(before.count, 1);
        assert_string_equal(before.worker[0].id, ID);
        assert_string_equal(before.worker[0].token, "lab");
        assert_string_equal(before.worker[0].why, rows[1].why);
    }
    assert_int_equal(agon_workers_read(dir, &again, NULL), AGON_OK);
    assert_int_equal(again.total.struck, 2); /* def().count says one of this process */
    assert_int_equal(again.worker[1].worker, 0);
    agon_workers_clear(&again);
    agon_workers_clear(&before);
    agon_error error = {0};
    assert_int_equal(agon_file_write(path, "{", 1, NULL), AGON_OK);
    assert_int_equal(agon__report_struck(dir, &before, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, path));
    unlink(path);
    rmdir(dir);
}

/* Replaces the first `from` of a good text by `to`; it must be refused, and say where. */
static void refuse(const char* good, const char* from, const char* to, const char* says) {
    char* at = strstr(good, from);
    char* bad = malloc(strlen(good) + strlen(to) + 1);
    agon_workers out = {0};
    agon_error error = {0};
    assert_non_null(at);
    sprintf(bad, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    assert_int_equal(agon_workers_parse(bad, strlen(bad), "here", &out, &error), AGON_EFORMAT);
    if (!strstr(error.text, says))
        fail_msg("'%s' does not name '%s'", error.text, says);
    assert_null(out.worker);
    free(bad);
}

static void damage_is_named(void** state) {
    const agon__worker_row row = example(2);
    char* good = write_rows(NULL, &row, 1);
    refuse(good, "\"format\":1", "\"format\":2", "format 2");
    refuse(good, "\"format\":1", "\"format\":[]", "format");
    refuse(good, "\"written\":1700000000", "\"written\":1e999", "written");
    refuse(good, "\"pid\":77", "\"pid\":-1", "worker 1: pid");
    refuse(good, "\"pid\":77", "\"pid\":\"77\"", "worker 1: pid");
    refuse(good, "\"pid\":77", "\"other\":77", "worker 1: pid");
    refuse(good, "\"memory\":", "\"memory\":9e", "worker 1: memory");
    refuse(good, "\"present\":true", "\"present\":1", "present");
    refuse(good, ID, "../../etc", "worker 1: id");
    refuse(good, "\"class\":\"cpu\"",
           "\"class\":\"0123456789012345678901234567890123456789012345678901234567890123\"",
           "class");
    refuse(good, "\"workers\":[", "\"others\":[", "the list of workers");
    refuse(good, "\"workers\":[", "\"workers\":[[],", "worker 1");
    refuse(good, "}", "", "");
    free(good);
}

/* ---- metrics ------------------------------------------------------------------------------ */

static agon__worker_row fake_row;
static int fake_rows;

static void fake_each(const agon__scheduler* s,
                      void (*visit)(void* user, const agon__worker_row* row), void* user) {
    for (int i = 0; i < fake_rows; i++) {
        fake_row.worker = i;
        visit(user, &fake_row);
    }
}

static char* expose(void) {
    const agon__scheduler_count count = {.done = UINT64_MAX, .queued = 3, .conflicts = 2};
    char* text = NULL;
    size_t size = 0;
    FILE* out = open_memstream(&text, &size);
    agon__exposition_counts(out, &count);
    agon__exposition_workers(out, NULL, fake_each);
    fclose(out);
    return text;
}

static void metrics_have_names_and_labels(void** state) {
    fake_row = example(0);
    fake_rows = 3;
    memcpy(fake_row.hello.name, HOSTILE, sizeof HOSTILE);
    char* text = expose();
    assert_non_null(strstr(text, "\nagon_tasks_done_total 18446744073709551615\n"));
    assert_non_null(strstr(text, "\nagon_tasks_queued 3\n"));
    assert_non_null(strstr(text, "\n# TYPE agon_results_conflict_total counter\n"));
    assert_non_null(strstr(text, "\nagon_results_conflict_total 2\n"));
    assert_non_null(strstr(text, "\nagon_worker_tasks_total{worker=\"a\\\"},{\\\\??[31m??{}\","
                                 "number=\"2\"} 100\n"));
    free(text);
}

/* Absent workers have no series, and of present ones only so many do. */
static void series_are_bounded(void** state) {
    int series = 0;
    fake_row = example(0);
    fake_rows = 2 * AGON__EXPOSED;
    char* text = expose();
    for (const char* at = text; (at = strstr(at, "\nagon_worker_tasks_total{")); at++)
        series++;
    assert_int_equal(series, AGON__EXPOSED);
    free(text);
    fake_row.present = false;
    text = expose();
    assert_null(strchr(text, '{'));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read),
        cmocka_unit_test(order_is_present_struck_gone),
        cmocka_unit_test(hostile_names_are_plain),
        cmocka_unit_test(gone_are_bounded_struck_are_kept),
        cmocka_unit_test(struck_are_remembered),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(metrics_have_names_and_labels),
        cmocka_unit_test(series_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
