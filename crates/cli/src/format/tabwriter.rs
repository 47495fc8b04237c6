//! Columns as Go's `text/tabwriter` aligns them with podman's settings: at least 12 wide, 2 between, spaces.
//!
//! A cell ends with a tab; what follows a line's last tab belongs to no column. A column is a run of consecutive lines
//! that have a cell there, so its width is that run's own: <https://pkg.go.dev/text/tabwriter>.

const MINIMUM: usize = 12;
const PADDING: usize = 2;

/// The text with its tabs made into spaces.
pub(crate) fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut aligned = String::with_capacity(text.len() * 2);
    block(&lines, &mut Vec::new(), &mut aligned);
    // The last line end made an empty line of its own.
    aligned.pop();
    aligned
}

/// Writes lines of which all have a cell in every column of `widths`.
fn block(lines: &[Vec<&str>], widths: &mut Vec<usize>, out: &mut String) {
    let column = widths.len();
    let has_cell = |line: &Vec<&str>| line.len() > column + 1;
    let mut rest = lines;
    while let Some(line) = rest.first() {
        if !has_cell(line) {
            write_line(line, widths, out);
            rest = &rest[1..];
            continue;
        }
        let run = rest.iter().take_while(|line| has_cell(line)).count();
        let (these, after) = rest.split_at(run);
        let widest = these.iter().map(|line| line[column].chars().count() + PADDING).max().unwrap_or(0);
        widths.push(widest.max(MINIMUM));
        block(these, widths, out);
        widths.pop();
        rest = after;
    }
}

fn write_line(cells: &[&str], widths: &[usize], out: &mut String) {
    for (index, cell) in cells.iter().enumerate() {
        out.push_str(cell);
        // A line ends without padding.
        if let (Some(width), true) = (widths.get(index), index + 1 < cells.len()) {
            out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_widest_cell_and_two() {
        let text = "CONTAINER ID\tIMAGE\tNAMES\n02f65160e14c\tdocker.io/library/redis:alpine\tweb\nb\t\tx\n";
        let expected = "\
CONTAINER ID  IMAGE                           NAMES
02f65160e14c  docker.io/library/redis:alpine  web
b                                             x
";
        assert_eq!(align(text), expected);
    }

    #[test]
    fn a_narrow_column_is_twelve_wide_and_a_last_cell_is_not_padded() {
        assert_eq!(align("a\tb\tc\n1\t2\t3\n"), "a           b           c\n1           2           3\n");
        assert_eq!(align("one line\n"), "one line\n");
        assert_eq!(align("a\t\n"), "a           \n");
        assert_eq!(align("ü漢\tx\n"), "ü漢          x\n");
    }

    #[test]
    fn a_line_without_cells_ends_a_column() {
        let text = "a very long first cell\tx\nno cells\nb\tx\n";
        assert_eq!(align(text), "a very long first cell  x\nno cells\nb           x\n");
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_but_tabs(text in "([a-z\u{fc}]{0,15}[\t\n]){0,30}") {
            let words = |text: &str| text.split(['\t', '\n', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
            let aligned = align(&text);
            proptest::prop_assert_eq!(words(&aligned), words(&text));
            proptest::prop_assert_eq!(aligned.matches('\n').count(), text.matches('\n').count());
        }
    }
}
