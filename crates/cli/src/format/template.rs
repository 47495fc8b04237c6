//! Go templates over rows: what podman's `--format` takes.
//!
//! The parsed tree is changed before it runs, because rows are maps here and structs in Go:
//!
//! - `.Label "x"`, a method there, becomes `index .Labels "x"`;
//! - a field below a map with free keys (`.Labels.x`) may be absent, any other unknown field is an error;
//! - what an action prints goes through one place that keeps terminal escapes out.

use super::functions::{self, FIELD, SHOW};
use super::{Kind, Over, heading};
use crate::error::{CliError, Result};
use crate::output::{self, Keep, Sink};
use gotmpl::parse::{BranchNode, CommandNode, DefineNode, Expr, ListNode, Node, Parser, PipeNode, Pos, SmolStr};
use gotmpl::{MissingKey, TemplateError, Value};
use spec::options::suggest;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The tree's name inside the engine; no template can say it.
const BODY: &str = " body";
/// Marks the end of a template's text while it is parsed.
const LAST: char = '\u{1}';
/// Fields whose keys are anybody's words.
const FREE: &[&str] = &[
    "Annotations",
    "CgroupConf",
    "Data",
    "DriverOpts",
    "ExposedPorts",
    "GraphOptions",
    "IPAMConfig",
    "Labels",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "Registries",
    "Status",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];
/// Methods with an argument, and the map each looks it up in.
const METHODS: &[(&str, &str)] = &[("Label", "Labels")];

/// A template ready to run.
pub(super) struct Template {
    name: String,
    engine: gotmpl::Template,
    body: ListNode,
}

impl Template {
    /// Parses and checks; `name` is for messages.
    pub(super) fn compile(name: &str, text: &str, kind: Kind, over: Over) -> Result<Self> {
        let (plain, defines) = parse(name, text, over)?;
        let functions = functions::all(keep(kind));
        let mut engine = gotmpl::Template::new(name).missing_key(MissingKey::Error);
        let known = |function: &str| functions.contains_key(function) || functions::BUILTIN.contains(&function);
        let mut rewrite = Rewrite { known: &known, unknown: None };
        let mut body = plain.clone();
        rewrite.list(&mut body);
        for mut define in defines {
            rewrite.list(&mut define.body);
            engine = engine.add_parse_tree(&define.name, define.body);
        }
        if let Some((line, function)) = rewrite.unknown {
            let message = format!("template: {name}:{line}: function {function:?} not defined");
            let names = functions.keys().map(String::as_str).chain(functions::BUILTIN.iter().copied());
            let near = suggest(&function, names).map(|near| format!("did you mean {near}?"));
            return Err(CliError::Invalid { message, hint: near });
        }
        let engine = engine.funcs(functions).add_parse_tree(BODY, body);
        Ok(Self { name: name.to_owned(), engine, body: plain })
    }

    /// The line above the rows.
    pub(super) fn heading(&self, headings: &[(&str, &str)]) -> String {
        heading::of(&self.body, headings)
    }

    /// The fields of a row that it shows, if it does nothing but show fields one after the other, as tables do.
    pub(super) fn plain_fields(&self) -> Option<Vec<&str>> {
        let [Node::Range(rows)] = self.body.nodes.as_slice() else { return None };
        let mut fields = Vec::new();
        for node in &rows.body.nodes {
            match node {
                Node::Text(_) => {}
                Node::Action(action) => match action.pipe.commands.as_slice() {
                    [CommandNode { args, .. }] if action.pipe.decl.is_empty() => match args.as_slice() {
                        [Expr::Field(_, path)] if path.len() == 1 => fields.push(path[0].as_str()),
                        _ => return None,
                    },
                    _ => return None,
                },
                _ => return None,
            }
        }
        Some(fields)
    }

    /// Runs it.
    pub(super) fn render(&self, data: &Value) -> Result<String> {
        self.engine.execute_template_to_string(BODY, data).map_err(|error| {
            let mut fields = Vec::new();
            collect_fields(data, &mut fields);
            invalid(&self.name, &error, &fields)
        })
    }
}

