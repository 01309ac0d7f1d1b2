/* sha256.c: the only door to libcrypto. */
#include "engine/blob.h"

#include <openssl/sha.h>

void agon_sha256(const void* data, size_t size, char out[AGON_HASH_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[SHA256_DIGEST_LENGTH];
    SHA256(data, size, sum);
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[AGON_HASH_SIZE - 1] = '\0';
}
