"""Connect four of the peers: many boards at once in numpy, as bit boards of 64-bit words.

The same rules and observations as games/connect_four.c: cell = bit row * 7 + column, row 0 on top;
an observation is 42 bytes of the stones of who is to move, then 42 of the other's. Boards are kept
from the view of who is to move, so that a move swaps them."""
import numpy as np

ROWS, COLS, CELLS, INPUTS, ACTIONS = 6, 7, 42, 84, 7
TOP = (1 << COLS) - 1
BOTTOM = TOP << (CELLS - COLS)
COLUMN = sum(1 << (COLS * row) for row in range(ROWS))
LEFT = sum(0b1111 << (COLS * row) for row in range(ROWS)) # a line to the right begins here
HIGH = (1 << 3 * COLS) - 1                                # a line downwards begins here
# step to the next cell of a line, and where a line may begin so that it fits
LINES = [(1, LEFT), (COLS, HIGH), (COLS + 1, HIGH & LEFT), (COLS - 1, HIGH & LEFT << 3)]

U64 = np.uint64


def wins(stones):
    """Which boards hold four in a row."""
    lines = np.zeros_like(stones)
    for step, first in LINES:
        pairs = stones & stones >> U64(step)
        lines |= pairs & pairs >> U64(2 * step) & U64(first)
    return lines != 0


def drop(own, other, action):
    """The mover's stones after a legal move."""
    taken = own | other
    free = ~taken & (taken >> U64(COLS) | U64(BOTTOM))
    return own | free & U64(COLUMN) << action.astype(U64)


def observe(boards):
    """(n, 2) boards, mover first: (n, 84) bytes of 0 and 1."""
    bits = np.unpackbits(boards.view(np.uint8).reshape(-1, 2, 8), axis=-1, bitorder="little")
    return bits[..., :CELLS].reshape(-1, INPUTS)


def legal(observations):
    """(n, 7) bool: columns whose top cell is free."""
    return (observations[:, :COLS] | observations[:, CELLS:CELLS + COLS]) == 0


class Boards:
    """`lanes` games of two movers in turn; a game that ends begins anew."""

    def __init__(self, lanes):
        self.stones = np.zeros((lanes, 2), U64)

    def observe(self):
        observations = observe(self.stones)
        return observations, legal(observations)

    def play(self, action):
        """Every lane moves; returns the mover's reward and whether the game ended."""
        own = drop(self.stones[:, 0], self.stones[:, 1], action)
        won = wins(own)
        over = won | ((own | self.stones[:, 1]) == U64((1 << CELLS) - 1))
        self.stones[:, 0] = np.where(over, U64(0), self.stones[:, 1])
        self.stones[:, 1] = np.where(over, U64(0), own)
        return won.astype(np.float32), over


class Duels:
    """`lanes` games of a learner against an opponent, where it is always the learner's turn.

    A step is the learner's move and the opponent's reply. The learner's side changes from game to
    game; where the opponent begins, `opening` gives its first columns."""

    def __init__(self, lanes):
        self.stones = np.zeros((lanes, 2), U64)
        self.second = np.arange(lanes) % 2 == 1
        self.due = self.second.copy()    # lanes whose opponent has yet to begin
        self.reward = np.zeros(lanes, np.float32)
        self.over = np.zeros(lanes, bool)

    def observe(self):
        observations = observe(self.stones)
        return observations, legal(observations)

    def begin(self, opening):
        """The opponents' first moves, drawn for all lanes, in the games that wait for one."""
        first = U64(1) << (U64(CELLS - COLS) + opening.astype(U64))
        self.stones[:, 1] = np.where(self.due, first, self.stones[:, 1])
        self.due[:] = False

    def move(self, action):
        """The learner's move. Boards are then seen by the opponent."""
        own = drop(self.stones[:, 0], self.stones[:, 1], action)
        won = wins(own)
        self._settle(own, won, won.astype(np.float32))

    def reply(self, action):
        """The opponent's move, in the games that go on; then it is the learner's turn again."""
        waits = self.over # these have begun anew and wait for their first move
        own = drop(self.stones[:, 0], self.stones[:, 1], action)
        won = wins(own) & ~waits
        reward, over = self.reward, self.over
        self._settle(np.where(waits, U64(0), own), won, reward - won)
        self.over |= over

    def _settle(self, own, won, reward):
        over = won | ((own | self.stones[:, 1]) == U64((1 << CELLS) - 1))
        self.stones[:, 0] = np.where(over, U64(0), self.stones[:, 1])
        self.stones[:, 1] = np.where(over, U64(0), own)
        self.second ^= over
        self.due |= over & self.second
        self.reward, self.over = reward, over
