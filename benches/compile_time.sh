#!/bin/bash
# Prints a table of compile times, in seconds, and in brackets of the processors' time: the example `digits`, and generated networks of 2 and of 100 equal layers.
#
#   benches/compile_time.sh            everything
#   benches/compile_time.sh networks   without `digits`, whose cold build also compiles what draws its curves
#
# Needs nothing but cargo. Works in a temporary folder, and only touches (not edits) a file of the repository.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$work/target CARGO_TERM_QUIET=true

# Runs a command; prints its wall time and, in brackets, the processors' time, which a busy machine changes less.
seconds() {
    local TIMEFORMAT='%R %U %S'
    { time "$@" >"$work/log" 2>&1; } 2>"$work/time" || { cat "$work/log" >&2; exit 1; }
    awk '{ printf "%.2f (%.2f)", $1, $2 + $3 }' "$work/time"
}

# Seconds in which rustc expands the macros of a package, from its own account of its passes.
expansion() {
    local lines
    lines=$(RUSTC_BOOTSTRAP=1 cargo rustc "$@" -- -Z time-passes 2>&1) || { echo "$lines" >&2; exit 1; }
    awk '/macro_expand_crate/ { gsub(";", ""); print $2 }' <<<"$lines" | tail -n 1
}

row() {
    printf '| %s | %s | %s | %s | %s |\n' "$@"
}

digits() {
    local cold rebuild development passes
    cd "$here"
    cargo fetch
    cold=$(seconds cargo build --release -p examples --example digits)
    touch examples/digits.rs
    rebuild=$(seconds cargo build --release -p examples --example digits)
    seconds cargo build -p examples --example digits >/dev/null
    touch examples/digits.rs
    development=$(seconds cargo build -p examples --example digits)
    touch examples/digits.rs
    passes=$(expansion -p examples --example digits)
    row digits "$cold" "$rebuild" "$development" "$passes"
}

# network LAYERS: a crate with a network of so many equal layers, which trains one step.
network() {
    local layers=$1 folder=$work/layers$1 rebuild development passes
    mkdir -p "$folder/src"
    cat >"$folder/Cargo.toml" <<END
[package]
name = "layers$layers"
version = "0.0.0"
edition = "2024"

[dependencies]
backprop = { path = "$here/runtime" }

[workspace]
END
    cat >"$folder/src/main.rs" <<END
use backprop::prelude::*;

network! {
    pub struct Layers;

    fn forward(x: [64]) -> [64] {
        let mut x = x;
        for _ in 0..$layers { x = x.dense(64).relu(); }
        x
    }

    fn loss(y, t: [64]) { mse(y, t) }
}

fn main() {
    let mut trainer = Trainer::<Layers, _, 32>::new(Adam::new(1e-3), Seed(7));
    println!("{:?}", trainer.step(&[[0.5; 64]; 32], &[[0.25; 64]; 32]));
}
END
    cd "$folder"
    seconds cargo build --release >/dev/null
    sed -i 's/64/65/g' src/main.rs
    rebuild=$(seconds cargo build --release)
    seconds cargo build >/dev/null
    sed -i 's/65/66/g' src/main.rs
    development=$(seconds cargo build)
    sed -i 's/66/67/g' src/main.rs
    passes=$(expansion)
    row "$layers layers" "" "$rebuild" "$development" "$passes"
}

row '' 'cold build, release' 'rebuild, release' 'rebuild, dev' 'expansion, dev'
row --- --- --- --- ---
[ "${1:-}" = networks ] || digits
network 2
network 100
