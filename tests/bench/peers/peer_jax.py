#!/usr/bin/env python3
"""JAX: the work of agon's figures as single jitted programs, games included.

Forms of many nets: `vmap` over the nets; `map`, lax.map over them for each product; `turns`,
lax.map around everything, so that a net's whole work is done before the next net's. A loop that the
program unrolls was slower than vmap and map at every size and took up to 20 s to compile."""
import functools
import os

import numpy as np

import connect_four as rules
import nets
import serve

LOW = -1e30 # ln 0, finite so that 0 * LOW is 0


def load(cores):
    global jax, jnp, lax
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if len(cores) == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    import jax
    import jax.numpy as jnp
    from jax import lax
    jax.config.update("jax_enable_x64", True) # bit boards are 64-bit words; all else says float32
    jax.config.update("jax_default_prng_impl", "rbg") # the fast generator
    return Peer()


# ---- nets ------------------------------------------------------------------------------------

def layers(weights, x):
    """One net's logits and value side by side, (rows, actions + 1)."""
    for w, b in zip(weights[:-2:2], weights[1:-2:2]):
        x = jnp.maximum(x @ w + b, 0)
    return x @ weights[-2] + weights[-1]


def population(form):
    """layers() of many nets."""
    if form == "map":
        return lambda weights, x: lax.map(lambda both: layers(*both), (weights, x))
    return jax.vmap(layers)


def choose(out, mask, uniform):
    """Masked softmax, an action by inverse CDF, its log-probability, the value."""
    z = jnp.where(mask, out[..., :-1], jnp.float32(LOW))
    e = jnp.exp(z - z.max(-1, keepdims=True))
    running = jnp.cumsum(e, -1)
    total = running[..., -1]
    action = (running <= (uniform * total)[..., None]).sum(-1, dtype=jnp.int32)
    return action, jnp.log(pick(e, action) / total), out[..., -1]


def pick(x, action):
    """x[..., action] by a mask, which XLA fuses and a gather is not."""
    return jnp.where(jnp.arange(x.shape[-1], dtype=jnp.int32) == action[..., None], x, 0).sum(-1)


def uniforms(key, *shape):
    return jax.random.uniform(key, shape, jnp.float32) * jnp.float32(0.999999)


def stacked(shape, count, seed=1):
    return [jnp.asarray(w) for w in nets.stacked(shape, count, seed)]


def finished(out):
    return jax.block_until_ready(out)


# ---- forward ---------------------------------------------------------------------------------

def make_forward(request):
    count, rows, form = request["nets"], request["rows"], request["form"]
    weights = stacked(request["shape"], count)
    inputs, actions = weights[0].shape[1], weights[-1].shape[2] - 1
    obs = jnp.asarray(np.arange(count * rows * inputs) % 3 == 0, jnp.float32)
    obs = obs.reshape(count, rows, inputs)
    mask = jnp.asarray(nets.masks(count, rows, actions))
    uniform = uniforms(jax.random.key(1), count, rows)
    answer = population(form)
    forward = jax.jit(lambda w, x, m, u: choose(answer(w, x), m, u))

    def job():
        finished(forward(weights, obs, mask, uniform))
        return count * rows
    return job


# ---- PPO -------------------------------------------------------------------------------------

def loss(weights, rows, s, entropy_weight):
    """PPO's loss of one net's minibatch."""
    out = layers(weights, rows["obs"].astype(jnp.float32))
    log_p = jax.nn.log_softmax(jnp.where(rows["mask"], out[:, :-1], jnp.float32(LOW)), -1)
    ratio = jnp.exp(pick(log_p, rows["action"]) - rows["old"])
    clipped = jnp.clip(ratio, 1 - s["clip"], 1 + s["clip"])
    gain = jnp.minimum(ratio * rows["advantage"], clipped * rows["advantage"])
    miss = out[:, -1] - rows["target"]
    entropy = -(jnp.exp(log_p) * log_p).sum(-1)
    return (0.5 * s["value"] * miss * miss - gain - entropy_weight * entropy).mean()


def fresh_state(weights):
    """Weights and Adam's moments of stacked nets, and the number of steps of each."""
    m, v = ([jnp.zeros_like(w) for w in weights] for _ in range(2))
    return weights, m, v, jnp.zeros(weights[0].shape[0], jnp.float32)


def in_turn(work):
    """Work for many nets, done for one net after the other, whose data then stay in the cache:
    work(state, data, key) with a key for each net."""
    def one(x):
        state, data, key = x
        alone = jax.tree.map(lambda y: y[None], (state, data))
        return jax.tree.map(lambda y: y[0], work(*alone, key))
    return lambda state, data, keys: lax.map(one, (state, data, keys))


