//! Tasks of the project that are longer than a few lines.

fn main() {}
