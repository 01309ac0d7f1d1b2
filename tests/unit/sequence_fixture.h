/* sequence_fixture.h: batches whose rows follow each other in time, for nets that remember. */
#ifndef AGON_SEQUENCE_FIXTURE_H
#define AGON_SEQUENCE_FIXTURE_H

#include "tests/unit/backend_fixture.h"

static inline agon_net net_of(const char* text) {
    agon_net net;
    agon_error error;
    if (agon_net_parse(text, &net, &error) != 0)
        fail_msg("%s: %s", text, error.text);
    return net;
}

/* `rows` rows of `horizon` decisions, as a batch of rows * horizon: memories that are not 0 and
 * ends of episodes in odd places. */
static inline void open_sequences(source* s, const agon_net* net, agon_dtype type, int rows,
                                  int horizon, batch* b) {
    const int entries = rows * horizon, remembered = agon_net_memory(net);
    open_batch(s, net, type, entries, b);
    fill_weights(s, net, b->params);
    agon_rectangle *flat = b->data,
                   *data = agon_rectangle_open(rows, horizon, b->input, flat->obs_bytes, b->words,
                                               0, remembered);
    assert_non_null(data);
    memcpy(data->obs, flat->obs, (size_t)entries * flat->obs_bytes);
    memcpy(data->mask, flat->mask, (size_t)(entries * b->words) * sizeof *data->mask);
    memcpy(data->action, flat->action, (size_t)entries * sizeof *data->action);
    memcpy(data->log_probability, flat->log_probability, (size_t)entries * sizeof(float));
    memcpy(data->advantage, flat->advantage, (size_t)entries * sizeof(float));
    memcpy(data->target, flat->target, (size_t)entries * sizeof(float));
    for (int i = 0; i < entries; i++)
        data->last[i] = next_uniform(s) < 0.2f;
    if (remembered)
        fill(s, data->memory, (size_t)rows * (size_t)remembered, 1.0f);
    agon_rectangle_close(flat);
    b->data = data;
}

#endif
