/* The table of commands. What is listed here exists; what exists is listed here. */
#include "tools/command.h"

#include <stdbool.h>
#include <string.h>

static const char help_train[] =
    "Examples\n"
    "  agon train connect_four                       the game's own settings, into runs/\n"
    "  agon train kuhn_poker train.seed=7 run.dir=/tmp/kuhn\n"
    "  agon train 'connect_four(rows=5)' population.size=16\n"
    "  agon train my.ini machine.threads=4           settings from a file, then overrides\n"
    "  agon train './my_game.so(stones=9)'           a plug-in; see agon build-game\n"
    "  agon train --resume runs/connect_four-seed1   on from where a run stopped\n"
    "  agon train connect_four --profile             and where the time went\n"
    "  agon train connect_four train.device=cuda     on a GPU; auto: on one if there is one\n"
    "  agon train connect_four --listen tcp://127.0.0.1:7766   workers do the work: agon worker\n"
    "  agon train matrix --print-config > my.ini     all settings with their meaning; no training\n"
    "\n"
    "Trains a population by self-play and measures its diversity and strength. What a file or the\n"
    "command line does not set is as the game's own settings have it. Interrupted once (Ctrl-C),\n"
    "it finishes what is in flight, commits, and prints the command that resumes.\n"
    "\n"
    "Usage: agon train GAME|CONFIG.ini [section.key=value ...]\n"
    "       agon train --resume RUN [run.key=value|machine.key=value ...]\n"
    "  --print-config   print the resolved settings and stop\n"
    "  --quiet          errors only\n"
    "  --json           one JSON object per measured generation, then the closing report\n"
    "  --profile        a table at the end, or part of that report: where the time went\n"
    "  --listen URL     where workers connect: machine.listen; --insecure: without tokens\n"
    "  --metrics ADDRESS  HOST:PORT for Prometheus: machine.metrics\n"
    "  --agent NAME=COMMAND  a program that plays where cmd:NAME is named, as in metrics.anchors\n"
    "\n"
    "'agon help keys' lists every key; 'agon help train.seed' explains one.\n";

static const char help_worker[] =
    "Examples\n"
    "  agon worker --connect tcp://127.0.0.1:7766     all cores for: agon train GAME --listen ...\n"
    "  agon worker --connect tls://host:7766 --tls ca --token worker.token\n"
    "  agon worker --connect nats://host:4222/lab --threads 4 --once\n"
    "  agon worker --connect tcp://127.0.0.1:7766 --game ./my_game.so\n"
    "\n"
    "Runs tasks for a coordinator on this or another machine, and waits for one while there is\n"
    "none. Results are the same whoever computes them, and who would not is turned away: a run\n"
    "of a GPU has workers with that GPU (--device). Finished ones are kept in DIR until the\n"
    "coordinator has them, also when either is killed. Stopped once (Ctrl-C, SIGTERM), it\n"
    "finishes what runs and delivers it; stopped twice, it hands its tasks back and ends at once.\n"
    "Exit code 0 then; 1 when the coordinator turned it away.\n"
    "\n"
    "Usage: agon worker --connect URL [options]\n"
    "  --connect URL   tcp://HOST:PORT, tls://HOST:PORT, nats://HOST:PORT/SPACE, natstls://...\n"
    "  --name NAME     for people; default the host's\n"
    "  --threads N     tasks at a time; default one per core\n"
    "  --device D      cpu, cuda or auto, as the run's train.device; default cpu\n"
    "  --precision P   as the run's train.precision; default auto\n"
    "  --dir DIR       snapshots and results; default $XDG_CACHE_HOME/agon or ~/.cache/agon;\n"
    "                  several workers may share it\n"
    "  --cache SIZE    of snapshots kept there, as 500M or 2G; default 1G\n"
    "  --token FILE    its token (agon cert); also in the environment, AGON_TOKEN_FILE\n"
    "  --tls DIR       with ca.pem, and client.pem where the coordinator asks for one\n"
    "  --nkey FILE     nats: the seed of its key\n"
    "  --game FILE.so  a plug-in it can play; may be repeated\n"
    "  --agent NAME=COMMAND  a program that plays as cmd:NAME; may be repeated\n"
    "  --once          end with the coordinator, or when there is none for a minute\n"
    "  --quiet         errors only\n";

