/* plot_bands.c: how sure a single run's diversity is: 95 % intervals over its probe states. */
#include "tools/plot_evidence.h"

#include <math.h>

#define WORLDS 200
#define MOST   100 /* agents; of more, bands would take minutes */
#define LINES  ((int)AGON_PLOT_BANDS)

/* Where a band comes from. */
static const struct {
    const char *metric, *column;
} source[LINES] = {[AGON_PLOT_BAND_VENDI] = {"vendi", "order_1"},
                   [AGON_PLOT_BAND_J] = {"entropy", "j"},
                   [AGON_PLOT_BAND_WITHIN] = {"entropy", "within"}};

static int fill_row(const agon_evidence* e, agon_plot_row* row, agon_error* error) {
    const agon_metric_options options = {.key = agon_key_make(1, "metrics", AGON_FOR_METRIC),
                                         .entropy = NAN};
    for (int i = 0; i < LINES; i++) {
        const agon_metric* m = agon_metric_find(source[i].metric);
        const int column = agon_metric_column_find(m, source[i].column);
        agon_metric_noise noise[AGON_METRIC_COLUMNS];
        if (agon_metric_why(m, e, &options))
            continue;
        const int code = agon_metric_bootstrap(m, e, &options, WORLDS, noise, error);
        if (code)
            return code;
        row->band_low[i] = noise[column].low;
        row->band_high[i] = noise[column].high;
    }
    return AGON_OK;
}

static int fill_rows(agon_plot_asker* asker, const agon_plot_data* data, agon_error* error) {
    int code = AGON_OK;
    for (int i = 0; !code && i < data->rows; i++) {
        agon_evidence e;
        agon_plot_row* row = &data->row[i];
        code = agon_plot_ask(asker, AGON_NEEDS_ANSWERS, (int)row->generation, &e, error);
        if (!code)
            code = fill_row(&e, row, error);
        agon_evidence_clear(&e);
    }
    return code;
}

/* Why there can be no band, for people; NULL: there can. Lines from elsewhere may hold anything:
 * only what the run can have is asked. */
static const char* absent(const agon_plot_data* data) {
    if (data->roles > 1)
        return "with separate roles the numbers are means over roles";
    for (int i = 0; i < data->rows; i++) {
        const agon_plot_row* row = &data->row[i];
        if (row->agents > MOST)
            return "more than 100 agents";
        if (!(row->generation >= 0 && row->generation <= 1e6 && row->agents >= 1))
            return "a line of metrics.jsonl names no generation or no agents";
    }
    return NULL;
}

void agon_plot_fill_bands(const agon_plot_view* view) {
    agon_plot_view one = *view; /* keeps to itself why a band is absent: the picture is not */
    agon_error error = {0};
    if (view->runs->count != 1)
        return;
    one.run = &view->runs->run[0];
    const char* why = absent(&one.run->data);
    agon_plot_asker* asker = why ? NULL : agon_plot_asker_open(&one, false);
    if (!asker)
        agon_plot_left_out(view, "bands over probe states", why ? why : one.why);
    else if (fill_rows(asker, &one.run->data, &error))
        agon_plot_left_out(view, "some bands over probe states", error.text);
    agon_plot_asker_close(asker);
}
