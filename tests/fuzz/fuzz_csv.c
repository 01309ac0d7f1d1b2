/* fuzz_csv.c: any bytes are a table whose cells can be read, and evidence that checks out, or a
 * mistake with a message. Byte 0 chooses who reads the rest, and where a second file begins. */
#include "engine/csv.h"
#include "engine/evidence_read.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TABLE, RATES, PAYOFFS, GAMES, PROBS, COUNTS, WEIGHTS, WORTH, INSIDES, TABLES, WAYS };

static void fuzz_seeds(const char* dir) {
    static const struct {
        int way;
        const char* text;
    } samples[] = {
        {TABLE, "a,\"b \"\"c\"\"\"\r\n1;2\t3\n\n\"two\nlines\",x"},
        {RATES, ",a,b,c\na,-,.7,.2\nb,.3,,.6\nc,.8,nan,-\n"},
        {PAYOFFS, "0,-1,1\n1,0,-1\n-1,1,0\n"},
        {PAYOFFS, "row,col,wins,draws,losses\na,b,1,2,3\nb,c,4,0,0\n"},
        {GAMES, ",a,r\na,-,.7\nb,.3,.6\n\1,a,r\na,0,10\nb,10,5\n"},
        {PROBS, "agent,state,p0,p1,p2\nx,s,.5,.25,.25\nx,t,1,0,\ny,t,1,0,nan\ny,s,0,0,1\n"},
        {PROBS, "agent,state,action,probability\nx,s,a,.5\nx,s,b,.5\ny,s,a,1\n"},
        {COUNTS, "agent,state,answer,count\nx,s,a,3\nx,s,b,2\ny,s,10,1\n"},
        {COUNTS, "agent,state,answer\nx,s,a\nx,s,b\ny,s,10\n"},
        {WEIGHTS, "agent,state,p0,p1\nx,s,1,0\nx,t,0,1\n\1state,weight\nt,3\ns,1\n"},
        {WORTH, "agent,state,answer\nx,s,a\ny,s,b\n\1state,answer,worth\ns,a,1\ns,c,2\n"},
        {TABLES, "game,agent,score\n1,a,2\n1,b,1\n1,a,0\n2,c,-1\n"},
        {WORTH, "agent,state,p0,p1\nx,s,1,0\nx,t,0,1\n\1"
                "0\n1\n"},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        char name[16], bytes[256];
        snprintf(name, sizeof name, "sample%zu", i);
        bytes[0] = (char)samples[i].way;
        strcpy(bytes + 1, samples[i].text);
        fuzz_seed(dir, name, bytes, 1 + strlen(samples[i].text));
    }
}

static void read_table(const uint8_t* data, size_t size) {
    agon_csv csv;
    agon_error error = {0};
    size_t cells = 0, length = 0;
    const int code = agon_csv_decode(data, size, "fuzz", &csv, &error);
    if (code != 0) {
        MUST(error.code == code && error.text[0]);
        return;
    }
    for (int r = 0; r < csv.rows; r++) {
        MUST(csv.line[r] >= 1 && (r == 0 || csv.line[r] > csv.line[r - 1]));
        for (int c = 0; c < agon_csv_width(&csv, r); c++) {
            double x;
            cells++;
            length += strlen(agon_csv_cell(&csv, r, c));
            if (agon_csv_number(&csv, r, c, &x, &error) != 0)
                MUST(error.text[0]);
        }
    }
    MUST(cells > 0 && length <= size);
    agon_csv_clear(&csv);
}

static void open_file(const uint8_t* data, size_t size, int* file, char path[64]) {
    *file = memfd_create("fuzz", 0);
    MUST(*file >= 0 && write(*file, data, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", *file);
}

static void check_payoffs(const agon_payoffs* p) {
    for (int k = 0; k < p->agents * p->agents; k++) {
        const double x = p->mean[k], back = p->mean[k % p->agents * p->agents + k / p->agents];
        MUST(!(fabs(x) > 1) && !(p->error[k] < 0) && p->games[k] >= 0);
        MUST(!p->antisymmetric || x == -back || (isnan(x) && isnan(back)));
        MUST(!p->wins || (p->wins[k] >= 0 && p->wins[k] <= p->games[k]));
    }
}

static void check_answers(const agon_evidence* e) {
    const agon_answers* a = &e->answers;
    double weight = 0;
    for (int s = 0; s < a->states; s++)
        weight += a->weight[s];
    MUST(a->states == 0 || fabs(weight - 1) < 1e-6);
    for (int row = 0; row < e->agents * a->states; row++) {
        const int s = row % a->states;
        double sum = 0;
        for (int k = 0; k < a->actions; k++) {
            const float x = a->probability[row * a->actions + k];
            MUST(x >= 0 && (x == 0 || a->legal[s * a->actions + k]));
            sum += (double)x;
        }
        MUST(a->options[s] >= 1 && fabs(sum - 1) < 1e-4);
    }
}

static int read_evidence(int way, const char* first, const char* second, agon_evidence* e,
                         agon_evidence_notes* notes, agon_error* error) {
    if (way == INSIDES)
        return agon_evidence_read_insides(first, second, e, notes, error);
    if (way == TABLES)
        return agon_evidence_read_tables(first, e, notes, error);
    if (way <= GAMES)
        return agon_evidence_read_payoffs(
            &(agon_payoff_file){first, way == GAMES ? second : NULL, way != PAYOFFS}, e, notes,
            error);
    return agon_evidence_read_answers(
        &(agon_answers_file){.answers = first,
                             .counts = way == COUNTS || way == WORTH,
                             .weights = way == WEIGHTS ? second : NULL,
                             .worth = way == WORTH ? second : NULL},
        e, notes, error);
}

static void check_tables(const agon_evidence* e) {
    const agon_tables* t = &e->tables;
    for (int i = 0; i < t->games * t->seats; i++)
        MUST(t->agent[i] >= -1 && t->agent[i] < e->agents && isfinite(t->value[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    agon_evidence evidence = {0};
    agon_evidence_notes notes = {0};
    agon_error error = {0};
    char path[2][64];
    int file[2];
    if (size < 1)
        return 0;
    const int way = data[0] % WAYS;
    data++, size--;
    if (way == TABLE) {
        read_table(data, size);
        return 0;
    }
    const uint8_t* split = size ? memchr(data, 1, size) : NULL; /* no text holds this byte */
    const size_t first = split ? (size_t)(split - data) : size;
    open_file(data, first, &file[0], path[0]);
    open_file(data + first + (split != NULL), size - first - (split != NULL), &file[1], path[1]);
    const int code = read_evidence(way, path[0], path[1], &evidence, &notes, &error);
    if (code != 0) {
        MUST(error.code == code && error.text[0] && evidence.agents == 0 && !notes.text[0]);
    } else {
        MUST(evidence.agents >= 1 && evidence.label[evidence.agents - 1][0]);
        check_payoffs(&evidence.payoffs);
        check_answers(&evidence);
        check_tables(&evidence);
    }
    agon_evidence_clear(&evidence);
    close(file[0]);
    close(file[1]);
    return 0;
}