static const char help_workers[] =
    "Examples\n"
    "  agon workers runs/connect_four-seed1          who works for a run, and how fast\n"
    "  agon workers runs/connect_four-seed1 --watch  again every second, until Ctrl-C\n"
    "  agon workers runs/connect_four-seed1 --json | jq '.workers[] | select(.struck)'\n"
    "\n"
    "Shows the workers of a run that listens for them (agon train --listen): those that are\n"
    "connected first, then those that were struck because results of theirs were wrong, then the\n"
    "newest of those that are gone. Columns: tasks it holds and runs at a time, accepted,\n"
    "agent-steps per second, results confirmed by another worker, wrong results, leases lost,\n"
    "tasks it could not do, and how long ago a task of its last moved on.\n"
    "\n"
    "Usage: agon workers RUN [--json] [--watch]\n"
    "  --json    the run's workers.json as it is, with all that is known; times are seconds\n"
    "            since 1970, fields are named in net/workers.h\n"
    "  --watch   until it is stopped\n";

static const char help_metrics[] =
    "Examples\n"
    "  agon metrics runs/quickstart                  headline metrics, intervals, and noise alone\n"
    "  agon metrics runs/quickstart --at 20 --metric all --json\n"
    "  agon metrics runs/a runs/b --metric vendi,cyclic --csv > two.csv\n"
    "  agon metrics runs/a:all runs/b:all --metric nets  all their agents as one population\n"
    "  agon metrics --payoff wins.csv --unit win-rate    a table of others\n"
    "  agon metrics --counts answers.csv --answers key.csv   sampled answers of models\n"
    "  agon metrics --list                           every metric; agon help NAME explains one\n"
    "\n"
    "Computes metrics from what a run kept, from agents asked and played now, or from files. What\n"
    "does not apply says n/a and why. Numbers come with a 95 % interval (bootstrap over states "
    "and\n"
    "paired games), with what noise alone would give, and for sampled answers with their floor.\n"
    "\n"
    "Usage: agon metrics RUN... | AGENT... [options]\n"
    "       agon metrics --payoff FILE | --probs FILE | --counts FILE [options]\n"
    "  --metric NAME,...  metrics or groups; headline (default), all\n"
    "  --at GEN           generation; default: the last measured\n"
    "  --role N           of a run whose roles are separate\n"
    "  --probes FILE      another probe set (agon probes make); --set U|B|X: one of its sets\n"
    "  --baseline RUN     the population to compare with, as for homogenization\n"
    "  --held-out 'A B'   fixed opponents instead of the run's\n"
    "  --game GAME        the game of the agents; with RUN: a variant of its game\n"
    "  --games N          games of a pair, played anew\n"
    "  --bootstrap N      worlds of an interval; default 200, beyond 100 agents 0\n"
    "  --entropy NATS     mean entropy to rescale to; --subset M: agents of a rarefied score\n"
    "  --tables FILE      CSV of games of any number of seats: columns game, agent, score\n"
    "  --payoff FILE      CSV, agents x agents; --unit win-rate|payoff, --payoff-games FILE\n"
    "  --probs FILE       npy or CSV, agents x states x actions; --counts FILE: sampled answers\n"
    "  --weights FILE, --labels FILE, --answers FILE, --activations FILE\n"
    "  --list, --document, --json, --csv, --quiet, --threads N, --seed S\n";

static const char help_plot[] =
    "Examples\n"
    "  agon plot runs/connect_four-seed1             every picture, into runs/.../plots\n"
    "  agon plot runs/mirror-* runs/pfsp-* -o pictures   conditions compared, seeds summed up\n"
    "  agon plot runs/kuhn --what payoff,map --format pdf   two pictures for a paper\n"
    "  agon plot --what list                         the pictures, and what each needs\n"
    "  gnuplot diversity.gp                          in plots/: draw again after a change of "
    "style\n"
    "\n"
    "Draws runs, finished or not, 8 cm wide. Beside each picture lie its data (.tsv) and its\n"
    "gnuplot script (.gp). What does not apply to the game is left out and named. Runs that\n"
    "differ in train.seed alone are one condition: a line is their interquartile mean, a band\n"
    "its 95 % bootstrap interval over runs; of a single run, over its probe states. Of several\n"
    "runs, a picture of a single population is drawn for each when --what names it.\n"
    "\n"
    "Usage: agon plot RUN ... [options]\n"
    "  --what NAME,NAME     these pictures; default all that apply\n"
    "  -o DIR, --out DIR    where to write; default RUN/plots, of several runs ./plots\n"
    "  --format png,svg,pdf these formats; default all three\n"
    "  --png, --svg         the same as --format png, --format svg\n"
    "  --probes FILE        a probe set with solved states, for the picture 'errors'\n"
    "  --quiet              errors only\n";

