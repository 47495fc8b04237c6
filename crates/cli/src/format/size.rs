//! Sizes for people: podman's decimal ones (`4.26MB`), and binary ones for transfers (`12.3MiB`).

const DECIMAL: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// With three digits and powers of 1000, without a space: `4.26MB`, `331MB`, `0B`.
pub(crate) fn decimal(bytes: u64) -> String {
    let (number, unit) = decimal_parts(bytes);
    format!("{number}{unit}")
}

/// With four digits: `2.174MB`, `5.12kB`.
pub(crate) fn decimal_four(bytes: u64) -> String {
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.95 && unit + 1 < DECIMAL.len() {
        size /= 1000.0;
        unit += 1;
    }
    let places = match size {
        size if size < 9.9995 => 3,
        size if size < 99.995 => 2,
        _ => 1,
    };
    let text = format!("{size:.places$}");
    format!("{}{}", text.trim_end_matches('0').trim_end_matches('.'), DECIMAL[unit])
}

/// The same with a space, as `images` shows it: `4.26 MB`.
pub(crate) fn decimal_spaced(bytes: u64) -> String {
    let (number, unit) = decimal_parts(bytes);
    format!("{number} {unit}")
}

fn decimal_parts(bytes: u64) -> (String, &'static str) {
    let mut size = bytes as f64;
    let mut unit = 0;
    // 999.5 and more would round to 1000 of the unit below.
    while size >= 999.5 && unit + 1 < DECIMAL.len() {
        size /= 1000.0;
        unit += 1;
    }
    (three_digits(size), DECIMAL[unit])
}

/// Go's `%.3g` for 0 to 999.5: three significant digits, no zeros at the end.
fn three_digits(size: f64) -> String {
    let places = match size {
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{size:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// With one decimal and powers of 1024: `12.3MiB`, `512B`.
pub(crate) fn binary(bytes: u64) -> String {
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < BINARY.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes}B") } else { format!("{size:.1}{}", BINARY[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_podman_prints_them() {
        for (bytes, text) in [
            (0, "0B"),
            (512, "512B"),
            (1_000, "1kB"),
            (250_665, "251kB"),
            (4_263_000, "4.26MB"),
            (8_400_000, "8.4MB"),
            (27_490_000, "27.5MB"),
            (331_200_000, "331MB"),
            (999_950, "1MB"),
            (1_020_000_000, "1.02GB"),
            (10_000_000_000, "10GB"),
        ] {
            assert_eq!(decimal(bytes), text);
        }
        assert_eq!(decimal_spaced(5_830_000), "5.83 MB");
    }

    #[test]
    fn transfers_are_binary() {
        assert_eq!(binary(512), "512B");
        assert_eq!(binary(12_897_485), "12.3MiB");
        assert_eq!(binary(1 << 30), "1.0GiB");
    }
}
