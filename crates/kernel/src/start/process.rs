//! Arguments and environment as the kernel leaves them on the stack, and fork and execve with them.
//!
//! ```text
//! stack → argc | argv[0] … argv[argc-1] | NULL | envp[0] … | NULL | …
//! ```
//!
//! Nothing is copied: words and environment are handed on as they lie there, so an idle process has touched nothing.

use super::map;
use crate::arch::syscall;
use core::ffi::{CStr, c_char};
use core::ptr;
use rustix::io::{Errno, Result};
use rustix::process::Pid;

type Pointer = *const c_char;

/// What the program was started with.
pub struct Arguments {
    words: *mut Pointer,
    count: usize,
}

impl Arguments {
    /// Reads the stack of a process that has just begun.
    ///
    /// # Safety
    /// `stack` is the stack pointer that the kernel set at execve; to be called once.
    pub unsafe fn from_stack(stack: *const usize) -> Self {
        // SAFETY: the kernel put argc there, and argc pointers behind it.
        unsafe { Self { count: *stack, words: stack.add(1) as *mut Pointer } }
    }

    /// The word of this index; word 0 is the name.
    pub fn get(&self, index: usize) -> Option<&'static CStr> {
        if index >= self.count {
            return None;
        }
        // SAFETY: one of argc pointers, to a string that lives as long as the process.
        let word = unsafe { *self.words.add(index) };
        // SAFETY: null only where `part` has put an end mark, which is tested here.
        (!word.is_null()).then(|| unsafe { CStr::from_ptr(word) })
    }

    /// How many words, the name included.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The words from `start` to the end, for [`exec`]; `None` if there are none.
    pub fn rest(&self, start: usize) -> Option<Words> {
        // SAFETY: inside argv, which ends with a null pointer.
        self.get(start).map(|_| Words(unsafe { self.words.add(start) }))
    }

    /// The words from `start` up to the one at `end`, which is given up as the end mark; `None` if there are none.
    pub fn part(&mut self, start: usize, end: usize) -> Option<Words> {
        if start >= end || end >= self.count {
            return None;
        }
        self.get(start)?;
        // SAFETY: inside argv, which lies on the writable stack.
        unsafe { *self.words.add(end) = ptr::null() };
        // SAFETY: inside argv; the null that was just written ends it.
        Some(Words(unsafe { self.words.add(start) }))
    }

    /// What the program inherited.
    pub fn environment(&self) -> Environment {
        // SAFETY: the environment begins behind the null pointer that ends argv.
        Environment(unsafe { self.words.add(self.count + 1) })
    }
}

/// Words for [`exec`], at least one.
#[derive(Clone, Copy)]
pub struct Words(*const Pointer);

impl Words {
    /// The first of them.
    pub fn first(&self) -> &'static CStr {
        // SAFETY: `Arguments` makes these with at least one word, of the process's own arguments.
        unsafe { CStr::from_ptr(*self.0) }
    }
}

/// The inherited environment.
#[derive(Clone, Copy)]
pub struct Environment(*const Pointer);

impl Environment {
    /// Whether a variable of this name is set; `name` ends with `=`.
    pub fn has(&self, name: &[u8]) -> bool {
        (0..self.count()).any(|index| self.entry(index).to_bytes().starts_with(name))
    }

    fn count(&self) -> usize {
        let mut count = 0;
        // SAFETY: a null pointer ends the environment.
        while unsafe { !(*self.0.add(count)).is_null() } {
            count += 1;
        }
        count
    }

    /// The variable of this index, which must be less than the count.
    fn entry(&self, index: usize) -> &'static CStr {
        // SAFETY: before the null pointer, so a string that lives as long as the process.
        unsafe { CStr::from_ptr(*self.0.add(index)) }
    }

    /// A copy of the pointers in which `set` replaces variables of the same names.
    fn with(&self, set: &[&CStr]) -> Result<*const Pointer> {
        let table = map((self.count() + set.len() + 1) * size_of::<Pointer>())? as *mut Pointer;
        let name = |text: &'_ CStr| text.to_bytes().iter().position(|byte| *byte == b'=').unwrap_or(0);
        let replaced = |old: &CStr| set.iter().any(|new| old.to_bytes().starts_with(&new.to_bytes()[..=name(new)]));
        let kept = (0..self.count()).map(|index| self.entry(index)).filter(|old| !replaced(old));
        for (index, entry) in kept.chain(set.iter().copied()).enumerate() {
            // SAFETY: room for all of both and a null, which the fresh mapping is filled with.
            unsafe { *table.add(index) = entry.as_ptr() };
        }
        Ok(table)
    }
}

/// Which of the two one is after [`fork`].
pub enum Fork {
    /// The new process.
    Child,
    /// The old one, with the new one's number.
    Parent(Pid),
}

/// Makes a copy of the process, whose end is told by `SIGCHLD`: clone(2) with nothing shared.
///
/// Sound in a program of [`entry!`](crate::entry), which has one thread: the copy is whole.
pub fn fork() -> Result<Fork> {
    // SAFETY: without CLONE_VM the child has its own copy of memory and stack; no thread is left behind.
    let pid = unsafe { syscall(libc::SYS_clone, [libc::SIGCHLD as usize, 0, 0, 0, 0, 0]) }?;
    Ok(Pid::from_raw(pid as i32).map_or(Fork::Child, Fork::Parent))
}

/// Becomes another program: execve(2). Returns only if that fails.
///
/// `set` holds variables as `NAME=value` that replace those of the same names in `environment`.
pub fn exec(path: &CStr, words: Words, environment: Environment, set: &[&CStr]) -> Errno {
    let environment = match set {
        [] => Ok(environment.0),
        set => environment.with(set),
    };
    let environment = match environment {
        Ok(environment) => environment,
        Err(error) => return error,
    };
    let arguments = [path.as_ptr() as usize, words.0 as usize, environment as usize, 0, 0, 0];
    // SAFETY: a string, and two arrays of strings that end with a null pointer.
    match unsafe { syscall(libc::SYS_execve, arguments) } {
        Err(error) => error,
        Ok(_) => Errno::NOEXEC,
    }
}
