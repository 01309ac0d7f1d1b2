/* Promises of engine/evidence_read.h: each layout that is said to be read is read, and gives the
 * numbers that a person would work out; each slip is refused with file, place, value and
 * expectation, and leaves the evidence as it was. */
#include "engine/evidence_read.h"

#include "engine/files.h"
#include "engine/npy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/agon-evidence-XXXXXX";

static int setup(void** state) {
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int teardown(void** state) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") || system(command);
}

static const char* put(const char* name, const char* text) {
    assert_int_equal(agon_file_write(name, text, strlen(text), NULL), 0);
    return name;
}

static const char* put_npy(const char* name, int rank, const size_t* shape, const double* data) {
    assert_int_equal(agon_npy_write(name, AGON_NPY_F64, rank, shape, data, NULL), 0);
    return name;
}

static bool near(double a, double b) {
    return fabs(a - b) < 1e-9;
}

static void says(const char* text, const char* said) {
    if (!strstr(text, said))
        fail_msg("'%s' does not say '%s'", text, said);
}

/* ---- pay-offs ---- */

typedef struct payoffs {
    agon_evidence e;
    agon_evidence_notes notes;
    agon_error error;
} payoffs;

static payoffs* read_payoffs(const char* scores, const char* games, bool win_rates) {
    payoffs* p = calloc(1, sizeof *p);
    const agon_payoff_file from = {put("p.csv", scores), games ? put("g.csv", games) : NULL,
                                   win_rates};
    if (agon_evidence_read_payoffs(&from, &p->e, &p->notes, &p->error))
        fail_msg("%s", p->error.text);
    return p;
}

static void done(payoffs* p) {
    agon_evidence_clear(&p->e);
    free(p);
}

static void payoffs_refused(const char* scores, const char* games, bool win_rates,
                            const char* said) {
    agon_evidence e = {0};
    agon_evidence_notes notes = {0};
    agon_error error = {0};
    const agon_payoff_file from = {put("p.csv", scores), games ? put("g.csv", games) : NULL,
                                   win_rates};
    const int rc = agon_evidence_read_payoffs(&from, &e, &notes, &error);
    assert_int_not_equal(rc, 0);
    assert_int_equal(rc, error.code);
    says(error.text, said);
    assert_int_equal(e.agents, 0);
    assert_null(e.label);
    assert_string_equal(notes.text, "");
}

/* Promise: all ways to write the same three agents are the same evidence. */
static void test_layouts(void** state) {
    static const char* const same[] = {
        "0.5,0.7,0.2\n0.3,0.5,0.6\n0.8,0.4,0.5\n",
        "a,b,c\n-,0.7,0.2\n,0,\nnan,0.4,1\n",
        ",a,b,c\na,-,0.7,0.2\nb,0.3,-,0.6\nc,0.8,0.4,-\n",
        "a;b;c\r\na;-;0.7;0.2\r\nb;0.3;-;0.6\r\nc;0.8;0.4;-\r\n",
        "\"x\",c,a,b\na,0.2,-,0.7\nb,0.6,0.3,-\nc,-,0.8,0.4\n",
        ",0,1,2\n0,.5,.7,.2\n1,.3,.5,.6\n2,.8,.4,.5\n",
        "model\t7\t8\t9\n7\t\t.7\t.2\n8\t\t\t.6\n9\t\t\t\n",
        "x,.5,.7,.2\ny,.3,.5,.6\nz,.8,.4,.5\n",
    };
    const double expected[9] = {0, 0.4, -0.6, -0.4, 0, 0.2, 0.6, -0.2, 0};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        payoffs* p = read_payoffs(same[i], NULL, true);
        assert_int_equal(p->e.agents, 3);
        assert_int_equal(p->e.payoffs.agents, 3);
        assert_int_equal(p->e.anchors.anchors, 0);
        assert_true(p->e.payoffs.antisymmetric);
        assert_null(p->e.payoffs.wins);
        for (int k = 0; k < 9; k++) {
            assert_true(near(p->e.payoffs.mean[k], expected[k]));
            assert_true(k % 4 == 0 || isnan(p->e.payoffs.error[k]));
            assert_true(p->e.payoffs.games[k] == 0);
        }
        assert_string_equal(p->e.label[0], i == 0 || i == 5 ? "0"
                                           : i == 6         ? "7"
                                           : i == 7         ? "x"
                                                            : "a");
        done(p);
    }
}

