/* fuzz_http.c: any bytes are a request, the beginning of one, or refused; what is refused never
 * becomes a request, and a request was not refused before it was whole. */
#include "net/http.h"
#include "tests/fuzz/fuzz.h"

enum { LONGEST = 512 };

static void seed_text(const char* dir, const char* name, const char* text) {
    fuzz_seed(dir, name, text, strlen(text));
}

static void fuzz_seeds(const char* dir) {
    seed_text(dir, "get", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    seed_text(dir, "head", "HEAD /healthz?x=1 HTTP/1.0\r\n\r\n");
    seed_text(dir, "post", "POST / HTTP/1.1\r\nA: b\r\n\r\n");
    seed_text(dir, "bare", "GET / HTTP/1.1\n\n");
}

/* Parsed from a block of exactly `size` bytes, so that the sanitizer sees the first one beyond. */
static int parse(const uint8_t* data, size_t size, agon__http_request* out) {
    char* copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    const int status = agon__http_parse(copy, size, out);
    free(copy);
    MUST(status == 0 || agon__http_reason(status)[0]);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    int before = 0;
    for (size_t end = 0; end <= size && end <= LONGEST; end++) {
        agon__http_request request;
        const int status = parse(data, end, &request);
        if (status == 200) {
            MUST(before == 0 || before == 200);
            MUST(memchr(request.path, '\0', sizeof request.path));
            MUST(!strpbrk(request.path, " ?\r\n"));
        }
        MUST(before == 0 || status != 0);
        before = status;
    }
    return 0;
}
