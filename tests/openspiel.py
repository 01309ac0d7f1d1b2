#!/usr/bin/env python3
"""Plays random episodes of agon's games again in OpenSpiel and compares them ply by ply.

    tests/openspiel.py BUILD/tests/trace_games [EPISODES] [GAME ...]

Who acts, what is legal, the probabilities of chance, returns and ends must agree. Needs OpenSpiel
(`pip install open_spiel`); without it, it says so and exits 77. What differs between the two sides
in numbering or structure is in tests/openspiel_games.py.
"""

import json
import subprocess
import sys
import time

from openspiel_games import GAMES

EPISODES = 1000


class Difference(Exception):
    pass


def expect(what, ours, theirs):
    if ours != theirs:
        raise Difference(f"{what}: agon {ours}, OpenSpiel {theirs}")


def close(a, b):
    return len(a) == len(b) and all(abs(x - y) < 1e-6 for x, y in zip(a, b))


def theirs_to_move(state):
    """The acting seats; simultaneous moves may be asked for one seat after the other."""
    if state.is_simultaneous_node():
        return [s for s in range(state.num_players()) if state.legal_actions(s)]
    return [state.current_player()]


def play_chance(bridge, state, ply):
    if not state.is_chance_node():
        raise Difference("agon draws chance where OpenSpiel does not")
    outcome = bridge.outcome(state, ply["outcome"])
    if isinstance(outcome, (list, tuple)):
        probability = 1.0
        for k in outcome:
            probability *= dict(state.chance_outcomes())[k]
            state.apply_action(k)
    else:
        probability = dict(state.chance_outcomes())[outcome]
        state.apply_action(outcome)
    ours = ply["outcomes"][ply["outcome"]]
    if abs(probability - ours) > 1e-9:
        raise Difference(f"probability: agon {ours}, OpenSpiel {probability}")


def play_seats(bridge, state, ply):
    if state.is_chance_node() or state.is_terminal():
        raise Difference("agon goes on where OpenSpiel draws chance or is over")
    seats = sorted(int(seat) for seat in ply["legal"])
    expect("acting seats", seats, theirs_to_move(state))
    chosen = {}
    for seat in seats:
        ours = sorted(bridge.action(state, seat, a) for a in ply["legal"][str(seat)])
        expect(f"legal actions of seat {seat}", ours, sorted(state.legal_actions(seat)))
        chosen[seat] = bridge.action(state, seat, ply["action"][str(seat)])
    if state.is_simultaneous_node():
        state.apply_actions([chosen.get(s, 0) for s in range(state.num_players())])
    else:
        state.apply_action(chosen[seats[0]])


def episodes(program, game, count):
    """Lists of ply lines, one list per episode."""
    with subprocess.Popen([program, game, str(count)], stdout=subprocess.PIPE, text=True) as trace:
        lines = []
        for line in trace.stdout:
            lines.append(json.loads(line))
            if "returns" in lines[-1]:
                yield lines
                lines = []
    if trace.returncode != 0:
        raise SystemExit(f"{program} {game} {count}: exit {trace.returncode}")


def play(bridge, game, lines):
    state = game.new_initial_state()
    plies = 0
    for ply in lines[1:-1]:
        if "outcome" in ply:
            play_chance(bridge, state, ply)
        else:
            play_seats(bridge, state, ply)
        plies += 1
    if not state.is_terminal():
        raise Difference("agon is over, OpenSpiel is not")
    theirs = bridge.returns(list(state.returns()))
    if not close(lines[-1]["returns"], theirs):
        raise Difference(f"returns: agon {lines[-1]['returns']}, OpenSpiel {theirs}")
    return plies


def compare(program, name, bridge, count, pyspiel):
    game = bridge.load(pyspiel)
    begun, plies, number = time.time(), 0, 0
    for number, lines in enumerate(episodes(program, name, bridge.episodes(count))):
        try:
            plies += play(bridge, game, lines)
        except Difference as difference:
            print(f"FAILED {name}, episode {number}: {difference}")
            for ply in lines[1:]:
                print("   ", json.dumps(ply)[:200])
            return False
    print(f"ok {name}: {number + 1} games, {plies} plies, as {bridge.spiel}, "
          f"{time.time() - begun:.1f} s", flush=True)
    return True


def main():
    try:
        import pyspiel
    except ImportError:
        print("skipped: OpenSpiel is not installed (pip install open_spiel)")
        return 77
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else EPISODES
    wanted = sys.argv[3:] or list(GAMES)
    passed = [compare(program, name, GAMES[name], count, pyspiel) for name in wanted]
    print(f"{sum(passed)} of {len(passed)} games agree")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
