//! "Did you mean": the known word nearest to an unknown one.
//!
//! The distance counts insertions, deletions, replacements and swaps of neighbours (optimal string alignment), without
//! regard to case, dashes and underscores. Words further apart than a third of their length are not near.

/// Longer words are nobody's typing mistake, and the cost grows with the square.
const LONGEST: usize = 64;

/// The candidate nearest to `unknown`, if one is near; the first of several equally near ones.
pub fn suggest<'a>(unknown: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| -> Vec<char> {
        text.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = plain(unknown);
    if wanted.is_empty() || wanted.len() > LONGEST {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let known = plain(candidate);
        if known.is_empty() || known.len() > LONGEST {
            continue;
        }
        let near = (wanted.len().max(known.len()) / 3).clamp(1, 3);
        let limit = best.map_or(near, |(distance, _)| near.min(distance.saturating_sub(1)));
        if wanted.len().abs_diff(known.len()) > limit || best.is_some_and(|(distance, _)| distance == 0) {
            continue;
        }
        let found = distance(&wanted, &known);
        if found <= limit {
            best = Some((found, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment with three rows.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut cost = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["publish", "publish-all", "pull", "user", "userns", "rm", "rmi", "ContainerName", "Image"];
        for (unknown, expected) in [
            ("pubish", Some("publish")),
            ("publsih", Some("publish")),
            ("publishall", Some("publish-all")),
            ("usr", Some("user")),
            ("containername", Some("ContainerName")),
            ("Imgae", Some("Image")),
            ("volume", None),
            ("", None),
            ("-", None),
            ("x", None),
        ] {
            assert_eq!(suggest(unknown, known), expected, "{unknown:?}");
        }
        assert_eq!(suggest(&"x".repeat(10_000), known), None);
    }
}
