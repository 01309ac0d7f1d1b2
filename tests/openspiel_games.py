"""Which game of OpenSpiel each game string of agon is, and what has another number there."""

import math
import re


class Bridge:
    """action(state, seat, a): agon's action as OpenSpiel's. outcome(state, k): agon's chance outcome
    as OpenSpiel's, or a list of outcomes drawn one after the other. returns(list): OpenSpiel's
    returns as agon's. share: of the episodes asked for, where games are long. load: the game, or
    something that starts like one."""

    def __init__(self, spiel, action=None, outcome=None, returns=None, share=1.0):
        self.spiel = spiel
        self.action = action or (lambda state, seat, a: a)
        self.outcome = outcome or (lambda state, k: state.chance_outcomes()[k][0])
        self.returns = returns or (lambda values: values)
        self.share = share

    def load(self, pyspiel):
        return pyspiel.load_game(self.spiel)

    def episodes(self, count):
        return max(1, int(count * self.share))


def backgammon_action(state, seat, action):
    """agon counts points along the mover's way, OpenSpiel along seat 0's."""
    if seat == 0:
        return action
    order, both = divmod(action, 676)
    second, first = divmod(both, 26)
    first, second = (23 - i if i < 24 else i for i in (first, second))
    return 676 * order + 26 * second + first


def backgammon(options):
    spiel = "backgammon" + (f"({options})" if options else "")
    return Bridge(spiel, action=backgammon_action)


class Wrapped:
    """A state of OpenSpiel with some methods of its own."""

    def __init__(self, state):
        self.state = state

    def __getattr__(self, name):
        return getattr(self.state, name)


class Hyper(Wrapped):
    """Hyper-backgammon of OpenSpiel 2.0.2, whose returns are always 0: it asks for 15 checkers off.
    Here 3 are a win."""

    def returns(self):
        off = [int(n) for n in re.findall(r"[XO]: (\d+)", str(self.state))]
        return [float(a == 3) - float(b == 3) for a, b in (off, off[::-1])]


class Deal(Wrapped):
    """A state of OpenSpiel's negotiation whose deal is drawn in the steps of agon. OpenSpiel draws
    limit, pool and values in one go, from a generator of its own; here they are drawn as told, with
    the probabilities of its rules, and its state is made of them by deserialize_state."""

    def __init__(self, game):
        super().__init__(None)
        self.game = game
        self.items = game.get_parameters().get("num_items", 3)
        self.drawn = []

    def is_chance_node(self):
        return self.state is None

    def is_terminal(self):
        return self.state is not None and self.state.is_terminal()

    def num_players(self):
        return 2

    def choices(self):
        """The numbers that the next draw may give, with weights."""
        at = len(self.drawn) - 1 - self.items
        if not self.drawn:
            return {n: 7.0**n / math.factorial(n) for n in range(4, 11)}
        if at < 0:
            return {n: 1.0 for n in range(6)}
        begun = self.drawn[len(self.drawn) - at % self.items :]
        left = 11.0 ** (self.items - 1 - len(begun))
        weights = {v: left - (not any(begun) and v == 0) for v in range(11)}
        return {v: weight for v, weight in weights.items() if weight > 0}

    def chance_outcomes(self):
        weights = self.choices().values()
        return [(k, weight / sum(weights)) for k, weight in enumerate(weights)]

    def apply_action(self, action):
        if self.state is not None:
            self.state.apply_action(action)
            return
        self.drawn.append(list(self.choices())[action])
        if len(self.drawn) == 1 + 3 * self.items:
            n = self.items
            rows = [self.drawn[1 + i * n : 1 + (i + 1) * n] for i in range(3)]
            lines = [str(self.drawn[0])] + [" ".join(map(str, row)) for row in rows] + ["0"]
            self.state = self.game.deserialize_state("\n".join(lines))


class Starts:
    """A game that starts from what `start` gives."""

    def __init__(self, start):
        self.new_initial_state = start


def go(options, share=1.0):
    return Bridge(f"go({options})", share=share)


class HyperBackgammon(Bridge):
    def load(self, pyspiel):
        game = pyspiel.load_game(self.spiel)
        return Starts(lambda: Hyper(game.new_initial_state()))


class Negotiation(Bridge):
    def load(self, pyspiel):
        game = pyspiel.load_game(self.spiel)
        return Starts(lambda: Deal(game))


# Names of `matrix` and `iterated`, and OpenSpiel's.
STAGES = {
    "rps": "matrix_rps",
    "matching_pennies": "matrix_mp",
    "prisoners_dilemma": "matrix_pd",
    "chicken": "matrix_cd",
    "stag_hunt": "matrix_sh",
    "battle_of_the_sexes": "matrix_bos",
    "shapley": "matrix_shapleys_game",
}


