/* nkey.c: key pairs of NATS: base32 of a prefix, 32 bytes of Ed25519 and a CRC-16. */
#include "net/nkey.h"

#include "engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define RAW         32            /* bytes of a key */
#define PREFIX_SEED (18 << 3)     /* gives an 'S' */
#define PREFIX_USER (20 << 3)     /* gives a 'U' */
#define SEED_BYTES  (2 + RAW + 2) /* prefixes, key, CRC */
#define KEY_BYTES   (1 + RAW + 2)
#define SEED_TEXT   58 /* letters */
#define KEY_TEXT    56

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* CRC-16 of XMODEM. */
static unsigned crc16(const uint8_t* data, size_t size) {
    unsigned crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned)data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    return crc;
}

static void to_base32(const uint8_t* data, size_t size, char* out) {
    unsigned bits = 0;
    int held = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | data[i];
        for (held += 8; held >= 5; held -= 5)
            *out++ = alphabet[bits >> (held - 5) & 31];
    }
    if (held > 0)
        *out++ = alphabet[bits << (5 - held) & 31];
    *out = '\0';
}

static bool from_base32(const char* text, size_t letters, uint8_t* out) {
    unsigned bits = 0;
    int held = 0;
    for (size_t i = 0; i < letters; i++) {
        const char* at = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!at)
            return false;
        bits = bits << 5 | (unsigned)(at - alphabet);
        held += 5;
        if (held >= 8) {
            held -= 8;
            *out++ = (uint8_t)(bits >> held);
        }
    }
    return true;
}

static void append_crc(uint8_t* data, size_t size) {
    const unsigned crc = crc16(data, size);
    data[size] = (uint8_t)crc;
    data[size + 1] = (uint8_t)(crc >> 8);
}

static int public_of(const uint8_t raw[RAW], char out[AGON__NKEY_SIZE], agon_error* error) {
    uint8_t bytes[KEY_BYTES] = {PREFIX_USER};
    size_t size = RAW;
    EVP_PKEY* key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, RAW);
    const bool ok = key && EVP_PKEY_get_raw_public_key(key, bytes + 1, &size) == 1 && size == RAW;
    EVP_PKEY_free(key);
    if (!ok)
        return agon_fail(error, AGON_EUNSUPPORTED, "nkey: OpenSSL has no Ed25519");
    append_crc(bytes, 1 + RAW);
    to_base32(bytes, sizeof bytes, out);
    return AGON_OK;
}

/* A seed is secret: no message repeats it. */
int agon__nkey_public(const char* seed, char out[AGON__NKEY_SIZE], agon_error* error) {
    uint8_t bytes[SEED_BYTES];
    if (strlen(seed) != SEED_TEXT || !from_base32(seed, SEED_TEXT, bytes))
        return agon_fail(error, AGON_EFORMAT,
                         "an nkey's seed has %d letters A-Z and 2-7, and this "
                         "has not",
                         SEED_TEXT);
    const int kind = (bytes[0] & 7) << 5 | bytes[1] >> 3;
    const unsigned crc = bytes[2 + RAW] | (unsigned)bytes[3 + RAW] << 8;
    int rc = AGON_OK;
    if ((bytes[0] & 0xf8) != PREFIX_SEED || kind != PREFIX_USER)
        rc = agon_fail(error, AGON_EFORMAT, "this is not the seed of a user's nkey (SU...)");
    else if (crc != crc16(bytes, 2 + RAW))
        rc = agon_fail(error, AGON_EFORMAT, "an nkey's seed is damaged: its check sum is wrong");
    else
        rc = public_of(bytes + 2, out, error);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return rc;
}

static int write_seed(const char* path, const char* seed, agon_error* error) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        agon_fail(error, AGON_EINVALID, "%s exists; an nkey is never replaced", path);
        return agon_hint(error, "choose another name, or remove it first");
    }
    if (fd < 0)
        return agon_file_fail(error, errno, "cannot make the nkey file", path);
    const ssize_t wrote = write(fd, seed, SEED_TEXT);
    const bool ok = wrote == SEED_TEXT && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    const int number = wrote >= 0 && wrote < SEED_TEXT ? ENOSPC : errno;
    close(fd);
    if (ok)
        return AGON_OK;
    unlink(path);
    return agon_file_fail(error, number, "cannot write the nkey file", path);
}

int agon_nkey_make(const char* path, char public[AGON__NKEY_SIZE], agon_error* error) {
    uint8_t bytes[SEED_BYTES] = {PREFIX_SEED | PREFIX_USER >> 5, (PREFIX_USER & 31) << 3};
    char seed[AGON__NKEY_SIZE];
    if (RAND_bytes(bytes + 2, RAW) != 1)
        return agon_fail(error, AGON_EIO, "random numbers: the system's generator gives none");
    int rc = public_of(bytes + 2, public, error);
    append_crc(bytes, 2 + RAW);
    to_base32(bytes, sizeof bytes, seed);
    if (!rc)
        rc = write_seed(path, seed, error);
    OPENSSL_cleanse(bytes, sizeof bytes);
    OPENSSL_cleanse(seed, sizeof seed);
    return rc;
}
