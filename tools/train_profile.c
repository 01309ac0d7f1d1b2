#include "tools/train_profile.h"

#include "tools/panel.h"
#include "tools/ui.h"

#include <math.h>
#include <string.h>

static int largest(const double* share) {
    int best = 0;
    for (int i = 1; i < AGON_PHASES; i++)
        if (share[i] > share[best])
            best = i;
    return best;
}

void agon_profile_line(const double* phase, char* out, size_t size) {
    double share[AGON_PHASES];
    size_t used = 0;
    agon_profile_shares(phase, share);
    out[0] = 0;
    for (int i = largest(share); share[i] >= 0.005; share[i] = 0, i = largest(share)) {
        char part[32];
        const int length = snprintf(part, sizeof part, "%s%s %.0f %%", used ? ", " : "",
                                    agon_phase_name(i), 100 * share[i]);
        if (used + (size_t)length >= size)
            return;
        memcpy(out + used, part, (size_t)length + 1);
        used += (size_t)length;
    }
}

/* Of a thread, for each agent-step that was learned from. */
static double step_nanoseconds(const agon_training* t, double seconds) {
    return t->steps ? 1e9 * seconds / (double)t->steps : 0;
}

static void print_row(FILE* out, const agon_training* t, const char* name, double seconds,
                      double share, const char* meaning) {
    fprintf(out, "   %-8s %9.3f %6.1f %% %9.0f%s%s\n", name, seconds, 100 * share,
            step_nanoseconds(t, seconds), *meaning ? "   " : "", meaning);
}

void agon_profile_table(FILE* out, const agon_training* t) {
    double share[AGON_PHASES], sum = 0;
    char rate[16], all[16];
    const double seconds = fmax(t->seconds, 1e-9);
    agon_profile_shares(t->phase, share);
    agon_panel_count((double)t->steps / seconds, rate);
    agon_panel_count((double)(t->steps + t->other_steps) / seconds, all);
    fprintf(out, "\n %sphase      seconds    share   ns/step   where the time went%s\n",
            agon_ui_colour(out, AGON_BOLD), agon_ui_colour(out, AGON_PLAIN));
    for (int i = 0; i < AGON_PHASES; i++) {
        print_row(out, t, agon_phase_name(i), t->phase[i], share[i], agon_phase_meaning(i));
        sum += t->phase[i];
    }
    print_row(out, t, "all", sum, sum > 0, "");
    fprintf(out,
            "\n %.3f s, %d task%s at a time, %s; ns/step: of a thread, for each\n"
            "   agent-step learned; %s of these a second, %s with opponents'.\n",
            t->seconds, t->slots, t->slots == 1 ? "" : "s", t->backend->name, rate, all);
}

cJSON* agon_profile_json(const agon_training* t) {
    double share[AGON_PHASES];
    cJSON* root = cJSON_CreateObject();
    const double seconds = fmax(t->seconds, 1e-9);
    agon_profile_shares(t->phase, share);
    cJSON_AddNumberToObject(root, "seconds", t->seconds);
    cJSON_AddNumberToObject(root, "tasks_at_a_time", t->slots);
    cJSON_AddStringToObject(root, "backend", t->backend->name);
    cJSON_AddNumberToObject(root, "agent_steps_per_second", (double)t->steps / seconds);
    cJSON_AddNumberToObject(root, "steps_per_second",
                            (double)(t->steps + t->other_steps) / seconds);
    cJSON* phases = cJSON_AddObjectToObject(root, "phases");
    for (int i = 0; i < AGON_PHASES; i++) {
        cJSON* d = cJSON_AddObjectToObject(phases, agon_phase_name(i));
        cJSON_AddNumberToObject(d, "seconds", t->phase[i]);
        cJSON_AddNumberToObject(d, "share", share[i]);
        cJSON_AddNumberToObject(d, "ns_per_agent_step", step_nanoseconds(t, t->phase[i]));
    }
    return root;
}
