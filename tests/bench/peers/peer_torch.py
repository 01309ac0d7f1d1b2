#!/usr/bin/env python3
"""PyTorch: the work of agon's figures. Forms of many nets: `loop` over them, `bmm`, `vmap` of
torch.func, and, where there are gradients, `compile`, which is bmm by torch.compile."""
import os

import numpy as np

import connect_four
import nets
import serve

LOW = -1e30 # ln 0, finite so that 0 * LOW is 0


def load(cores):
    global torch, F
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    import torch
    import torch.nn.functional as F
    torch.set_num_threads(len(cores))
    return Peer()


# ---- nets ------------------------------------------------------------------------------------
# Weights as in nets.py. The functions take one net, or many with a first axis for the net.

def layers(weights, x):
    """Logits and value side by side, (..., actions + 1)."""
    product = torch.baddbmm if x.dim() == 3 else torch.addmm
    for w, b in zip(weights[:-2:2], weights[1:-2:2]):
        x = product(b, x, w).relu_()
    return product(weights[-1], x, weights[-2])


def choose(out, mask, uniform):
    """Masked softmax, an action by inverse CDF, its log-probability, the value."""
    z = out[..., :-1].masked_fill(~mask, LOW)
    e = (z - z.amax(-1, keepdim=True)).exp()
    running = e.cumsum(-1)
    total = running[..., -1:]
    action = (running <= uniform * total).sum(-1, keepdim=True)
    log_probability = (e.gather(-1, action) / total).log()
    return action[..., 0], log_probability[..., 0], out[..., -1]


def uniforms(*shape):
    return torch.rand(*shape) * 0.999999 # below 1 by more than rounding


def tensors(weights):
    return [torch.tensor(np.asarray(w)) for w in weights]


def split(weights):
    """Separate nets of stacked ones."""
    return [[w[i].clone() for w in weights] for i in range(len(weights[0]))]


# ---- forward ---------------------------------------------------------------------------------

def make_forward(request):
    count, rows = request["nets"], request["rows"]
    weights = tensors(nets.stacked(request["shape"], count))
    inputs, actions = weights[0].shape[1], weights[-1].shape[2] - 1
    obs = (torch.arange(count * rows * inputs) % 3 == 0).float().view(count, rows, inputs)
    mask = torch.from_numpy(nets.masks(count, rows, actions))
    uniform = uniforms(count, rows, 1)
    one = torch.func.vmap(layers)
    parts = split(weights)
    forms = {
        "loop": lambda: torch.stack([layers(w, x) for w, x in zip(parts, obs)]),
        "bmm": lambda: layers(weights, obs),
        "vmap": lambda: one(weights, obs),
    }
    answer = forms[request["form"]]

    def job():
        with torch.inference_mode():
            choose(answer(), mask, uniform)
        return count * rows
    return job


# ---- PPO -------------------------------------------------------------------------------------

def losses(weights, rows, s, entropy_weight):
    """PPO's loss of one minibatch, or of one per net."""
    out = layers(weights, rows["obs"].float())
    log_p = F.log_softmax(out[..., :-1].masked_fill(~rows["mask"], LOW), -1)
    change = log_p.gather(-1, rows["action"][..., None])[..., 0] - rows["old"]
    ratio = change.exp()
    clipped = ratio.clamp(1 - s["clip"], 1 + s["clip"])
    gain = torch.min(ratio * rows["advantage"], clipped * rows["advantage"])
    miss = out[..., -1] - rows["target"]
    entropy = -(log_p.exp() * log_p).sum(-1)
    return (0.5 * s["value"] * miss * miss - gain - entropy_weight * entropy).mean(-1)


def adam(weights, s):
    return torch.optim.Adam(weights, s["rate"], (s["beta1"], s["beta2"]), s["epsilon"],
                            foreach=True)


