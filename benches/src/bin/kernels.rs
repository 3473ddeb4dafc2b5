//! `kernels`: Markdown tables of the products of a dense layer over a grid of shapes, each as its share of the measured peak, in
//! single and in double precision. Numbers after `--` are shapes to be measured instead, three each.

use std::time::{Duration, Instant};

use backprop::Scalar;
use benches::peak::peak;
use benches::products::{Layer, Product};

/// Samples, inputs, outputs.
const GRID: &[[usize; 3]] = &[
    [1, 784, 128],
    [24, 25, 32],
    [32, 128, 10],
    [32, 64, 64],
    [48, 48, 64],
    [32, 784, 128],
    [120, 400, 128],
    [128, 100, 100],
    [128, 256, 256],
    [128, 512, 512],
    [128, 784, 512],
    [256, 784, 2048],
    [256, 2048, 2048],
];

const REPEATS: usize = 25;
const REPEAT: Duration = Duration::from_millis(20);

fn main() {
    let given: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let given: Vec<[usize; 3]> = given.chunks_exact(3).filter_map(|sizes| sizes.try_into().ok()).collect();
    let grid = if given.is_empty() { GRID } else { &given };
    table::<f32>("f32", grid);
    table::<f64>("f64", grid);
}

fn table<T: Scalar>(scalar: &str, grid: &[[usize; 3]]) {
    let (gflops, instructions) = peak::<T>(1);
    println!("Measured peak, 1 thread, {scalar}, {instructions}: {gflops:.1} GFLOP/s.\n");
    let names = Product::LAYER.map(Product::name);
    println!("| samples x inputs x outputs | {} |\n| --- |{}", names.join(" | "), " --- |".repeat(names.len()));
    for &[samples, inputs, outputs] in grid {
        let shares = Product::LAYER.map(|product| {
            let mut layer = Layer::<T, _, _>::new(samples, inputs, outputs);
            let operations = layer.operations() as f64;
            let seconds = least_seconds(|| layer.run(product, instructions));
            format!("{:.0} %", operations / seconds / gflops / 1e7)
        });
        println!("| {samples} x {inputs} x {outputs} | {} |", shares.join(" | "));
    }
    let (again, _) = peak::<T>(1);
    println!("\nPeak at the end: {again:.1} GFLOP/s.\n");
}

/// Seconds of one call: the least of the repeats.
fn least_seconds(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0_u32;
    while start.elapsed() < REPEAT {
        call();
        calls += 1;
    }
    let time = || {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_secs_f64() / f64::from(calls)
    };
    std::iter::repeat_with(time).take(REPEATS).fold(f64::INFINITY, f64::min)
}
