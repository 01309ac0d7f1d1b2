/* plot_json.h: values of a JSON object that may be of any shape: what is absent is NaN or NULL. */
#ifndef AGON_PLOT_JSON_H
#define AGON_PLOT_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* NULL when `object` is no object or has no such key. */
const cJSON* agon_json_child(const cJSON* object, const char* key);
/* NaN when it is no finite number. */
double agon_json_number(const cJSON* item);
double agon_json_number_at(const cJSON* object, const char* key);
/* (n) numbers into out; false when it is no array of n. */
bool agon_json_list(const cJSON* array, int n, double* out);
/* (n, n) numbers into out; false when the shape is wrong. */
bool agon_json_square(const cJSON* rows, int n, double* out);
/* The finite numbers of an array, ascending; malloc'd, NULL when there are none. */
double* agon_json_sorted(const cJSON* array, int* count);
/* A text cleaned for gnuplot (agon_plot_clean); out is untouched when it is none. */
void agon_json_text(const cJSON* item, char* out, size_t size);

/* Copies a text for use inside single quotes of a gnuplot script: letters, digits, spaces and
 * _(),;=.:+-%/ stay, everything else becomes '?'. */
void agon_plot_clean(const char* text, char* out, size_t size);

#endif