/* Promise: halves fill one another, pairs that never met are named, general-sum pay-offs stay. */
static void test_kinds(void** state) {
    payoffs* p = read_payoffs("0,0.4,-\n,0,0.2\n0.6,,0\n", NULL, false);
    assert_true(p->e.payoffs.antisymmetric);
    assert_true(near(p->e.payoffs.mean[3], -0.4) && near(p->e.payoffs.mean[2], -0.6));
    done(p);
    p = read_payoffs("0,0.4,-\n,0,0.2\n-,,0\n", NULL, false);
    assert_true(p->e.payoffs.antisymmetric);
    assert_true(isnan(p->e.payoffs.mean[2]) && isnan(p->e.payoffs.mean[6]));
    says(p->e.why.antisymmetric, "1 of 3 pairs never met");
    says(p->notes.text, "p.csv: 1 of 3 pairs never met");
    done(p);
    p = read_payoffs("1,0.5\n0.25,0\n", NULL, false);
    assert_false(p->e.payoffs.antisymmetric);
    assert_true(near(p->e.payoffs.mean[1], 0.5) && near(p->e.payoffs.mean[2], 0.25));
    assert_true(p->e.payoffs.mean[0] == 1 && p->e.payoffs.mean[3] == 0); /* among copies */
    says(p->notes.text, "general-sum: x_ij + x_ji is up to 0.75");
    done(p);
}

/* Promise: numbers of games give wins and errors: sqrt((1 - x^2) / N), and where all N games ended
 * alike 4 / (N + 1)^2 as the squared error. */
static void test_games(void** state) {
    payoffs* p = read_payoffs("-,0.75,1\n0.25,-,-\n0,-,-\n", "0,100,9\n,0,\n,0,0\n", true);
    const agon_payoffs* m = &p->e.payoffs;
    assert_true(near(m->wins[1], 75) && near(m->wins[3], 25));
    assert_true(near(m->error[1], sqrt(0.75 / 100)) && near(m->error[3], sqrt(0.75 / 100)));
    assert_true(near(m->error[2], 2.0 / 10) && m->games[6] == 9 && m->games[5] == 0);
    assert_true(isnan(m->mean[5]));
    says(p->notes.text, "errors take games as independent");
    done(p);
    payoffs_refused("-,0.75\n0.25,-\n", "0,4,0\n4,0,0\n", true, "2 x 3 games, but p.csv of 2 x 2");
    payoffs_refused("-,0.75\n0.25,-\n", "0,4\n5,0\n", true,
                    "g.csv, line 2, column 1: 5 games, but 4");
    payoffs_refused("-,0.75\n0.25,-\n", "0,0\n0,0\n", true,
                    "g.csv, line 2, column 1: no games, but");
    payoffs_refused("-,-\n-,-\n", "0,3\n3,0\n", true, "3 games, but p.csv has no score");
    payoffs_refused("-,0.75\n0.25,-\n", "0,4.5\n4.5,0\n", true,
                    "g.csv, line 1, column 2: 4.5 is no number");
    payoffs_refused(",a,b\na,-,.5\nb,.5,-\n", ",a,c\na,0,4\nc,4,0\n", true, "row 'c' is row 'b'");
}