def iterated(stage, rounds):
    return Bridge(f"repeated_game(stage_game={STAGES[stage]}(),num_repetitions={rounds})")


def goofspiel(name):
    return Bridge(name.replace("cards=", "num_cards="))


def liars_dice(name):
    return Bridge(name.replace("faces=", "dice_sides=").replace("dice=", "numdice="))


GAMES = {
    "tic_tac_toe": Bridge("tic_tac_toe"),
    "connect_four": Bridge("connect_four"),
    "connect_four(rows=5,cols=6,connect=3)": Bridge("connect_four(rows=5,columns=6,x_in_row=3)"),
    "connect_four(rows=4,cols=9,connect=4)": Bridge("connect_four(rows=4,columns=9,x_in_row=4)"),
    "connect_four(rows=8,cols=7,connect=5)": Bridge("connect_four(rows=8,columns=7,x_in_row=5)"),
    "connect_four(rows=10,cols=4,connect=6)": Bridge("connect_four(rows=10,columns=4,x_in_row=6)"),
    "backgammon": backgammon(""),
    "backgammon(scoring_type=enable_gammons)": backgammon("scoring_type=enable_gammons"),
    "backgammon(scoring_type=full_scoring)": backgammon("scoring_type=full_scoring"),
    "backgammon(max_player_turns=7)": backgammon("max_player_turns=7"),
    "backgammon(hyper_backgammon=true)": HyperBackgammon("backgammon(hyper_backgammon=true)",
                                                         action=backgammon_action),
    "pig": Bridge("pig"),
    "pig(players=3,winscore=20,diceoutcomes=4)": Bridge("pig(players=3,winscore=20,diceoutcomes=4)"),
    "pig(piglet=true,winscore=10)": Bridge("pig(piglet=true,winscore=10)"),
    "pig(horizon=9,winscore=30)": Bridge("pig(horizon=9,winscore=30)"),
    "pig(players=10,winscore=15)": Bridge("pig(players=10,winscore=15)"),
    "negotiation": Negotiation("negotiation"),
    "negotiation(enable_utterances=false)": Negotiation("negotiation(enable_utterances=false)"),
    "negotiation(num_items=1,num_symbols=2,utterance_dim=1)":
        Negotiation("negotiation(num_items=1,num_symbols=2,utterance_dim=1)"),
    "negotiation(num_items=2,enable_utterances=false)":
        Negotiation("negotiation(num_items=2,enable_utterances=false)"),
    "negotiation(num_items=4,num_symbols=3,utterance_dim=4)":
        Negotiation("negotiation(num_items=4,num_symbols=3,utterance_dim=4)"),
    "negotiation(num_items=5,utterance_dim=1)":
        Negotiation("negotiation(num_items=5,utterance_dim=1)"),
    "breakthrough": Bridge("breakthrough"),
    "breakthrough(rows=3,cols=3)": Bridge("breakthrough(rows=3,columns=3)"),
    "breakthrough(rows=5,cols=9)": Bridge("breakthrough(rows=5,columns=9)"),
    "breakthrough(rows=6,cols=6)": Bridge("breakthrough(rows=6,columns=6)"),
    "breakthrough(rows=16,cols=4)": Bridge("breakthrough(rows=16,columns=4)", share=0.1),
    "gomoku": Bridge("gomoku"),
    "gomoku(size=5)": Bridge("gomoku(size=5)"),
    "gomoku(size=6,connect=3)": Bridge("gomoku(size=6,connect=3)"),
    "gomoku(size=9,connect=4)": Bridge("gomoku(size=9,connect=4)", share=0.3),
    "gomoku(size=19,connect=6)": Bridge("gomoku(size=19,connect=6)", share=0.02),
    "hex": Bridge("hex"),
    "hex(board_size=3)": Bridge("hex(board_size=3)"),
    "hex(board_size=5)": Bridge("hex(board_size=5)"),
    "hex(board_size=8)": Bridge("hex(board_size=8)", share=0.3),
    "hex(board_size=19)": Bridge("hex(board_size=19)", share=0.02),
    "othello": Bridge("othello"),
    "go": go("board_size=9"),
    "go(board_size=5)": go("board_size=5"),
    "go(board_size=5,komi=3)": go("board_size=5,komi=3.0"),
    "go(board_size=6,komi=-2.5)": go("board_size=6,komi=-2.5"),
    "go(board_size=7)": go("board_size=7"),
    "go(board_size=8,komi=0)": go("board_size=8,komi=0.0"),
    "go(board_size=13)": go("board_size=13", share=0.3),
    "go(board_size=19)": go("board_size=19", share=0.2),
    **{name: Bridge(name) for name in (
        "dark_hex",
        "dark_hex(gameversion=adh)",
        "dark_hex(obstype=reveal-numturns)",
        "dark_hex(board_size=2)",
        "dark_hex(board_size=4,gameversion=adh,obstype=reveal-numturns)",
        "dark_hex(board_size=5)",
        "dark_hex(num_rows=2,num_cols=7)",
        "phantom_ttt",
        "phantom_ttt(gameversion=abrupt)",
        "phantom_ttt(gameversion=abrupt,obstype=reveal-numturns)",
        "phantom_ttt(obstype=reveal-numturns)",
    )},
    "dark_hex(board_size=11)": Bridge("dark_hex(board_size=11)", share=0.02),
    "dark_hex(num_rows=9,num_cols=6,gameversion=adh)":
        Bridge("dark_hex(num_rows=9,num_cols=6,gameversion=adh)", share=0.1),
    **{name: Bridge(name) for name in (
        "blotto",
        "blotto(coins=1,fields=2)",
        "blotto(coins=3,fields=8)",
        "blotto(coins=5,fields=4)",
        "blotto(coins=30,fields=3)",
        "oshi_zumo",
        "oshi_zumo(coins=5,size=4,alesia=true,horizon=6)",
        "oshi_zumo(coins=6,size=2)",
        "oshi_zumo(coins=9,size=2,min_bid=4,horizon=3)",
        "oshi_zumo(coins=10,size=1,alesia=true)",
        "oshi_zumo(coins=20,size=4,min_bid=1)",
        "oshi_zumo(coins=200,size=50,horizon=60)",
    )},
    **{name: goofspiel(name) for name in (
        "goofspiel",
        "goofspiel(cards=2)",
        "goofspiel(cards=4,points_order=descending)",
        "goofspiel(cards=4,imp_info=true,points_order=descending)",
        "goofspiel(cards=7,points_order=ascending,returns_type=point_difference)",
        "goofspiel(cards=16,imp_info=true,returns_type=total_points)",
        "goofspiel(imp_info=true)",
        "goofspiel(players=3,cards=5)",
        "goofspiel(players=3,cards=8,imp_info=true,returns_type=point_difference)",
        "goofspiel(players=10,cards=6)",
    )},
    "nim": Bridge("nim"),
    **{name: Bridge(name.replace("+", ";")) for name in (
        "nim(is_misere=false)",
        "nim(pile_sizes=9+4+9)",
        "nim(pile_sizes=3+4,is_misere=false)",
        "nim(pile_sizes=70+3)",
        "nim(pile_sizes=20+20+20+20+20+20+20,is_misere=false)",
        "nim(pile_sizes=1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+2)",
    )},
    **{name: Bridge(name) for name in (
        "oware",
        "oware(num_houses_per_player=1,num_seeds_per_house=9)",
        "oware(num_houses_per_player=2,num_seeds_per_house=1)",
        "oware(num_houses_per_player=3,num_seeds_per_house=3)",
        "oware(num_houses_per_player=4,num_seeds_per_house=7)",
        "oware(num_houses_per_player=5,num_seeds_per_house=2)",
        "oware(num_houses_per_player=7,num_seeds_per_house=4)",
    )},
    "oware(num_houses_per_player=8,num_seeds_per_house=5)":
        Bridge("oware(num_houses_per_player=8,num_seeds_per_house=5)", share=0.3),
    "kuhn_poker": Bridge("kuhn_poker"),
    **{f"kuhn_poker(players={n})": Bridge(f"kuhn_poker(players={n})") for n in range(3, 11)},
    "leduc_poker": Bridge("leduc_poker"),
    **{f"leduc_poker(players={n})": Bridge(f"leduc_poker(players={n})") for n in range(3, 11)},
    **{name: liars_dice(name) for name in (
        "liars_dice",
        "liars_dice(bidding_rule=reset-quantity)",
        "liars_dice(dice=1,faces=2)",
        "liars_dice(dice=2,faces=3)",
        "liars_dice(dice=5)",
        "liars_dice(dice=3,faces=4,bidding_rule=reset-quantity)",
        "liars_dice(dice=10,bidding_rule=reset-quantity)",
    )},
    "iterated": iterated("prisoners_dilemma", 10),
    "iterated(stage=rps,rounds=3)": iterated("rps", 3),
    "iterated(stage=shapley,rounds=20)": iterated("shapley", 20),
    "matrix": Bridge("matrix_rps"),
    **{f"matrix(name={ours})": Bridge(theirs) for ours, theirs in STAGES.items()},
}
