//! The table of mistakes.

super::diagnostics! {
    // ---- reading the tokens
    /// What `syn` could not read.
    "syntax" Syntax { message: String }
        "{message}",
        "`network!` takes one struct, `const` items and functions, whose bodies are Rust expressions";
    "nesting" Nesting { limit: usize }
        "this is nested more than {limit} levels deep",
        "give inner parts names with `let`, or move them into functions of their own";
    "long-statement" LongStatement { limit: usize }
        "this statement goes on for more than {limit} tokens",
        "give parts names with `let`, repeat with `for`, or move them into functions";
    "missing-struct" MissingStruct {}
        "there is no struct to declare the network's name",
        "begin with `pub struct Name;`";
    "second-struct" SecondStruct { first: String }
        "a second struct: `{first}` is declared already",
        "declare each network in a `network!` of its own";
    "generic-struct" GenericStruct { name: String }
        "`{name}` is declared with generics",
        "leave them out: the struct gets its scalar type by itself, as in `{name}<f32>`";
    "missing-forward" MissingForward {}
        "there is no function `forward`",
        "add `fn forward(x: [2]) -> [1] {{ … }}`";
    "duplicate-name" DuplicateName { what: String, name: String }
        "there is more than one {what} of the name `{name}`",
        "rename one of them";
    "reserved-name" ReservedName { name: String, owner: String }
        "`{name}` is taken by {owner}",
        "choose another name";
    "unknown-attribute" UnknownAttribute { name: String, place: String, suggestion: String }
        "`#[{name}]` means nothing {place}",
        "{suggestion}";
    "malformed-attribute" MalformedAttribute { name: String, form: String }
        "`#[{name}]` is not written like this",
        "write `{form}`";
    "clamp-bounds" ClampBounds { low: f64, high: f64 }
        "the bounds {low} and {high} leave nothing between them",
        "write the smaller one first: `#[clamp(0.0, 1.0)]`";
    "attribute-on-layer" AttributeOnLayer { name: String }
        "`#[{name}]` is for a parameter, not for a layer",
        "declare the layer's parameters one by one, or (to freeze it) say `frozen = true` in the layer";
    "field-without-value" FieldWithoutValue { name: String }
        "the parameter `{name}` has no start value",
        "give it one, such as `= glorot_uniform()`, `= zeros()` or `= 0.5`";
    "field-without-type" FieldWithoutType { name: String }
        "the shape of the parameter `{name}` is not known",
        "write it: `{name}: [3, 4] = …`";
    "field-not-real" FieldNotReal { name: String, found: String }
        "the parameter `{name}` is declared {found}, but parameters are tensors of real numbers",
        "declare a shape such as `[16]`; classes and lengths are arguments of `forward`";
    "layer-with-value" LayerWithValue { name: String }
        "`{name}` is a layer and cannot have a start value",
        "say in the layer how its parameters start, such as `dense(8, weight = he_normal())`";
    "unknown-type" UnknownType { found: String, suggestion: String }
        "`{found}` is no type of a network",
        "{suggestion}";

    // ---- sizes and constants
    "size" Size { found: String }
        "a size must be a whole number of at least 1, this is {found}",
        "sizes are literals, `const`s inside `network!`, or arithmetic with them";
    "too-large" TooLarge { shape: String, limit: String }
        "a tensor of shape {shape} has more than {limit} elements",
        "use smaller sizes";
    "constant-overflow" ConstantOverflow { operation: String }
        "`{operation}` has no finite value of 64 bits",
        "use other numbers; whole ones go up to 9223372036854775807, floats such as `1e20` further";
    "division-by-zero" DivisionByZero { operation: String }
        "`{operation}` divides a whole number by zero",
        "divide by another number, or use floats";
    "constant-type" ConstantType { name: String, declared: String, found: String }
        "`{name}` is declared `{declared}`, but its value is {found}",
        "change the type or the value: `usize` holds whole numbers, `f64` floats such as `1.0`";
    "recursive-constant" RecursiveConstant { name: String }
        "the constant `{name}` is defined by itself",
        "give it a value";
    "not-constant" NotConstant { what: String, found: String }
        "{what} must be known at compile time, this is {found}",
        "use a literal, a `const` inside `network!`, or arithmetic with them";

    // ---- names
    "outer-constant" OuterConstant { name: String }
        "`{name}` is not known inside `network!`: a macro cannot see the constants around it",
        "declare it inside: `const {name}: usize = …;`";
    "unknown-name" UnknownName { name: String, suggestion: String }
        "there is no variable `{name}` here",
        "{suggestion}";
    "unknown-function" UnknownFunction { name: String, suggestion: String }
        "there is no function or layer `{name}`",
        "{suggestion}";
    "unknown-field" UnknownField { name: String, suggestion: String }
        "the struct has no field `{name}`",
        "{suggestion}";
    "unknown-initializer" UnknownInitializer { name: String, suggestion: String }
        "`{name}` is not a way to start a parameter",
        "{suggestion}";
    "self-alone" SelfAlone {}
        "`self` alone has no value",
        "name a parameter of it: `self.w`";
    "field-is-layer" FieldIsLayer { name: String }
        "`{name}` is a layer, not a tensor",
        "call it: `self.{name}(x)`";
    "field-is-parameter" FieldIsParameter { name: String }
        "`{name}` is a parameter and cannot be called",
        "use it as `self.{name}`, for example `x.matmul(self.{name})`";
    "function-as-value" FunctionAsValue { name: String }
        "`{name}` is a function, and stands here without arguments",
        "call it: `{name}(x)`; only `scan` takes a function by its name";
    "idle-layer" IdleLayer { layer: String }
        "the parameters of `{layer}` would never be trained: its value comes neither to the outputs of `forward` nor to the loss",
        "use the value, or remove it; a `pub fn` calls `forward`, or what `forward` calls; a layer with `frozen = true` is never trained";
    "idle-parameter" IdleParameter { name: String }
        "the parameter `{name}` would never be trained: it comes neither to the outputs of `forward` nor to the loss",
        "use it there, or say that it is set by hand: `#[frozen]`";
    "unused-parameter" UnusedParameter { name: String }
        "the parameter `{name}` is never used",
        "use `self.{name}`, remove it, or begin its name with `_`";

    // ---- calls
    "missing-argument" MissingArgument { function: String, argument: String, form: String }
        "`{function}` needs {argument}",
        "write {form}";
    "too-many-arguments" TooManyArguments { function: String, count: usize, form: String }
        "`{function}` is given {count} arguments, more than it takes",
        "write {form}";
    "function-as-argument" FunctionAsArgument { function: String, name: String }
        "`{function}` takes no function such as `{name}`",
        "write it behind the call: `{function}(…).{name}()`";
    "input-width-given" InputWidthGiven { function: String }
        "`{function}` takes one number, the width of its result",
        "leave out the width of the input, which is known from what it is applied to: `{function}(width)`";
    "unknown-option" UnknownOption { function: String, name: String, suggestion: String }
        "`{function}` has no option `{name}`",
        "{suggestion}";
    "repeated-option" RepeatedOption { function: String, name: String }
        "`{name}` is given to `{function}` more than once",
        "keep one of them";
    "argument-kind" ArgumentKind { function: String, argument: String, expected: String, found: String }
        "`{argument}` of `{function}` must be {expected}, this is {found}",
        "give {expected}";
    "argument-range" ArgumentRange { function: String, argument: String, value: String, range: String }
        "`{argument}` of `{function}` must be {range}, this is {value}",
        "choose a value {range}";
    "recursion" Recursion { name: String, path: String }
        "`{name}` calls itself ({path}); functions are inlined, so this would never end",
        "repeat with `for` over a constant range, or over time with `scan`";
    "too-many-operations" TooManyOperations { limit: usize }
        "this makes the network larger than {limit} operations",
        "use fewer turns, or `scan` for steps over time";
    "too-many-turns" TooManyTurns { limit: usize }
        "loops and inlined functions take more than {limit} turns up to here",
        "use fewer turns, or `scan` for steps over time";
    "number-method" NumberMethod { function: String, found: String }
        "`{function}` needs a tensor, this is {found}",
        "give a tensor of the network";

    // ---- shapes
    "broadcast" Broadcast { operation: String, left: String, right: String, note: String }
        "`{operation}` of shapes {left} and {right}: sizes must be equal or 1, counted from the last axis\nnote: {note}",
        "bring the shapes together with `reshape`, a slice or another width";
    "matmul-inner" MatmulInner { left: String, right: String, note: String, remedy: String }
        "`matmul` needs the inner sizes to agree: {left} by {right}\nnote: {note}",
        "{remedy}";
    "matmul-rank" MatmulRank { left: String, right: String, note: String }
        "`matmul` takes [.., m, k] by [.., k, n] with equal leading axes, or [k] by [k, n]: not {left} by {right}\nnote: {note}",
        "change the shapes with `reshape` or `transpose`";
    "rank" Rank { function: String, expected: String, found: String, note: String }
        "`{function}` needs {expected}, this is {found}\nnote: {note}",
        "change the shape with `reshape`, `flatten` or an index";
    "needs-real" NeedsReal { function: String, found: String, note: String, remedy: String }
        "`{function}` needs real numbers, this is {found}\nnote: {note}",
        "{remedy}";
    "needs-class" NeedsClass { function: String, found: String, note: String }
        "`{function}` needs classes, this is {found}\nnote: {note}",
        "declare the argument as a class, such as `Class<10>` or `[Class<65>; 64]`";
    "needs-length" NeedsLength { function: String, expected: usize, found: String }
        "`length` of `{function}` must be a length of up to {expected} steps, this is {found}",
        "declare an argument `length: Length<{expected}>` and give it";
    "classes" Classes { function: String, classes: usize, rows: usize, note: String }
        "`{function}` has {rows} entries for {classes} classes\nnote: {note}",
        "declare the classes as `Class<{rows}>`, or make {classes} entries";
    "same-shape" SameShape { function: String, left: String, right: String, note: String }
        "`{function}` compares tensors of equal shapes, these are {left} and {right}\nnote: {note}",
        "correct the one that is wrong, or bring it to the other's shape with `reshape` or an index";
    "class-target" ClassTarget { logits: String, target: String, note: String }
        "`cross_entropy` needs a class for each row of logits: {logits} does not fit {target}\nnote: {note}",
        "for logits [.., 10] give `Class<10>`, `[Class<10>; ..]` or probabilities of the same shape";
    "axis" Axis { function: String, axis: i64, shape: String }
        "`{function}` is asked for axis {axis} of shape {shape}",
        "axes are counted from 0, or from the end as -1";
    "repeated-axis" RepeatedAxis { function: String, axis: i64 }
        "`{function}` is given the axis {axis} more than once",
        "name each axis once";
    "permutation" Permutation { shape: String, rank: usize }
        "`transpose` of shape {shape} needs each of its {rank} axes once",
        "name all axes in their new order, such as `transpose(axes = [1, 0])`";
    "reshape" Reshape { from: String, to: String, before: usize, after: usize }
        "{from} has {before} elements and cannot become {to} with {after}",
        "keep the number of elements";
    "concat" Concat { first: String, other: String, axis: usize }
        "`concat` along axis {axis} needs all other sizes equal: {first} and {other}",
        "make the other axes equal, or choose another axis";
    "index-range" IndexRange { index: String, size: usize, shape: String }
        "`{index}` is outside of an axis of {size}, the shape is {shape}",
        "indices go from 0, and a range ends at most at the size";
    "index-empty" IndexEmpty { range: String }
        "the range `{range}` takes nothing",
        "take at least one element";
    "index-count" IndexCount { count: usize, shape: String }
        "{count} indices for the shape {shape}",
        "give at most one index or range for each axis";
    "index-kind" IndexKind { found: String }
        "an index must be a constant number or a range, this is {found}",
        "use constants; rows by class are taken with `classes.lookup(table)`";
    "not-indexable" NotIndexable { found: String }
        "{found} cannot be indexed",
        "index tensors, or take tuples apart with `let (a, b) = …`";
    "ragged-list" RaggedList {}
        "the rows of this list have different lengths",
        "give all rows the same number of entries";
    "list-entry" ListEntry { found: String }
        "a list holds constant numbers, this is {found}",
        "use literals or constants; tensors are joined with `concat`";
    "list-too-long" ListTooLong { count: usize, limit: usize }
        "a list of {count} numbers inside a formula is longer than {limit}",
        "declare it as a frozen parameter: `#[frozen] table: [3] = [1.0, 2.0, 3.0]`";
    "literal-shape" LiteralShape { name: String, declared: String, found: String }
        "`{name}` is declared {declared}, but its start value has the shape {found}",
        "declare it {found}, or write a start value of the shape {declared}";
    "annotated-shape" AnnotatedShape { pattern: String, declared: String, found: String, note: String }
        "`{pattern}` is declared {declared}, but its value is {found}\nnote: {note}",
        "correct the shape, or leave it out";
    "argument-shape" ArgumentShape { function: String, argument: String, declared: String, found: String, note: String }
        "`{function}` declares `{argument}` as {declared}, but is given {found}\nnote: {note}",
        "give the declared shape, or leave the shape out to take any";
    "result-shape" ResultShape { function: String, declared: String, found: String, note: String, remedy: String }
        "`{function}` is declared to return {declared}, but its value is {found}\nnote: {note}",
        "{remedy}";

    // ---- statements and expressions
    "unsupported" Unsupported { what: String, remedy: String }
        "{what} cannot be used inside `network!`",
        "{remedy}";
    "pattern" Pattern { found: String }
        "this pattern cannot be used inside `network!`: {found}",
        "use a name, `_` or a tuple of these";
    "tuple-pattern" TuplePattern { expected: usize, found: String }
        "the pattern takes apart a tuple of {expected}, the value is {found}",
        "name each part of the tuple once, or `_`";
    "missing-value" MissingValue { what: String }
        "{what} has no value",
        "end it with an expression that has no `;`";
    "statement-without-effect" StatementWithoutEffect {}
        "the value of this statement is thrown away",
        "give it a name with `let`, or remove it; of what the function returns, remove only the `;`";
    "not-mutable" NotMutable { name: String }
        "`{name}` is not declared `mut`, so that it cannot be assigned",
        "write `let mut {name} = …`, or shadow it: `let {name} = …`";
    "assignment" Assignment { found: String }
        "only variables can be assigned, this is {found}",
        "compute a new value: `let y = …`";
    "assignment-in-branch" AssignmentInBranch { name: String }
        "`{name}` is assigned in a branch whose condition is known only at run time",
        "make the `if` a value: `{name} = if … {{ a }} else {{ b }};`";
    "loop-range" LoopRange { found: String }
        "`for` goes over a range of constant whole numbers, this is {found}",
        "write `for i in 0..3`; steps over time are a `scan`";
    "condition" Condition { found: String }
        "a condition must be a comparison, this is {found}",
        "compare with a number, such as `x > 0.0`";
    "if-without-else" IfWithoutElse {}
        "an `if` whose condition is known only at run time needs an `else`",
        "add `else {{ … }}` with the other value";
    "branch-mismatch" BranchMismatch { first: String, second: String }
        "the branches have values of different kinds: {first} and {second}",
        "give both branches the same shape, or shapes that broadcast";
    "operand" Operand { operation: String, found: String }
        "`{operation}` cannot be applied to {found}",
        "use numbers and tensors";
    "literal" Literal { found: String }
        "{found} has no meaning in a network",
        "use whole numbers, floats and `true` or `false`";

    // ---- scan
    "scan-cell" ScanCell { found: String }
        "`scan` takes the name of a function that makes one step, this is {found}",
        "declare `fn cell(state: [16], x: [4]) -> [16]` and write `xs.scan(cell, initial = zeros([16]))`";
    "scan-cell-arguments" ScanCellArguments { cell: String, expected: String, found: usize }
        "`{cell}` takes {found} arguments, but a cell of this scan takes {expected}",
        "take the state first (a tuple, if there are several), then an element of each sequence";
    "scan-sequence" ScanSequence { found: String }
        "`scan` goes over the first axis of a sequence, this is {found}",
        "give tensors of real numbers or classes with at least one axis";
    "scan-steps" ScanSteps { first: usize, other: usize }
        "the sequences of this scan have different numbers of steps: {first} and {other}",
        "give sequences of equal length";
    "scan-state" ScanState { cell: String, initial: String, next: String }
        "the state starts as {initial}, but `{cell}` returns {next}",
        "return the new state with the shape of the initial one; outputs are computed from the states after the scan";

    // ---- entry points, loss
    "entry-argument" EntryArgument { function: String, found: String }
        "an argument of `{function}` is a name with a type, this is `{found}`",
        "write a name, such as `x: [3]`, and take tuples apart inside";
    "entry-constant" EntryConstant { function: String, name: String, found: String, remedy: String }
        "`{name}` of `{function}` is given for each sample, but `{found}` is the type of a constant",
        "{remedy}";
    "entry-type" EntryType { function: String, name: String }
        "the type of `{name}` is not known: `{function}` is called from Rust",
        "write it, such as `{name}: [3]`, `{name}: Class<10>` or `{name}: Scalar`";
    "entry-count" EntryCount { function: String, what: String, found: usize, limit: usize }
        "`{function}` has {found} {what}, more than the {limit} that a tuple of them holds in Rust",
        "join some that have equal shapes to one tensor, such as `x: [{found}, 3]`, and take it apart by `x[0]`, `x[1]`";
    "entry-output" EntryOutput { function: String, found: String }
        "`{function}` must return a tensor of real numbers or a tuple of them, this is {found}",
        "return tensors; numbers become tensors by arithmetic with one";
    "no-input" EntryWithoutInput { function: String }
        "`{function}` has no argument that differs from sample to sample",
        "give it an input, such as `x: [3]`";
    "loss-arguments" LossArguments { outputs: usize, found: usize }
        "`loss` takes the {outputs} outputs of `forward` first, but has {found} arguments",
        "name each output, then the targets: `fn loss(y, t: [1])`";
    "loss-not-scalar" LossNotScalar { found: String, note: String }
        "the value of `loss` must be one number per sample, [] or [1], this is {found}\nnote: {note}",
        "add `.mean()` or `.sum()`";
    "loss-layer" LossLayer { layer: String }
        "`{layer}` would make parameters inside `loss`, which predictions never see",
        "call it in `forward`, or declare it as a field: `head: {layer}(…)` used as `self.head(x)`";
    "logits-activated" LogitsActivated { function: String, activation: String }
        "{function} takes logits and makes probabilities of them itself; this is what `{activation}` has made of them",
        "give it what `{activation}` is applied to; predictions of probabilities come from a `pub fn` that calls `forward` and `{activation}`";
    "masked-loss" MaskedLoss { operation: String }
        "`{operation}` of a loss that is a weighted mean (by `length` or `weights`): only sums of such losses, and products with a factor, can be averaged over a batch",
        "apply `{operation}` to the parts inside of the loss, or take the loss without `length` and `weights`";
    "masked-loss-outside" MaskedLossOutside { function: String }
        "`{function}` returns a loss with a weighted mean (by `length` or `weights`), which only `loss` can do",
        "use it in `loss`, or leave `length` and `weights` out";

    // ---- layers
    "layer-name" LayerName { name: String }
        "the name `{name}` is given to two layers of one scope",
        "each call (and each turn of a loop) makes new parameters: name them differently or leave `name` out; to share one, declare it as a field";
    "shared-shape" SharedShape { path: String, first: String, second: String }
        "`{path}` is shared by two uses, with the shapes {first} and {second}",
        "use it with inputs of equal width, or make two layers";
    "field-layer" FieldLayer { name: String, found: String, suggestion: String }
        "the field `{name}` is declared `{found}`, which is neither a shape nor a layer with parameters",
        "{suggestion}";
}
