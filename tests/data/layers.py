"""Writes layers.csv: PyTorch's layers with their gradients in float64, to hold ours against.

    pip install torch==2.15.0
    python tests/data/layers.py > tests/data/layers.csv

A line holds a number of a tensor of a case: its index counts row by row. The first axis of inputs, outputs and targets is
the batch. There are two kinds of cases:

- a layer alone: `input`, `output`, a given `output.gradient`, the `input.gradient` that follows, and each parameter
  with its gradient, such as `weight` and `weight.gradient`;
- a network: `input`, `target`, perhaps `length`, each parameter and its gradient, `output` where it is defined, and
  the `loss`, the mean cross-entropy.

Parameters are named and shaped as ours: matrices are [in, out], and an LSTM has one bias, where PyTorch has two that are
added.
"""

import math

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_default_dtype(torch.float64)

BATCH = 3


def numbers(*shape, phase=0.0, scale=1.0):
    """Numbers without a pattern, the same for everybody."""
    count = math.prod(shape)
    return (scale * torch.sin(torch.arange(count) ** 2 * 0.37 + torch.arange(count) * 1.9 + phase)).reshape(shape)


def parameter(*shape, phase, scale=0.6):
    return numbers(*shape, phase=phase, scale=scale).requires_grad_()


def write(case, **tensors):
    for name, tensor in tensors.items():
        for index, number in enumerate(tensor.flatten().tolist()):
            print(f"{case};{name.replace('__', '.')};{index};{number!r}")


def with_gradients(parameters):
    return parameters | {name + "__gradient": tensor.grad for name, tensor in parameters.items()}


def layer(case, function, **parameters):
    """A layer alone, on two rows of six numbers a sample."""
    x = numbers(BATCH, 2, 6, phase=0.5, scale=2.0).requires_grad_()
    output = function(x, **parameters)
    output_gradient = numbers(*output.shape, phase=2.0)
    output.backward(output_gradient)
    rest = dict(output=output, output__gradient=output_gradient, input__gradient=x.grad)
    write(case, input=x, **rest, **with_gradients(parameters))


def network(case, inputs, output, loss, parameters):
    loss.backward()
    write(case, **inputs, **output, loss=loss, **with_gradients(parameters))


def layers():
    row = lambda phase: parameter(6, phase=phase, scale=1.5)
    layer("dense", lambda x, weight, bias: F.linear(x, weight.T, bias), weight=parameter(6, 6, phase=1.0), bias=row(0.7))
    layer("dense_without_bias", lambda x, weight: F.linear(x, weight.T), weight=parameter(6, 6, phase=1.5))
    layer("layer_norm", lambda x, weight, bias: F.layer_norm(x, (6,), weight, bias), weight=row(0.1), bias=row(0.3))
    layer("layer_norm_with_epsilon", lambda x: F.layer_norm(x, (6,), eps=0.2))
    layer("rms_norm", lambda x, weight: F.rms_norm(x, (6,), weight, eps=1e-5), weight=row(0.2))
    layer("rms_norm_with_epsilon", lambda x: F.rms_norm(x, (6,), eps=0.2))
    layer("prelu", lambda x, slope: F.prelu(x, slope), slope=torch.tensor([0.3], requires_grad=True))
    layer("softmax", lambda x: F.softmax(x, dim=-1))
    layer("softmax_of_columns", lambda x: F.softmax(x, dim=1))
    layer("log_softmax", lambda x: F.log_softmax(x, dim=-1))
    layer("log_softmax_of_columns", lambda x: F.log_softmax(x, dim=1))
    layer("glu", F.glu)


def lstm():
    """Its last state within the length goes through a dense layer; gates are in the order i, f, g, o."""
    frames, lengths, target = numbers(BATCH, 5, 3, phase=0.7, scale=1.5), torch.tensor([5, 2, 4]), torch.tensor([1, 0, 1])
    p = dict(w=parameter(3, 16, phase=0.2), u=parameter(4, 16, phase=0.9), b=parameter(16, phase=1.7),
             head__weight=parameter(4, 2, phase=2.2), head__bias=parameter(2, phase=4.0))
    module = torch.nn.LSTM(3, 4, batch_first=True)
    packed = pack_padded_sequence(frames, lengths, batch_first=True, enforce_sorted=False)
    _, (h, _) = functional(module, dict(weight_ih_l0=p["w"].T, weight_hh_l0=p["u"].T, bias_ih_l0=p["b"],
                                        bias_hh_l0=torch.zeros(16)), packed)
    output = F.linear(h[0], p["head__weight"].T, p["head__bias"])
    inputs = dict(input=frames, length=lengths, target=target)
    network("lstm", inputs, dict(output=output), F.cross_entropy(output, target), p)


