//! OCI distribution over HTTP: resolve, fetch, authenticate, retry.
