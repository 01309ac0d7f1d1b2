/* http.h: as much of HTTP/1.1 as a page of metrics needs: is this a request, and for what? */
#ifndef AGON_HTTP_H
#define AGON_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define AGON__HTTP_PATH 128

typedef struct agon__http_request {
    bool head;                  /* HEAD: an answer without its body */
    char path[AGON__HTTP_PATH]; /* without what follows a '?' */
} agon__http_request;

/* 0: more bytes are needed. 200: *out is a GET or HEAD. Otherwise the status to refuse it with. */
int agon__http_parse(const char* data, size_t size, agon__http_request* out);
/* "Not Found" for 404, and so on. */
const char* agon__http_reason(int status);

#endif
