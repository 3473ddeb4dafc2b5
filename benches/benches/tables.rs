//! What walks through memory without much arithmetic: rows of a table and their gradients, sums of columns. Criterion's
//! elements are the numbers that pass through.

use backprop::kernels::{Const, lookup, lookup_adjoint, sum_columns};
use backprop::simd::Instructions;
use backprop::{Random, Scalar, Seed};
use benches::workloads;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

const ROWS: usize = 1000;

fn table<T: Scalar, const WIDTH: usize>(group: &mut BenchmarkGroup<'_, WallTime>, samples: usize) {
    let (unit, mut random) = (Instructions::detect(), Random::new(Seed(7)));
    let (rows, width) = (Const::<ROWS>, Const::<WIDTH>);
    let mut numbers = |count| workloads::rows::<T, 1>(&mut random, count).into_flattened();
    let [mut table, mut out, mut sums] = [ROWS * WIDTH, samples * WIDTH, WIDTH].map(&mut numbers);
    let indices: Vec<u32> = (0..samples).map(|sample| (sample * 7919 % ROWS) as u32).collect();
    group.throughput(Throughput::Elements((samples * WIDTH) as u64));
    group.bench_function(format!("lookup/{samples}x{WIDTH}"), |bencher| {
        bencher.iter(|| lookup(unit, [samples], rows, width, &*table, 0, &*indices, 0, [1], &mut *out, 0, [WIDTH]));
    });
    for (name, accumulate) in [("lookup_adjoint", true), ("lookup_adjoint_from_zero", false)] {
        group.bench_function(format!("{name}/{samples}x{WIDTH}"), |bencher| {
            bencher.iter(|| {
                let (from, to) = (&*out, &mut *table);
                lookup_adjoint(unit, [samples], rows, width, from, 0, [WIDTH], &*indices, 0, [1], to, 0, accumulate);
            });
        });
    }
    group.bench_function(format!("sum_columns/{samples}x{WIDTH}"), |bencher| {
        bencher.iter(|| sum_columns(unit, [samples, WIDTH], &*out, 0, WIDTH, &mut *sums, 0, false));
    });
}

fn tables(criterion: &mut Criterion) {
    widths::<f32>(criterion, "tables");
    widths::<f64>(criterion, "tables in double precision");
}

fn widths<T: Scalar>(criterion: &mut Criterion, name: &str) {
    let mut group = criterion.benchmark_group(name);
    table::<T, 64>(&mut group, 16 * 64);
    table::<T, 300>(&mut group, 32);
    group.finish();
}

criterion_group!(benches, tables);
criterion_main!(benches);
