//! `lodger completion SHELL`: the script that a shell loads.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::completion::{Descriptions, Shell, script};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["completion"],
    operands: "{bash|zsh|fish}",
    summary: "Generate a completion script for a shell",
    about: "Writes a script for the shell, which then offers commands, options and the names of containers, images and volumes.",
    examples: &[
        "lodger completion bash > ~/.local/share/bash-completion/completions/lodger",
        "lodger completion zsh -f \"${fpath[1]}/_lodger\"",
        "lodger completion fish | source",
    ],
    count: Count::Exactly(1),
    complete: &[Complete::Words(&["bash", "zsh", "fish"])],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    file: Option<String>,
    no_desc: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("file", "string", "Write to a file instead of standard output")
            .short('f')
            .complete(Complete::File),
        set: |options, value| text(&mut options.file, value),
    },
    Opt {
        flag: Flag::switch("no-desc", "Leave out descriptions"),
        set: |options, value| switch(&mut options.no_desc, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let shell = match call.operands[0].as_str() {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        "powershell" => {
            let reason = "scripts are made for bash, zsh and fish".to_owned();
            return Err(CliError::Unsupported { what: "powershell".to_owned(), reason, hint: None });
        }
        other => return Err(call.usage(format!("{other:?} is not a valid shell: choose from bash, zsh, fish"))),
    };
    let text = script(shell, if options.no_desc { Descriptions::Hidden } else { Descriptions::Shown });
    match options.file {
        Some(path) => {
            let operation = format!("write {path:?}");
            std::fs::write(&path, text).map_err(|source| CliError::Io { operation, source })?;
        }
        None => output::print(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}
