//! What is known of a parameter at compile time: name, place, shape, role, start value.

/// One parameter tensor of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tensor {
    /// Full name, such as `block_2.dense_1.weight`.
    pub name: &'static str,
    /// Index of the first element in the flat view.
    pub offset: usize,
    /// Sizes; matrices are `[in, out]`. Empty for a single number.
    pub shape: &'static [usize],
    /// What the numbers mean, for optimizers that treat biases apart.
    pub role: Role,
    /// How training starts.
    pub initializer: Initializer,
    /// Whether training leaves it alone.
    pub frozen: bool,
    /// Bounds kept after every update.
    pub clamp: Option<(f64, f64)>,
}

impl Tensor {
    /// Number of elements.
    pub const fn len(&self) -> usize {
        let mut product = 1;
        let mut axis = 0;
        while axis < self.shape.len() {
            product *= self.shape[axis];
            axis += 1;
        }
        product
    }

    /// Whether there are no elements.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The part that a parameter plays in its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A matrix or kernel of a layer, or a declared parameter of rank 2 and more.
    Weight,
    /// An additive bias.
    Bias,
    /// A normalisation's scale or shift.
    Normalization,
    /// An embedding table.
    Embedding,
    /// A declared parameter of rank 0 or 1.
    Other,
}

/// A distribution of start values. `fan_in` and `fan_out` are the tensor's numbers of incoming and outgoing
/// connections: the sizes of its last two axes (`[in, out]`), other axes counted into both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initializer {
    /// All zero.
    Zeros,
    /// All the same number.
    Constant(f64),
    /// The listed numbers, row by row.
    Literal(&'static [f64]),
    /// Uniform between the bounds.
    Uniform(f64, f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform with bound `sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010).
    GlorotUniform,
    /// Normal with deviation `sqrt(2 / (fan_in + fan_out))` (Glorot and Bengio 2010).
    GlorotNormal,
    /// Uniform with bound `sqrt(6 / fan_in)` (He et al. 2015).
    HeUniform,
    /// Normal with deviation `sqrt(2 / fan_in)` (He et al. 2015).
    HeNormal,
    /// Uniform with bound `sqrt(3 / fan_in)` (LeCun et al. 1998).
    LecunUniform,
    /// Normal with deviation `sqrt(1 / fan_in)` (LeCun et al. 1998).
    LecunNormal,
    /// Rows or columns orthonormal, whichever are fewer (Saxe et al. 2014); a matrix `[n, k*n]` is made of `k`
    /// square blocks side by side, as the gates of a recurrent layer are.
    Orthogonal,
}
