//! Manual pages, made from the rows that make the help.
//!
//! Language: `man(7)`, the macros that every troff has. One page for each command, named after its usual path
//! (`lodger-volume-ls.1`), and `lodger.1` for what holds for all.

use crate::command::{Command, Visibility};
use crate::commands;
use crate::help;
use spec::options::Flag;
use std::fmt::Write as _;

/// Every page: file name and text.
pub(crate) fn pages() -> Vec<(String, String)> {
    let shown = commands::all().filter(|command| command.visibility == Visibility::Shown);
    let mut pages = vec![("lodger.1".to_owned(), main())];
    pages.extend(shown.map(|command| (format!("{}.1", page_name(command.name())), of_command(command))));
    pages
}

/// `lodger-volume-ls`
fn page_name(path: &str) -> String {
    format!("lodger-{}", path.replace(' ', "-"))
}

fn main() -> String {
    let mut text = head("lodger", "run containers as systemd services");
    let _ = write!(text, ".SH SYNOPSIS\n.B lodger\n[\\fIoptions\\fR] \\fIcommand\\fR\n");
    text.push_str(".SH DESCRIPTION\n");
    text.push_str(&paragraph(
        "lodger runs services as rootless containers that are real systemd services: one binary, no daemon, no root, \
         no monitor process beside each container. Its command line is the one podman has.",
    ));
    text.push_str(".SH GLOBAL OPTIONS\n");
    text.push_str(&options(&help::global_flags()));
    text.push_str(".SH COMMANDS\n");
    for command in commands::all().filter(|command| command.visibility == Visibility::Shown) {
        let _ = write!(
            text,
            ".TP\n.BR {} (1)\n{}\n",
            escape(&page_name(command.name())),
            paragraph(command.summary).trim_end()
        );
    }
    text.push_str(".SH EXIT STATUS\n");
    text.push_str(&paragraph(
        "0 when all went well, 125 when lodger itself failed or was called wrongly. run and exec otherwise exit as the \
         command inside did, with 126 when it cannot be invoked and 127 when it does not exist. rm, rmi and volume rm \
         exit with 1 when something did not exist and with 2 when something is in use.",
    ));
    text
}

fn of_command(command: &Command) -> String {
    let name = page_name(command.name());
    let mut text = head(&name, command.summary);
    text.push_str(".SH SYNOPSIS\n");
    for (index, path) in command.paths.iter().enumerate() {
        let usage = help::usage(command, path);
        let rest = usage.strip_prefix("lodger ").unwrap_or(&usage).strip_prefix(path).unwrap_or_default();
        let gap = if index > 0 { ".br\n" } else { "" };
        let _ = writeln!(text, "{gap}\\fBlodger {}\\fR{}", escape(path), escape(rest));
    }
    text.push_str(".SH DESCRIPTION\n");
    for lines in command.about.split("\n\n") {
        text.push_str(&paragraph(lines));
    }
    let mut flags = command.all_flags();
    flags.sort_by_key(|flag| flag.long);
    if !flags.is_empty() {
        text.push_str(".SH OPTIONS\n");
        text.push_str(&options(&flags));
    }
    if !command.examples.is_empty() {
        text.push_str(".SH EXAMPLES\n.EX\n");
        for example in command.examples {
            let _ = writeln!(text, "{}", guard(&escape(&format!("$ {example}"))));
        }
        text.push_str(".EE\n");
    }
    let refused = command.refused();
    if !refused.is_empty() {
        text.push_str(".SH UNSUPPORTED OPTIONS\n");
        text.push_str(&paragraph("podman has these, lodger does not:"));
        for (flag, reason) in refused {
            let _ = write!(text, ".TP\n{}\n{}", written(flag), paragraph(reason).replace(".PP\n", ""));
        }
    }
    text.push_str(".SH SEE ALSO\n.BR lodger (1)\n");
    text
}

fn head(name: &str, summary: &str) -> String {
    let title = escape(&name.to_uppercase());
    let mut first = summary.chars();
    let summary: String = first.next().map(|c| c.to_lowercase().chain(first).collect()).unwrap_or_default();
    format!(
        ".TH \"{title}\" 1 \"\" \"lodger {}\" \"\"\n.SH NAME\n{} \\- {}\n",
        env!("CARGO_PKG_VERSION"),
        escape(name),
        escape(&summary)
    )
}

fn options(flags: &[&Flag]) -> String {
    let mut text = String::new();
    for flag in flags {
        let _ = write!(text, ".TP\n{}\n{}", written(flag), paragraph(flag.help).replace(".PP\n", ""));
    }
    text
}

/// `-f, --filter string`, names in bold, the value in italics.
fn written(flag: &Flag) -> String {
    let value = escape(&help::value(flag));
    let value = if value.is_empty() { value } else { format!("\\fI{value}\\fR") };
    let short = flag.short.map(|short| format!("\\fB\\-{short}\\fR, ")).unwrap_or_default();
    format!("{short}\\fB\\-\\-{}\\fR{value}", escape(flag.long))
}

/// One paragraph; its lines are filled.
fn paragraph(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| guard(&escape(line.trim()))).collect();
    format!(".PP\n{}\n", lines.join("\n"))
}

/// Backslashes and dashes as text.
fn escape(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// A line that cannot be taken for a request.
fn guard(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}
