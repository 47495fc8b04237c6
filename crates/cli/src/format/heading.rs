//! The heading of a table made from its template: `{{.ImageID}}` stands above its column as `IMAGE ID`.

use gotmpl::parse::{Expr, ListNode, Node, PipeNode};

/// The first line, with its line end. `headings` are those that do not follow from a field's name.
pub(super) fn of(list: &ListNode, headings: &[(&str, &str)]) -> String {
    let mut text = String::new();
    walk(list, headings, &mut text);
    text
}

fn walk(list: &ListNode, headings: &[(&str, &str)], text: &mut String) {
    for node in &list.nodes {
        match node {
            Node::Text(node) => text.push_str(&node.text),
            Node::Action(action) if action.pipe.decl.is_empty() => {
                if let Some(field) = field(&action.pipe) {
                    text.push_str(&heading(field, headings));
                }
            }
            Node::If(branch) => walk(&branch.body, headings, text),
            // Of the rows, the body is the row; of a field, the field is the column.
            Node::Range(branch) | Node::With(branch) => match field(&branch.pipe) {
                Some(field) => text.push_str(&heading(field, headings)),
                None => walk(&branch.body, headings, text),
            },
            Node::List(list) => walk(list, headings, text),
            _ => {}
        }
    }
}

/// The last name of the first field that a pipeline mentions.
fn field(pipe: &PipeNode) -> Option<&str> {
    let mut found = None;
    for expression in pipe.commands.iter().flat_map(|command| &command.args) {
        found = found.or_else(|| match expression {
            Expr::Field(_, fields) | Expr::Variable(_, _, fields) | Expr::Chain(_, _, fields) => {
                fields.last().map(|name| name.as_str())
            }
            Expr::Pipe(_, inner) => field(inner),
            _ => None,
        });
    }
    found
}

fn heading(field: &str, headings: &[(&str, &str)]) -> String {
    match headings.iter().find(|(name, _)| *name == field) {
        Some((_, heading)) => (*heading).to_owned(),
        None => words(field).join(" ").to_uppercase(),
    }
}

/// `CreatedAt` → `Created`, `At`; `MACAddress` → `MAC`, `Address`; `IP6` → `IP`, `6`.
fn words(name: &str) -> Vec<String> {
    let class = |c: char| match c {
        c if c.is_lowercase() => 0,
        c if c.is_uppercase() => 1,
        c if c.is_ascii_digit() => 2,
        _ => 3,
    };
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if last == Some(class(c)) => word.push(c),
            _ => words.push(c.to_string()),
        }
        last = Some(class(c));
    }
    // A capital before small letters belongs to them.
    for index in 1..words.len() {
        let small = words[index].starts_with(char::is_lowercase);
        if small && words[index - 1].ends_with(char::is_uppercase) {
            if let Some(capital) = words[index - 1].pop() {
                words[index].insert(0, capital);
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_where_their_case_changes() {
        for (name, split) in [
            ("Names", "Names"),
            ("CreatedAt", "Created At"),
            ("ImageID", "Image ID"),
            ("MACAddress", "MAC Address"),
            ("IP6", "IP 6"),
            ("ID", "ID"),
        ] {
            assert_eq!(words(name).join(" "), split);
        }
    }
}
