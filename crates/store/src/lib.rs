//! Images, layers, containers and volumes on disk.
