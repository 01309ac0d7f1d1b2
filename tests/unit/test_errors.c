/* Promise: agreement of errors equals values that an independent program computed, and the form for
 * a whole population is what its pairs add up to. */
#include "engine/metrics/errors.h"
#include "games/error.h"

#include "solved_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* Two agents, four questions with three answers each, one of them right. */
static const float TWO[24] = {.7f, .2f, .1f, .1f, .8f, .1f, .2f, .2f, .6f, .5f,  .25f, .25f,
                              .6f, .3f, .1f, .2f, .7f, .1f, .1f, .6f, .3f, .25f, .5f,  .25f};
static const float SELF[24] = {.7f, .2f, .1f, .1f, .8f, .1f, .2f, .2f, .6f, .5f, .25f, .25f,
                               .7f, .2f, .1f, .1f, .8f, .1f, .2f, .2f, .6f, .5f, .25f, .25f};
static const double QUARTER[4] = {.25, .25, .25, .25};
static const double TRUTH[12] = {1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1};
static const uint8_t LEGAL[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static agon_solved questions(const float* answers) {
    return (agon_solved){{2, 4, 3, answers, QUARTER}, TRUTH, LEGAL};
}

/* Guards: kappa_p of probabilities and of first choices equals the reference implementation's, up
 * to the rounding of float32 probabilities; error consistency does not see that the wrong answers
 * differ. */
static void agreement_of_the_example(void** unused) {
    const agon_solved two = questions(TWO), self = questions(SELF);
    agon_error_agreement out;
    assert_int_equal(agon_errors_agreement(&two, AGON_CHOICE_SAMPLED, &out), 0);
    assert_near(out.capa.observed, .428125, 1e-6);
    assert_near(out.capa.expected, .351640625, 1e-6);
    assert_near(out.capa.kappa, .1179660200, 1e-6);
    assert_int_equal(agon_errors_agreement(&self, AGON_CHOICE_SAMPLED, &out), 0);
    assert_near(out.capa.kappa, .2135693946, 1e-6);
    assert_int_equal(agon_errors_agreement(&two, AGON_CHOICE_GREEDY, &out), 0);
    assert_near(out.capa.observed, .5, 1e-12);
    assert_near(out.capa.expected, .375, 1e-12);
    assert_near(out.capa.kappa, .2, 1e-12);
    assert_near(out.consistency.observed, 1, 1e-12);
    assert_near(out.consistency.expected, .5, 1e-12);
    assert_near(out.consistency.kappa, 1, 1e-12);
    assert_near(out.joint, 2, 1e-12);
    assert_near(out.agreement, 0, 1e-12);
    assert_near(out.chance, .5, 1e-12);
}

/* Guards: accuracy, what is given away and the mass on best actions, worked by hand. */
static void accuracy_of_the_example(void** unused) {
    const agon_solved two = questions(TWO);
    agon_accuracy out[2];
    double weight[4], share, failure[8];
    const double expected[8] = {0, 0, 1, 1, 0, 0, 1, 1};
    assert_int_equal(agon_errors_accuracy(&two, out), 0);
    assert_near(out[0].accuracy, .5, 1e-12);
    assert_near(out[0].loss, .5, 1e-12);
    assert_near(out[0].mass, (.7 + .8 + .2 + .25) / 4, 1e-7);
    assert_near(out[0].mass_loss, 1 - out[0].mass, 1e-12);
    assert_near(out[1].mass, (.6 + .7 + .1 + .25) / 4, 1e-7);
    assert_near(out[0].ties, 0, 0);
    assert_int_equal(agon_errors_judge(&two, weight, &share), 0);
    assert_near(share, 1, 1e-12);
    assert_int_equal(agon_errors_failures(&two, AGON_CHOICE_GREEDY, failure), 0);
    assert_memory_equal(failure, expected, sizeof failure);
}

/* Guards: several best actions count as one answer, in all numbers; ties share evenly. */
static void several_best_actions(void** unused) {
    const float row[8] = {.25f, .25f, .25f, .25f, .4f, .1f, .25f, .25f};
    const double one[1] = {1}, worth[4] = {3, 3, 1, -1};
    const agon_solved v = {{2, 1, 4, row, one}, worth, LEGAL};
    agon_accuracy accuracy[2];
    agon_error_agreement out;
    assert_int_equal(agon_errors_accuracy(&v, accuracy), 0);
    assert_near(accuracy[0].accuracy, .5, 1e-12);
    assert_near(accuracy[0].loss, .25 * 2 + .25 * 4, 1e-12);
    assert_near(accuracy[0].ties, 1, 0);
    assert_near(accuracy[1].accuracy, 1, 1e-12);
    assert_near(accuracy[1].mass, .5, 1e-7);
    assert_int_equal(agon_errors_agreement(&v, AGON_CHOICE_SAMPLED, &out), 0);
    assert_near(out.capa.observed, .5 * .5 + 2 * .25 * .25, 1e-7);
    assert_near(out.capa.expected, .5 * .5 + .5 * .5 / 2, 1e-7);
    assert_near(out.agreement, .5, 1e-7);
    assert_near(out.chance, .5, 1e-7);
}

/* Guards: states that nobody can fail or whose worths are not all known are left out, and the rest
 * weighs as if they had never been asked. */
static void states_that_do_not_count(void** unused) {
    float row[2 * 6 * 3];
    double weight[6] = {.1, .1, .1, .1, .3, .3}, worth[18], got[6], share;
    uint8_t legal[18];
    memset(legal, 1, sizeof legal);
    for (int i = 0; i < 2; i++) {
        memcpy(row + i * 18, TWO + i * 12, 12 * sizeof(float));
        memcpy(row + i * 18 + 12, TWO + i * 12, 6 * sizeof(float));
    }
    memcpy(worth, TRUTH, sizeof TRUTH);
    worth[12] = worth[13] = worth[14] = 1; /* all the same */
    worth[15] = 1;
    worth[16] = 0;
    worth[17] = NAN;
    const agon_solved v = {{2, 6, 3, row, weight}, worth, legal}, two = questions(TWO);
    agon_error_agreement out, expected;
    assert_int_equal(agon_errors_judge(&v, got, &share), 0);
    assert_near(share, .4, 1e-12);
    assert_near(got[0], .25, 1e-12);
    assert_near(got[4] + got[5], 0, 0);
    assert_int_equal(agon_errors_agreement(&v, AGON_CHOICE_SAMPLED, &out), 0);
    assert_int_equal(agon_errors_agreement(&two, AGON_CHOICE_SAMPLED, &expected), 0);
    assert_near(out.capa.kappa, expected.capa.kappa, 1e-12);
    assert_near(out.joint, expected.joint, 1e-12);
}

/* Guards: no pairs, no judged state, no errors at all: NaN, not a number that looks like one. */
static void nothing_to_compare(void** unused) {
    agon_solved v = questions(TWO);
    agon_error_agreement out, pairs[4];
    agon_accuracy accuracy[2];
    double flat[12] = {0}, failure[8], weight[4], share;
    v.behaviour.agents = 1;
    assert_int_equal(agon_errors_agreement(&v, AGON_CHOICE_GREEDY, &out), 0);
    assert_true(isnan(out.agreement) && isnan(out.capa.kappa) && out.joint == 0);
    v = questions(TWO);
    v.worth = flat;
    assert_int_equal(agon_errors_agreement(&v, AGON_CHOICE_GREEDY, &out), 0);
    assert_true(isnan(out.agreement) && isnan(out.consistency.kappa) && out.joint == 0);
    assert_int_equal(agon_errors_agreement_pairs(&v, AGON_CHOICE_GREEDY, pairs), 0);
    assert_true(isnan(pairs[1].capa.kappa));
    assert_int_equal(agon_errors_accuracy(&v, accuracy), 0);
    assert_true(isnan(accuracy[1].accuracy) && isnan(accuracy[1].loss));
    assert_int_equal(agon_errors_judge(&v, weight, &share), 0);
    assert_true(share == 0 && weight[0] == 0);
    assert_int_equal(agon_errors_failures(&v, AGON_CHOICE_GREEDY, failure), 0);
    assert_true(failure[2] == 0);
    const double right[12] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0}; /* agent 0's first choices */
    v = questions(SELF);
    v.worth = right;
    assert_int_equal(agon_errors_agreement(&v, AGON_CHOICE_GREEDY, &out), 0);
    assert_true(isnan(out.agreement) && isnan(out.chance) && out.joint == 0);
    assert_true(isnan(out.capa.kappa) && out.capa.observed == 1);
}