static const char help_report[] =
    "Examples\n"
    "  agon report runs/quickstart                   writes runs/quickstart/report.html\n"
    "  agon report runs/quickstart -o page.html --probes solved.safetensors\n"
    "\n"
    "Writes one page about a run: pictures, headline metrics with intervals and how each was\n"
    "obtained, the agents, the settings. The file holds everything: no scripts, nothing fetched.\n"
    "\n"
    "Usage: agon report RUN [options]\n"
    "  -o FILE, --out FILE  where to write; default RUN/report.html\n"
    "  --probes FILE        another probe set (agon probes make), as for mistakes on solved "
    "states\n"
    "  --quiet              errors only\n";

static const char help_export[] =
    "Examples\n"
    "  agon export runs/kuhn --csv kuhn-csv          metrics.csv, train.csv, match.csv, probe.csv\n"
    "  agon export runs/kuhn --tensorboard tb        then: tensorboard --logdir tb\n"
    "  agon export runs/kuhn --games kuhn.npz --at 40 --count 1000\n"
    "\n"
    "Writes what a run holds for other programs. metrics.csv has a row for each measured\n"
    "generation and a column for each number, named by its path in metrics.jsonl, such as\n"
    "diversity.vendi_1; pay-off matrices stay there. 'agon help columns' says what all of them\n"
    "mean. TensorBoard gets the same numbers but those of single agents, over agent-steps; its\n"
    "times are seconds of training (timing.jsonl), not a clock's.\n"
    "\n"
    "Games are played between the agents of one generation, sampled as they were trained, and are\n"
    "the same whenever this is called; everyone meets everyone. They are not the games that the\n"
    "pay-offs were counted on. Arrays for numpy.load: a row for each decision in observations,\n"
    "legal, action, seat, agent, episode and ply; for each game in returns and agents (both by\n"
    "seat) and length. Bytes of observations times observation_scale are what a net sees.\n"
    "\n"
    "Usage: agon export RUN [--csv DIR] [--tensorboard DIR] [--games FILE.npz] [options]\n"
    "  --at G       generation of the games' agents; default the last trained one\n"
    "  --count N    games; default 100\n"
    "  --quiet      errors only\n";

static const char help_games[] =
    "Examples\n"
    "  agon games                                    all games with their facts\n"
    "  agon games connect_four                       one game, with its starting position\n"
    "  agon games 'connect_four(rows=5)'             the same with parameters\n"
    "  agon games ./my_game.so                       a plug-in\n"
    "  agon games --json                             for programs\n"
    "\n"
    "Usage: agon games [GAME] [--json]\n";

static const char help_new_game[] =
    "Examples\n"
    "  agon new-game my_game                         writes my_game.c, a small game that works\n"
    "  agon new-game my_game --dir games             writes games/my_game.c\n"
    "\n"
    "Writes a C file that compiles as it is, with a comment on every step of turning it into a\n"
    "game of your own. NAME: a-z, 0-9 and _, a letter first. A file that exists is left alone.\n"
    "\n"
    "Usage: agon new-game NAME [--dir DIR]\n"
    "  --dir DIR   where to write; default here\n";

static const char help_build_game[] =
    "Examples\n"
    "  agon build-game my_game.c                     makes my_game.so, for agon train "
    "./my_game.so\n"
    "  agon build-game my_game.c --debug             makes ./my_game-check: the checker with your\n"
    "                                                game, AddressSanitizer and UBSan in one "
    "program\n"
    "  agon build-game my_game.c -- -march=native    further words go to the compiler\n"
    "\n"
    "Compiles a game file into a plug-in for this agon and every other of the same game ABI. The\n"
    "compiler is CC, or else cc, gcc or clang. Flags that let results differ between machines\n"
    "(-ffast-math and its relatives) are refused.\n"
    "\n"
    "Usage: agon build-game FILE.c [-o OUT] [--debug] [-- FLAG ...]\n"
    "  -o OUT    what to write; default FILE.so, or FILE-check with --debug, here\n"
    "  --debug   a program with sanitizers; one that is built so cannot be loaded as a plug-in\n";

