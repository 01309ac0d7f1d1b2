/* fuzz_workers.c: any text is a workers.json or not; one that is has texts that can be printed, and
 * is the same when it is written and read back. */
#include "engine/task.h"
#include "engine/text.h"
#include "net/report.h"
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* As net/report.c writes it. The caller frees it. */
static char* write_workers(const agon_workers* workers) {
    cJSON *all = cJSON_CreateObject(), *list;
    cJSON_AddNumberToObject(all, "format", AGON_WORKERS_FORMAT);
    cJSON_AddNumberToObject(all, "written", workers->written);
    cJSON_AddStringToObject(all, "run", workers->run);
    cJSON_AddStringToObject(all, "listen", workers->listen);
    cJSON_AddNumberToObject(all, "left_out", workers->left_out);
    MUST(agon__workers_write_total(cJSON_AddObjectToObject(all, "total"), &workers->total));
    list = cJSON_AddArrayToObject(all, "workers");
    for (int i = 0; i < workers->count; i++) {
        cJSON* one = cJSON_CreateObject();
        MUST(agon__worker_write(one, &workers->worker[i]));
        cJSON_AddItemToArray(list, one);
    }
    char* text = cJSON_PrintUnformatted(all);
    MUST(text != NULL);
    cJSON_Delete(all);
    return text;
}

static void fuzz_seeds(const char* dir) {
    agon_worker_seen seen[2] = {
        {.worker = 1, .name = "a", .id = HEX, .token = "-", .present = true, .slots = 8, .seen = 2},
        {.worker = 2, .name = "b", .id = HEX, .struck = true, .why = "wrong", .tasks = 1ull << 53}};
    agon_workers workers = {
        .written = 1.5e9, .run = "runs/a", .listen = "tcp://h:1", .count = 2, .worker = seen};
    char* text = write_workers(&workers);
    fuzz_seed(dir, "two", text, strlen(text));
    free(text);
    workers.count = 0;
    text = write_workers(&workers);
    fuzz_seed(dir, "none", text, strlen(text));
    free(text);
}

static void check_worker(const agon_worker_seen* seen) {
    MUST(agon__text_is_printable(seen->name) && agon__text_is_printable(seen->address));
    MUST(agon__text_is_printable(seen->build) && agon__text_is_printable(seen->class));
    MUST(agon__text_is_printable(seen->token) && agon__text_is_printable(seen->why));
    MUST(agon__text_is_hash(seen->id));
    MUST(seen->worker >= 0 && seen->slots >= 0 && seen->steps_per_second >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    /* One NUL behind the text, as agon_file_read gives it. */
    char* text = malloc(size + 1);
    agon_workers workers, again;
    agon_error error = {0};
    memcpy(text, data, size);
    text[size] = '\0';
    MUST(agon_workers_parse(text, size, "file", &workers, &error) == error.code);
    free(text);
    if (error.code != AGON_OK) {
        MUST(error.text[0]);
        return 0;
    }
    MUST(agon__text_is_printable(workers.run) && agon__text_is_printable(workers.listen));
    char* first = write_workers(&workers);
    MUST(agon_workers_parse(first, strlen(first), "file", &again, NULL) == AGON_OK);
    char* second = write_workers(&again);
    MUST(strcmp(first, second) == 0 && again.count == workers.count);
    for (int i = 0; i < workers.count; i++)
        check_worker(&workers.worker[i]);
    free(first);
    free(second);
    agon_workers_clear(&workers);
    agon_workers_clear(&again);
    return 0;
}