def step(state, rows, s, rate, entropy):
    """A minibatch of each net: clipped gradients and one step of Adam."""
    weights, m, v, t = state
    grads = jax.vmap(jax.grad(loss), (0, 0, None, None))(weights, rows, s, entropy)
    norm = jnp.sqrt(sum((g * g).sum((1, 2)) for g in grads))
    scale = jnp.minimum(s["norm"] / norm, 1)[:, None, None].astype(jnp.float32)
    grads = [g * scale for g in grads]
    t = t + 1
    m = [s["beta1"] * a + (1 - s["beta1"]) * g for a, g in zip(m, grads)]
    v = [s["beta2"] * a + (1 - s["beta2"]) * g * g for a, g in zip(v, grads)]
    c1, c2 = ((1 - s[beta] ** t)[:, None, None] for beta in ("beta1", "beta2"))
    weights = [w - rate * (a / c1) / (jnp.sqrt(b / c2) + s["epsilon"])
               for w, a, b in zip(weights, m, v)]
    return weights, m, v, t


def epochs(state, data, key, s, rate, entropy):
    """All epochs and minibatches; data: (learners, entries, ...)."""
    learners, entries = data["action"].shape
    parts, count = s["minibatches"], s["epochs"]
    bits = jax.random.bits(key, (count, learners, entries), jnp.uint32)
    order = jnp.argsort(bits, -1).reshape(count, learners, parts, -1)
    order = order.transpose(0, 2, 1, 3).reshape(count * parts, learners, -1)

    def one(state, index):
        rows = {k: jax.vmap(lambda x, i: x[i])(v, index) for k, v in data.items()}
        return step(state, rows, s, rate, entropy), None
    return lax.scan(one, state, order)[0]


def make_update(request):
    s = request["settings"]
    learners, entries = s["agents"], s["lanes"] * s["horizon"]
    weights = stacked(request["shape"], learners)
    inputs, actions = weights[0].shape[1], weights[-1].shape[2] - 1
    generator, shape = np.random.default_rng(1), (learners, entries)
    data = {
        "obs": jnp.asarray((np.arange(learners * entries * inputs) % 3 == 0).astype(np.uint8)
                           .reshape(*shape, inputs)),
        "mask": jnp.ones((*shape, actions), bool),
        "action": jnp.asarray(generator.integers(actions, size=shape), jnp.int32),
        "old": jnp.full(shape, -np.log(actions), jnp.float32),
        "advantage": jnp.asarray(generator.normal(size=shape), jnp.float32),
        "target": jnp.asarray(generator.normal(size=shape), jnp.float32),
    }
    def update_all(state, data, key):
        return epochs(state, data, key, s, s["rate"], s["entropy"])

    update = update_all if request["form"] == "vmap" else in_turn(update_all)
    update = jax.jit(update, donate_argnums=0)
    held = {"state": fresh_state(weights), "calls": 0}

    def job():
        held["calls"] += 1
        key = jax.random.split(jax.random.key(held["calls"]), learners)
        key = key[0] if request["form"] == "vmap" else key
        held["state"] = finished(update(held["state"], data, key))
        return learners * entries * s["epochs"]
    return job


# ---- the game --------------------------------------------------------------------------------
# Boards as in connect_four.py: two uint64 arrays, the mover's stones first.

def word(value):
    return np.uint64(value)


def observe(own, other):
    """Bytes of 0 and 1 (..., 84), and the legal columns."""
    cells = jnp.arange(rules.CELLS, dtype=jnp.uint64)
    planes = [(x[..., None] >> cells & word(1)).astype(jnp.uint8) for x in (own, other)]
    legal = ((own | other)[..., None] >> cells[:rules.COLS] & word(1)) == 0
    return jnp.concatenate(planes, -1), legal


def drop(own, other, action):
    taken = own | other
    free = ~taken & (taken >> word(rules.COLS) | word(rules.BOTTOM))
    return own | free & (word(rules.COLUMN) << action.astype(jnp.uint64))


def wins(stones):
    lines = jnp.zeros_like(stones)
    for step_, first in rules.LINES:
        pairs = stones & stones >> word(step_)
        lines |= pairs & pairs >> word(2 * step_) & word(first)
    return lines != 0


def move(own, other, action):
    """After the mover's stone: boards as the other sees them, whether it won, whether it ended."""
    own = drop(own, other, action)
    won = wins(own)
    over = won | ((own | other) == word((1 << rules.CELLS) - 1))
    nothing = jnp.zeros_like(own)
    return jnp.where(over, nothing, other), jnp.where(over, nothing, own), won, over


def act(answer, weights, own, other, uniform):
    """Decisions of (nets, lanes) boards."""
    obs, legal = observe(own, other)
    choice = choose(answer(weights, obs.astype(jnp.float32)), legal, uniform)
    return obs, legal, *choice