/* Guards: malformed input is refused and the output left alone. */
static void bad_input_is_refused(void** unused) {
    float row[24];
    double worth[12];
    uint8_t legal[12];
    agon_error_agreement out = {.joint = 7}, pairs[4] = {{.joint = 7}};
    agon_accuracy accuracy[2] = {{.loss = 7}};
    for (int k = 0; k < 4; k++) {
        memcpy(row, TWO, sizeof row);
        memcpy(worth, TRUTH, sizeof worth);
        memcpy(legal, LEGAL, sizeof legal);
        if (k == 0)
            row[3] = NAN;
        else if (k == 1)
            row[3] = .5f;
        else if (k == 2)
            worth[3] = INFINITY;
        else
            legal[3] = 0; /* and yet it is taken */
        const agon_solved v = {{2, 4, 3, row, QUARTER}, worth, legal};
        assert_int_equal(agon_errors_agreement(&v, AGON_CHOICE_GREEDY, &out), AGON_EINVALID);
        assert_int_equal(agon_errors_agreement_pairs(&v, AGON_CHOICE_GREEDY, pairs), AGON_EINVALID);
        assert_int_equal(agon_errors_accuracy(&v, accuracy), AGON_EINVALID);
        assert_true(out.joint == 7 && pairs[0].joint == 7 && accuracy[0].loss == 7);
    }
}

