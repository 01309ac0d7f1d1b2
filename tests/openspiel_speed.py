#!/usr/bin/env python3
"""Random play of agon beside OpenSpiel's C++ on this machine, in the same minutes.

    tests/openspiel_speed.py BUILD/tools/agon [GAME ...]

agon: `agon bench games`, observation and mask written at every decision. OpenSpiel: the C++ random
roll-outs of its MCTS bot, which write neither; chance outcomes count as steps on both sides. The
two alternate; medians of 5. Needs OpenSpiel (`pip install open_spiel`), else exits 77. Games with
simultaneous moves are left out: the bot refuses them.
"""

import json
import random
import statistics
import subprocess
import sys
import time

GAMES = {
    "tic_tac_toe": "tic_tac_toe",
    "connect_four": "connect_four",
    "othello": "othello",
    "breakthrough": "breakthrough",
    "hex": "hex",
    "go": "go(board_size=9)",
    "nim": "nim",
    "oware": "oware",
    "backgammon": "backgammon",
    "pig": "pig",
    "kuhn_poker": "kuhn_poker",
    "leduc_poker": "leduc_poker",
    "liars_dice": "liars_dice",
    "phantom_ttt": "phantom_ttt",
    "dark_hex": "dark_hex(board_size=3)",
}


def mean_length(game, episodes=300):
    """Steps of a random game, chance included."""
    steps, generator = 0, random.Random(1)
    for _ in range(episodes):
        state = game.new_initial_state()
        while not state.is_terminal():
            if state.is_chance_node():
                outcomes, weights = zip(*state.chance_outcomes())
                state.apply_action(generator.choices(outcomes, weights)[0])
            elif state.is_simultaneous_node():
                state.apply_actions([generator.choice(state.legal_actions(s))
                                     for s in range(state.num_players())])
            else:
                state.apply_action(generator.choice(state.legal_actions()))
            steps += 1
    return steps / episodes


def rollouts_per_second(pyspiel, game, seconds=0.3):
    """Rollouts begin at the first decision; what chance comes before it is left out."""
    state = game.new_initial_state()
    before = 0
    while state.is_chance_node():
        state.apply_action(state.chance_outcomes()[0][0])
        before += 1
    count, took = 10, 0.0
    while took < seconds:
        count *= 2
        bot = pyspiel.MCTSBot(game, pyspiel.RandomRolloutEvaluator(count, 1), 1.0, 1, 1, False, 1,
                              False)
        begun = time.perf_counter()
        bot.mcts_search(state) # one simulation: `count` roll-outs from the state itself
        took = time.perf_counter() - begun
    return count / took, before


def ours(agon, game):
    line = subprocess.run([agon, "bench", "games", "--game", game, "--seconds", "0.3"],
                          capture_output=True, text=True, check=True).stdout
    return json.loads(line)


def main():
    try:
        import pyspiel
    except ImportError:
        print("skipped: OpenSpiel is not installed (pip install open_spiel)")
        return 77
    agon, names = sys.argv[1], sys.argv[2:] or GAMES
    print(f"{'game':14} {'agon M/s':>9} {'OpenSpiel M/s':>14} {'ratio':>7} {'obs bytes':>10}")
    for name in names:
        game = pyspiel.load_game(GAMES[name])
        length = mean_length(game)
        pairs = []
        for _ in range(5):
            rate, before = rollouts_per_second(pyspiel, game)
            result = ours(agon, name)
            pairs.append((result["steps_per_second"] / 1e6, rate * (length - before) / 1e6))
        a, o = (statistics.median(column) for column in zip(*pairs))
        ratio = statistics.median(x / y for x, y in pairs)
        print(f"{name:14} {a:9.2f} {o:14.3f} {ratio:7.1f} {result['obs_bytes']:10d}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