def gru():
    """In both directions, and a class for each step within the length; gates are in the order r, z, n."""
    frames, lengths = numbers(BATCH, 5, 3, phase=0.7, scale=1.5), torch.tensor([5, 2, 4])
    target = torch.tensor([[0, 1, 1, 0, 1], [1, 1, 0, 0, 0], [0, 0, 1, 0, 1]])
    p = {}
    for name, phase in [("forwards", 0.0), ("backwards", 0.45)]:
        p |= {name + "_w": parameter(3, 12, phase=phase + 0.2), name + "_u": parameter(4, 12, phase=phase + 0.9),
              name + "_b": parameter(12, phase=phase + 1.7), name + "_c": parameter(12, phase=phase + 2.6)}
    p |= dict(head__weight=parameter(8, 2, phase=2.2), head__bias=parameter(2, phase=4.0))
    module = torch.nn.GRU(3, 4, batch_first=True, bidirectional=True)
    names = dict(weight_ih_l0="w", weight_hh_l0="u", bias_ih_l0="b", bias_hh_l0="c")
    given = {name + end: p[f"{direction}_{own}"].T if own in "wu" else p[f"{direction}_{own}"]
             for name, own in names.items() for direction, end in [("forwards", ""), ("backwards", "_reverse")]}
    packed = pack_padded_sequence(frames, lengths, batch_first=True, enforce_sorted=False)
    states, _ = pad_packed_sequence(functional(module, given, packed)[0], batch_first=True, total_length=5)
    output = F.linear(states, p["head__weight"].T, p["head__bias"])
    inside = torch.arange(5) < lengths[:, None]
    loss = F.cross_entropy(output.flatten(0, 1), torch.where(inside, target, -100).flatten(), ignore_index=-100)
    # Outputs behind the length mean nothing, and differ.
    network("gru in both directions", dict(input=frames, length=lengths, target=target), {}, loss, p)


def functional(module, parameters, packed):
    """What the module makes of the sequence with those parameters, differentiably."""
    return torch.func.functional_call(module, parameters, (packed,))


def attention():
    """A block with one head on classes embedded by two tables, one of which makes the logits, too."""
    text = torch.tensor([[0, 3, 6, 3, 1], [5, 5, 5, 2, 0], [4, 1, 0, 6, 2]])
    target = torch.tensor([[3, 6, 3, 1, 4], [5, 5, 2, 0, 1], [1, 0, 6, 2, 0]])
    p = dict(table=parameter(7, 4, phase=0.1, scale=1.2), query=parameter(4, 4, phase=0.6),
             key=parameter(4, 4, phase=1.1), value=parameter(4, 4, phase=1.6), out=parameter(4, 4, phase=2.1), scale=parameter(4, phase=2.6),
             shift=parameter(4, phase=3.1), up=parameter(4, 8, phase=3.6), down=parameter(8, 4, phase=4.1),
             own__weight=parameter(7, 4, phase=4.6))
    x = F.embedding(text, p["table"]) + F.embedding(text, p["own__weight"])
    y = F.layer_norm(x, (4,), p["scale"], p["shift"])
    x = x + F.scaled_dot_product_attention(y @ p["query"], y @ p["key"], y @ p["value"], is_causal=True) @ p["out"]
    x = x + F.gelu(F.rms_norm(x, (4,), eps=1e-5) @ p["up"]) @ p["down"]
    output = x @ p["table"].T
    loss = F.cross_entropy(output.flatten(0, 1), target.flatten())
    network("attention", dict(input=text, target=target), dict(output=output), loss, p)


if __name__ == "__main__":
    print("case;tensor;index;number")
    layers()
    lstm()
    gru()
    attention()
