//! Quadlet unit files to and from a ContainerSpec. Pure: no I/O.
