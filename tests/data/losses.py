"""Writes losses.csv: PyTorch's losses and their gradients in float64, to hold ours against.

    pip install torch==2.15.0
    python tests/data/losses.py > tests/data/losses.csv

A line holds a number of a tensor of a case: its index counts row by row. Each case has the tensors `prediction` and
`target`, the `value` of the loss and its `gradient` with respect to the predictions. The first axis of predictions and
targets is the batch. Settings of a case stand in its name.
"""

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

# Huber's cases have distances on both sides of delta.
REAL = torch.tensor([[0.2, -1.4, 3.1, 0.9], [-2.2, 0.4, -0.3, 5.0], [1.1, 1.2, -40.0, 33.0]])
SHARES = torch.tensor([[0.0, 1.0, 0.3, 0.75], [1.0, 0.0, 0.5, 0.9], [0.25, 0.6, 1.0, 0.0]])
PROBABILITIES = torch.tensor([[0.1, 0.9, 0.5, 1e-9], [0.999, 0.3, 0.02, 0.6], [0.25, 1e-11, 0.8, 1.0 - 1e-9]])

# Logits of five classes: in single places, and in sequences of four.
LOGITS = torch.tensor([[0.3, -1.2, 2.0, 0.0, 0.7], [30.0, -30.0, 0.1, 5.0, -4.0], [0.4, 0.4, 0.4, 0.4, -800.0]])
CLASSES = torch.tensor([2, 3, 0])
DISTRIBUTIONS = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2]])
SEQUENCES = torch.sin(torch.arange(60) * 1.3).reshape(3, 4, 5) * 3
TAGS = torch.tensor([[0, 4, 2, 1], [3, 3, 1, 0], [2, 0, 4, 4]])
LENGTHS = [3, 1, 4]
WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 0.0, 3.0])


def sequences(logits, tags, **options):
    """A mean over the places of the whole batch that lie within the lengths."""
    inside = torch.arange(4) < torch.tensor(LENGTHS)[:, None]
    tags = torch.where(inside, tags, -100)
    return F.cross_entropy(logits.flatten(0, 1), tags.flatten(), ignore_index=-100, **options)


CASES = {
    "mse": (F.mse_loss, REAL, SHARES),
    "mae": (F.l1_loss, REAL, SHARES),
    "huber": (F.huber_loss, REAL, SHARES),
    "huber(delta=0.4)": (lambda y, t: F.huber_loss(y, t, delta=0.4), REAL, SHARES),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, REAL, SHARES),
    "binary_cross_entropy": (F.binary_cross_entropy, PROBABILITIES, SHARES),
    "cross_entropy": (F.cross_entropy, LOGITS, CLASSES),
    "cross_entropy(label_smoothing=0.1)": (lambda y, t: F.cross_entropy(y, t, label_smoothing=0.1), LOGITS, CLASSES),
    "cross_entropy of distributions": (F.cross_entropy, LOGITS, DISTRIBUTIONS),
    "cross_entropy(label_smoothing=0.1) of distributions": (
        lambda y, t: F.cross_entropy(y, t, label_smoothing=0.1),
        LOGITS,
        DISTRIBUTIONS,
    ),
    "cross_entropy of sequences": (lambda y, t: F.cross_entropy(y.flatten(0, 1), t.flatten()), SEQUENCES, TAGS),
    "cross_entropy(weights)": (lambda y, t: F.cross_entropy(y, t, weight=WEIGHTS), LOGITS, CLASSES),
    "cross_entropy(length)": (sequences, SEQUENCES, TAGS),
    "cross_entropy(label_smoothing=0.2,weights,length)": (
        lambda y, t: sequences(y, t, weight=WEIGHTS, label_smoothing=0.2),
        SEQUENCES,
        TAGS,
    ),
}


def main():
    print("case;tensor;index;number")
    for case, (loss, prediction, target) in CASES.items():
        prediction = prediction.clone().requires_grad_()
        value = loss(prediction, target)
        (gradient,) = torch.autograd.grad(value, prediction)
        tensors = dict(prediction=prediction, target=target, value=value, gradient=gradient)
        for tensor, numbers in tensors.items():
            for index, number in enumerate(numbers.flatten().tolist()):
                print(f"{case};{tensor};{index};{number!r}")


if __name__ == "__main__":
    main()
