use backprop::prelude::*;

fn main() {
    let _ = Dataset::new([[0.0_f32; 8]; 4], vec![0.0_f32; 4]);
}
