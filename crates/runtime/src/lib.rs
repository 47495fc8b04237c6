//! Plan to ops to a live process; exec, signals, wait; the seccomp compiler.
