//! What walks through memory without much arithmetic: rows of a table and their gradients, sums of columns. Criterion's elements are the
//! numbers that pass through.

use backprop::kernels::{lookup, lookup_adjoint, sum_columns};
use backprop::simd::Instructions;
use backprop::{Random, Seed};
use benches::workloads::rows;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ROWS: usize = 1000;

fn tables(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tables");
    let (unit, mut random) = (Instructions::detect(), Random::new(Seed(7)));
    for (samples, width) in [(16 * 64, 64), (32, 300)] {
        let mut numbers = |count| rows::<f32, 1>(&mut random, count).into_flattened();
        let [mut table, mut out, mut sums] = [ROWS * width, samples * width, width].map(&mut numbers);
        let indices: Vec<u32> = (0..samples).map(|_| random.below(ROWS) as u32).collect();
        group.throughput(Throughput::Elements((samples * width) as u64));
        group.bench_function(format!("lookup/{samples}x{width}"), |bencher| {
            bencher.iter(|| lookup(unit, [samples], ROWS, width, &*table, 0, &*indices, 0, [1], &mut *out, 0, [width]));
        });
        group.bench_function(format!("lookup_adjoint/{samples}x{width}"), |bencher| {
            bencher.iter(|| {
                lookup_adjoint(
                    unit,
                    [samples],
                    ROWS,
                    width,
                    &*out,
                    0,
                    [width],
                    &*indices,
                    0,
                    [1],
                    &mut *table,
                    0,
                    true,
                );
            });
        });
        group.bench_function(format!("sum_columns/{samples}x{width}"), |bencher| {
            bencher.iter(|| sum_columns(unit, [samples, width], &*out, 0, width, &mut *sums, 0, false));
        });
    }
    group.finish();
}

criterion_group!(benches, tables);
criterion_main!(benches);
