/* net_fits.c: whether a net can play a game. */
#include "agents/policy.h"

static bool same_image(const agon_net* net, const agon_spec* spec) {
    return net->planes == spec->planes && net->rows == spec->rows && net->cols == spec->cols;
}

int agon_net_fits(const agon_net* net, const agon_rules* rules, const char* who,
                  agon_error* error) {
    const agon_spec* spec = &rules->spec;
    char text[AGON_NET_TEXT];
    if (net->inputs == rules->entries && net->actions == spec->actions &&
        (net->planes == 0 || same_image(net, spec)))
        return AGON_OK;
    agon_net_format(net, text, sizeof text);
    agon_fail(error, AGON_EINVALID,
              "%s, net \"%s\", does not fit %s: expected %d inputs (%dx%dx%d) and %d actions", who,
              text, rules->name, rules->entries, spec->planes, spec->rows, spec->cols,
              spec->actions);
    return agon_hint(error, "was it made for this game with these parameters?");
}
