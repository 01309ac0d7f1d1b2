/* The pay-off matrix of a line of metrics.jsonl. */
#include "engine/metrics/summary.h"
#include "tools/plot_data.h"
#include "tools/plot_json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void agon_plot_payoff_close(agon_plot_payoff* payoff) {
    free(payoff->matrix);
    free(payoff->se);
    free(payoff->agent);
    free(payoff->order);
    free(payoff->elo);
    free(payoff->elo_se);
    *payoff = (agon_plot_payoff){0};
}

static double row_sum(const agon_plot_payoff* payoff, int agent) {
    double sum = 0;
    for (int j = 0; j < payoff->n; j++) {
        const double x = payoff->matrix[(size_t)agent * (size_t)payoff->n + (size_t)j];
        sum += j == agent || isnan(x) ? 0 : x;
    }
    return sum;
}

typedef struct ranked {
    double strength;
    int row;
} ranked;

static int compare_ranked(const void* a, const void* b) {
    const ranked *x = a, *y = b;
    if (x->strength != y->strength)
        return x->strength < y->strength ? 1 : -1;
    return x->row - y->row;
}

static bool order_agents(agon_plot_payoff* payoff) {
    ranked* list = malloc((size_t)payoff->n * sizeof *list);
    payoff->order = malloc((size_t)payoff->n * sizeof *payoff->order);
    if (list && payoff->order) {
        for (int i = 0; i < payoff->n; i++)
            list[i] = (ranked){row_sum(payoff, i), i};
        qsort(list, (size_t)payoff->n, sizeof *list, compare_ranked);
        for (int i = 0; i < payoff->n; i++)
            payoff->order[i] = list[i].row;
    }
    const bool done = list && payoff->order;
    free(list);
    return done;
}

/* Rows are numbered where the line does not say. */
static bool name_agents(agon_plot_payoff* payoff, const cJSON* agents) {
    payoff->agent = malloc((size_t)payoff->n * sizeof *payoff->agent);
    if (!payoff->agent)
        return false;
    const bool named = cJSON_IsArray(agents) && cJSON_GetArraySize(agents) == payoff->n;
    const cJSON* item = named ? agents->child : NULL;
    for (int i = 0; i < payoff->n; i++, item = item ? item->next : NULL) {
        const double x = agon_json_number(item);
        payoff->agent[i] = x >= 0 && x < 1e9 ? (int)x : i;
    }
    return true;
}

/* Off the diagonal; sorts a copy. */
static double median_off_diagonal(const double* se, int n) {
    double* all = malloc((size_t)n * (size_t)n * sizeof *all);
    int count = 0;
    for (int i = 0; all && i < n; i++)
        for (int j = 0; j < n; j++)
            if (i != j && !isnan(se[(size_t)i * (size_t)n + (size_t)j]))
                all[count++] = se[(size_t)i * (size_t)n + (size_t)j];
    const double median = count ? agon_summary_median(all, count) : NAN;
    free(all);
    return median;
}

/* Errors of another shape than the matrix are taken as not known. */
static bool take_errors(agon_plot_payoff* payoff, const cJSON* se) {
    const size_t n = (size_t)payoff->n;
    payoff->median_se = NAN;
    payoff->se = malloc(n * n * sizeof *payoff->se);
    if (!payoff->se)
        return false;
    if (agon_json_square(se, payoff->n, payoff->se)) {
        payoff->median_se = median_off_diagonal(payoff->se, payoff->n);
    } else {
        free(payoff->se);
        payoff->se = NULL;
    }
    return true;
}

static bool take_ratings(agon_plot_payoff* payoff, const cJSON* rating) {
    const size_t n = (size_t)payoff->n;
    payoff->elo = malloc(n * sizeof *payoff->elo);
    payoff->elo_se = malloc(n * sizeof *payoff->elo_se);
    if (!payoff->elo || !payoff->elo_se)
        return false;
    const cJSON* se = agon_json_child(rating, "se");
    if (!agon_json_list(agon_json_child(rating, "elo"), payoff->n, payoff->elo)) {
        free(payoff->elo);
        free(payoff->elo_se);
        payoff->elo = payoff->elo_se = NULL;
    } else if (!agon_json_list(se, payoff->n, payoff->elo_se)) {
        for (size_t i = 0; i < n; i++)
            payoff->elo_se[i] = NAN;
    }
    return true;
}

