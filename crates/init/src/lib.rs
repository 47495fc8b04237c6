//! What runs between clone and execve, and the tiny helper processes.
#![no_std]
