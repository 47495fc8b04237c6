//! Thin safe calls that rustix lacks, and kernel probes. The only crate with unsafe code.
