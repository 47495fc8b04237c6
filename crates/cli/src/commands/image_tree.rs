//! `lodger image tree`: the layers of an image, or what stands on it.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::size::decimal_four;
use crate::output::{self, Keep, escape};
use engine::images::Layer;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["image tree"],
    operands: "IMAGE",
    summary: "Print layer hierarchy of an image in a tree format",
    about: "Shows the layers of an image, lowest first, and which images end at each; or the layers that stand on it.",
    examples: &["lodger image tree docker.io/library/nginx", "lodger image tree --whatrequires localhost/base"],
    count: Count::Exactly(1),
    complete: &[Complete::Images],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    whatrequires: bool,
}

const OPTIONS: &[Opt<Options>] = &[Opt {
    flag: Flag::switch("whatrequires", "Show the layers of other images that stand on this one"),
    set: |options, value| switch(&mut options.whatrequires, value),
}];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let image = engine.image(&call.operands[0])?;
    let names: Vec<String> = image.names.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "Image ID: {}\nTags:     [{}]\nSize:     {}\nImage Layers\n",
        &image.id.hex()[..12],
        names.join(" "),
        decimal_four(image.size)
    );
    match options.whatrequires {
        true => branches(&engine.image_descendants(&image)?.into_iter().collect::<Vec<_>>(), "", &mut text),
        false => branches(&engine.image_layers(&image)?, "", &mut text),
    }
    text.push('\n');
    output::print(&escape(&text, Keep::Lines))?;
    Ok(ExitCode::SUCCESS)
}

/// Draws layers side by side, each with what is above it.
fn branches(layers: &[Layer], before: &str, text: &mut String) {
    for (number, layer) in layers.iter().enumerate() {
        let last = number + 1 == layers.len();
        text.push_str(&format!("{before}{}{}\n", if last { "└── " } else { "├── " }, line(layer)));
        let deeper = format!("{before}{}", if last { "    " } else { "│   " });
        branches(&layer.above, &deeper, text);
    }
}

fn line(layer: &Layer) -> String {
    let names: Vec<String> = layer.top_of.iter().map(ToString::to_string).collect();
    let top = if names.is_empty() { String::new() } else { format!(" Top Layer of: [{}]", names.join(" ")) };
    format!("ID: {} Size: {:>7}{top}", &layer.id.hex()[..12], decimal_four(layer.size))
}
