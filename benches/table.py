#!/usr/bin/env python3
"""Runs the workloads and prints a Markdown table of them, with shares of the measured peak.

    benches/table.py [--threads "1 2"] [--workloads "W1 W2"] [--rounds N] [--save FILE]
    benches/table.py --from FILE                                     prints kept lines again

With --rounds, everything runs so often, in turn, and the table has the least of all rounds, the median
of their medians, and the highest peak and memory: what disturbs a library in one round rarely does in
all of them. What fails is said below the table.

PEERS=…/run.sh also runs that harness for other libraries in the same sitting, and `peers` here, with
the Python that the harness has set up, for the workloads that it does not know. PEER_NAMES chooses
which (default "jax-scan torch-eager candle-cpu dfdx-cpu burn-flex+keep", the last one in the
harness only), PEERS_TARGET is the folder of the harness's
Rust builds, and its other variables are passed on. PRIORITY=1 runs everything with real-time priority
(chrt), for a machine that is not idle. One thread is pinned to the last CPU.

Two shares of the peak are given. The *usual* one counts 2 operations a multiply-add and three times
the forward pass, as other libraries' tables do; it counts an input gradient for the first layer,
which nobody needs. The *needed* one leaves that out, and so says what the processor was really
asked for: it cannot pass 100 %, and a line above 102 % makes the whole run invalid.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# Workload: layer sizes, and whether it is a training step.
NETWORKS = {
    "W1": ([2, 2, 1], True),
    "W2": ([784, 128, 10], True),
    "W3": ([784, 512, 512, 10], True),
    "W8.mlp": ([784, 128, 10], False),
    "W.tanh": ([4, 32, 16, 4], True),
    "W.forward": ([6, 64, 8, 4], False),
    "W.f64": ([24, 8, 2], True),
    "W.large": ([784, 2048, 2048, 10], True),
}
# The workloads that the harness knows, and the libraries that `peers` knows.
PEER_WORKLOADS = ["W1", "W2", "W3", "W8.mlp"]
PYTHON_PEERS = ["jax-scan", "torch-eager"]
RUST_PEERS = ["candle-cpu", "dfdx-cpu"]


def operations(workload):
    """Operations of one sample: as usually counted, and as needed."""
    sizes, training = NETWORKS[workload]
    layers = [2 * a * b for a, b in zip(sizes, sizes[1:])]
    usual = sum(layers) * (3 if training else 1)
    return usual, usual - layers[0] * training


def pinned(command, threads):
    cpus = os.cpu_count() or 1
    if shutil.which("taskset"):
        chosen = f"{cpus - 1}" if threads == 1 else f"0-{threads - 1}"
        command = ["taskset", "-c", chosen, *command]
    return command


# Seconds that one result of `peers` may take. (The harness has a limit of its own.)
LIMIT = 300


def lines_of(command, environment=None):
    with tempfile.NamedTemporaryFile("r") as memory:
        # Linux counts the memory of whoever starts a process as that of the process: Python's 15 MB if it asked by itself
        # (`os.wait4`), hardly anything with `time` in between.
        if sys.platform == "linux" and shutil.which("time"):
            command = [shutil.which("time"), "-f", "%M", "-o", memory.name, *command]
        if os.environ.get("PRIORITY") and shutil.which("chrt"):
            command = ["chrt", "-f", "1", *command]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        # Before it, `time` may complain of how the program ended.
        kilobytes = memory.read().split()[-1:]
    for line in lines:
        if kilobytes and "step_us_min" in line:
            line.setdefault("peak_memory_kb", int(kilobytes[0]))
    return lines


def build(folder, options, environment=None):
    """Builds a program, and tells where it lies."""
    command = ["cargo", "build", "--release", "--message-format", "json", *options]
    built = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout
    messages = [json.loads(line) for line in built.splitlines() if line.startswith("{")]
    return [message["executable"] for message in messages if message.get("executable")][-1]


class Peers:
    """Other libraries: those of the harness, and for the workloads that it does not know those of `peers`."""

    def __init__(self, harness, names):
        self.harness, self.names = harness, names.split()
        folder = os.path.dirname(os.path.abspath(harness))
        self.environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        self.environment.pop("CARGO_TARGET_DIR", None)
        if os.environ.get("PEERS_TARGET"):
            self.environment["CARGO_TARGET_DIR"] = os.environ["PEERS_TARGET"]
        self.python = os.path.join(os.environ.get("PEERS_VENV") or os.path.join(folder, "venv"), "bin", "python")
        self.rust = None
        if any(name in RUST_PEERS for name in self.names):
            # What these libraries ask for: they choose their vectors while they are compiled.
            native = {**os.environ, "RUSTFLAGS": "-C target-cpu=native"}
            self.rust = build(os.path.join(HERE, "peers"), [], native)

    def lines(self, name, workload, threads):
        count = str(threads)
        environment = {**self.environment, "OMP_NUM_THREADS": count, "RAYON_NUM_THREADS": count}
        if workload in PEER_WORKLOADS:
            command = ["bash", self.harness, "-p", name, "-w", workload, "-t", count]
        elif name in PYTHON_PEERS:
            command = self.limited([self.python, os.path.join(HERE, "peers", "peers.py"), name, workload], threads)
        elif name in RUST_PEERS:
            command = self.limited([self.rust, name, workload], threads)
        else:
            return []
        return lines_of(command, environment) or [
            {"peer": name, "workload": workload, "threads": threads, "failed": "no result"}
        ]

    @staticmethod
    def limited(command, threads):
        limit = ["timeout", "--signal", "KILL", str(LIMIT)] if shutil.which("timeout") else []
        return pinned([*limit, *command, str(threads)], threads)


def run(workloads, threads, rounds):
    binary = build(os.path.dirname(HERE), ["-p", "benches", "--bin", "workloads"])
    names = os.environ.get("PEER_NAMES", "jax-scan torch-eager candle-cpu dfdx-cpu burn-flex+keep")
    peers = Peers(os.environ["PEERS"], names) if os.environ.get("PEERS") else None
    lines = []

    def add(new):
        for line in new:
            lines.append(line)
            print(json.dumps(line), file=sys.stderr, flush=True)

    def ours(name, count):
        add(lines_of(pinned([binary, name, "--threads", str(count)], count)))

    # What is compared lies close together in time: the libraries, and one library's numbers of threads.
    for workload in workloads * rounds:
        for count in threads:
            ours("peak", count)
            ours(workload, count)
        # One library at a time, whose memory is then the most that any process of its run took.
        for name in peers.names if peers else []:
            for count in threads:
                add(peers.lines(name, workload, count))
    return lines


def summary(lines):
    """One line for each workload, number of threads and library, of those of all rounds."""
    groups = {}
    for line in lines:
        if line.get("workload") in NETWORKS:
            groups.setdefault((line["workload"], line["threads"], line["peer"]), []).append(line)
    for group in groups.values():
        done = [line for line in group if "failed" not in line]
        if done:
            best = dict(min(done, key=lambda line: line["step_us_min"]))
            best["step_us_median"] = statistics.median(line["step_us_median"] for line in done)
            if "peak_memory_kb" in best:
                best["peak_memory_kb"] = max(line["peak_memory_kb"] for line in done)
            yield best
        else:
            yield group[0]


def microseconds(value):
    return f"{value:.4f}" if value < 1 else f"{value:.4g}"


def table(lines):
    peaks = {}
    for line in lines:
        if "gflops" in line:
            key = (line["threads"], line.get("scalar", "f32"))
            peaks[key] = max(line["gflops"], peaks.get(key, 0))
    for (threads, scalar), peak in sorted(peaks.items()):
        print(f"Measured peak, {threads} thread{'s' * (threads > 1)}: {peak:.1f} GFLOP/s ({scalar} multiply-adds).")
    print()
    print("| workload | threads | library | least, us | median, us | GFLOP/s | usual share | needed share | memory, MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    valid = True
    order = list(NETWORKS)
    for line in sorted(summary(lines), key=lambda line: (order.index(line["workload"]), line["threads"])):
        head = f"| {line['workload']} | {line['threads']} | {line['peer']} |"
        if "failed" in line:
            print(f"{head} {line['failed']} | | | | | |")
            continue
        least, memory = line["step_us_min"], line.get("peak_memory_kb")
        cells = [microseconds(least), microseconds(line["step_us_median"])]
        usual, needed = (count * line["batch"] / least / 1e3 for count in operations(line["workload"]))
        peak = peaks.get((line["threads"], "f64" if line["workload"] == "W.f64" else "f32"))
        # Operations say nothing where the time is latency or bandwidth.
        if peak and line["workload"] not in ("W1", "W8.mlp", "W.forward"):
            cells += [f"{usual:.1f}", f"{100 * usual / peak:.0f} %", f"{100 * needed / peak:.1f} %"]
            valid &= needed <= 1.02 * peak
        else:
            cells += ["", "", ""]
        cells.append(f"{memory / 1024:.1f}" if memory else "")
        print(head, " | ".join(cells), "|")
    if not valid:
        print("\nINVALID: a share above 102 % of the measured peak.")
    failed = [line for line in lines if "failed" in line]
    for line in failed:
        print(f"\nFAILED: {line['workload']} with {line['threads']} threads in {line['peer']}: {line['failed']}")
    return valid and not failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="1")
    parser.add_argument("--workloads", default=" ".join(NETWORKS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--save")
    parser.add_argument("--from", dest="source")
    options = parser.parse_args()
    if options.source:
        with open(options.source) as file:
            lines = [json.loads(line) for line in file if line.startswith("{")]
    else:
        lines = run(options.workloads.split(), [int(count) for count in options.threads.split()], options.rounds)
    if options.save:
        with open(options.save, "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
    sys.exit(0 if table(lines) else 1)


main()