static void check_bounds(const agon_error_agreement* out, double most) {
    assert_true(isnan(out->agreement) || (out->agreement >= 0 && out->agreement <= 1));
    assert_true(isnan(out->chance) || (out->chance > 0 && out->chance <= 1));
    assert_true(out->joint >= 0 && out->joint <= most);
    assert_true(isnan(out->capa.kappa) || out->capa.kappa <= 1 + 1e-12);
    assert_true(out->capa.observed <= out->consistency.observed + 1e-12);
}

/* Guards: the linear form is what all pairs add up to, for sampled and for first choices. */
static void population_is_its_pairs(void** unused) {
    solved_fixture f;
    agon_error_agreement all, pair[AGENTS * AGENTS];
    for (int trial = 0; trial < 200; trial++) {
        const agon_choice how = trial % 2 ? AGON_CHOICE_GREEDY : AGON_CHOICE_SAMPLED;
        const double pairs = AGENTS * (AGENTS - 1) / 2;
        double joint = 0, capa = 0, capa_expected = 0, same = 0, same_expected = 0;
        fixture_fill(&f, trial);
        assert_int_equal(agon_errors_agreement(&f.view, how, &all), 0);
        assert_int_equal(agon_errors_agreement_pairs(&f.view, how, pair), 0);
        check_bounds(&all, STATES * pairs);
        for (int i = 0; i < AGENTS; i++) {
            for (int j = i + 1; j < AGENTS; j++) {
                const agon_error_agreement* p = &pair[i * AGENTS + j];
                check_bounds(p, STATES);
                assert_memory_equal(p, &pair[j * AGENTS + i], sizeof *p);
                joint += p->joint;
                capa += p->capa.observed / pairs;
                capa_expected += p->capa.expected / pairs;
                same += p->consistency.observed / pairs;
                same_expected += p->consistency.expected / pairs;
            }
        }
        assert_near(all.joint, joint, 1e-10);
        assert_near(all.capa.observed, capa, 1e-12);
        assert_near(all.capa.expected, capa_expected, 1e-12);
        assert_near(all.consistency.observed, same, 1e-12);
        assert_near(all.consistency.expected, same_expected, 1e-12);
        assert_near(all.capa.kappa, (capa - capa_expected) / (1 - capa_expected), 1e-10);
    }
}

