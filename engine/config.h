/* config.h: everything a run is a function of, and the table that defines every key.
 *
 * Sections [game] [population] [league] [net] [train] [metrics] decide the result and are hashed;
 * [run] and [machine] say where and how fast, and are not. One table (agon_config_keys) gives each
 * key its type, default, range, unit and meaning, and makes --print-config, `agon help KEY` and
 * every check. A file that decides the result counts by the SHA-256 of what it holds. */
#ifndef AGON_CONFIG_H
#define AGON_CONFIG_H

#include "agents/learner.h"
#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters of a line of a config file that is not a comment (the INI reader's limit, less the
 * line's end); hence also the limit of long texts such as run.dir. */
#define AGON_CONFIG_LINE 190
/* Most decisions of one rollout, train.lanes * train.horizon. */
#define AGON_CONFIG_MAX_DECISIONS (1 << 24)

typedef enum agon_league {
    AGON_LEAGUE_MIRROR,  /* every seat is the learner itself */
    AGON_LEAGUE_UNIFORM, /* opponents drawn uniformly from the population's snapshots */
    AGON_LEAGUE_FIXED,   /* opponents are the anchors alone */
    AGON_LEAGUE_PFSP     /* prioritised: weight by how hard the opponent is for the learner */
} agon_league;

typedef enum agon_pfsp {
    AGON_PFSP_HARD, /* weight (1 - p)^2, p = probability of beating it */
    AGON_PFSP_EVEN  /* weight p (1 - p) */
} agon_pfsp;

typedef enum agon_roles {
    AGON_ROLES_SHARED,  /* every agent plays every role */
    AGON_ROLES_SEPARATE /* an agent plays one role, with all its seats */
} agon_roles;

typedef enum agon_device {
    AGON_DEVICE_CPU,
    AGON_DEVICE_CUDA,
    AGON_DEVICE_AUTO /* until a run begins: then it is one of the others */
} agon_device;

typedef struct agon_config {
    struct {
        char name[128]; /* game string */
    } game;
    struct {
        int size;  /* agents; with separate roles: agents of each role */
        int roles; /* agon_roles */
    } population;
    struct {
        int kind;            /* agon_league */
        int opponents;       /* opponents of a train task, drawn with replacement; 0: lanes / 8 */
        double past;         /* share of opponents drawn from earlier generations */
        double anchor_share; /* share of opponents that are anchors */
        char anchors[256];   /* scripted policies, separated by spaces: "random one_ply" */
        int weighting;       /* agon_pfsp */
    } league;
    struct {
        char hidden[128]; /* "conv16,128,mingru64"; "" or "0": no hidden layer */
        int activation;   /* agon_activation */
    } net;
    struct {
        uint64_t seed;
        int generations;
        int rollouts; /* rollouts (= PPO updates) of one train task */
        int lanes;    /* parallel games of one train task */
        int horizon;  /* decisions per learner row and rollout */
        int epochs, minibatches;
        double learning_rate, learning_rate_final; /* linear in agent-steps */
        double entropy, entropy_final;             /* entropy weight, linear in agent-steps */
        double clip, value_weight, max_grad_norm, discount, lambda;
        double beta1, beta2, epsilon;
        int normalise;
        int device;             /* agon_device */
        int precision;          /* 0: auto; else 1 + agon_precision (cuda/backend_cuda.h) */
        char device_model[128]; /* the GPU's, filled in when a run begins; "": whatever it is then,
                                   or a CPU */
    } train;
    struct {
        int every;        /* generations between measurements; first and last always count */
        int games;        /* games per pair and measurement, even: both seats, paired openings */
        int anchor_games; /* games of each agent against each anchor and measurement */
        int final_games;  /* games per agent and anchor of the closing evaluation */
        int budget;       /* most agents of the pay-off matrix; more are thinned evenly; 0: all */
        int opening;      /* random plies that open each pair of games */
        int probes;       /* probe states of set U, where no file gives others */
        char probe_file[512]; /* probe sets to measure on; "": set U, made from the seed */
        char probe_hash[65]; /* its SHA-256, filled in when a run begins; "": whatever it is then */
        char anchors[256]; /* scripted policies to measure against; those that the game refuses are
                              left out */
        int exact_nodes;   /* NashConv where the tree has at most so many nodes; 0: never */
        int bootstrap;     /* samples of each null model and standard error */
    } metrics;
    struct {
        char dir[512]; /* run directory; "": runs/GAME-seedSEED */
        int keep;      /* learners kept per agent, the newest; >= 2 */
    } run;
    struct {
        int threads;      /* tasks at a time; 0: all cores */
        char plugin[256]; /* file of the game where it is not a built-in; "": it is */
        char listen[256]; /* where workers connect; "": the run is on this machine alone */
        char tokens[256]; /* file of the tokens that may work; "": none are asked for */
        char tls[256];    /* directory of certificates; "": none */
        char nkey[256];   /* nats: file with the seed of an nkey; "": none */
        char metrics[64]; /* HOST:PORT for Prometheus; "": none */
        int lease;        /* seconds */
        double audit;     /* share of workers' results that are executed twice */
        int insecure;     /* listen beyond this machine without authentication */
    } machine;
} agon_config;

