"""Which game of OpenSpiel each game string of agon is, and what has another number there."""


class Bridge:
    """action(state, seat, a): agon's action as OpenSpiel's. outcome(state, k): agon's chance outcome
    as OpenSpiel's, or a list of outcomes drawn one after the other. returns(list): OpenSpiel's
    returns as agon's. share: of the episodes asked for, where games are long."""

    def __init__(self, spiel, action=None, outcome=None, returns=None, share=1.0):
        self.spiel = spiel
        self.action = action or (lambda state, seat, a: a)
        self.outcome = outcome or (lambda state, k: state.chance_outcomes()[k][0])
        self.returns = returns or (lambda values: values)
        self.share = share

    def episodes(self, count):
        return max(1, int(count * self.share))


GAMES = {
    "tic_tac_toe": Bridge("tic_tac_toe"),
    "connect_four": Bridge("connect_four"),
    "connect_four(rows=5,cols=6,connect=3)": Bridge("connect_four(rows=5,columns=6,x_in_row=3)"),
}
