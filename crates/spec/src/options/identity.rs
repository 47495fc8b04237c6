//! Rows of the group `identity`: who the container is and what its root is made of.
//!
//! The image is the first positional on a command line and `Image=` in a unit file; `--rootfs` turns that positional
//! into a directory, so its row has a flag alone and `Rootfs=` another.

use super::row::{set_or_clear, set_switch, show_choice, show_switch};
use super::{Complete, Flag, Form, Group, Key, Opt};
use crate::container::Root;
use crate::{ContainerSpec, ParseError, name, word};
use std::collections::BTreeMap;

/// The label that says how a container's image is kept up to date.
const AUTO_UPDATE: &str = "io.containers.autoupdate";

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::with_value("name", "NAME", "Name of the container; made up when absent"),
        |spec, text| {
            name::check("container name", text)?;
            spec.identity.name = Some(text.to_owned());
            Ok(())
        },
        |spec| show_choice(&spec.identity.name),
    )
    .in_unit("ContainerName", Form::Single),
    row(
        Flag::switch("replace", "Remove a container of the same name first"),
        |spec, text| set_switch(&mut spec.identity.replace, text),
        |spec| show_switch(spec.identity.replace),
    ),
    row(
        Flag::with_value("label", "KEY=VALUE", "Add a label").short('l'),
        |spec, text| set_pair("label", &mut spec.identity.labels, text.split_once('=').unwrap_or((text, ""))),
        |spec| show_pairs(&spec.identity.labels),
    )
    .in_unit("Label", Form::Pairs),
    row(
        Flag::with_value("label-file", "FILE", "Read labels from a file, one on each line").complete(Complete::File),
        |spec, text| {
            spec.identity.label_files.push(word::plain("file name", text)?);
            Ok(())
        },
        |spec| spec.identity.label_files.clone(),
    ),
    Opt::only_key(
        Group::Identity,
        Key::new("AutoUpdate", Form::Single, "How the image is kept up to date: registry or local"),
        |spec, text| {
            let policy = word::choose("update policy", text, &[("registry", "registry"), ("local", "local")])?;
            spec.identity.labels.insert(AUTO_UPDATE.to_owned(), policy.to_owned());
            Ok(())
        },
        // The row of the labels shows it.
        |_| Vec::new(),
    ),
    row(
        Flag::with_value("annotation", "KEY=VALUE", "Add an OCI annotation"),
        |spec, text| {
            let pair = text.split_once('=');
            let pair = pair.ok_or_else(|| ParseError::new("annotation", text, "expected KEY=VALUE"))?;
            set_pair("annotation", &mut spec.identity.annotations, pair)
        },
        |spec| show_pairs(&spec.identity.annotations),
    )
    .in_unit("Annotation", Form::Pairs)
    .flag_commas(),
    row(
        Flag::with_value("cidfile", "FILE", "Write the container's ID to a file").complete(Complete::File),
        |spec, text| set_or_clear(&mut spec.identity.cidfile, text, |text| word::plain("file name", text)),
        |spec| show_choice(&spec.identity.cidfile),
    ),
    row(
        Flag::with_value("pidfile", "FILE", "Write the number of the main process to a file").complete(Complete::File),
        |spec, text| set_or_clear(&mut spec.identity.pidfile, text, |text| word::plain("file name", text)),
        |spec| show_choice(&spec.identity.pidfile),
    ),
    Opt::only_key(Group::Identity, Key::new("Image", Form::Single, "The image to run"), set_image, |spec| match &spec
        .root
    {
        Root::Image(image) if !image.is_empty() => vec![image.clone()],
        _ => Vec::new(),
    }),
    row(
        Flag::switch("rootfs", "The first argument is a directory to use as root, not an image"),
        |spec, text| {
            let mut directory = false;
            set_switch(&mut directory, text)?;
            // The path is the positional, which comes after all flags.
            match (directory, &spec.root) {
                (true, Root::Image(_)) => spec.root = Root::Directory { path: String::new(), overlay: false },
                (false, Root::Directory { .. }) => spec.root = Root::default(),
                _ => {}
            }
            Ok(())
        },
        |spec| show_switch(matches!(spec.root, Root::Directory { .. })),
    )
    .other_keys(|_| Vec::new()),
    Opt::only_key(
        Group::Identity,
        Key::new(
            "Rootfs",
            Form::Single,
            "A directory to use as root instead of an image; :O behind it keeps changes apart",
        ),
        |spec, text| {
            if spec.root != Root::default() {
                return Err(ParseError("a container has an image or a root directory, not both".to_owned()));
            }
            spec.root = parse_directory(text)?;
            Ok(())
        },
        |spec| show_directory(&spec.root),
    ),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Identity, flag, set, show)
}