static const char help_check[] =
    "Examples\n"
    "  agon check connect_four                       ten seconds of questions\n"
    "  agon check ./my_game.so --seconds 60          a plug-in, for longer\n"
    "  agon check './my_game.so(stones=9)' --json    for programs\n"
    "  agon check ./my_game.so --only mask --replay 0.2.1   one rule along one line of play\n"
    "\n"
    "Plays a game in many ways and asks at every position whether it keeps the promises of\n"
    "agon_game.h: masks, bounds, chance, hidden information, buffers, determinism and more. What\n"
    "breaks a rule is told by the shortest line of play that was found, and how to see it again.\n"
    "The game runs in a child process; a crash is a failure like any other. What your rules mean\n"
    "is yours to check: count with 'agon perft', look with 'agon play --watch'. Exit code 1 when\n"
    "a rule is broken.\n"
    "\n"
    "Usage: agon check GAME [options]\n"
    "  --seconds S     of play, 0.1 to 1000000; default 10. Failures are made short, and the file\n"
    "                  is compiled, after that\n"
    "  --only RULE     ask for one rule; a check without it lists them\n"
    "  --replay LINE   play this line and ask at each position: plies, chance included, with '.'\n"
    "                  between them, actions of seats that act together with ','; '-' is the "
    "start\n"
    "  --json          JSON on standard output\n"
    "  --quiet         print only what is broken\n";

static const char help_perft[] =
    "Examples\n"
    "  agon perft connect_four 8                     lines of 1, 2, .. 8 plies\n"
    "  agon perft connect_four 6 --divide            the same after each first ply\n"
    "  agon perft connect_four 6 --mode positions    different positions after each ply\n"
    "  agon perft kuhn_poker --mode tree             all nodes: chance, decisions, ends\n"
    "\n"
    "Counts the positions of a game, to compare with numbers that others published. A ply is an\n"
    "action, the actions of all seats that act together, or a chance outcome.\n"
    "\n"
    "Usage: agon perft GAME DEPTH [options]\n"
    "  --mode leaves      lines of exactly DEPTH plies (default)\n"
    "  --mode ends        the same, and games that ended before\n"
    "  --mode positions   different positions after exactly DEPTH plies\n"
    "  --mode tree        nodes down to DEPTH, or all without one\n"
    "  --divide           by first ply\n"
    "  --json             one JSON object\n";

static const char help_solve[] =
    "Examples\n"
    "  agon solve kuhn_poker                         value and equilibrium, by CFR+\n"
    "  agon solve tic_tac_toe                        value, by minimax\n"
    "  agon solve kuhn_poker runs/kuhn_poker-seed1:all --mix   NashConv of agents, their mixture\n"
    "  agon solve kuhn_poker random --method none    NashConv of a scripted policy\n"
    "  agon solve connect_four --positions 100 --ply 14 --out labels.jsonl\n"
    "\n"
    "Unrolls the game and answers exactly: its value, best responses, NashConv. With --positions\n"
    "it solves random positions of a game that is too large, by search to its ends.\n"
    "\n"
    "Usage: agon solve GAME [AGENT ...] [options]\n"
    "  AGENT: FILE.safetensors, RUN:best, RUN:all, RUN:GENERATION[/AGENT], name(params)\n"
    "  --method M       auto, minimax, cfr, cfr+ or none\n"
    "  --iterations N   of CFR; default 1000\n"
    "  --nodes N        most nodes of the tree; default 20000000\n"
    "  --mix            also the mixture that draws one of the agents before each game\n"
    "  --greedy         agents play their likeliest action\n"
    "  --positions N    random positions, with the value of each action\n"
    "  --ply P          plies played before each; default 14\n"
    "  --seed S         of the random plies; default 1\n"
    "  --limit N        nodes for each position; default 100000000\n"
    "  --out FILE       where to write positions, a JSON object each line\n"
    "  --json           JSON on standard output\n";

