#!/usr/bin/python3
"""Values of games with hidden information, by a linear program, to 1e-9.

Guards: the tree of a game is that game: the value of its sequence form (Koller, Megiddo and von
Stengel 1996), solved by HiGHS, is the known one. Skipped (77) where numpy and scipy are not installed.
"""
import os
import subprocess
import sys

try:
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix, hstack
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

VALUES = {
    "kuhn_poker": -1 / 18,
    "leduc_poker": -0.0856064241,
    "liars_dice": -7 / 258,
    "liars_dice(faces=5)": 1 / 125,
    "liars_dice(faces=4)": 1 / 16,
    "liars_dice(faces=3)": 1 / 9,
    "goofspiel(cards=4,imp_info=true,points_order=descending)": 0,
    "matrix(name=matching_pennies)": 0,
    "matrix": 0,
}


class Tree:
    """Sequences of both seats as columns, information sets as flows, pay-offs between sequences."""

    def __init__(self, game):
        program = os.path.join(os.environ["BUILD"], "tests", "dump_tree")
        self.column, self.flow, self.payoff = ({0: 0}, {0: 0}), ({}, {}), {}
        lines = subprocess.run([program, game], check=True, capture_output=True, text=True).stdout
        for line in lines.splitlines():
            kind, *fields = line.split()
            if kind == "set":
                seat, infoset, *sequences = map(int, fields)
                # Perfect recall: all nodes of a set have the same sequence before them.
                assert self.flow[seat].setdefault(infoset, sequences) == sequences
                for sequence in sequences:
                    self.column[seat].setdefault(sequence, len(self.column[seat]))
            else:
                at = int(fields[0]), int(fields[1])
                self.payoff[at] = self.payoff.get(at, 0) + float(fields[2])

    def flows(self, seat):
        """The start has weight 1; what leaves an information set is what comes to it."""
        entries = [(0, 0, 1.0)]
        for row, (before, *after) in enumerate(self.flow[seat].values(), 1):
            entries.append((row, self.column[seat][before], -1.0))
            entries += [(row, self.column[seat][sequence], 1.0) for sequence in after]
        row, column, value = zip(*entries)
        return csr_matrix((value, (row, column)), (len(self.flow[seat]) + 1, len(self.column[seat])))

    def value(self):
        """The most that seat 0's plan x is sure of: max q_0 with F' q <= A' x, seat 1's dual."""
        first, second = self.flows(0), self.flows(1)
        rows = [self.column[0][a] for a, _ in self.payoff]
        columns = [self.column[1][b] for _, b in self.payoff]
        shape = first.shape[1], second.shape[1]
        payoff = csr_matrix((list(self.payoff.values()), (rows, columns)), shape)
        plan, dual = shape[0], second.shape[0]
        start = np.zeros(first.shape[0])
        start[0] = 1
        cost = np.zeros(plan + dual)
        cost[plan] = -1
        solved = linprog(cost, A_ub=hstack([-payoff.T, second.T]), b_ub=np.zeros(shape[1]),
                         A_eq=hstack([first, csr_matrix((first.shape[0], dual))]), b_eq=start,
                         bounds=[(0, None)] * plan + [(None, None)] * dual)
        assert solved.status == 0, solved.message
        return -solved.fun


def main():
    faults = 0
    for game, value in VALUES.items():
        found = Tree(game).value()
        if not abs(found - value) <= 1e-9:
            print(f"fault: {game} is worth {found:.12f} to seat 0, not {value:.12f}")
            faults += 1
    print(f"{len(VALUES)} games, {faults} faults")
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