def clip_each(grads, norm):
    """Scales each net's gradient to a norm; clip_grad_norm_ would take all nets for one."""
    squares = sum(g.flatten(1).square().sum(1) for g in grads)
    scale = (norm / squares.sqrt()).clamp(max=1)[:, None, None]
    for g in grads:
        g.mul_(scale)


class Updates:
    """Steps of many learners; the form says how their gradients are computed."""

    def __init__(self, form, weights, s):
        self.form, self.s = form, s
        if form == "loop":
            self.parts = [[w.requires_grad_() for w in part] for part in split(weights)]
            self.optimizers = [adam(part, s) for part in self.parts]
            return
        self.weights = [w.requires_grad_() for w in weights]
        self.optimizer = adam(self.weights, s)
        self.losses = torch.compile(losses, dynamic=False) if form == "compile" else losses
        gradient = torch.func.grad(lambda w, rows, entropy: losses(w, rows, s, entropy))
        self.gradients = torch.func.vmap(gradient, in_dims=(0, 0, None))

    def set_rate(self, rate):
        for optimizer in self.optimizers if self.form == "loop" else [self.optimizer]:
            optimizer.param_groups[0]["lr"] = rate

    def step(self, rows, entropy):
        """One minibatch of each learner: rows with a first axis for the net."""
        if self.form == "loop":
            for i, (part, optimizer) in enumerate(zip(self.parts, self.optimizers)):
                optimizer.zero_grad()
                losses(part, {k: v[i] for k, v in rows.items()}, self.s, entropy).backward()
                torch.nn.utils.clip_grad_norm_(part, self.s["norm"], foreach=True)
                optimizer.step()
            return
        if self.form == "vmap":
            with torch.no_grad():
                grads = self.gradients([w.detach() for w in self.weights], rows, entropy)
            grads = list(grads)
        else: # the nets share nothing, so the gradient of the sum is each net's own
            total = self.losses(self.weights, rows, self.s, entropy).sum()
            grads = list(torch.autograd.grad(total, self.weights))
        clip_each(grads, self.s["norm"])
        for w, g in zip(self.weights, grads):
            w.grad = g
        self.optimizer.step()

    def epochs(self, data, entropy):
        """data: (learners, entries, ...) of what `losses` needs."""
        learners, entries = data["action"].shape
        entropy = torch.tensor(entropy, dtype=torch.float32) # no new compilation for each value
        net = torch.arange(learners)[:, None]
        for _ in range(self.s["epochs"]):
            order = torch.rand(learners, entries).argsort(1)
            for index in order.chunk(self.s["minibatches"], 1):
                self.step({k: v[net, index] for k, v in data.items()}, entropy)


def made_up_data(learners, entries, inputs, actions):
    return {
        "obs": (torch.arange(learners * entries * inputs) % 3 == 0).byte()
               .view(learners, entries, inputs),
        "mask": torch.ones(learners, entries, actions, dtype=torch.bool),
        "action": torch.randint(actions, (learners, entries)),
        "old": torch.full((learners, entries), -np.log(actions)).float(),
        "advantage": torch.randn(learners, entries),
        "target": torch.randn(learners, entries),
    }


def make_update(request):
    s = request["settings"]
    learners, entries = s["agents"], s["lanes"] * s["horizon"]
    weights = tensors(nets.stacked(request["shape"], learners))
    data = made_up_data(learners, entries, weights[0].shape[1], weights[-1].shape[2] - 1)
    updates = Updates(request["form"], weights, s)

    def job():
        updates.epochs(data, s["entropy"])
        return learners * entries * s["epochs"]
    return job


# ---- rollout ---------------------------------------------------------------------------------

def act(weights, boards, nets_count, rows):
    """Observations, masks and choices of all lanes, lanes of a net being neighbours."""
    obs, mask = boards.observe()
    obs = torch.from_numpy(obs).view(nets_count, rows, -1)
    mask = torch.from_numpy(mask).view(nets_count, rows, -1)
    choice = choose(layers(weights, obs.float()), mask, uniforms(nets_count, rows, 1))
    return obs, mask, *choice


