//! Flags and keys that say something of the command or of the service, not of the container.
//!
//! They have no place in the spec: the command line and the unit reader handle them.

use super::{Complete, Flag, Form, Key};

/// Flags of `run` and `create` for the command itself; `create` has only the first.
pub static COMMAND_FLAGS: &[Flag] = &[
    Flag::with_value("attach", "STREAM", "Attach to stdin, stdout or stderr")
        .short('a')
        .complete(Complete::Words(&["stdin", "stdout", "stderr"])),
    Flag::with_value("detach-keys", "KEYS", "Keys that leave an attached container running (default ctrl-p,ctrl-q)"),
    Flag::switch("sig-proxy", "Hand signals on to the process (default true)"),
    Flag::switch("show-ops", "Print the steps that would start the container, and do not start it"),
];

/// Keys of `[Container]` for the service or the unit file.
pub static UNIT_KEYS: &[Key] = &[
    Key::new("PodmanArgs", Form::ShellWords, "Further flags of run, for options without a key"),
    Key::new("ServiceName", Form::Single, "Name of the service, without .service"),
    Key::new("ReloadCmd", Form::Command, "Command that is run inside to reload the service"),
    Key::new("ReloadSignal", Form::Single, "Signal that is sent to reload the service"),
];