typedef enum agon_key_type {
    AGON_KEY_INT,    /* int */
    AGON_KEY_SEED,   /* uint64_t */
    AGON_KEY_REAL,   /* double */
    AGON_KEY_TEXT,   /* char[size] */
    AGON_KEY_CHOICE, /* int, one of `choices` separated by '|' */
    AGON_KEY_SWITCH  /* int 0 or 1, "yes" or "no" */
} agon_key_type;

typedef struct agon_config_key {
    const char* section;
    const char* name;
    agon_key_type type;
    size_t offset, size;  /* in agon_config */
    const char* fallback; /* default, as text */
    double low, high;     /* inclusive range of numbers */
    const char* choices;
    const char* unit;    /* "games", "share", "" */
    const char* meaning; /* one sentence */
    bool place;          /* says where a file lies; what it holds decides, by another key */
    bool later; /* younger than stored runs: hashed only where it differs from the default, so that
                   their hashes stay what they were */
} agon_config_key;

/* The table, static; the order is that of the canonical text. */
const agon_config_key* agon_config_keys(int* count);
/* By full name "train.seed", or NULL. */
const agon_config_key* agon_config_find(const char* full_name);
/* Does the key decide the result? (not [run], not [machine], not where a file lies) */
bool agon_config_decides(const agon_config_key* key);
/* What a key may be, for people: "1..10000 agents", "mirror, uniform, fixed, pfsp", "yes or no".
 * Returns the length needed, as snprintf does. */
int agon_config_range(const agon_config_key* key, char* out, size_t size);
/* Most characters of a text key: its size less one, or what fits in a line of AGON_CONFIG_LINE. */
size_t agon_config_text_limit(const agon_config_key* key);

void agon_config_defaults(agon_config* config);
/* Sets one key from text ("section.key=value" is split by the caller); on a mistake *config is
 * untouched. Blanks around the value are dropped. Whole numbers may have underscores between
 * digits (10_000); numbers are decimal and finite; switches are yes/no, true/false, on/off; texts
 * hold neither control characters nor ';'. An unknown key suggests the nearest. `origin` names the
 * source in messages ("command line", "my.ini:12"). */
int agon_config_set(agon_config* config, const char* full_name, const char* value,
                    const char* origin, agon_error* error);
/* An INI text over what config holds; every mistake names file and line. A key may be set once per
 * text. Comments are lines that begin with '#' or ';', or follow " ;" in a line. On a mistake
 * *config is untouched. A file is at most 1 MiB. */
int agon_config_read_text(agon_config* config, const char* text, const char* origin,
                          agon_error* error);
int agon_config_read_file(agon_config* config, const char* path, agon_error* error);
/* Checks what concerns several keys: a game is named, net.hidden parses, minibatches <= lanes *
 * horizon (or <= lanes, where the net has memory) <= AGON_CONFIG_MAX_DECISIONS, even numbers of
 * games, shares that add up to at most 1, anchors where the league needs them, no mirror of
 * separate roles, a hash only beside its file, no GPU's precision or model beside a CPU. Whether
 * the game exists is agon_rules_open's to say, and whether the device does agon_device_resolve's.
 */
int agon_config_check(const agon_config* config, agon_error* error);

/* The resolved INI text, every key in the table's order, with comments of meaning, range and
 * default when `comments`. Reading it gives back an equal config, to the last bit of every number.
 * decides_only: what is hashed; leaves out what does not decide, and later keys at their default.
 * Returns malloc'd text (owned by the caller), NULL: out of memory. */
char* agon_config_write(const agon_config* config, bool comments, bool decides_only);
/* SHA-256 of agon_config_write(config, false, true), as 64 hex digits + NUL. */
void agon_config_hash(const agon_config* config, char out[65]);

/* The value of a key as text; returns the length needed. */
int agon_config_value(const agon_config* config, const agon_config_key* key, char* out,
                      size_t size);

/* net.hidden and net.activation with the sizes of the game's observations and actions (>= 1) as an
 * architecture. */
int agon_config_net(const agon_config* config, const agon_spec* spec, agon_net* out,
                    agon_error* error);

#endif