def lanes_second(x):
    """(horizon, nets, lanes, ...) as (nets, horizon * lanes, ...)."""
    x = jnp.moveaxis(x, 0, 1)
    return x.reshape(x.shape[0], -1, *x.shape[3:])


# ---- rollout ---------------------------------------------------------------------------------

def make_rollout(request):
    """Nets that play themselves; every move is a decision of the learner. One jit. The form `turns`
    plays all moves of a net before the next net's, so that its weights stay in the cache."""
    count, lanes, horizon = request["nets"], request["rows"], request["horizon"]
    weights, turns = stacked(request["shape"], count), request["form"] == "turns"
    answer = layers if turns else population(request["form"])

    def play(weights, boards, uniform):
        def ply(boards, u):
            obs, legal, action, log_p, value = act(answer, weights, *boards, u)
            own, other, won, over = move(*boards, action)
            return (own, other), (obs, legal, action, log_p, value, won.astype(jnp.float32), over)
        return lax.scan(ply, boards, uniform)

    @jax.jit
    def rollout(weights, boards, key):
        if turns:
            uniform = uniforms(key, count, horizon, lanes)
            return lax.map(lambda x: play(*x), (weights, boards, uniform))
        return play(weights, boards, uniforms(key, horizon, count, lanes))
    empty = jnp.zeros((count, lanes), jnp.uint64)
    held = {"boards": (empty, empty), "calls": 0}

    def job():
        held["calls"] += 1
        out = finished(rollout(weights, held["boards"], jax.random.key(held["calls"])))
        held["boards"] = out[0]
        return count * lanes * horizon
    return job


# ---- training --------------------------------------------------------------------------------

def gae(data, bootstrap, s):
    """Advantages and targets, (horizon, nets, lanes)."""
    def back(carry, now):
        next_value, running = carry
        reward, value, last = now
        goes_on = jnp.where(last, jnp.float32(0), s["discount"])
        running = reward + goes_on * next_value - value + goes_on * s["lambda"] * running
        return (value, running), running
    columns = (data["reward"], data["value"], data["last"])
    _, advantage = lax.scan(back, (bootstrap, jnp.zeros_like(bootstrap)), columns, reverse=True)
    return advantage, advantage + data["value"]