static int take_matrix(agon_plot_payoff* payoff, const cJSON* rows, const char* what,
                       agon_error* error) {
    const size_t n = (size_t)payoff->n;
    payoff->matrix = malloc(n * n * sizeof *payoff->matrix);
    if (!payoff->matrix)
        return AGON_EMEMORY;
    if (!agon_json_square(rows, payoff->n, payoff->matrix))
        return agon_fail(error, AGON_EFORMAT, "%s: payoff.matrix is not %d x %d numbers", what,
                         payoff->n, payoff->n);
    return AGON_OK;
}

int agon__plot_payoff_take(const cJSON* line, const char* what, agon_plot_payoff* out,
                           agon_error* error) {
    const cJSON* payoff = agon_json_child(line, "payoff");
    const cJSON* rows = agon_json_child(payoff, "matrix");
    agon_plot_payoff p = {.n = cJSON_IsArray(rows) ? cJSON_GetArraySize(rows) : 0};
    if (p.n < 1) {
        *out = (agon_plot_payoff){0};
        return AGON_OK;
    }
    if (p.n > AGON_PLOT_MAX_AGENTS)
        return agon_fail(error, AGON_ELIMIT, "%s: a pay-off matrix of %d agents; at most %d", what,
                         p.n, AGON_PLOT_MAX_AGENTS);
    p.games = agon_json_number_at(payoff, "games");
    int code = take_matrix(&p, rows, what, error);
    if (!code && (!take_errors(&p, agon_json_child(payoff, "se")) ||
                  !take_ratings(&p, agon_json_child(line, "rating")) || !order_agents(&p) ||
                  !name_agents(&p, agon_json_child(payoff, "agents"))))
        code = AGON_EMEMORY;
    if (code == AGON_EMEMORY)
        agon_fail(error, code, "out of memory for a pay-off matrix of %d agents", p.n);
    if (code)
        agon_plot_payoff_close(&p);
    else
        *out = p;
    return code;
}

bool agon_plot_payoff_antisymmetric(agon_plot_payoff* p) {
    const size_t n = (size_t)p->n;
    for (size_t i = 0; i < n; i++) {
        p->matrix[i * n + i] = 0;
        for (size_t j = 0; j < i; j++) {
            const double x = 0.5 * (p->matrix[i * n + j] - p->matrix[j * n + i]);
            if (isnan(x))
                return false;
            p->matrix[i * n + j] = x;
            p->matrix[j * n + i] = -x;
        }
    }
    return true;
}

static int read_line(const agon_plot_data* data, int row, cJSON** out, agon_error* error) {
    char* text = NULL;
    size_t room = 0;
    ssize_t length = -1;
    *out = NULL;
    FILE* file = fopen(data->path, "re");
    if (file && fseek(file, data->row[row].offset, SEEK_SET) == 0)
        length = getline(&text, &room, file);
    if (length > 0)
        *out = cJSON_ParseWithLength(text, (size_t)length);
    free(text);
    if (file)
        fclose(file);
    if (!*out)
        return agon_fail(error, AGON_EIO, "%s: it changed while it was read", data->path);
    return AGON_OK;
}

int agon_plot_payoff_read(const agon_plot_data* data, int row, agon_plot_payoff* out,
                          agon_error* error) {
    cJSON* line;
    agon_plot_payoff taken;
    int code = read_line(data, row, &line, error);
    if (!code)
        code = agon__plot_payoff_take(line, data->path, &taken, error);
    cJSON_Delete(line);
    if (code)
        return code;
    if (taken.n != data->row[row].rated) {
        agon_plot_payoff_close(&taken);
        return agon_fail(error, AGON_EIO, "%s: it changed while it was read", data->path);
    }
    *out = taken;
    return AGON_OK;
}
