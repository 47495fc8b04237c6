//! `lodger __complete -- WORDS…`: what the shells' scripts ask. The last word is the one being written.

use crate::command::{Command, Count, Invocation, Visibility};
use crate::completion;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;
use engine::containers::{Container, Listed};
use engine::{Engine, ImageRecord};
use spec::options::Complete;
use spec::options::parse::Order;

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
    let mut answer = completion::answer(&call.operands, &|wanted| names(&call, wanted));
    if call.path == "__completeNoDesc" {
        answer.candidates.iter_mut().for_each(|(_, about)| about.clear());
    }
    output::print(&answer.lines())?;
    Ok(ExitCode::SUCCESS)
}

/// Names there are now, with what tells them apart; a store that cannot be read offers none.
fn names(call: &Invocation, wanted: Complete) -> Vec<(String, String)> {
    let Ok(engine) = engine(call) else { return Vec::new() };
    let quiet = &mut |_| {};
    match wanted {
        Complete::Containers | Complete::Running => {
            let listed = if wanted == Complete::Running { Listed::Running } else { Listed::All };
            let found = engine.containers(listed, quiet).unwrap_or_default();
            let image = |container: &Container| container.record.image.as_ref().map(|image| image.name.clone());
            found.iter().map(|one| (one.record.name.clone(), image(one).unwrap_or_default())).collect()
        }
        Complete::Images => {
            let found = engine.images(quiet).unwrap_or_default();
            let mut names: Vec<(String, String)> = found.iter().flat_map(image_names).collect();
            names.sort();
            names
        }
        Complete::Volumes => {
            let found = engine.volumes(quiet).unwrap_or_default();
            found.into_iter().map(|volume| (volume.name, String::new())).collect()
        }
        Complete::Secrets => {
            let found = engine.secrets(quiet).unwrap_or_default();
            found.into_iter().map(|secret| (secret.name, secret.id)).collect()
        }
        _ => Vec::new(),
    }
}

/// Every name in full, and without its registry where somebody would leave that out.
fn image_names(image: &ImageRecord) -> Vec<(String, String)> {
    let id = image.id.hex().chars().take(12).collect::<String>();
    if image.names.is_empty() {
        return vec![(id, "<none>".to_owned())];
    }
    let short = |name: &str| name.rsplit('/').next().map(str::to_owned).filter(|short| short != name);
    let both = |name: String| short(&name).into_iter().chain([name]).collect::<Vec<_>>();
    image.names.iter().flat_map(|name| both(name.to_string())).map(|name| (name, id.clone())).collect()
}

/// The store of the command line that is being written.
fn engine(call: &Invocation) -> engine::Result<Engine> {
    let mut words = call.operands.iter();
    let mut root = None;
    while let Some(word) = words.next().filter(|word| word.starts_with('-')) {
        root = match word.strip_prefix("--root") {
            Some("") => words.next().cloned(),
            Some(value) => value.strip_prefix('=').map(str::to_owned),
            None => root,
        };
    }
    Engine::open(root.map(Into::into))
}