/* Promise: columns that are no rows are anchors, with and without agents' own columns. */
static void test_anchors(void** state) {
    payoffs* p = read_payoffs(",random,one_ply\na,1,0.5\nb,0.75,-\n",
                              ",random,one_ply\na,3,8\nb,4,0\n", true);
    assert_int_equal(p->e.agents, 2);
    assert_int_equal(p->e.payoffs.agents, 0);
    assert_int_equal(p->e.anchors.anchors, 2);
    assert_string_equal(p->e.anchors.label[1], "one_ply");
    assert_true(near(p->e.anchors.mean[2], 0.5) && isnan(p->e.anchors.mean[3]));
    assert_true(near(p->e.anchors.error[0], sqrt(4.0 / 16)) && isnan(p->e.anchors.error[3]));
    assert_true(near(p->e.anchors.error[1], sqrt(1.0 / 8)));
    says(p->notes.text, "taken as opponents from outside: random, ...");
    done(p);
    p = read_payoffs(",a,random,b\na,-,1,0.5\nb,0.5,0.75,-\n", NULL, true);
    assert_int_equal(p->e.payoffs.agents, 2);
    assert_int_equal(p->e.anchors.anchors, 1);
    assert_true(near(p->e.anchors.mean[1], 0.5));
    done(p);
    payoffs_refused(",a,b,d\na,-,.5,.5\nb,.5,-,.5\nc,.5,.5,-\n", NULL, true,
                    "row 'c' has no column, but 2 other rows have");
}

/* Promise: counted games, in any order of columns, repeated pairs added up. */
static void test_counted(void** state) {
    payoffs* p = read_payoffs(
        "losses,col,row,wins,draws\n1,b,a,2,0\n0,a,b,1,4\n0,c,a,5,0\n3,c,b,3,3\n", NULL, false);
    const agon_payoffs* m = &p->e.payoffs;
    assert_int_equal(p->e.agents, 3);
    assert_string_equal(p->e.label[1], "b");
    assert_true(m->antisymmetric);
    assert_true(m->games[1] == 8 && m->wins[1] == 4 && m->draws[1] == 4 && m->draws[3] == 4);
    assert_true(m->mean[1] == 0 && near(m->error[1], sqrt(0.5 / 8)));
    assert_true(m->mean[2] == 1 && m->mean[6] == -1 && near(m->error[2], 2.0 / 6));
    assert_true(near(m->error[5], sqrt(6.0 / 9 / 9)));
    done(p);
    p = read_payoffs("row,col,wins,draws,losses\na,b,0,4,0\n", NULL, false);
    assert_true(p->e.payoffs.mean[1] == 0 && near(p->e.payoffs.error[1], 1.0 / 5));
    done(p);
    payoffs_refused("row,col,wins\na,b,1\n", NULL, false, "none called losses");
    payoffs_refused("row,col,wins,losses\na,a,1,1\n", NULL, false,
                    "line 2, column 2: 'a' meets itself");
    payoffs_refused("row,col,wins,losses\na,b,-1,1\n", NULL, false,
                    "line 2, column 3: -1 is no number of games");
    payoffs_refused("row,col,wins,losses\na,b,1,1\n", "1\n", false, "one file too many");
}

/* Promise: what cannot be meant is refused with its place. */
static void test_payoff_refusals(void** state) {
    payoffs_refused("0.5,70\n30,0.5\n", NULL, true, "p.csv, line 1, column 2: 70 is not in [0, 1]");
    payoffs_refused("0,1.5\n-1.5,0\n", NULL, false, "1.5 is not in [-1, 1]");
    payoffs_refused("-,inf\n0,-\n", NULL, true, "line 1, column 2: inf is not in");
    payoffs_refused("-,.7\n.6,-\n", NULL, true,
                    "line 2, column 1: win rate 0.6, but 0.7 the other way round");
    payoffs_refused("-,.7\n.3\n", NULL, true, "line 2, column 2: the row has 1 cells, expected 2");
    payoffs_refused(".5,.7,.1\n.3,.5,.1\n", NULL, true, "2 rows and 3 columns; expected a square");
    payoffs_refused(",a,a\na,-,.5\nb,.5,-\n", NULL, true,
                    "'a' is the label of number 1 and of number 2");
    payoffs_refused(",a,b\na,-,x\nb,.5,-\n", NULL, true, "line 2, column 3: 'x' is not a number");
    payoffs_refused("a,b\n", NULL, true, "no numbers");
}

/* ---- answers ---- */

typedef struct answers {
    agon_evidence e;
    agon_evidence_notes notes;
    agon_error error;
} answers;

static answers* read_answers(const agon_answers_file* from) {
    answers* a = calloc(1, sizeof *a);
    if (agon_evidence_read_answers(from, &a->e, &a->notes, &a->error))
        fail_msg("%s", a->error.text);
    return a;
}

