//! The tasks of the project that are longer than a few lines, and what tests of other crates share with them.
//!
//! | module | what it does |
//! |---|---|
//! | `host` | boots and enters a test host: systemd, users, registries |
//! | `vm` | boots a virtual machine: limits, reboots, power cuts |
//! | `image` | builds images without a network, also hostile ones |
//! | `debian` | root file systems from Debian's mirror |
//! | `ability` | what this machine cannot do, with the reason |
//! | `demo` | shows a service from nothing to a page |
//! | `bench` | measures lodger beside its peers |
//! | `torture` | kills, crowds, long runs and full disks, for hours if asked |
//! | `fuzz` | inputs that nobody wrote, for what reads words from outside |
//! | `suite` | runs every test of the project and counts |
//! | `case`, `cases` | what a whole-host test case is written with, and the cases |
//! | `rules` | who may import whom, and what a file looks like |
//! | `build` | builds lodger itself |
//! | `owner` | whose host or machine one is, and whether they are gone |
//! | `process` | runs other programs, bounded |
//! | `paths`, `digest` | where things lie, and how they are named |

pub mod ability;
pub mod bench;
pub mod build;
pub mod case;
pub mod cases;
pub mod debian;
pub mod demo;
pub mod digest;
pub mod fuzz;
pub mod host;
pub mod image;
mod owner;
pub mod paths;
pub mod process;
mod random;
pub mod rules;
pub mod suite;
pub mod torture;
pub mod vm;
