//! `lodger __complete -- WORDS…`: what the shells' scripts ask. The last word is the one being written.

use crate::command::{Command, Count, Invocation, Visibility};
use crate::completion;
use crate::error::Result;
use crate::output;
use spec::options::Complete;
use spec::options::parse::Order;
use std::process::ExitCode;

pub(crate) const COMMAND: Command = Command {
    paths: &["__complete", "__completeNoDesc"],
    operands: "WORDS...",
    summary: "Answer a shell's question",
    about: "Lists what could stand in place of the last word.",
    order: Order::FlagsFirst,
    count: Count::Any,
    visibility: Visibility::Hidden,
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let mut answer = completion::answer(&call.operands, &names);
    if call.path == "__completeNoDesc" {
        answer.candidates.iter_mut().for_each(|(_, about)| about.clear());
    }
    output::print(&answer.lines())?;
    Ok(ExitCode::SUCCESS)
}

/// Names there are now; a store that cannot be read offers none.
fn names(_: Complete) -> Vec<(String, String)> {
    Vec::new()
}
