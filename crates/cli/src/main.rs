//! The `lodger` command.

fn main() {}