static void answers_done(answers* a) {
    agon_evidence_clear(&a->e);
    free(a);
}

static void answers_refused(const agon_answers_file* from, const char* said) {
    agon_evidence e = {0};
    agon_evidence_notes notes = {0};
    agon_error error = {0};
    const int rc = agon_evidence_read_answers(from, &e, &notes, &error);
    assert_int_not_equal(rc, 0);
    assert_int_equal(rc, error.code);
    says(error.text, said);
    assert_int_equal(e.agents, 0);
    assert_int_equal(e.answers.states, 0);
    assert_null(e.label);
}

static void probs_refused(const char* text, bool counts, const char* said) {
    const agon_answers_file from = {put("a.csv", text), counts, NULL, NULL, NULL};
    answers_refused(&from, said);
}

/* (2 agents, 2 states, 3 actions); state 1 has two options. */
static const double cube[12] = {0.5, 0.25, 0.25, 1, 0, (double)NAN, 0, 0, 1, 1, 0, (double)NAN};

static void check_cube(const answers* a, bool named) {
    const agon_answers* x = &a->e.answers;
    assert_int_equal(a->e.agents, 2);
    assert_int_equal(x->states, 2);
    assert_int_equal(x->actions, 3);
    assert_int_equal(x->options[0], 3);
    assert_int_equal(x->options[1], 2);
    assert_int_equal(x->legal[5], 0);
    assert_int_equal(x->strata, 1);
    for (int k = 0; k < 12; k++)
        assert_true(near((double)x->probability[k], isnan(cube[k]) ? 0 : cube[k]));
    assert_string_equal(a->e.label[1], named ? "y" : "1");
    assert_null(x->count);
}

/* Promise: .npy, wide and long files of the same answers are the same evidence. */
static void test_answer_layouts(void** state) {
    put_npy("a.npy", 3, (const size_t[]){2, 2, 3}, cube);
    answers* a = read_answers(&(agon_answers_file){.answers = "a.npy"});
    check_cube(a, false);
    assert_true(near(a->e.answers.weight[0], 0.5));
    assert_null(a->e.answers.worth);
    says(a->e.why.worth, "no right answers");
    answers_done(a);
    put("a.csv", "state,agent,p0,p1,p2\ns,x,.5,.25,.25\nt,x,1,0,\nt,y,1,0,nan\ns,y,0,0,1\n");
    a = read_answers(&(agon_answers_file){.answers = "a.csv"});
    check_cube(a, true);
    answers_done(a);
    put("a.csv", "agent,state,action,probability\nx,s,0,.5\nx,s,1,.25\nx,s,2,.25\nx,t,yes,1\n"
                 "y,t,zero,0\ny,t,yes,1\ny,s,2,1\n");
    a = read_answers(&(agon_answers_file){.answers = "a.csv"});
    check_cube(a, true);
    says(a->notes.text, "2 agents, 2 states, 5 different answers, at most 3 in one state");
    answers_done(a);
    put("labels.txt", "x\ny\n");
    a = read_answers(&(agon_answers_file){.answers = "a.npy", .labels = "labels.txt"});
    check_cube(a, true);
    answers_done(a);
    put("labels.txt", "Model\nx\ny\n");
    a = read_answers(&(agon_answers_file){.answers = "a.npy", .labels = "labels.txt"});
    check_cube(a, true);
    answers_done(a);
}

/* Promise: samples are counted, each line one or as the column says; frequencies; classes do not
 * depend on the order of lines. */