static const char help_probes[] =
    "Examples\n"
    "  agon probes make connect_four -o pool.safetensors         sets U and X\n"
    "  agon probes make connect_four --from runs/a runs/b -o pool.safetensors   and B\n"
    "  agon probes make tic_tac_toe --only X --states 1000 -o solved.safetensors\n"
    "  agon probes show pool.safetensors --examples 2\n"
    "  agon train connect_four metrics.probe_file=pool.safetensors   measured on B, or else U\n"
    "\n"
    "Makes the questions that agents are asked, and freezes them: a file is named by its SHA-256.\n"
    "U: states of uniformly random play. B: a balanced pool, the same number of states from the\n"
    "early, middle and late agents of every run, playing games of their own. X: best play with\n"
    "random deviations, and what each action is worth by an exact solver. Make them before the\n"
    "runs that you compare, and do not draw again after looking. U lies mostly where agents never\n"
    "come, and exaggerates differences; X leans to what could be solved.\n"
    "\n"
    "Usage: agon probes make GAME [options] -o FILE.safetensors\n"
    "       agon probes show FILE [GAME] [--examples N]\n"
    "  --states N      states of each set; default 512\n"
    "  --from RUN ...  runs whose agents play for set B\n"
    "  --only U,B,X    some sets; default U, X if it can be solved, B with --from\n"
    "  --seed S        default 1; U is then the set that a run with this train.seed makes\n"
    "  --limit N       positions searched for one state of X; default 200000\n"
    "  --force         overwrite a file\n"
    "  --examples N    positions of each set\n";

static const char help_play[] =
    "Examples\n"
    "  agon play connect_four                        you begin, against random play\n"
    "  agon play connect_four --vs runs/connect_four-seed1:best --seat 1\n"
    "  agon play tic_tac_toe --vs 'alpha_beta(depth=9)'\n"
    "  agon play kuhn_poker --watch --vs 'runs/kuhn_poker-seed1:best random'\n"
    "\n"
    "Plays a game in the terminal: type an action's name, ? for all of them, quit to leave. Where\n"
    "something is hidden you see what your seat observes.\n"
    "\n"
    "Usage: agon play GAME [options]\n"
    "  --vs 'AGENT ...'   who takes the other seats, in their order, repeated; default random\n"
    "  --seat N           your seat; default 0\n"
    "  --seed S           of chance and of the agents; default 1\n"
    "  --watch            nobody at the keyboard: the agents take all seats\n";

static const char help_cert[] =
    "Examples\n"
    "  agon cert --dir certs --host trainer.lab --host 10.0.0.7   for the coordinator\n"
    "  agon cert --dir certs --client node7 --out node7           for a worker: copy node7 to it\n"
    "  agon cert --token node7 --out node7.token --tokens tokens  or a token, without certificate\n"
    "  agon cert --show certs                        for whom, for which hosts, until when\n"
    "  agon cert --dir certs --renew                 a new server.pem, for the same hosts\n"
    "\n"
    "Makes what coordinator and workers prove themselves with. The first run in a directory makes\n"
    "an authority of your own: ca.pem, which every worker needs, and ca.key, which nobody else\n"
    "may have. It signs server.pem of the coordinator, for the hosts that workers connect to, and\n"
    "client.pem of workers. A token is a secret in a file for one worker; the coordinator keeps\n"
    "its SHA-256, a line in the file of --tokens: remove the line to revoke it. Keys and tokens\n"
    "are of mode 0600, and what is there is never overwritten.\n"
    "\n"
    "Usage: agon cert --dir DIR --host HOST [--host HOST ...] [--days N] [--renew]\n"
    "       agon cert --dir DIR --client NAME --out DIR [--days N]\n"
    "       agon cert --token NAME --out FILE --tokens FILE\n"
    "       agon cert --nkey FILE\n"
    "       agon cert --show DIR\n"
    "  --dir DIR      where the authority is\n"
    "  --host HOST    name or address of the coordinator, as workers write it\n"
    "  --days N       how long it holds, 1 to 3650; default 365\n"
    "  --renew        a new server.pem, with the key that is there; hosts stay unless given\n"
    "  --client NAME  a worker's certificate, its key and ca.pem, into the new directory of --out\n"
    "  --token NAME   a worker's token into the new file of --out\n"
    "  --tokens FILE  the coordinator's file; made when absent\n"
    "  --nkey FILE    a user's key for a NATS server: the secret there, the public half printed\n"
    "  --show DIR     exit code 1 when something expired, or does not belong together\n";

