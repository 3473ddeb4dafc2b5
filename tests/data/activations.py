"""Writes activations.csv: PyTorch's elementwise functions and their derivatives in float64, to hold ours against.

    pip install torch==2.15.0
    python tests/data/activations.py > tests/data/activations.csv

A line holds a point, the value and the derivative there (as automatic differentiation finds it), and the call as a
declaration writes it. No point is a kink of any function; the defaults of options are PyTorch's own, left out here, too.
"""

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

# On both sides of each kink, small, and so large that a function written carelessly overflows.
POINTS = [-100.0, -20.0, -4.5, -2.5, -1.2, -0.7, -0.3, -1e-6, 1e-6, 0.3, 0.8, 1.3, 2.4, 4.4, 20.0, 100.0]
# For functions that are defined there only.
POSITIVE = [1e-6, 1e-3, 0.1, 0.3, 0.6, 0.9, 1.1, 1.7, 2.4, 3.0, 4.4, 7.0, 12.0, 20.0, 50.0, 100.0]


def squareplus(x, b=4.0):
    """Barron (2021); PyTorch does not have it."""
    return (x + torch.sqrt(x * x + b)) / 2


def softplus(x, **options):
    """Without PyTorch's linear approximation from beta * x = 20 on."""
    return F.softplus(x, threshold=600.0, **options)


def celu(x, alpha=1.0):
    """PyTorch's derivative of its own `celu` has the digits of float32 only, for an alpha that is not a power of 2."""
    return torch.where(x > 0, x, alpha * torch.expm1(x / alpha))


def hard_sigmoid(x):
    """PyTorch's derivative of its own `hardsigmoid` is 1/6 in float32."""
    return torch.clamp(x / 6 + 0.5, 0, 1)


ACTIVATIONS = {
    "relu()": F.relu,
    "relu6()": F.relu6,
    "tanh()": torch.tanh,
    "sigmoid()": torch.sigmoid,
    "leaky_relu()": F.leaky_relu,
    "leaky_relu(slope = 0.2)": lambda x: F.leaky_relu(x, negative_slope=0.2),
    "elu()": F.elu,
    "elu(alpha = 1.7)": lambda x: F.elu(x, alpha=1.7),
    "selu()": F.selu,
    "celu()": celu,
    "celu(alpha = 0.6)": lambda x: celu(x, alpha=0.6),
    "gelu()": F.gelu,
    "gelu(approximate = true)": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_tanh()": lambda x: F.gelu(x, approximate="tanh"),
    "silu()": F.silu,
    "swish()": F.silu,
    "mish()": F.mish,
    "softplus()": softplus,
    "softplus(beta = 2.5)": lambda x: softplus(x, beta=2.5),
    "softsign()": F.softsign,
    "log_sigmoid()": F.logsigmoid,
    "hard_sigmoid()": hard_sigmoid,
    "hard_swish()": F.hardswish,
    "hard_silu()": F.hardswish,
    "hard_tanh()": F.hardtanh,
    "hard_tanh(low = -0.5, high = 2.0)": lambda x: F.hardtanh(x, min_val=-0.5, max_val=2.0),
    "tanhshrink()": F.tanhshrink,
    "softshrink()": F.softshrink,
    "softshrink(threshold = 1.0)": lambda x: F.softshrink(x, lambd=1.0),
    "hardshrink()": F.hardshrink,
    "hardshrink(threshold = 1.0)": lambda x: F.hardshrink(x, lambd=1.0),
    "threshold()": lambda x: F.threshold(x, 0.0, 0.0),
    "threshold(threshold = 1.0, value = -0.4)": lambda x: F.threshold(x, 1.0, -0.4),
    "squareplus()": squareplus,
    "squareplus(b = 1.5)": lambda x: squareplus(x, b=1.5),
    "abs()": torch.abs,
    "sign()": torch.sign,
    "exp()": torch.exp,
    "exp_m1()": torch.expm1,
    "sin()": torch.sin,
    "cos()": torch.cos,
    "log1pexp()": softplus,
    "erf()": torch.erf,
    "neg()": torch.neg,
    "square()": torch.square,
    "powi(3)": lambda x: torch.pow(x, 3),
    "clamp(-0.5, 2.0)": lambda x: torch.clamp(x, -0.5, 2.0),
    "max(0.5)": lambda x: torch.maximum(x, torch.tensor(0.5)),
    "min(0.5)": lambda x: torch.minimum(x, torch.tensor(0.5)),
}

OF_POSITIVE = {
    "sqrt()": torch.sqrt,
    "rsqrt()": torch.rsqrt,
    "recip()": torch.reciprocal,
    "powi(-2)": lambda x: torch.pow(x, -2),
    "ln()": torch.log,
    "ln_1p()": torch.log1p,
    "powf(1.7)": lambda x: torch.pow(x, 1.7),
}


def main():
    print("point,value,derivative,call")
    for functions, points in [(ACTIVATIONS, POINTS), (OF_POSITIVE, POSITIVE)]:
        for call, function in functions.items():
            x = torch.tensor(points, requires_grad=True)
            value = function(x)
            (derivative,) = torch.autograd.grad(value.sum(), x)
            for row in zip(points, value.tolist(), derivative.tolist()):
                print(",".join([*(repr(number) for number in row), call]))


if __name__ == "__main__":
    main()
