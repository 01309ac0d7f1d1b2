#include "engine/metrics/normal_stream.h"

#include "agents/real.h"

#include <math.h>

double agon_normal_next(agon_normal_stream* s) {
    const double two_pi = 6.283185307179586;
    if (s->count++ % 2)
        return s->spare;
    agon_draw draw = agon_random(s->key, s->sample, (s->count - 1) / 2, 0, 0);
    double u = 1 - agon_uniform_double(draw.word[0], draw.word[1]); /* (0, 1] */
    double angle = two_pi * agon_uniform_double(draw.word[2], draw.word[3]);
    double radius = sqrt(-2 * agon_log(u));
    s->spare = radius * agon_sin(angle);
    return radius * agon_cos(angle);
}