static void test_counts(void** state) {
    static const char* const same[] = {
        "agent,state,answer\nm,q1,Paris\nm,q1,Paris\nm,q1,\"Lyon, France\"\nm,q2,10\nm,q2,9\n"
        "n,q1,Rome\nn,q2,9\n",
        "count,answer,state,agent\n1,\"Lyon, France\",q1,m\n2,Paris,q1,m\n1,9,q2,m\n1,10,q2,m\n"
        "1,Rome,q1,n\n1,9,q2,n\n",
    };
    static const uint32_t expected[12] = {1, 2, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0};
    for (int i = 0; i < 2; i++) {
        put("a.csv", same[i]);
        answers* a = read_answers(&(agon_answers_file){.answers = "a.csv", .counts = true});
        assert_int_equal(a->e.answers.actions, 3);
        assert_memory_equal(a->e.answers.count, expected, sizeof expected);
        assert_true(fabs((double)a->e.answers.probability[1] - 2.0 / 3) < 1e-7);
        assert_int_equal(a->e.answers.options[1], 2);
        says(a->notes.text, "1 to 3 samples of each agent in each state");
        answers_done(a);
    }
    const double counts[6] = {1, 2, (double)NAN, 0, 3, (double)NAN};
    put_npy("c.npy", 3, (const size_t[]){2, 1, 3}, counts);
    answers* a = read_answers(&(agon_answers_file){.answers = "c.npy", .counts = true});
    assert_int_equal(a->e.answers.count[4], 3);
    assert_true(a->e.answers.probability[4] == 1);
    answers_done(a);
    probs_refused("agent,state,answer\nm,q1,a\nm,q2,a\nn,q1,a\n", true,
                  "agent 'n', state 'q2' has 0 samples");
    probs_refused("agent,state,answer,count\nm,q1,a,1.5\n", true,
                  "line 2, column 4: 1.5, expected a number of samples");
    probs_refused("agent,state,answer\nm,q1,\n", true, "line 2, column 3: the answer is empty");
}

/* Promise: rows that are no distributions, options that differ, holes and doubles are named. */
static void test_answer_refusals(void** state) {
    double bad[12];
    memcpy(bad, cube, sizeof bad);
    bad[0] = 0.43;
    put_npy("b.npy", 3, (const size_t[]){2, 2, 3}, bad);
    const agon_answers_file from = {.answers = "b.npy"};
    answers_refused(&from, "b.npy: agent 0, state 0: probabilities add up to 0.93, expected 1");
    bad[0] = -0.5;
    put_npy("b.npy", 3, (const size_t[]){2, 2, 3}, bad);
    answers_refused(&from, "b.npy: agent 0, state 0, action 0: -0.5, expected a probability");
    bad[0] = 0.5, bad[11] = 0;
    put_npy("b.npy", 3, (const size_t[]){2, 2, 3}, bad);
    answers_refused(&from,
                    "action 2 is given for agent 1, state 1 but absent for agent 0, state 1");
    bad[9] = bad[10] = bad[11] = bad[3] = bad[4] = (double)NAN;
    put_npy("b.npy", 3, (const size_t[]){2, 2, 3}, bad);
    answers_refused(&from, "agent 0, state 1 has no answer");
    put_npy("b.npy", 2, (const size_t[]){4, 3}, bad);
    answers_refused(&from, "shape (4, 3), expected (agents, states, actions)");
    put_npy("b.npy", 3, (const size_t[]){2, 0, 3}, bad);
    answers_refused(&from, "2 agents, 0 states and 3 actions");
    probs_refused("agent,state,p0,p1\nx,s,.5,.5\ny,s,.5,.6\n", false,
                  "agent 'y', state 's': probabilities add up to 1.1");
    probs_refused("agent,state,p0,p1\nx,s,.5,.5\nx,s,.5,.5\n", false,
                  "line 3, column 1: agent 'x', state 's' for the second time");
    probs_refused("agent,state,p0,p1\nx,s,.5,.5\nx,t,.5,.5\ny,t,1,0\n", false,
                  "agent 'y', state 's' has no answer");
    probs_refused("agent,state,p0,p1\nx,s,.5\n", false, "the row has 3 cells, expected 4");
    probs_refused("a,b,c\n1,2,3\n", false, "names no columns agent, state and action");
    probs_refused("agent,state,action,probability\nx,s,a,.5\nx,s,a,.5\n", false,
                  "has a probability already");
    probs_refused("agent,state,action\nx,s,a\n", false, "no column called probability");
    probs_refused("agent,state,action,probability\n", false, "a header and no lines");
    probs_refused("agent,state,p0\n", false, "a header and no lines");
}

