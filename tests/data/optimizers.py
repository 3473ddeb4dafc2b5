"""Writes optimizers.csv: ten steps of PyTorch's optimizers in float64, to hold ours against.

    pip install torch numpy
    python tests/data/optimizers.py > tests/data/optimizers.csv

Two parameters (a weight of two numbers and a bias) follow a gradient that depends on the parameters and the step. A line
holds the case, the step, the gradient before the step (after clipping, if the case clips, in the columns c) and the
parameters after it.
"""

import math

import torch

torch.set_default_dtype(torch.float64)

SGD, ADAM, ADAMW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
NONE = None


def cosine(optimizer):
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)


def steps(optimizer):
    return torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)


def warmup(optimizer):
    return torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.25, end_factor=1.0, total_iters=3)


# name, optimizer, settings, settings of the bias, schedule, largest norm
CASES = [
    ("sgd", SGD, dict(lr=0.1), {}, NONE, NONE),
    ("sgd_decay", SGD, dict(lr=0.1, weight_decay=0.2), {}, NONE, NONE),
    ("momentum", SGD, dict(lr=0.05, momentum=0.9), {}, NONE, NONE),
    ("nesterov", SGD, dict(lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.1), {}, NONE, NONE),
    ("dampening", SGD, dict(lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.1), {}, NONE, NONE),
    ("adam", ADAM, dict(lr=0.05), {}, NONE, NONE),
    ("adam_settings", ADAM, dict(lr=0.02, betas=(0.7, 0.95), eps=1e-3, weight_decay=0.3), {}, NONE, NONE),
    ("adamw", ADAMW, dict(lr=0.05), {}, NONE, NONE),
    ("adamw_exclude", ADAMW, dict(lr=0.05, weight_decay=0.5), dict(weight_decay=0.0), NONE, NONE),
    ("adam_cosine", ADAM, dict(lr=0.05), {}, cosine, NONE),
    ("sgd_steps", SGD, dict(lr=0.1), {}, steps, NONE),
    ("adamw_warmup", ADAMW, dict(lr=0.05), {}, warmup, NONE),
    ("momentum_clip", SGD, dict(lr=0.05, momentum=0.9), {}, NONE, 0.7),
]


def main():
    print("case,step,g0,g1,g2,c0,c1,c2,w0,w1,b")
    for name, kind, settings, bias_settings, schedule, clip in CASES:
        weight = torch.nn.Parameter(torch.tensor([0.5, -0.4]))
        bias = torch.nn.Parameter(torch.tensor([0.3]))
        optimizer = kind([dict(params=[weight]), dict(params=[bias], **bias_settings)], **settings)
        scheduler = schedule(optimizer) if schedule else None
        for step in range(10):
            values = [weight[0].item(), weight[1].item(), bias[0].item()]
            gradient = [
                0.5 * value + math.sin(1.7 * index + 0.9 * step) * (index + 1) / 2
                for index, value in enumerate(values)
            ]
            weight.grad = torch.tensor(gradient[:2])
            bias.grad = torch.tensor(gradient[2:])
            if clip is not None:
                torch.nn.utils.clip_grad_norm_([weight, bias], clip)
            clipped = [*weight.grad.tolist(), *bias.grad.tolist()]
            optimizer.step()
            if scheduler:
                scheduler.step()
            after = [*weight.tolist(), *bias.tolist()]
            print(",".join([name, str(step), *(repr(number) for number in gradient + clipped + after)]))


if __name__ == "__main__":
    main()
