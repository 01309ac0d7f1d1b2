#!/usr/bin/env python3
"""OpenSpiel: random play by its C++, as tests/openspiel_speed.py calls it: the roll-outs of its
MCTS bot, which write neither observation nor mask."""
import pathlib
import sys

import serve

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import openspiel_speed # noqa: E402


class Peer:
    def make(self, request):
        import pyspiel
        game = pyspiel.load_game(openspiel_speed.GAMES[request["game"]])
        length = openspiel_speed.mean_length(game)
        before = openspiel_speed.rollouts_per_second(pyspiel, game, 1e-6)[1]
        state = game.new_initial_state()
        while state.is_chance_node():
            state.apply_action(state.chance_outcomes()[0][0])
        count = request["playouts"]
        evaluator = pyspiel.RandomRolloutEvaluator(count, 1)

        def job():
            pyspiel.MCTSBot(game, evaluator, 1.0, 1, 1, False, 1, False).mcts_search(state)
            return count * (length - before)
        return job


if __name__ == "__main__":
    serve.main("openspiel", "pyspiel", "pip install open_spiel", lambda cores: Peer())
