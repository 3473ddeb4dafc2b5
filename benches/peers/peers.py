"""PyTorch and JAX on the workloads that the harness of peers does not know: peers.py LIBRARY WORKLOAD THREADS, where
LIBRARY is torch-eager or jax-scan. Needs the harness's folder in PYTHONPATH: its `peers_common.bench` does the timing."""
import contextlib
import os
import sys

import numpy as np

import peers_common

LIBRARY, WORKLOAD, THREADS = sys.argv[1], sys.argv[2], int(sys.argv[3])
# Layer sizes, activation, samples in a step, scalar: as the workload of that name.
SIZES, ACTIVATION, BATCH, SCALAR = {
    "W.tanh": ([4, 32, 16, 4], "tanh", 10_000, np.float32),
    "W.forward": ([6, 64, 8, 4], "relu", 1, np.float32),
    "W.f64": ([24, 8, 2], "tanh", 200, np.float64),
    "W.large": ([784, 2048, 2048, 10], "relu", 256, np.float32),
}[WORKLOAD]
# Distinct batches that take turns; one where a step takes all data.
BATCHES = 4 if WORKLOAD in ("W.large", "W.forward") else 1
RANDOM = np.random.default_rng(7)
INPUTS = RANDOM.uniform(-1, 1, (BATCHES, BATCH, SIZES[0])).astype(SCALAR)
if WORKLOAD == "W.large":
    TARGETS = RANDOM.integers(0, SIZES[-1], (BATCHES, BATCH))
else:
    TARGETS = RANDOM.uniform(-1, 1, (BATCHES, BATCH, SIZES[-1])).astype(SCALAR)


def torch_eager():
    import torch
    from torch import nn

    torch.set_num_threads(THREADS)
    activation = {"tanh": nn.Tanh, "relu": nn.ReLU}[ACTIVATION]
    layers = [layer for pair in zip(SIZES, SIZES[1:]) for layer in (nn.Linear(*pair), activation())][:-1]
    network = nn.Sequential(*layers).to(torch.from_numpy(INPUTS).dtype)
    inputs, targets = list(torch.from_numpy(INPUTS)), list(torch.from_numpy(TARGETS))
    report = {"peer": LIBRARY, "version": torch.__version__}
    if WORKLOAD == "W.forward":
        return report, lambda i: network(inputs[i % BATCHES]), 1, lambda: None, torch.inference_mode()
    # fused=True is the fastest on a processor.
    if WORKLOAD == "W.tanh":
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    else:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01, fused=True)
    loss = nn.CrossEntropyLoss() if WORKLOAD == "W.large" else nn.MSELoss()

    def step(i):
        optimizer.zero_grad(set_to_none=True)
        loss(network(inputs[i % BATCHES]), targets[i % BATCHES]).backward()
        optimizer.step()

    return report, step, 1, lambda: None, contextlib.nullcontext()


def jax_scan():
    if THREADS == 1:
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
    import jax
    import optax

    jax.config.update("jax_enable_x64", SCALAR is np.float64)
    jnp = jax.numpy
    activation = {"tanh": jnp.tanh, "relu": jax.nn.relu}[ACTIVATION]
    parameters = [
        (jnp.asarray(RANDOM.uniform(-1, 1, pair).astype(SCALAR) / pair[0] ** 0.5), jnp.zeros(pair[1], SCALAR))
        for pair in zip(SIZES, SIZES[1:])
    ]

    def forward(parameters, x):
        for weight, bias in parameters[:-1]:
            x = activation(x @ weight + bias)
        weight, bias = parameters[-1]
        return x @ weight + bias

    inputs, targets = jnp.asarray(INPUTS), jnp.asarray(TARGETS)
    report = {"peer": LIBRARY, "version": jax.__version__}
    if WORKLOAD == "W.forward":
        call, states = jax.jit(forward), list(inputs)
        step = lambda i: call(parameters, states[i % BATCHES]).block_until_ready()
        return report, step, 1, lambda: None, contextlib.nullcontext()

    def loss(parameters, inputs, targets):
        outputs = forward(parameters, inputs)
        if WORKLOAD == "W.large":
            return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()
        return ((outputs - targets) ** 2).mean()

    optimizer = optax.adam(1e-3) if WORKLOAD == "W.tanh" else optax.sgd(0.01)
    steps = {"W.tanh": 8, "W.f64": 200, "W.large": 4}[WORKLOAD]

    def update(state, inputs, targets):
        parameters, moments = state
        value, gradients = jax.value_and_grad(loss)(parameters, inputs, targets)
        updates, moments = optimizer.update(gradients, moments, parameters)
        return (optax.apply_updates(parameters, updates), moments), value

    # The data are arguments, chosen by the step: of constants, a part could be computed once for all steps.
    def run(state, inputs, targets):
        return jax.lax.scan(lambda state, i: update(state, inputs[i], targets[i]), state, jnp.arange(steps) % BATCHES)

    many = jax.jit(run, donate_argnums=0)
    state = [(parameters, optimizer.init(parameters))]

    def step(_):
        state[0], _ = many(state[0], inputs, targets)

    return report, step, steps, lambda: jax.block_until_ready(state[0]), contextlib.nullcontext()


report, step, steps_per_call, sync, mode = {"torch-eager": torch_eager, "jax-scan": jax_scan}[LIBRARY]()
with mode:
    peers_common.bench(
        **report, workload=WORKLOAD, threads=THREADS, batch=BATCH, step=step, steps_per_call=steps_per_call, sync=sync
    )
