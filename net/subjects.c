#include "net/subjects.h"

#include <stdio.h>
#include <string.h>

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

bool agon__subject_split(const char* subject, int count, char word[][80]) {
    for (int i = 0; i < count; i++) {
        const size_t length = strspn(subject, plain);
        if (length == 0 || length >= sizeof word[i] || subject[length] != (i + 1 < count ? '.' : 0))
            return false;
        memcpy(word[i], subject, length);
        word[i][length] = '\0';
        subject += length + 1;
    }
    return true;
}

void agon__subject_word(const char* name, char* out, size_t size) {
    snprintf(out, size, "%s", name[0] ? name : "_");
    for (char* at = out; *at; at++)
        if (!strchr(plain, *at))
            *at = '_';
}
