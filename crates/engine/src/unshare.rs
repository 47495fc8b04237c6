//! `unshare`: a command among the ids of the user's containers, with mounts of its own that end with it.

use crate::Engine;
use crate::error::{Error, Kind};
use std::os::unix::process::CommandExt;
use std::process::Command;

impl Engine {
    /// Becomes the command, as root of the namespace that the user's containers share. Returns only when that fails.
    pub fn unshare(&self, words: &[String]) -> Error {
        if !self.host.rootless() {
            return Error::invalid("please use unshare with rootless");
        }
        if let Err(error) = self.enter_namespaces() {
            return error;
        }
        let shell = || std::env::var("SHELL").ok().filter(|shell| shell.starts_with('/'));
        let (program, arguments) = match words.split_first() {
            Some((program, arguments)) => (program.clone(), arguments),
            None => (shell().unwrap_or_else(|| "/bin/sh".to_owned()), &[][..]),
        };
        let store = self.store.root();
        let failed = Command::new(&program)
            .args(arguments)
            .envs(self.inside())
            // What podman tells such a command.
            .env("CONTAINERS_GRAPHROOT", store)
            .env("CONTAINERS_RUNROOT", store)
            .exec();
        match failed.kind() {
            std::io::ErrorKind::NotFound => Error::new(Kind::CommandNotFound(program)),
            std::io::ErrorKind::PermissionDenied => Error::new(Kind::CommandNotInvocable(program)),
            _ => Error::io(format!("execute {program:?}"), failed),
        }
    }
}
