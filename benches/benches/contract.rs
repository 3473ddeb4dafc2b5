//! The three products of a dense layer over a grid of shapes, as `samples x inputs x outputs`. Criterion's elements a
//! second are floating-point operations a second, to be compared with `workloads peak`.

use backprop::kernels::{Assign, Const, Dim, Matrix, contract, store};
use backprop::simd::{Instructions, Outlined, Simd, WithSimd};
use backprop::{Random, Seed};
use benches::workloads::rows;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

/// Which of a layer's products.
#[derive(Clone, Copy)]
enum Product {
    /// `y = x·w`
    Forward,
    /// `dx = dy·wᵀ`
    InputGradient,
    /// `dw = xᵀ·dy`
    WeightGradient,
}

impl Product {
    const ALL: [Self; 3] = [Self::Forward, Self::InputGradient, Self::WeightGradient];

    const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::InputGradient => "input_gradient",
            Self::WeightGradient => "weight_gradient",
        }
    }
}

/// A layer's matrices and sizes, known at compile time but for the number of samples, as in generated code.
struct Layer<K, N> {
    samples: usize,
    inputs: K,
    outputs: N,
    x: Vec<f32>,
    w: Vec<f32>,
    y: Vec<f32>,
}

impl<K: Dim, N: Dim> Layer<K, N> {
    fn new(samples: usize, inputs: K, outputs: N) -> Self {
        let mut random = Random::new(Seed(7));
        let mut numbers = |count| rows::<f32, 1>(&mut random, count).into_flattened();
        let (k, n) = (inputs.get(), outputs.get());
        Self { samples, inputs, outputs, x: numbers(samples * k), w: numbers(k * n), y: numbers(samples * n) }
    }
}

struct Run<'a, K, N>(Product, &'a mut Layer<K, N>);

impl<K: Dim, N: Dim> WithSimd for Run<'_, K, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Layer { samples, inputs, outputs, x, w, y } = self.1;
        let (machine, samples, inputs, outputs) = (Outlined(simd), *samples, *inputs, *outputs);
        let (k, n) = (inputs.get(), outputs.get());
        match self.0 {
            Product::Forward => {
                let (a, b) = (Matrix::new(&**x, 0, [], k, 1), Matrix::new(&**w, 0, [], n, 1));
                contract(machine, [], samples, inputs, outputs, a, b, (), (store(&mut **y, 0, [n, 1]),), Assign);
            }
            Product::InputGradient => {
                let (a, b) = (Matrix::new(&**y, 0, [], n, 1), Matrix::new(&**w, 0, [], 1, n));
                contract(machine, [], samples, outputs, inputs, a, b, (), (store(&mut **x, 0, [k, 1]),), Assign);
            }
            Product::WeightGradient => {
                let (a, b) = (Matrix::new(&**x, 0, [], 1, k), Matrix::new(&**y, 0, [], n, 1));
                contract(machine, [], inputs, samples, outputs, a, b, (), (store(&mut **w, 0, [n, 1]),), Assign);
            }
        }
    }
}

fn layer<const K: usize, const N: usize>(group: &mut BenchmarkGroup<'_, WallTime>, samples: usize) {
    let instructions = Instructions::detect();
    group.throughput(Throughput::Elements((2 * samples * K * N) as u64));
    for product in Product::ALL {
        let mut layer = Layer::new(samples, Const::<K>, Const::<N>);
        group.bench_function(format!("{}/{samples}x{K}x{N}", product.name()), |bencher| {
            bencher.iter(|| instructions.dispatch(Run(product, &mut layer)));
        });
    }
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("contract");
    layer::<784, 128>(&mut group, 32);
    layer::<128, 10>(&mut group, 32);
    layer::<784, 128>(&mut group, 1);
    layer::<784, 512>(&mut group, 128);
    layer::<512, 512>(&mut group, 128);
    layer::<25, 32>(&mut group, 24);
    layer::<2048, 2048>(&mut group, 256);
    group.finish();
}

criterion_group!(benches, products);
criterion_main!(benches);