/* Promise: weights are taken in any form, by name where they have names, and scaled to 1. */
static void test_weights(void** state) {
    agon_answers_file from = {.answers = "a.csv", .weights = "w.csv"};
    put("a.csv", "agent,state,p0,p1\nx,s,1,0\nx,t,0,1\n");
    static const char* const same[] = {"1\n3\n", "weight\n1\n3\n", "state,weight\nt,3\ns,1\n",
                                       "s,1\nt,3\n"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        put("w.csv", same[i]);
        answers* a = read_answers(&from);
        assert_true(near(a->e.answers.weight[0], 0.25) && near(a->e.answers.weight[1], 0.75));
        answers_done(a);
    }
    from.weights = put_npy("w.npy", 1, (const size_t[]){2}, (const double[]){0, 5});
    answers* a = read_answers(&from);
    assert_true(a->e.answers.weight[0] == 0 && a->e.answers.weight[1] == 1);
    answers_done(a);
    from.weights = "w.csv";
    put("w.csv", "1\n-3\n");
    answers_refused(&from, "w.csv, line 2, column 1: -3, expected a weight");
    put("w.csv", "0\n0\n");
    answers_refused(&from, "weights add up to 0");
    put("w.csv", "1\n1\n1\n");
    answers_refused(&from, "w.csv has 3 rows, but a.csv has 2 states");
    put("w.csv", "state,weight\nt,3\nu,1\n");
    answers_refused(&from, "w.csv, line 3, column 1: state 'u' is not among those");
    put("w.csv", "state,weight\nt,3\nt,1\n");
    answers_refused(&from, "state 't' for the second time");
    from.weights = "none.csv";
    answers_refused(&from, "none.csv");
}

static void check_worth(const agon_answers_file* from, const double* expected, int count) {
    answers* a = read_answers(from);
    assert_non_null(a->e.answers.worth);
    assert_int_equal(a->e.answers.states * a->e.answers.actions, count);
    for (int i = 0; i < count; i++)
        if (isnan(expected[i]) ? !isnan(a->e.answers.worth[i])
                               : a->e.answers.worth[i] != expected[i])
            fail_msg("worth %d is %g, expected %g", i, a->e.answers.worth[i], expected[i]);
    answers_done(a);
}

/* Promise: right answers by number or by name, and what each action is worth; a right answer that
 * nobody gave makes everybody wrong. */
static void test_worth(void** state) {
    const double none = (double)NAN;
    agon_answers_file from = {.answers = "a.npy", .worth = "r.csv"};
    put_npy("a.npy", 3, (const size_t[]){2, 2, 3}, cube);
    put("r.csv", "2\n0\n");
    check_worth(&from, (const double[]){0, 0, 1, 1, 0, none}, 6);
    put("r.csv", "state,answer\n0,2\n0,1\n1,0\n");
    check_worth(&from, (const double[]){0, 1, 1, 1, 0, none}, 6);
    put("r.csv", "state,answer,worth\n0,2,-1\n0,1,.5\n");
    check_worth(&from, (const double[]){none, .5, -1, none, none, none}, 6);
    put("r.csv", "1,0,-1\n0,,9\n");
    check_worth(&from, (const double[]){1, 0, -1, 0, none, none}, 6);
    from.worth = put_npy("r.npy", 1, (const size_t[]){2}, (const double[]){2, none});
    check_worth(&from, (const double[]){0, 0, 1, none, none, none}, 6);
    from.worth = "r.csv";
    put("r.csv", "2\n2\n");
    answers_refused(&from, "r.csv, line 2, column 1: the right action of state 1 is 2");
    put("r.csv", "2\n");
    answers_refused(&from, "1 rows, but a.npy has 2 states");
    put("r.csv", "1,2\n3,4\n");
    answers_refused(&from, "2 columns, expected 1 or 3");
    from = (agon_answers_file){.answers = "a.csv", .counts = true, .worth = "r.csv"};
    put("a.csv", "agent,state,answer\nm,q,a\nm,q,b\nn,q,a\n");
    put("r.csv", "state,answer\nq,b\n");
    check_worth(&from, (const double[]){0, 1}, 2);
    put("r.csv", "state,answer\nq,z\n");
    check_worth(&from, (const double[]){0, 0, 1}, 3);
    put("r.csv", "state,answer\nr,b\n");
    answers_refused(&from, "r.csv, line 2, column 1: state 'r' is not among those of a.csv");
    put("r.csv", "1\n");
    answers_refused(&from, "r.csv numbers the right answers");
}

