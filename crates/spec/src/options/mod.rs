//! The option table: one row for each flag of `run`/`create` and key of `[Container]`.
