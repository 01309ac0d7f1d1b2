#include "tools/plot_json.h"

#include "engine/metrics/summary.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void agon_plot_clean(const char* text, char* out, size_t size) {
    size_t used = 0;
    for (; *text && used + 1 < size; text++)
        out[used++] = isalnum((unsigned char)*text) || strchr(" _(),;=.:+-%/", *text) ? *text : '?';
    out[used] = '\0';
}

const cJSON* agon_json_child(const cJSON* object, const char* key) {
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

double agon_json_number(const cJSON* item) {
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : NAN;
}

double agon_json_number_at(const cJSON* object, const char* key) {
    return agon_json_number(agon_json_child(object, key));
}

bool agon_json_list(const cJSON* array, int n, double* out) {
    const cJSON* item;
    int i = 0;
    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) != n)
        return false;
    cJSON_ArrayForEach(item, array) {
        out[i++] = agon_json_number(item);
    }
    return true;
}

bool agon_json_square(const cJSON* rows, int n, double* out) {
    const cJSON* row;
    size_t i = 0;
    if (!cJSON_IsArray(rows) || cJSON_GetArraySize(rows) != n)
        return false;
    cJSON_ArrayForEach(row, rows) {
        if (!agon_json_list(row, n, out + i++ * (size_t)n))
            return false;
    }
    return true;
}

double* agon_json_sorted(const cJSON* array, int* count) {
    const int size = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : 0;
    double* values = size > 0 ? malloc((size_t)size * sizeof *values) : NULL;
    *count = 0;
    if (!values || !agon_json_list(array, size, values)) {
        free(values);
        return NULL;
    }
    agon_summary_sort(values, size);
    while (*count < size && !isnan(values[*count]))
        ++*count;
    return values;
}

void agon_json_text(const cJSON* item, char* out, size_t size) {
    if (cJSON_IsString(item))
        agon_plot_clean(item->valuestring, out, size);
}