/* ---- several parts ---- */

/* Promise: parts of one population find their agents by label, whatever the order; another
 * population is refused and changes nothing. */
static void test_parts(void** state) {
    agon_evidence e = {0};
    agon_evidence_notes notes = {0};
    agon_error error = {0};
    const agon_payoff_file payoff = {put("p.csv", "row,col,wins,losses\nb,c,3,1\n"), NULL, false};
    const agon_answers_file answer = {
        .answers = put("a.csv", "agent,state,p0,p1\nc,s,1,0\na,s,.5,.5\nb,s,0,1\n")};
    const double act[6] = {1, 2, 3, 4, 5, 6};
    assert_int_equal(agon_evidence_read_answers(&answer, &e, &notes, &error), 0);
    assert_int_equal(agon_evidence_read_payoffs(&payoff, &e, &notes, &error), 0);
    assert_int_equal(e.agents, 3);
    assert_int_equal(e.payoffs.agents, 2);
    assert_int_equal(e.payoffs.member[0], 2);
    assert_int_equal(e.payoffs.member[1], 0);
    put_npy("i.npy", 3, (const size_t[]){3, 1, 2}, act);
    put("l.txt", "agent\na\nb\nc\n");
    assert_int_equal(agon_evidence_read_insides("i.npy", "l.txt", &e, &notes, &error), 0);
    assert_true(e.insides.activation[0] == 5 && e.insides.activation[3] == 2);
    assert_int_equal(e.insides.width, 2);
    assert_int_equal(e.insides.parameters, 0);
    assert_string_equal(e.origin, "a.csv, p.csv, i.npy");
    agon_evidence_clear(&e);

    assert_int_equal(agon_evidence_read_payoffs(&payoff, &e, &notes, &error), 0);
    assert_int_equal(agon_evidence_read_answers(&answer, &e, &notes, &error), AGON_EINVALID);
    says(error.text, "a.csv is of 3 agents, but p.csv of 2");
    put("a.csv", "agent,state,p0,p1\nc,s,1,0\nd,s,0,1\n");
    assert_int_equal(agon_evidence_read_answers(&answer, &e, &notes, &error), AGON_EINVALID);
    says(error.text, "agent 'd' is not among the 2 agents of p.csv");
    assert_int_equal(e.answers.states, 0);
    put("a.csv", "agent,state,p0,p1\nc,s,1,0\nb,s,0,1\n");
    assert_int_equal(agon_evidence_read_answers(&answer, &e, &notes, &error), 0);
    assert_true(e.answers.probability[0] == 0 && e.answers.probability[2] == 1);
    agon_evidence_clear(&e);
}

/* Promise: agents without names take those that come later; activations must be finite. */
static void test_unnamed(void** state) {
    agon_evidence e = {0};
    agon_evidence_notes notes = {0};
    agon_error error = {0};
    double act[4] = {1, 2, 3, (double)INFINITY};
    put_npy("i.npy", 3, (const size_t[]){2, 1, 2}, act);
    assert_int_equal(agon_evidence_read_insides("i.npy", NULL, &e, &notes, &error), AGON_EINVALID);
    says(error.text, "i.npy: agent 1, input 0, unit 1 is inf");
    act[3] = 4;
    put_npy("i.npy", 3, (const size_t[]){2, 1, 2}, act);
    assert_int_equal(agon_evidence_read_insides("i.npy", NULL, &e, &notes, &error), 0);
    assert_string_equal(e.label[1], "1");
    const agon_payoff_file payoff = {put("p.csv", ",a,b\na,,.5\nb,,\n"), NULL, true};
    assert_int_equal(agon_evidence_read_payoffs(&payoff, &e, &notes, &error), 0);
    assert_string_equal(e.label[1], "b");
    agon_evidence_clear(&e);
    put("l.txt", "a\na\n");
    assert_int_equal(agon_evidence_read_insides("i.npy", "l.txt", &e, &notes, &error),
                     AGON_EINVALID);
    says(error.text, "l.txt: 'a' is the label of number 1 and of number 2");
    put("l.txt", "a\nb\nc\n"); /* the first is no header */
    assert_int_equal(agon_evidence_read_insides("i.npy", "l.txt", &e, &notes, &error),
                     AGON_EINVALID);
    says(error.text, "l.txt has 3 lines; expected a label for each of 2 agents");
    put("l.txt", "a\nb\nc\nd\n");
    assert_int_equal(agon_evidence_read_insides("i.npy", "l.txt", &e, &notes, &error),
                     AGON_EINVALID);
    says(error.text, "l.txt has 4 lines; expected a label for each of 2 agents");
    agon_evidence_clear(&e);
}