static const char help_doctor[] =
    "Examples\n"
    "  agon doctor                                   what this machine offers to agon\n"
    "  agon doctor --json                            for programs\n"
    "\n"
    "Looks at compiler, libraries, SIMD, cores, memory, disk, gnuplot and CUDA. A warning says\n"
    "what to do; nothing is changed.\n"
    "\n"
    "Usage: agon doctor [--json]\n";

static const char help_bench[] =
    "Examples\n"
    "  agon bench                                    every part that takes seconds\n"
    "  agon bench forward update --hidden 64,64      two parts, for a smaller net\n"
    "  agon bench games --game 'connect_four(rows=8)'  one game; without --game, all of them\n"
    "  agon bench forward --against openblas         beside a loop of sgemm, sample by sample\n"
    "  agon bench rollout --nets 64 --rows 8         64 nets that each play themselves in 8 games\n"
    "  agon bench forward update > before            a record; after a change:\n"
    "  agon bench --compare before                   the same figures again, then and now\n"
    "  agon bench growth --plot pictures             how cost grows, as lines and as pictures\n"
    "  agon bench gpu                                a GPU's rates, as a table: agon bench gpu "
    "--help\n"
    "\n"
    "Prints one JSON object per figure: what names it; ratios to what the core could do in the "
    "same\n"
    "seconds (its FMA peak, OpenBLAS sgemm, copying); rates, being the median, lowest and highest "
    "of\n"
    "the samples; those limits. FLOP are those of linear maps.\n"
    "\n"
    "  games forward update rollout    one core\n"
    "  train metrics store   a short run on all cores; what measuring adds to it; commits\n"
    "  net                   tasks and bytes by TCP and TLS: a coordinator, and libuv alone, by "
    "turns\n"
    "  population            named only: headline metrics of 10,000 agents, 512 states, 7 actions\n"
    "  growth                named only: rates over nets, lanes, width, threads; bytes of each\n"
    "  scheduler             named only: 10 to 10,000 virtual workers around the real scheduler\n"
    "  workers               named only: a run on two worker processes, and on two threads\n"
    "  learn                 named only, minutes: trains the default settings with seeds 1, 2, 3 "
    "until\n"
    "                        the median agent scores 0.97 against random and 0.80 against one_ply\n"
    "                        (connect_four), or has a NashConv of 0.1 (kuhn_poker); null: not "
    "reached.\n"
    "                        Measured after every generation: 400 games of each agent, or exactly\n"
    "\n"
    "Usage: agon bench [PART ...] [options]\n"
    "  --seconds S   time for each figure, 0.01 to 600; default 0.7\n"
    "  --samples N   that many parts of it, odd; default 7\n"
    "  --game GAME   default connect_four\n"
    "  --hidden W,W  hidden layers, as in net.hidden; default 128,128\n"
    "  --limit S     learn: seconds after which a seed gives up; default 600\n"
    "  --against openblas  forward and update: the same work by OpenBLAS, by turns; in an update "
    "it\n"
    "                is spared advantages, loss and statistics\n"
    "  --nets P --rows R  forward and rollout of P nets with R rows, or games, each\n"
    "  --plot DIR    growth: pictures\n"
    "  --compare FILE  measure what is in an earlier record (or the parts named) and print a "
    "table:\n"
    "                ratios and rates, + or - where they differ beyond the samples of both\n";

