#include "tools/columns.h"

#include "engine/measure.h"
#include "engine/store.h"
#include "engine/training_timing.h"
#include "tools/ui.h"

#include <stdio.h>
#include <string.h>

static void print_head(const char* table, bool csv) {
    printf("\n%stable %s of run.db%s%s%s\n", agon_ui_colour(stdout, AGON_BOLD), table,
           csv ? "; as " : "", csv ? table : "", csv ? ".csv by agon export --csv" : "");
    printf("%s", agon_ui_colour(stdout, AGON_PLAIN));
}

static void print_tables(void) {
    agon_store_column c;
    const char* table = "";
    for (int i = 0; agon_store_column_at(i, &c); i++) {
        if (strcmp(table, c.table) != 0)
            print_head(c.table, c.csv);
        table = c.table;
        printf("  %-20s %-8s ", c.name, c.type);
        agon_ui_wrapped(stdout, c.meaning, 32);
    }
}

static void print_paths(const char* of, const agon_measure_path* paths, int count) {
    printf("\n%slines of %s%s\n", agon_ui_colour(stdout, AGON_BOLD), of,
           agon_ui_colour(stdout, AGON_PLAIN));
    for (int i = 0; i < count; i++) {
        printf("  %-32s %-12s ", paths[i].path, paths[i].unit);
        agon_ui_wrapped(stdout, paths[i].meaning, 48);
    }
}

/* Texts of our own tables; quotes are escaped. */
static void json_text(const char* name, const char* text, const char* end) {
    printf("\"%s\":\"", name);
    for (; *text; text++)
        printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    printf("\"%s", end);
}

static void json_paths(const char* table, const agon_measure_path* paths, int count) {
    for (int i = 0; i < count; i++) {
        printf(",\n  {");
        json_text("table", table, ",");
        json_text("column", paths[i].path, ",");
        json_text("unit", paths[i].unit, ",");
        json_text("meaning", paths[i].meaning, "}");
    }
}

static void print_json(void) {
    agon_store_column c;
    int count;
    printf("[");
    for (int i = 0; agon_store_column_at(i, &c); i++) {
        printf("%s\n  {", i ? "," : "");
        json_text("table", c.table, ",");
        json_text("column", c.name, ",");
        json_text("type", c.type, ",");
        json_text("meaning", c.meaning, ",");
        printf("\"csv\":%s}", c.csv ? "true" : "false");
    }
    const agon_measure_path* paths = agon_measure_paths(&count);
    json_paths("metrics.jsonl", paths, count);
    paths = agon_timing_paths(&count);
    json_paths("timing.jsonl", paths, count);
    printf("\n]\n");
}

void agon_columns_print(bool json) {
    int count;
    if (json) {
        print_json();
        return;
    }
    printf("What a run keeps. NULL is a number that is not defined.\n");
    print_tables();
    const agon_measure_path* paths = agon_measure_paths(&count);
    print_paths("metrics.jsonl; as metrics.csv by agon export --csv, without lists of lists", paths,
                count);
    paths = agon_timing_paths(&count);
    print_paths("timing.jsonl, one for each generation trained", paths, count);
}