/* Promise: names that happen to be 0, 1, 2 find their agents as all names do. */
static void test_named_by_numbers(void** state) {
    agon_evidence e = {0};
    agon_evidence_notes notes = {0};
    agon_error error = {0};
    const agon_answers_file answer = {
        .answers = put("a.csv", "agent,state,p0,p1\n0,s,1,0\n1,s,.5,.5\n2,s,0,1\n")};
    const agon_payoff_file payoff = {
        put("p.csv", "row,col,wins,losses\n2,0,3,1\n0,1,2,2\n2,1,4,0\n"), NULL, false};
    assert_int_equal(agon_evidence_read_answers(&answer, &e, &notes, &error), 0);
    assert_int_equal(agon_evidence_read_payoffs(&payoff, &e, &notes, &error), 0);
    assert_string_equal(e.label[2], "2");
    assert_int_equal(e.payoffs.member[0], 2);
    assert_int_equal(e.payoffs.member[1], 0);
    assert_true(e.answers.probability[0] == 1);
    agon_evidence_clear(&e);
}

/* Promise: games of any number of seats are grouped by their names; agents are joined by label; a
 * mistake is named with its line. */
static void test_tables(void** state) {
    agon_evidence e = {0};
    agon_evidence_notes notes = {""};
    agon_error error = {0};
    const char* path = put("t.csv", "score,game,agent\n1,x,ann\n-2,y,bob\n3,x,bob\n0,x,ann\n");
    assert_int_equal(agon_evidence_read_tables(path, &e, &notes, &error), 0);
    const int32_t agent[6] = {0, 1, 0, 1, -1, -1};
    const float value[6] = {1, 3, 0, -2, 0, 0};
    assert_int_equal(e.tables.games, 2);
    assert_int_equal(e.tables.seats, 3);
    assert_memory_equal(e.tables.agent, agent, sizeof agent);
    assert_memory_equal(e.tables.value, value, sizeof value);
    assert_string_equal(e.label[1], "bob");
    says(notes.text, "2 games of up to 3 seats");
    agon_evidence_clear(&e);
    path = put("t.csv", "game,agent,score\n1,ann,much\n");
    assert_int_equal(agon_evidence_read_tables(path, &e, &notes, &error), AGON_EINVALID);
    says(error.text, "line 2, column 3: 'much' is not a number");
    path = put("t.csv", "game,agent,score\n1,ann,inf\n");
    assert_int_equal(agon_evidence_read_tables(path, &e, &notes, &error), AGON_EINVALID);
    path = put("t.csv", "game,agent\n1,ann\n");
    assert_int_equal(agon_evidence_read_tables(path, &e, &notes, &error), AGON_EINVALID);
    says(error.text, "no column score");
    path = put("t.csv", "game,agent,score\n");
    assert_int_equal(agon_evidence_read_tables(path, &e, &notes, &error), AGON_EINVALID);
    assert_int_equal(e.agents, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),         cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_games),           cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_counted),         cmocka_unit_test(test_payoff_refusals),
        cmocka_unit_test(test_answer_layouts),  cmocka_unit_test(test_counts),
        cmocka_unit_test(test_answer_refusals), cmocka_unit_test(test_weights),
        cmocka_unit_test(test_worth),           cmocka_unit_test(test_parts),
        cmocka_unit_test(test_unnamed),         cmocka_unit_test(test_named_by_numbers),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
