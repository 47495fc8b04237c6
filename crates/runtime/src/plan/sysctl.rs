//! Kernel parameters that a container may have for itself. See sysctl(8), namespaces(7).

use crate::error::{Error, Kind};
use std::ffi::{CStr, CString};

/// A kernel parameter that belongs to a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    /// Below `/proc/sys`, with slashes.
    path: CString,
    value: Vec<u8>,
}

/// The namespace that a kernel parameter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SysctlScope {
    /// `kernel.shm*`, `kernel.msg*`, `kernel.sem`, `fs.mqueue.*`
    Ipc,
    /// `net.*`
    Net,
    /// `kernel.hostname`, `kernel.domainname`
    Uts,
}

impl Sysctl {
    /// `name` with dots or slashes, as sysctl(8) takes it.
    ///
    /// # Errors
    /// When no namespace owns the parameter, or the name is not one.
    pub fn parse(name: &str, value: &str) -> Result<Self, Error> {
        let refuse = |kind| Error::new("set sysctl", name, kind);
        let separator = name.find(['.', '/']).map(|at| name.as_bytes()[at]);
        // As sysctl(8): the first separator decides; with dots, a slash stands for a dot inside a word (`net.ipv4.conf.eth0/1.forwarding`).
        let path = match separator {
            Some(b'/') => name.to_owned(),
            _ => name
                .chars()
                .map(|c| match c {
                    '.' => '/',
                    '/' => '.',
                    c => c,
                })
                .collect(),
        };
        if path.split('/').any(|word| word.is_empty() || word == "." || word == "..") {
            return Err(refuse(Kind::Invalid("not the name of a kernel parameter")));
        }
        let sysctl = Self {
            path: CString::new(path).map_err(|_| refuse(Kind::Invalid("it holds a zero byte")))?,
            value: value.as_bytes().to_vec(),
        };
        match sysctl.scope() {
            Some(_) => Ok(sysctl),
            None => Err(refuse(Kind::Invalid("it belongs to no namespace, so setting it would change the host"))),
        }
    }

    /// Which namespace must be the container's own.
    #[must_use]
    pub fn scope(&self) -> Option<SysctlScope> {
        let path = self.path.to_bytes();
        match path {
            b"kernel/domainname" | b"kernel/hostname" => Some(SysctlScope::Uts),
            b"kernel/sem" => Some(SysctlScope::Ipc),
            _ if path.starts_with(b"kernel/shm")
                || path.starts_with(b"kernel/msg")
                || path.starts_with(b"fs/mqueue/") =>
            {
                Some(SysctlScope::Ipc)
            }
            _ if path.starts_with(b"net/") => Some(SysctlScope::Net),
            _ => None,
        }
    }

    /// Path below `/proc/sys`.
    #[must_use]
    pub fn path(&self) -> &CStr {
        &self.path
    }

    /// What is written.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}
