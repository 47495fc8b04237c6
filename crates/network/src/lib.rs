//! Rootless networking: pasta, published ports, resolv.conf and hosts.
