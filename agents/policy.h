/* policy.h: whoever picks actions for a batch of slots; one of agon's four seams. */
#ifndef AGON_POLICY_H
#define AGON_POLICY_H

#include "agents/backend.h"
#include "games/rules.h"

/* A batch of decisions, one per slot. All arrays are borrowed and indexed by slot. */
typedef struct agon_batch {
    const agon_rules* rules;
    int count;
    const void* obs;         /* (count, rules->obs_bytes) */
    const uint64_t* mask;    /* (count, rules->mask_words) */
    const void* states;      /* base of the lanes' states; NULL for policies without needs_state */
    const uint32_t* lane;    /* (count) state of slot i is at states + lane[i] * state_size */
    const uint8_t* seat;     /* (count) who decides */
    agon_key key;            /* randomness of actions: counter (episode, ply, seat, draw) */
    const uint32_t* episode; /* (count) */
    const uint32_t* ply;     /* (count) */
    float* memory;           /* in and out (count, policy->memory): what the slot's seat remembers
                                before this decision, 0 at its first, then after it; NULL without */
    float temperature;       /* 1: as trained; 0: greedy */
    uint16_t* action;        /* out (count), or NULL */
    float* probability;      /* out (count, actions), or NULL: exact action probabilities */
} agon_batch;

/* Draw 0 of a slot's counter is the uniform that samples the action of any policy with exact
 * probabilities; policies that need more numbers use draws from 1 on. */
float agon_batch_uniform(const agon_batch* batch, int slot);

typedef struct agon_policy agon_policy;
struct agon_policy {
    char name[128];     /* canonical: "one_ply", "mcts(playouts=100)", or a snapshot's hash */
    bool needs_state;   /* reads states: search and win-or-block */
    bool deterministic; /* the same position and memory always give the same action */
    bool uniform;       /* every legal action is as likely as another */
    int memory;         /* floats that a seat remembers between its decisions; 0: none */
    void* self;         /* owned by the policy */
    void (*act)(const agon_policy* policy, const agon_batch* batch);
    /* (optional) Did `act` ever fail? A code and what went wrong; its actions since were any legal
     * ones. AGON_OK: it never did. */
    int (*failed)(const agon_policy* policy, agon_error* error);
    void (*close)(agon_policy* policy); /* frees self, not the struct */
};

/* ---- scripted policies -------------------------------------------------------------------- */

/* "random"                      any game: uniform over legal actions
 * "one_ply"                     perfect information, no chance: wins at once, else avoids giving
 *                               the next seat a win (blocks), else random
 * "alpha_beta(depth=4)"         two seats, perfect information, no chance, zero or constant sum;
 *                               equal moves by lowest index
 * "mcts(playouts=100,c=1.4)"    the same games: UCT (Kocsis and Szepesvari 2006), random playouts
 *
 * Refused with a message that names the missing fact where the game does not allow it. Temperature
 * is ignored: these are fixed opponents. `out` borrows rules; one thread at a time may use it. */
int agon_scripted_open(const char* text, const agon_rules* rules, agon_policy* out,
                       agon_error* error);
void agon_policy_close(agon_policy* policy);

/* After it has acted: AGON_OK, or how it failed. */
static inline int agon_policy_check(const agon_policy* policy, agon_error* error) {
    return policy->failed ? policy->failed(policy, error) : AGON_OK;
}

/* Opens "cmd:NAME", a program outside. What decides is none of agon's: the same position may give
 * another action, so a task with such a policy is impure. */
#define AGON_OUTSIDE "cmd:"
typedef int agon_policy_opener(const char* text, const agon_rules* rules, agon_policy* out,
                               agon_error* error);
/* Who opens them in this process; without one they are refused. Before threads are started. */
void agon_policy_set_outside(agon_policy_opener* open);

/* Name, one-line description and facts needed, for help; false beyond the last. */
bool agon_scripted_at(int index, const char** name, const char** description);

/* ---- a net as a policy -------------------------------------------------------------------- */

/* Whether the net sees what this game shows, and chooses among its actions: a convolution sees an
 * image of so many planes, rows and columns, other nets so many inputs. Else AGON_EINVALID; who:
 * names the net in the message. */
int agon_net_fits(const agon_net* net, const agon_rules* rules, const char* who, agon_error* error);

/* Borrows packed weights and backend; keeps a scratch of its own. The rollout does not use it (it
 * batches many nets in one forward); probes, exact walks and tools do. */
int agon_net_policy_open(const agon_backend* backend, const agon_net* net, const void* packed,
                         const agon_rules* rules, agon_policy* out, agon_error* error);

/* ---- who holds a seat --------------------------------------------------------------------- */

/* A net by its packed weights, or a scripted policy. */
typedef struct agon_player {
    const agon_net* net;       /* borrowed; NULL: scripted */
    const void* packed;        /* borrowed; weights of a net */
    const agon_policy* policy; /* borrowed; scripted */
} agon_player;

#endif
