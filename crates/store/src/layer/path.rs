//! Paths of archives: cleaned by their text alone, before anything is opened.

/// The components of a path below the top directory: no empty ones, no `.`, no `..`.
///
/// `a/../b` is `b` whatever `a` is, as in Go's `filepath.Clean`. `None` if the path climbs above the top. An absolute path
/// is taken from the top. The top itself has no components.
pub(crate) fn components(path: &[u8]) -> Option<Vec<&[u8]>> {
    let mut components = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                components.pop()?;
            }
            _ => components.push(part),
        }
    }
    Some(components)
}

/// Joined again, relative to the top; `.` for the top itself.
pub(crate) fn join(components: &[&[u8]]) -> Vec<u8> {
    if components.is_empty() {
        return b".".to_vec();
    }
    components.join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_stay_below_the_top() {
        for (path, clean) in [
            ("a/b", "a/b"),
            ("./a//b/.", "a/b"),
            ("/etc/passwd", "etc/passwd"),
            ("a/../b", "b"),
            ("./", "."),
            ("/", "."),
            ("a/..", "."),
            ("...", "..."),
        ] {
            assert_eq!(components(path.as_bytes()).map(|c| join(&c)), Some(clean.as_bytes().to_vec()), "{path}");
        }
        for path in ["..", "../x", "a/../../x", "/..", "./../x", "a/b/../../.."] {
            assert_eq!(components(path.as_bytes()), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_component_leads_up(path in "[./ab]{0,24}") {
            if let Some(components) = components(path.as_bytes()) {
                prop_assert!(components.iter().all(|c| !c.is_empty() && *c != b"." && *c != b".." && !c.contains(&b'/')));
            }
        }
    }
}