/// The body and the templates it defines.
fn parse(name: &str, text: &str, over: Over) -> Result<(ListNode, Vec<DefineNode>)> {
    let parse = |text: &str| Parser::with_name(Some(name), text, "{{", "}}").and_then(Parser::parse);
    let (mut body, defines) = parse(&format!("{text}{LAST}")).map_err(|error| {
        // Without the line end that was added, a place at the very end is on the user's own line.
        invalid(name, &parse(text.trim_end()).err().unwrap_or(error), &[])
    })?;
    take_last(&mut body).ok_or_else(|| {
        let line = text.trim_end().lines().count().max(1);
        let hint = Some("each {{if}}, {{range}} and {{with}} needs one {{end}}".to_owned());
        CliError::Invalid { message: format!("template: {name}:{line}: unexpected EOF or {{{{end}}}}"), hint }
    })?;
    Ok(if over == Over::Rows && !ranges_over_rows(&body) { (each(body), defines) } else { (body, defines) })
}

/// Whether the template begins with `{{range .}}`.
fn ranges_over_rows(body: &ListNode) -> bool {
    match body.nodes.iter().find(|node| !gotmpl::parse::is_empty_tree(node)) {
        Some(Node::Range(branch)) => branch.pipe.commands.iter().all(|command| {
            matches!(command.args.as_slice(), [Expr::Dot(_)])
                || matches!(command.args.as_slice(), [Expr::Variable(_, name, fields)] if name == "$" && fields.is_empty())
        }),
        _ => false,
    }
}

/// Takes the mark off the end. The parser forgives a missing `{{end}}`, which leaves the mark inside a block, and one too
/// many, which ends the text before it; Go's parser forgives neither.
fn take_last(body: &mut ListNode) -> Option<()> {
    let Some(Node::Text(node)) = body.nodes.last_mut() else { return None };
    node.text = node.text.strip_suffix(LAST)?.into();
    Some(())
}

/// `{{range .}}body{{end}}`
fn each(body: ListNode) -> ListNode {
    let pos = Pos::new(0, 1);
    let dot = CommandNode { pos, args: vec![Expr::Dot(pos)] };
    let pipe = PipeNode { pos, decl: Vec::new(), commands: vec![dot], is_assign: false };
    ListNode { pos, nodes: vec![Node::Range(BranchNode { pos, pipe, body, else_body: None })] }
}

/// What of a value's text may reach the output.
fn keep(kind: Kind) -> Option<Keep> {
    match (kind, output::stdout_sink()) {
        (Kind::Table, _) => Some(Keep::Nothing),
        (Kind::Custom, Sink::Terminal) => Some(Keep::Lines),
        (Kind::Custom, Sink::Plain) => None,
    }
}

fn invalid(name: &str, error: &TemplateError, fields: &[Arc<str>]) -> CliError {
    match error {
        TemplateError::MissingKey { key } => CliError::Invalid {
            message: format!("template: {name}: can't evaluate field {key}"),
            hint: suggest(key, fields.iter().map(|field| &**field)).map(|near| format!("did you mean .{near}?")),
        },
        error => {
            let text = error.to_string();
            let text = if text.starts_with("template: ") { text } else { format!("template: {name}: {text}") };
            CliError::Invalid { message: text, hint: None }
        }
    }
}

/// Every field name in the data; of a list, those of its first element.
fn collect_fields(value: &Value, fields: &mut Vec<Arc<str>>) {
    match value {
        Value::List(list) => list.iter().take(1).for_each(|first| collect_fields(first, fields)),
        Value::Map(map) => {
            for (name, value) in map.iter() {
                fields.push(Arc::clone(name));
                collect_fields(value, fields);
            }
        }
        _ => {}
    }
}

/// The map with further entries, which win.
pub(super) fn with_methods(value: Value, methods: Vec<(&'static str, Value)>) -> Value {
    match value {
        Value::Map(mut map) => {
            let entries = Arc::make_mut(&mut map);
            entries.extend(methods.into_iter().map(|(name, value)| (Arc::from(name), value)));
            Value::Map(map)
        }
        other => other,
    }
}

/// Changes the text at a path, if there is one.
pub(super) fn change(value: &mut Value, path: &str, change_to: &dyn Fn(&mut Value)) {
    match value {
        value if path.is_empty() => change_to(value),
        Value::Map(map) => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            let map: &mut BTreeMap<Arc<str>, Value> = Arc::make_mut(map);
            if let Some(inner) = map.get_mut(first) {
                change(inner, rest, change_to);
            }
        }
        _ => {}
    }
}

