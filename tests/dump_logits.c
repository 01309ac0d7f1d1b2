/* dump_logits SNAPSHOT: reads observations (bytes, one row after the other) from stdin and writes
 * what the CPU backend makes of them: logits (rows, actions), then values (rows), as float32. For
 * checks of readers in other languages. */
#include "engine/blob.h"
#include "engine/files.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1 << 20 }; /* bytes of observations */

static int answer(const agon_net* net, const float* params, const uint8_t* obs, int rows) {
    const agon_backend* backend = agon_cpu_backend();
    const int offsets[2] = {0, rows};
    const size_t count = (size_t)rows * (size_t)(net->actions + 1);
    float* out = malloc(count * sizeof *out);
    void* packed = NULL;
    agon_scratch* scratch = backend->scratch_open();
    if (!out || !scratch || posix_memalign(&packed, 64, backend->packed_size(net)) != 0)
        return 1;
    backend->pack(net, params, packed);
    const void* one = packed;
    const agon_forward call = {
        .net = net,
        .input = {AGON_U8, 1},
        .nets = 1,
        .packed = &one,
        .offsets = offsets,
        .obs = obs,
        .temperature = 1,
        .logits = out,
        .value = out + (size_t)rows * (size_t)net->actions,
    };
    const int ready = backend->scratch_reserve(scratch, net, rows, 0) == 0;
    if (ready) {
        backend->forward(&call, scratch);
        fwrite(out, sizeof *out, count, stdout);
    }
    backend->scratch_close(scratch);
    free(packed);
    free(out);
    return !ready;
}

int main(int argc, char** argv) {
    uint8_t *data = NULL, *obs = malloc(MOST);
    size_t size = 0;
    agon_net net;
    float* params = NULL;
    agon_error error = {0};
    if (argc != 2 || !obs)
        return 2;
    if (agon_file_read(argv[1], (size_t)1 << 28, &data, &size, &error) ||
        agon_snapshot_decode(data, size, argv[1], &net, &params, NULL, &error)) {
        fprintf(stderr, "dump_logits: %s\n", error.text);
        return 1;
    }
    const size_t got = fread(obs, 1, MOST, stdin);
    const int code = answer(&net, params, obs, (int)(got / (size_t)net.inputs));
    free(params);
    free(data);
    free(obs);
    return code;
}