static const char help_bench_gpu[] =
    "Examples\n"
    "  agon bench gpu                                a table of what the GPU does of agon's work\n"
    "  agon bench gpu --gemm 750                     beside floors of FLOP, too\n"
    "  agon bench gpu --precision fp32 --game tron   the CPU's arithmetic, another game\n"
    "  agon bench gpu --json > before                a line of JSON for each figure\n"
    "\n"
    "Measures, with data that lie on the GPU: forwards of 2^20 rows, of 1, 16, 256 and 4096 nets\n"
    "126-128-128-(7+1); PPO updates of 64 such nets with 32,768 rows each, one epoch of four\n"
    "minibatches; 256 nets that each play themselves in 512 games, and the same with training.\n"
    "\n"
    "Beside each stands its floor: the rate at which the bytes that it must move would be copied\n"
    "on the device, measured in the same run, or, where that is lower, its FLOP be done at the\n"
    "rate of a large product. agon has no such product of its own: tests/gpu/run.sh measures one\n"
    "by cuBLASLt, and --gemm takes the number. An update counts three times a forward's FLOP.\n"
    "\n"
    "Usage: agon bench gpu [options]\n"
    "  --precision P  of products: bf16, tf32 or fp32; default bf16\n"
    "  --gemm T       TFLOP/s of a large product in this precision, from 0.001\n"
    "  --game GAME    that is played; default connect_four\n"
    "  --rows N       of a forward in all, 64 to 16777216, all else in proportion; default 2^20\n"
    "  --seconds S    time for each figure, 0.01 to 600; default 0.7\n"
    "  --samples N    that many parts of it, odd; default 7\n"
    "  --json         a line for each figure; they are named as those of 'agon bench'\n";

static const char help_help[] =
    "Examples\n"
    "  agon help                                     the commands\n"
    "  agon help plot                                one command, as 'agon plot --help'\n"
    "  agon help train.learning_rate                 one key: type, default, range, unit, meaning\n"
    "  agon help metrics                             the keys of a section\n"
    "  agon help keys                                all keys\n"
    "  agon help columns                             the columns of run.db and metrics.jsonl\n"
    "\n"
    "Usage: agon help [COMMAND|SECTION|KEY|keys|columns] [--json]\n"
    "  --json   keys or columns as JSON\n";

static const char help_version[] =
    "Examples\n"
    "  agon version                                  version, commit, compiler, libraries\n"
    "  agon --version                                the same\n"
    "  agon version --json                           for programs\n"
    "\n"
    "Usage: agon version [--json]\n";

static const agon_command commands[] = {
    {"train", "train a population by self-play", agon_cmd_train, help_train},
    {"worker", "run tasks of a run that listens for workers", agon_cmd_worker, help_worker},
    {"workers", "show who works for a run, and who is struck", agon_cmd_workers, help_workers},
    {"metrics", "measure diversity, homogenization and strength", agon_cmd_metrics, help_metrics},
    {"plot", "draw pictures of runs", agon_cmd_plot, help_plot},
    {"report", "write a page about a run", agon_cmd_report, help_report},
    {"export", "write a run for other programs: CSV, TensorBoard, games", agon_cmd_export,
     help_export},
    {"games", "list the games, or show one", agon_cmd_games, help_games},
    {"play", "play a game, or watch agents play", agon_cmd_play, help_play},
    {"new-game", "write a game file to start from", agon_cmd_new_game, help_new_game},
    {"build-game", "compile a game file into a plug-in", agon_cmd_build_game, help_build_game},
    {"check", "check that a game keeps its promises", agon_cmd_check, help_check},
    {"perft", "count the positions of a game", agon_cmd_perft, help_perft},
    {"solve", "exact values, best responses and NashConv", agon_cmd_solve, help_solve},
    {"probes", "make or show frozen questions for agents", agon_cmd_probes, help_probes},
    {"cert", "make certificates and tokens for workers", agon_cmd_cert, help_cert},
    {"doctor", "check what this machine offers", agon_cmd_doctor, help_doctor},
    {"bench", "measure speed on this machine", agon_cmd_bench, help_bench},
    {"help", "explain a command or a configuration key", agon_cmd_help, help_help},
    {"version", "print version, commit, compiler and libraries", agon_cmd_version, help_version},
};

int agon_command_count(void) {
    return (int)(sizeof commands / sizeof *commands);
}

const agon_command* agon_command_at(int index) {
    return index >= 0 && index < agon_command_count() ? &commands[index] : NULL;
}

const agon_command* agon_command_find(const char* name) {
    for (int i = 0; i < agon_command_count(); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

const char* agon_command_page(const agon_command* command, const char* word) {
    const bool gpu = word && strcmp(word, "gpu") == 0 && strcmp(command->name, "bench") == 0;
    return gpu ? help_bench_gpu : command->help;
}
