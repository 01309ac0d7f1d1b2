/* dump_logits SNAPSHOT: reads observations (bytes, one row after the other) from stdin and writes
 * what the CPU backend makes of them: logits (rows, actions), then values (rows), as float32. Of a
 * net with memory the rows are one episode, decision by decision, and what is remembered after each
 * follows (rows, remembered). For checks of readers in other languages. */
#include "engine/blob.h"
#include "engine/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20 }; /* bytes of observations */

/* Rows at once, or where the net has memory one after another. out: logits, values, memory. */
static void ask(const agon_net* net, const void* packed, agon_scratch* scratch, const uint8_t* obs,
                int rows, float* out) {
    const size_t remembered = (size_t)agon_net_memory(net), count = (size_t)rows;
    const int each = remembered ? 1 : rows, offsets[2] = {0, each};
    float *value = out + count * (size_t)net->actions, *memory = value + count;
    for (int row = 0; row < rows; row += each) {
        float* now = memory + (size_t)row * remembered;
        if (remembered && row > 0)
            memcpy(now, now - remembered, remembered * sizeof *now);
        agon_cpu_backend()->forward(
            &(agon_forward){
                .net = net,
                .input = {AGON_U8, 1},
                .nets = 1,
                .packed = &packed,
                .offsets = offsets,
                .obs = obs + (size_t)row * (size_t)net->inputs,
                .memory = remembered ? now : NULL,
                .temperature = 1,
                .logits = out + (size_t)row * (size_t)net->actions,
                .value = value + row,
            },
            scratch);
    }
}

static int answer(const agon_net* net, const float* params, const uint8_t* obs, int rows) {
    const agon_backend* backend = agon_cpu_backend();
    const size_t count = (size_t)rows * (size_t)(net->actions + 1 + agon_net_memory(net));
    float* out = calloc(count + 1, sizeof *out);
    void* packed = NULL;
    agon_scratch* scratch = backend->scratch_open();
    if (!out || !scratch || posix_memalign(&packed, 64, backend->packed_size(net)) != 0)
        return 1;
    backend->pack(net, params, packed);
    const int ready = backend->scratch_reserve(scratch, net, rows, 0) == 0;
    if (ready) {
        ask(net, packed, scratch, obs, rows, out);
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
