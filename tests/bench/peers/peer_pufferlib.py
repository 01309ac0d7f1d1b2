#!/usr/bin/env python3
"""PufferLib 3: its own PPO trainer on the CPU, one learner at a time.

Forms: `ours`, the game of connect_four.py inside a native PufferEnv whose opponents are frozen nets
of the learner's architecture, as agon trains; `ocean`, PufferLib's own connect four in C, whose
opponent is a search and no net, for comparison."""
import os
import tempfile

import numpy as np

import connect_four
import nets
import peer_torch
import serve


def load(cores):
    global torch, gymnasium, pufferlib
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import gymnasium
    import pufferlib
    import pufferlib.vector
    import torch
    peer_torch.load(cores)
    return Peer()


def make_env_class():
    class ConnectFour(pufferlib.PufferEnv):
        def __init__(self, shape, settings, buf=None):
            self.single_observation_space = gymnasium.spaces.Box(
                0, 1, (connect_four.INPUTS,), np.uint8)
            self.single_action_space = gymnasium.spaces.Discrete(connect_four.ACTIONS)
            self.num_agents = settings["lanes"]
            super().__init__(buf=buf)
            self.opponents = peer_torch.tensors(nets.stacked(shape, settings["opponents"], 2))
            self.each = settings["lanes"] // settings["opponents"]
            empty = torch.zeros(settings["opponents"], 1, connect_four.INPUTS)
            self.opening = peer_torch.layers(self.opponents, empty)

        def begin(self):
            out = self.opening.expand(-1, self.each, -1)
            mask = torch.ones(*out.shape[:2], connect_four.ACTIONS, dtype=torch.bool)
            uniform = peer_torch.uniforms(*out.shape[:2], 1)
            self.duels.begin(peer_torch.choose(out, mask, uniform)[0].numpy().ravel())
            self.observations[:] = connect_four.observe(self.duels.stones)

        def reset(self, seed=None):
            self.duels = connect_four.Duels(self.num_agents)
            self.begin()
            return self.observations, []

        def step(self, actions):
            self.duels.move(np.asarray(actions).ravel())
            with torch.no_grad():
                reply = peer_torch.act(self.opponents, self.duels, len(self.opening), self.each)[2]
                self.duels.reply(reply.numpy().ravel())
                self.begin()
            self.rewards[:], self.terminals[:] = self.duels.reward, self.duels.over
            return self.observations, self.rewards, self.terminals, self.truncations, []

        def close(self):
            pass
    return ConnectFour


def make_policy(shape, inputs, masked):
    """The same net as agon's, with the mask told from the observation."""
    class Policy(torch.nn.Module):
        def __init__(self):
            super().__init__()
            weights = nets.initial(shape, np.random.default_rng(1))
            weights[0] = weights[0][:inputs]
            self.w = torch.nn.ParameterList(map(torch.nn.Parameter, peer_torch.tensors(weights)))

        def forward(self, x, state=None):
            out = peer_torch.layers(list(self.w), x.float())
            logits = out[:, :-1]
            if masked:
                cols = connect_four.COLS
                taken = x[:, :cols] | x[:, connect_four.CELLS:connect_four.CELLS + cols]
                logits = logits.masked_fill(taken != 0, -1e9)
            return logits, out[:, -1:]

        forward_eval = forward
    return Policy()


def trainer_config(s, folder):
    return dict(
        env="connect_four", seed=1, torch_deterministic=False, cpu_offload=False, device="cpu",
        optimizer="adam", anneal_lr=False, precision="float32", total_timesteps=10**12,
        learning_rate=s["rate"], gamma=s["discount"], gae_lambda=s["lambda"],
        update_epochs=s["epochs"], clip_coef=s["clip"], vf_coef=s["value"], vf_clip_coef=10.0,
        max_grad_norm=s["norm"], ent_coef=s["entropy"], adam_beta1=s["beta1"],
        adam_beta2=s["beta2"], adam_eps=s["epsilon"], data_dir=folder, checkpoint_interval=10**9,
        batch_size=s["lanes"] * s["horizon"], bptt_horizon=s["horizon"],
        minibatch_size=s["lanes"] * s["horizon"] // s["minibatches"], max_minibatch_size=1 << 20,
        compile=False, vtrace_rho_clip=1.0, vtrace_c_clip=1.0, prio_alpha=0.0, prio_beta0=1.0,
        use_rnn=False)


def make_train(request):
    from pufferlib import pufferl
    s, shape = request["settings"], request["shape"]
    if request["form"] == "ocean":
        from pufferlib.ocean.connect4.connect4 import Connect4
        env = pufferlib.vector.make(Connect4, env_kwargs={"num_envs": s["lanes"]})
        policy = make_policy(shape, connect_four.CELLS, False)
    else:
        env = pufferlib.vector.make(make_env_class(),
                                    env_kwargs={"shape": shape, "settings": s})
        policy = make_policy(shape, connect_four.INPUTS, True)
    pufferl.PuffeRL.print_dashboard = lambda *args, **words: None # drawing it is no part of this
    trainer = pufferl.PuffeRL(trainer_config(s, tempfile.mkdtemp()), env, policy)
    trainer.utilization.stop()

    def job():
        before = trainer.global_step
        trainer.evaluate()
        trainer.train()
        return trainer.global_step - before
    return job


class Peer:
    def make(self, request):
        assert request["work"] == "train"
        return make_train(request)


if __name__ == "__main__":
    serve.main("pufferlib", "pufferlib.pufferl", "see tests/bench/peers/README.md", load)