class Store:
    """Decisions of a rollout, (nets, horizon, lanes, ...)."""

    def __init__(self, count, horizon, lanes, inputs, actions):
        shape = (count, horizon, lanes)
        self.obs = torch.zeros(*shape, inputs, dtype=torch.uint8)
        self.mask = torch.zeros(*shape, actions, dtype=torch.bool)
        self.action = torch.zeros(shape, dtype=torch.int64)
        self.old, self.value, self.reward = (torch.zeros(shape) for _ in range(3))
        self.last = torch.zeros(shape, dtype=torch.bool)

    def put(self, t, obs, mask, action, log_probability, value):
        self.obs[:, t], self.mask[:, t], self.action[:, t] = obs, mask, action
        self.old[:, t], self.value[:, t] = log_probability, value

    def close(self, t, reward, over):
        shape = self.reward[:, t].shape
        self.reward[:, t] = torch.from_numpy(reward).view(shape)
        self.last[:, t] = torch.from_numpy(over).view(shape)


def make_rollout(request):
    """Nets that play themselves; every move is a decision of the learner."""
    count, lanes, horizon = request["nets"], request["rows"], request["horizon"]
    weights = tensors(nets.stacked(request["shape"], count))
    boards = connect_four.Boards(count * lanes)
    store = Store(count, horizon, lanes, connect_four.INPUTS, connect_four.ACTIONS)

    def job():
        with torch.inference_mode():
            for t in range(horizon):
                decision = act(weights, boards, count, lanes)
                store.put(t, *decision)
                store.close(t, *boards.play(decision[2].numpy().ravel()))
        return count * lanes * horizon
    return job


# ---- training --------------------------------------------------------------------------------

def gae(store, bootstrap, s):
    """Advantages and value targets, (nets, horizon, lanes)."""
    advantage = torch.zeros_like(store.value)
    next_value, running = bootstrap, torch.zeros_like(bootstrap)
    for t in reversed(range(s["horizon"])):
        goes_on = (~store.last[:, t]) * s["discount"]
        delta = store.reward[:, t] + goes_on * next_value - store.value[:, t]
        running = delta + goes_on * s["lambda"] * running
        next_value = store.value[:, t]
        advantage[:, t] = running
    return advantage, advantage + store.value