/* Guards: the agreement of a population is that of its joint errors, however they are spread. */
static void agreement_counts_joint_errors(void** unused) {
    solved_fixture f;
    agon_error_agreement all, pair[AGENTS * AGENTS];
    for (int trial = 0; trial < 50; trial++) {
        double same = 0, chance = 0, joint = 0;
        fixture_fill(&f, trial);
        for (int s = 0; s < STATES; s++)
            f.weight[s] = 1. / STATES; /* so that counts are weights */
        assert_int_equal(agon_errors_agreement(&f.view, AGON_CHOICE_SAMPLED, &all), 0);
        assert_int_equal(agon_errors_agreement_pairs(&f.view, AGON_CHOICE_SAMPLED, pair), 0);
        for (int i = 0; i < AGENTS; i++) {
            for (int j = 0; j < i; j++) {
                const agon_error_agreement* p = &pair[i * AGENTS + j];
                same += p->agreement * p->joint;
                chance += p->chance * p->joint;
                joint += p->joint;
            }
        }
        assert_near(all.agreement, same / joint, 1e-10);
        assert_near(all.chance, chance / joint, 1e-10);
    }
}

/* Guards: numbers of first choices do not move when policies are sharpened; copies agree wholly; a
 * random guesser beside anybody errs at chance level. */
static void sharpness_copies_and_chance(void** unused) {
    solved_fixture f;
    agon_error_agreement before, after, pair[AGENTS * AGENTS];
    for (int trial = 0; trial < 50; trial++) {
        fixture_fill(&f, trial);
        fixture_copy_agent(&f, 0, 1);
        assert_int_equal(agon_errors_agreement_pairs(&f.view, AGON_CHOICE_GREEDY, pair), 0);
        assert_true(isnan(pair[1].agreement) || fabs(pair[1].agreement - 1) < 1e-12);
        assert_near(pair[1].capa.kappa, 1, 1e-12);
        assert_near(pair[1].consistency.kappa, 1, 1e-12);
        assert_memory_equal(&pair[0], &pair[1], sizeof *pair);
        assert_int_equal(agon_errors_agreement(&f.view, AGON_CHOICE_GREEDY, &before), 0);
        fixture_sharpen(&f);
        assert_int_equal(agon_errors_agreement(&f.view, AGON_CHOICE_GREEDY, &after), 0);
        assert_memory_equal(&before, &after, sizeof before);
        for (int k = 0; k < STATES * ACTIONS; k++)
            f.probability[k] =
                (float)(f.legal[k] / (double)agon_solved_verdict(&f.view, k / ACTIONS).legal);
        assert_int_equal(agon_errors_agreement_pairs(&f.view, AGON_CHOICE_GREEDY, pair), 0);
        assert_near(pair[2].agreement, pair[2].chance, 1e-12);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agreement_of_the_example),
        cmocka_unit_test(accuracy_of_the_example),
        cmocka_unit_test(several_best_actions),
        cmocka_unit_test(states_that_do_not_count),
        cmocka_unit_test(nothing_to_compare),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(population_is_its_pairs),
        cmocka_unit_test(agreement_counts_joint_errors),
        cmocka_unit_test(sharpness_copies_and_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
