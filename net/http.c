#include "net/http.h"

#include <string.h>

const char* agon__http_reason(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    default:
        return "Internal Server Error";
    }
}

/* Bytes up to the end of the empty line after the headers; 0: it is not there yet. */
static size_t find_end(const char* data, size_t size) {
    const char* end = memmem(data, size, "\r\n\r\n", 4);
    return end ? (size_t)(end - data) + 4 : 0;
}

/* Lines end with CR LF, and no other control character but a tab has a place in a request. */
static bool is_text(const char* data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)data[i];
        if (c == '\n' && (i == 0 || data[i - 1] != '\r'))
            return false;
        if (c == '\r' && i + 1 < size && data[i + 1] != '\n')
            return false;
        if ((c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* Could this become a request? Nobody who speaks another protocol should have to wait. */
static bool begins_well(const char* data, size_t size) {
    for (size_t i = 0; i < size && i < 16; i++) {
        if (data[i] == ' ')
            return i > 0;
        if (data[i] < 'A' || data[i] > 'Z')
            return false;
    }
    return size < 16;
}

/* Every line of headers has a name before a colon. */
static bool headers_are_well(const char* at, const char* end) {
    while (at < end - 2) {
        const char* stop = memmem(at, (size_t)(end - at), "\r\n", 2);
        const char* colon = memchr(at, ':', (size_t)(stop - at));
        if (!colon || colon == at || *at == ' ' || *at == '\t')
            return false;
        at = stop + 2;
    }
    return true;
}

/* The path of "METHOD PATH HTTP/1.x"; a longer one is nobody's, so its beginning will do. */
static bool read_target(const char* at, const char* line_end, agon__http_request* out) {
    const char* stop = memchr(at, ' ', (size_t)(line_end - at));
    if (!stop || stop == at || line_end - stop != 9 || memcmp(stop + 1, "HTTP/1.", 7) != 0 ||
        (stop[8] != '0' && stop[8] != '1'))
        return false;
    const char* query = memchr(at, '?', (size_t)(stop - at));
    size_t length = (size_t)((query ? query : stop) - at);
    if (length >= sizeof out->path)
        length = sizeof out->path - 1;
    memcpy(out->path, at, length);
    out->path[length] = '\0';
    return true;
}

int agon__http_parse(const char* data, size_t size, agon__http_request* out) {
    agon__http_request request = {0};
    if (!is_text(data, size) || !begins_well(data, size))
        return 400;
    const size_t whole = find_end(data, size);
    if (!whole)
        return 0;
    const char* line_end = memmem(data, whole, "\r\n", 2);
    const char* space = memchr(data, ' ', (size_t)(line_end - data));
    if (!space || !read_target(space + 1, line_end, &request) ||
        !headers_are_well(line_end + 2, data + whole))
        return 400;
    request.head = memcmp(data, "HEAD ", 5) == 0;
    if (!request.head && memcmp(data, "GET ", 4) != 0)
        return 405;
    *out = request;
    return 200;
}