fn set_pair(what: &str, map: &mut BTreeMap<String, String>, (key, value): (&str, &str)) -> Result<(), ParseError> {
    let key = word::plain(&format!("{what} name"), key)?;
    map.insert(key, value.to_owned());
    Ok(())
}

fn show_pairs(map: &BTreeMap<String, String>) -> Vec<String> {
    map.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn set_image(spec: &mut ContainerSpec, text: &str) -> Result<(), ParseError> {
    if matches!(spec.root, Root::Directory { .. }) {
        return Err(ParseError("a container has an image or a root directory, not both".to_owned()));
    }
    spec.root = Root::Image(word::solid("image name", text)?);
    Ok(())
}

fn parse_directory(text: &str) -> Result<Root, ParseError> {
    let (path, overlay) = match text.strip_suffix(":O") {
        Some(path) => (path, true),
        None => (text, false),
    };
    Ok(Root::Directory { path: word::plain("root directory", path)?, overlay })
}

fn show_directory(root: &Root) -> Vec<String> {
    match root {
        Root::Directory { path, overlay: true } => vec![format!("{path}:O")],
        Root::Directory { path, overlay: false } => vec![path.clone()],
        Root::Image(_) => Vec::new(),
    }
}

/// The first positional of a command line: an image, or a directory if `--rootfs` was given.
pub(super) fn set_operand(spec: &mut ContainerSpec, text: &str) -> Result<(), ParseError> {
    match spec.root {
        Root::Directory { .. } => {
            spec.root = parse_directory(text)?;
            Ok(())
        }
        Root::Image(_) => set_image(spec, text),
    }
}

/// The positional that `set_operand` makes the root of; nothing while it is open.
pub(super) fn operand(spec: &ContainerSpec) -> Option<String> {
    match &spec.root {
        Root::Image(image) => Some(image.clone()).filter(|image| !image.is_empty()),
        root => show_directory(root).pop(),
    }
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("name", "[a-z0-9][a-z0-9_.-]{0,12}"),
    ("replace", "true|false"),
    ("label", "[a-z.]{1,9}(=\\PC{0,12})?|[a-z]=[ \"'\\\\\n\t%$#;a]{0,9}"),
    ("label-file", "/?[a-z ,\"']{1,9}"),
    ("AutoUpdate", "registry|local"),
    ("annotation", "[a-z.]{1,9}=\\PC{0,12}|[a-z]=[ \"'\\\\\n\t,a]{0,9}"),
    ("cidfile", "/run/[a-z ]{1,9}|\"[a-z]\"|"),
    ("pidfile", "/run/[a-z\\\\]{1,9}"),
    ("Image", "[a-z./:@]{1,20}"),
    ("rootfs", "false"),
    ("Rootfs", "(/srv)?/[a-z \"\\\\]{1,9}(:O)?"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("name", "web", &["web"]),
                ("replace", "true", &["true"]),
                ("label", "a=b=c", &["a=b=c"]),
                ("label", "a", &["a="]),
                ("label-file", "/l", &["/l"]),
                ("AutoUpdate", "registry", &[]),
                ("annotation", "a=1,b=2", &["a=1", "b=2"]),
                ("cidfile", "/c", &["/c"]),
                ("pidfile", "/p", &["/p"]),
                ("Image", "localhost/web:1", &["localhost/web:1"]),
                ("rootfs", "true", &["true"]),
                ("Rootfs", "/srv/root:O", &["/srv/root:O"]),
            ],
        );
        let spec = checks::set("AutoUpdate", "local").unwrap();
        assert_eq!(spec.identity.labels["io.containers.autoupdate"], "local");
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("name", "-x", "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"),
            ("label", "=x", "must not be empty"),
            ("annotation", "x", "expected KEY=VALUE"),
            ("AutoUpdate", "hourly", "expected registry or local"),
            ("Image", "a b", "must not contain white space"),
            ("Image", "", "must not be empty"),
            ("Rootfs", ":O", "must not be empty"),
        ]);
    }
}