def first_moves(opening, uniform, s):
    """Boards of the opponents' first columns, by lane; opening: (pairs, actions + 1)."""
    out = jnp.repeat(opening, s["lanes"] // s["opponents"], 0)
    out = out.reshape(*uniform.shape, -1)
    action = choose(out, jnp.ones((*uniform.shape, rules.ACTIONS), bool), uniform)[0]
    return word(1) << (word(rules.CELLS - rules.COLS) + action.astype(jnp.uint64))


def exchange(weights, opponents, opening, s, game, uniform):
    """The learner's move and the opponent's reply in every lane: Duels of connect_four.py."""
    own, other, second = game
    answer = population("vmap")
    obs, legal, action, log_p, value = act(answer, weights, own, other, uniform[0])
    own, other, won, over = move(own, other, action)
    pairs = (-1, s["lanes"] // s["opponents"])
    seen = [x.reshape(pairs) for x in (own, other, uniform[1])]
    reply = act(answer, opponents, *seen)[2].reshape(own.shape)
    own2, other2, lost, over2 = move(own, other, reply)
    nothing = jnp.zeros_like(own)
    lost, over2 = lost & ~over, over | over2
    own, other = jnp.where(over, nothing, own2), jnp.where(over, nothing, other2)
    second = second ^ over2
    other = jnp.where(over2 & second, first_moves(opening, uniform[2], s), other)
    reward = won.astype(jnp.float32) - lost.astype(jnp.float32)
    return (own, other, second), dict(obs=obs, mask=legal, action=action, old=log_p, value=value,
                                      reward=reward, last=over2)


def rollout_and_update(s, opponents, opening, carry, rates):
    state, game, key = carry
    rate, entropy = rates
    key, k1, k2, k3 = jax.random.split(key, 4)
    shape = (s["horizon"], 3, s["agents"], s["lanes"])
    game, data = lax.scan(
        lambda game, u: exchange(state[0], opponents, opening, s, game, u), game,
        uniforms(k1, *shape))
    last = act(population("vmap"), state[0], *game[:2], uniforms(k2, *shape[2:]))[4]
    advantage, target = gae(data, last, s)
    data = {k: lanes_second(v) for k, v in
            (data | {"advantage": advantage, "target": target}).items()}
    x = data["advantage"]
    data["advantage"] = (x - x.mean(1, keepdims=True)) / (x.std(1, keepdims=True) + 1e-8)
    data = {k: data[k] for k in ("obs", "mask", "action", "old", "advantage", "target")}
    return (epochs(state, data, k3, s, rate, entropy), game, key), None


def generation(s, form):
    """One jitted program: new games, then rollouts with their updates."""
    def run(s, rates, state, opponents, key):
        shape = (s["agents"], s["lanes"])
        opponents = [w.reshape(-1, *w.shape[2:]) for w in opponents] # of all agents
        empty = jnp.zeros((opponents[0].shape[0], 1, rules.INPUTS), jnp.float32)
        opening = population("vmap")(opponents, empty)[:, 0]
        key, k1 = jax.random.split(key)
        second = jnp.broadcast_to(jnp.arange(s["lanes"]) % 2 == 1, shape)
        own = jnp.zeros(shape, jnp.uint64)
        other = jnp.where(second, first_moves(opening, uniforms(k1, *shape), s), own)
        (state, _, _), _ = lax.scan(
            lambda carry, r: rollout_and_update(s, opponents, opening, carry, r),
            (state, (own, other, second), key), rates)
        return state

    def run_all(state, opponents, key, rates):
        if form == "vmap":
            return run(s, rates, state, opponents, key)
        one = functools.partial(run, s | {"agents": 1}, rates)
        return in_turn(one)(state, opponents, jax.random.split(key, s["agents"]))
    return jax.jit(run_all, donate_argnums=0)


class Training:
    """Agents that learn side by side against snapshots of each other."""

    def __init__(self, shape, settings, form, seed=1):
        self.random = np.random.default_rng(seed)
        self.s = settings
        self.state = fresh_state(stacked(shape, self.s["agents"], seed))
        self.key, self.past, self.generations = jax.random.key(seed), [], 0
        self.run = generation(self.s, form)

    def draw_opponents(self):
        """Mostly the others as they are, and some of earlier generations, as agon's league."""
        s = self.s
        self.past.append([np.asarray(w).copy() for w in self.state[0]])
        self.past = self.past[-s["kept"]:]
        picked = nets.draw_opponents(self.random, len(self.past) - 1, s)
        return [np.stack([self.past[g][k][a] for g, a in picked])
                .reshape(s["agents"], s["opponents"], *self.past[0][k].shape[1:])
                for k in range(len(self.past[0]))]

    def generation(self):
        """All rollouts of one generation; agent-steps."""
        s, count = self.s, self.s["rollouts"]
        at = (self.generations * count + np.arange(count)) / (s["generations"] * count)
        rates = [(s[k] + (s[k + "_end"] - s[k]) * at).astype(np.float32)
                 for k in ("rate", "entropy")]
        self.key, key = jax.random.split(self.key)
        self.state = finished(self.run(self.state, self.draw_opponents(), key, tuple(rates)))
        self.generations += 1
        return s["agents"] * s["lanes"] * s["horizon"] * count


def make_train(request):
    return Training(request["shape"], request["settings"], request["form"]).generation


# ---- what is asked ---------------------------------------------------------------------------

class Peer:
    def make(self, request):
        return {"forward": make_forward, "update": make_update, "rollout": make_rollout,
                "train": make_train}[request["work"]](request)

    def check(self, request):
        """Logits and values of a snapshot in each form; the update against the kept case."""
        weights, _ = nets.read_snapshot(request["snapshot"])
        obs = jnp.asarray(np.asarray(request["obs"], np.float32))
        answer = [jax.jit(population(form))([jnp.asarray(w)[None] for w in weights], obs[None])[0]
                  for form in ("vmap", "map")]
        assert all(np.abs(a - answer[0]).max() < 1e-5 for a in answer)
        return {"answer": np.asarray(answer[0]).tolist(),
                "update_error": {"all": update_error()}}

    def learn(self, request):
        """Trains for some generations and leaves snapshots."""
        training = Training(request["shape"], request["settings"], request["form"],
                            request["seed"])
        for _ in range(request["settings"]["generations"]):
            training.generation()
        for i, path in enumerate(request["paths"]):
            nets.write_snapshot(path, [np.asarray(w[i]) for w in training.state[0]],
                                request["metadata"])
        return {"agents": len(request["paths"])}


def update_error():
    """Furthest parameter from the double-precision update after ten steps."""
    case = next(case for case in nets.update_cases() if case["shape"].endswith("relu"))
    s = case["hyper"]
    state = fresh_state([jnp.asarray(w)[None] for w in case["start"]])
    for index in case["index"]:
        rows = {k: jnp.asarray(v[index])[None] for k, v in case["rows"].items()}
        state = step(state, rows, s, s["rate"], s["entropy"])
    return max(float(np.abs(np.asarray(w[0]) - e).max()) for w, e in zip(state[0], case["end"]))


if __name__ == "__main__":
    serve.main("jax", "jax", "pip install jax", load)
