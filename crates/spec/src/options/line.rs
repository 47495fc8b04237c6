//! A whole command line to a spec and back.
//!
//! `args` writes the flags in the order of the table, then the image, then the command; `read` of it gives the same
//! spec again. `ExecStart=` and the recorded command are `args`.

use super::parse::{Order, Parsed, UsageError, parse};
use super::{Flag, Opt, UNSUPPORTED, Unsupported, Value, Verb, identity, table};
use crate::ContainerSpec;

/// What a command line of `run` or `create` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Of the container.
    pub spec: ContainerSpec,
    /// Of the command: index into the further flags, and value, in the order given.
    pub further: Vec<(usize, String)>,
}

/// The flags of a command that set something in the spec, in the order of the table.
pub fn flags(verb: Verb) -> Vec<&'static Flag> {
    rows(verb).into_iter().filter_map(|row| row.flag.as_ref()).collect()
}

/// Reads the words after `run` or `create`. `further` are flags of the command's own, reported and not interpreted.
/// Without any positional the image stays empty.
pub fn read(verb: Verb, further: &[&Flag], args: &[String]) -> Result<Line, UsageError> {
    let mut spec = ContainerSpec::default();
    let parsed = apply(&mut spec, verb, further, args, Order::FlagsFirst)?;
    if let Some((operand, command)) = parsed.positionals.split_first() {
        identity::set_operand(&mut spec, operand).map_err(UsageError::BadOperand)?;
        spec.process.command = command.to_vec();
    }
    Ok(Line { spec, further: parsed.given })
}

/// Sets in a spec what flags say. What is left are the further flags, by their index, and the positionals.
pub fn apply(
    spec: &mut ContainerSpec,
    verb: Verb,
    further: &[&Flag],
    args: &[String],
    order: Order,
) -> Result<Parsed, UsageError> {
    let rows = rows(verb);
    let refused: Vec<&'static Unsupported> =
        UNSUPPORTED.iter().filter(|row| row.verbs.has(verb) && row.flag.is_some()).collect();
    let working = rows.iter().filter_map(|row| row.flag.as_ref());
    let known: Vec<&Flag> =
        working.chain(further.iter().copied()).chain(refused.iter().filter_map(|row| row.flag.as_ref())).collect();
    let mut parsed = parse(&known, args, order)?;
    let mut left = Vec::new();
    for (index, value) in parsed.given {
        if let Some(row) = rows.get(index) {
            let wrong = |source| UsageError::bad_value(known[index], &value, source);
            row.set_from_flag(spec, &value).map_err(wrong)?;
        } else if index < rows.len() + further.len() {
            left.push((index - rows.len(), value));
        } else {
            let row = refused[index - rows.len() - further.len()];
            return Err(UsageError::Unsupported {
                name: known[index].long.to_owned(),
                reason: row.reason,
                hint: row.hint,
            });
        }
    }
    parsed.given = left;
    Ok(parsed)
}

/// The words after `run` that give this spec.
pub fn args(spec: &ContainerSpec) -> Vec<String> {
    let mut words: Vec<String> = table().flat_map(|row| flag_args(row, &row.flag_values(spec))).collect();
    let operand = identity::operand(spec);
    if operand.is_some() || !spec.process.command.is_empty() {
        let operand = operand.unwrap_or_default();
        if operand.starts_with('-') {
            words.push("--".to_owned());
        }
        words.push(operand);
    }
    words.extend(spec.process.command.iter().cloned());
    words
}

/// One word for each value of a row's flag; none if it has no flag.
pub fn flag_args(row: &Opt, values: &[String]) -> Vec<String> {
    let Some(flag) = &row.flag else {
        return Vec::new();
    };
    let word = |value: &String| match (flag.value, value.as_str()) {
        (Value::Switch, "true") => format!("--{}", flag.long),
        _ => format!("--{}={value}", flag.long),
    };
    values.iter().map(word).collect()
}

/// The rows that a command has flags for.
fn rows(verb: Verb) -> Vec<&'static Opt> {
    table().filter(|row| row.flag.is_some() && row.verbs.has(verb)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Root;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_command_line_becomes_a_spec_and_the_same_line_in_order() {
        let line = "-itp8080:80 -e A=1 --rm --net none --name web -v /srv:/srv:ro localhost/web:1 sh -c --rm";
        let read = read(Verb::Run, &[], &words(line)).unwrap();
        assert_eq!(read.spec.process.command, ["sh", "-c", "--rm"]);
        assert_eq!(
            args(&read.spec).join(" "),
            "--name=web --env=A=1 --interactive --tty --volume=/srv:/srv:ro --network=none --publish=8080:80 --rm \
             localhost/web:1 sh -c --rm"
        );
    }

    #[test]
    fn rootfs_makes_the_operand_a_directory() {
        for (line, path, overlay) in [("--rootfs ./root:O", "./root", true), ("--rootfs -- -root", "-root", false)] {
            let spec = read(Verb::Run, &[], &words(line)).unwrap().spec;
            assert_eq!(spec.root, Root::Directory { path: path.to_owned(), overlay });
            assert_eq!(read(Verb::Run, &[], &args(&spec)).unwrap().spec, spec);
        }
    }

    #[test]
    fn the_command_s_own_flags_are_handed_back() {
        let further = [&Flag::switch("sig-proxy", "")];
        let line = read(Verb::Run, &further, &words("--rm --sig-proxy=false image")).unwrap();
        assert_eq!(line.further, [(0, "false".to_owned())]);
        assert!(line.spec.lifecycle.remove);
    }

    #[test]
    fn mistakes_name_the_flag_the_value_and_what_was_expected() {
        for (verb, line, message, hint) in [
            (
                Verb::Run,
                "--pod x image",
                "--pod cannot be used: pods are not supported yet",
                Some("--network=container:"),
            ),
            (Verb::Run, "--pubish 80 image", "unknown flag: --pubish", Some("did you mean --publish?")),
            (Verb::Create, "--rmi image", "unknown flag: --rmi", None),
            (Verb::Create, "-d image", "unknown shorthand flag: 'd' in -d", None),
            (Verb::Run, "--init-ctr once image", "unknown flag: --init-ctr", None),
            (
                Verb::Run,
                "-p 8080:99999 image",
                "invalid argument \"8080:99999\" for \"-p, --publish\" flag: invalid port \"99999\": expected a number \
                 from 1 to 65535, or first-last",
                None,
            ),
            (Verb::Run, "im\tage", "invalid image name \"im\\tage\": must not contain white space", None),
        ] {
            let error = read(verb, &[], &words(line)).unwrap_err();
            assert_eq!(error.to_string(), message);
            match hint {
                Some(hint) => assert!(error.hint().is_some_and(|given| given.contains(hint)), "{line}"),
                None => assert!(error.hint().is_none_or(|given| given.contains("did you mean")), "{line}"),
            }
        }
    }
}