/// Changes a parsed tree; notes the first function that does not exist.
struct Rewrite<'a> {
    known: &'a dyn Fn(&str) -> bool,
    unknown: Option<(usize, String)>,
}

impl Rewrite<'_> {
    fn list(&mut self, list: &mut ListNode) {
        for node in &mut list.nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &mut Node) {
        match node {
            Node::Action(action) => {
                self.pipe(&mut action.pipe);
                if action.pipe.decl.is_empty() {
                    action.pipe.commands.push(call(action.pos, SHOW, Vec::new()));
                }
            }
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
                self.pipe(&mut branch.pipe);
                self.list(&mut branch.body);
                if let Some(other) = &mut branch.else_body {
                    self.list(other);
                }
            }
            Node::Template(template) => {
                if let Some(pipe) = &mut template.pipe {
                    self.pipe(pipe);
                }
            }
            Node::List(list) => self.list(list),
            Node::Define(define) => self.list(&mut define.body),
            Node::Text(_) | Node::Break(_) | Node::Continue(_) => {}
        }
    }

    fn pipe(&mut self, pipe: &mut PipeNode) {
        for command in &mut pipe.commands {
            method(command);
            for argument in &mut command.args {
                self.expression(argument);
            }
        }
    }

    fn expression(&mut self, expression: &mut Expr) {
        match expression {
            Expr::Identifier(pos, name) if !(self.known)(name) => {
                self.unknown.get_or_insert((pos.line, name.to_string()));
            }
            Expr::Pipe(_, pipe) => self.pipe(pipe),
            Expr::Chain(_, inner, _) => self.expression(inner),
            Expr::Field(pos, fields) => {
                let pos = *pos;
                if let Some(free) = split_free(fields) {
                    *expression = optional(pos, Expr::Field(pos, free.map), free.key, free.rest);
                }
            }
            Expr::Variable(pos, name, fields) => {
                let (pos, name) = (*pos, name.clone());
                if let Some(free) = split_free(fields) {
                    *expression = optional(pos, Expr::Variable(pos, name, free.map), free.key, free.rest);
                }
            }
            _ => {}
        }
    }
}

/// `.Label "x"` as `index .Labels "x"`.
fn method(command: &mut CommandNode) {
    if command.args.len() < 2 {
        return;
    }
    let Some(Expr::Field(pos, fields) | Expr::Variable(pos, _, fields)) = command.args.first_mut() else { return };
    let Some(last) = fields.last_mut() else { return };
    let Some((_, map)) = METHODS.iter().find(|(name, _)| last == name) else { return };
    *last = SmolStr::new(map);
    let function = Expr::Identifier(*pos, SmolStr::new_static("index"));
    command.args.insert(0, function);
}

/// A path that goes through a map with free keys.
struct FreePath {
    /// Up to the map.
    map: Vec<SmolStr>,
    /// The key in it.
    key: SmolStr,
    /// Below that.
    rest: Vec<SmolStr>,
}

fn split_free(fields: &[SmolStr]) -> Option<FreePath> {
    let at = fields.iter().position(|field| FREE.contains(&field.as_str()))? + 1;
    let key = fields.get(at)?.clone();
    Some(FreePath { map: fields[..at].to_vec(), key, rest: fields[at + 1..].to_vec() })
}

/// `(field map "key").rest`
fn optional(pos: Pos, map: Expr, key: SmolStr, rest: Vec<SmolStr>) -> Expr {
    let arguments = vec![map, Expr::String(pos, key.as_str().into())];
    let commands = vec![call(pos, FIELD, arguments)];
    let value = Expr::Pipe(pos, PipeNode { pos, decl: Vec::new(), commands, is_assign: false });
    if rest.is_empty() { value } else { Expr::Chain(pos, Box::new(value), rest) }
}

fn call(pos: Pos, function: &'static str, arguments: Vec<Expr>) -> CommandNode {
    let mut args = vec![Expr::Identifier(pos, SmolStr::new_static(function))];
    args.extend(arguments);
    CommandNode { pos, args }
}
