//! Runs libseccomp's own listing of a filter, its "pseudo filter code", on made-up system calls.

use crate::interpreter::Call;

/// A listing, read.
#[derive(Debug)]
pub(crate) struct Listing {
    statements: Vec<Statement>,
}

#[derive(Debug)]
enum Statement {
    Action(String),
    If { condition: Condition, yes: Vec<Statement>, no: Vec<Statement> },
}

#[derive(Debug)]
struct Condition {
    subject: String,
    mask: u32,
    operator: String,
    value: u32,
}

impl Listing {
    /// Reads the text of `seccomp_export_pfc`.
    pub(crate) fn parse(text: &str) -> Self {
        let lines: Vec<(usize, &str)> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .map(|line| ((line.len() - line.trim_start().len()) / 2, line.trim()))
            .collect();
        let mut rest = lines.as_slice();
        let statements = statements(&mut rest, 0);
        assert!(rest.is_empty(), "listing not understood at {:?}", rest[0]);
        Self { statements }
    }

    /// What it answers to a call, as [`runtime::seccomp::Action`] would show it.
    pub(crate) fn decide(&self, call: &Call) -> String {
        let (Some(foreign), sections) = (self.statements.last(), &self.statements) else { panic!("an empty listing") };
        // Each section ends with the default's action. x86_64 and x32 are two sections of one architecture.
        let mine = || sections.iter().filter_map(|section| section.body(call));
        let named = || mine().find_map(|body| run(&body[..body.len() - 1], call));
        let default = || mine().find_map(|body| run(&body[body.len() - 1..], call));
        let other = || run(std::slice::from_ref(foreign), call);
        let answer = if self.is_foreign_x32(call) { other() } else { named().or_else(default).or_else(other) };
        match answer.as_deref() {
            Some("KILL") => "KILL_THREAD".to_owned(),
            Some(other) => other.to_owned(),
            None => panic!("the listing has no answer to {call:?}"),
        }
    }

    /// The listing does not show it, but without x32 the program takes x32's numbers, except -1, for another architecture.
    fn is_foreign_x32(&self, call: &Call) -> bool {
        let sections = self.statements.iter().filter(|section| section.body(call).is_some()).count();
        call.arch == 0xc000_003e && (0x4000_0000..u32::MAX).contains(&call.number) && sections == 1
    }
}

impl Statement {
    /// What is done if this is about the call.
    fn body(&self, call: &Call) -> Option<&[Statement]> {
        match self {
            Self::If { condition, yes, .. } if condition.holds(call) => Some(yes),
            _ => None,
        }
    }
}

fn statements(rest: &mut &[(usize, &str)], depth: usize) -> Vec<Statement> {
    let mut list = Vec::new();
    while let Some((_, line)) = rest.first().filter(|(at, _)| *at == depth) {
        if let Some(action) = line.strip_prefix("action ") {
            list.push(Statement::Action(action.trim_end_matches(';').to_owned()));
            *rest = &rest[1..];
        } else if let Some(condition) = line.strip_prefix("if (") {
            let condition = Condition::parse(condition.trim_end_matches(')'));
            *rest = &rest[1..];
            let yes = statements(rest, depth + 1);
            let mut no = Vec::new();
            if rest.first() == Some(&(depth, "else")) {
                *rest = &rest[1..];
                no = statements(rest, depth + 1);
            }
            list.push(Statement::If { condition, yes, no });
        } else {
            break;
        }
    }
    list
}

fn run(statements: &[Statement], call: &Call) -> Option<String> {
    statements.iter().find_map(|statement| match statement {
        Statement::Action(action) => Some(action.clone()),
        Statement::If { condition, yes, no } => run(if condition.holds(call) { yes } else { no }, call),
    })
}

impl Condition {
    fn parse(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        let (mask, operator, value) = match words[1..] {
            ["&", mask, operator, value] => (u32::from_str_radix(&mask[2..], 16).expect("a mask"), operator, value),
            [operator, value] => (u32::MAX, operator, value),
            _ => panic!("condition {text:?}"),
        };
        let value = value.parse().expect("a value");
        Self { subject: words[0].to_owned(), mask, operator: operator.to_owned(), value }
    }

    fn holds(&self, call: &Call) -> bool {
        let subject = self.subject(call) & self.mask;
        match self.operator.as_str() {
            "==" => subject == self.value,
            ">" => subject > self.value,
            ">=" => subject >= self.value,
            other => panic!("operator {other:?}"),
        }
    }

    fn subject(&self, call: &Call) -> u32 {
        match self.subject.as_str() {
            "$arch" => call.arch,
            "$syscall" => call.number,
            argument => {
                let argument = argument.strip_prefix("$a").expect("an argument");
                let value = call.args[argument[..1].parse::<usize>().expect("an argument")];
                if argument.ends_with(".hi32") { (value >> 32) as u32 } else { value as u32 }
            }
        }
    }
}