class Training:
    """Agents that learn side by side against snapshots of each other, all in one batch."""

    def __init__(self, shape, s, form="bmm", seed=1):
        torch.manual_seed(seed)
        self.random = np.random.default_rng(seed)
        self.s, self.count = s, s["agents"]
        self.updates = Updates(form, tensors(nets.stacked(shape, self.count, seed)), s)
        self.lanes_each = s["lanes"] // s["opponents"]
        self.store = Store(self.count, s["horizon"], s["lanes"], connect_four.INPUTS,
                           connect_four.ACTIONS)
        self.past, self.rollouts = [], 0

    def weights(self):
        if self.updates.form == "loop":
            return [torch.stack(w).detach() for w in zip(*self.updates.parts)]
        return [w.detach() for w in self.updates.weights]

    def draw_opponents(self):
        """Mostly the others as they are, and some of earlier generations, as agon's league."""
        self.past.append([w.clone() for w in self.weights()])
        self.past = self.past[-self.s["kept"]:]
        picked = nets.draw_opponents(self.random, len(self.past) - 1, self.s)
        self.opponents = [torch.stack([self.past[g][k][a] for g, a in picked])
                          for k in range(len(self.past[0]))]

    def openings(self):
        """First columns by the opponents, for every lane."""
        out = self.opening.expand(-1, self.lanes_each, -1)
        mask = torch.ones(out.shape[0], self.lanes_each, out.shape[2] - 1, dtype=torch.bool)
        return choose(out, mask, uniforms(*out.shape[:2], 1))[0].numpy().ravel()

    def begin_generation(self):
        self.draw_opponents()
        self.duels = connect_four.Duels(self.count * self.s["lanes"])
        self.opening = layers(self.opponents, torch.zeros(len(self.opponents[0]), 1,
                                                          connect_four.INPUTS))
        self.duels.begin(self.openings())

    def collect(self, weights):
        pairs = self.count * self.s["opponents"]
        for t in range(self.s["horizon"]):
            decision = act(weights, self.duels, self.count, self.s["lanes"])
            self.store.put(t, *decision)
            self.duels.move(decision[2].numpy().ravel())
            answer = act(self.opponents, self.duels, pairs, self.lanes_each)[2]
            self.duels.reply(answer.numpy().ravel())
            self.store.close(t, self.duels.reward, self.duels.over)
            self.duels.begin(self.openings())
        return act(weights, self.duels, self.count, self.s["lanes"])[4]

    def rollout(self):
        """A rollout and the update that follows it; agent-steps."""
        s, at = self.s, self.rollouts / (self.s["generations"] * self.s["rollouts"])
        with torch.no_grad():
            if self.rollouts % s["rollouts"] == 0:
                self.begin_generation()
            advantage, target = gae(self.store, self.collect(self.weights()), s)
            spread, mean = torch.std_mean(advantage, (1, 2), keepdim=True, correction=0)
            advantage = (advantage - mean) / (spread + 1e-8)
        data = dict(obs=self.store.obs, mask=self.store.mask, action=self.store.action,
                    old=self.store.old, advantage=advantage, target=target)
        self.updates.set_rate(s["rate"] + (s["rate_end"] - s["rate"]) * at)
        self.updates.epochs({k: v.flatten(1, 2) for k, v in data.items()},
                            s["entropy"] + (s["entropy_end"] - s["entropy"]) * at)
        self.rollouts += 1
        return self.count * s["lanes"] * s["horizon"]


def make_train(request):
    return Training(request["shape"], request["settings"], request["form"]).rollout


# ---- what is asked ---------------------------------------------------------------------------

class Peer:
    def make(self, request):
        return {"forward": make_forward, "update": make_update, "rollout": make_rollout,
                "train": make_train}[request["work"]](request)

    def check(self, request):
        """Logits and values of a snapshot; the update of each form against the kept case."""
        weights, _ = nets.read_snapshot(request["snapshot"])
        obs = torch.tensor(np.asarray(request["obs"], np.float32))
        answer = layers(tensors(weights), obs).tolist()
        off = {form: update_error(form) for form in ("loop", "bmm", "vmap", "compile")}
        return {"answer": answer, "update_error": off}

    def learn(self, request):
        """Trains for some generations and leaves snapshots."""
        s = request["settings"]
        training = Training(request["shape"], s, request["form"], request["seed"])
        for _ in range(s["generations"] * s["rollouts"]):
            training.rollout()
        for i, weights in enumerate(split(training.weights())):
            nets.write_snapshot(request["paths"][i], [w.numpy() for w in weights],
                                request["metadata"])
        return {"agents": training.count}


def update_error(form):
    """Furthest parameter from the double-precision update after ten steps."""
    case = next(case for case in nets.update_cases() if case["shape"].endswith("relu"))
    updates = Updates(form, [w[None] for w in tensors(case["start"])], case["hyper"])
    for index in case["index"]:
        rows = {k: torch.tensor(v[index])[None] for k, v in case["rows"].items()}
        updates.step(rows, case["hyper"]["entropy"])
    end = [w[None] for w in updates.parts[0]] if form == "loop" else updates.weights
    return max(float(np.abs(w[0].detach().numpy() - e).max()) for w, e in zip(end, case["end"]))


if __name__ == "__main__":
    serve.main("torch", "torch", "pip install 'torch==2.2.2' 'numpy<2'", load)
