//! Names for containers that were given none: two words of the house.

const FIRST: [&str; 48] = [
    "airy", "amber", "bright", "brisk", "calm", "cheery", "clever", "cosy", "crisp", "dapper", "eager", "early",
    "fond", "frank", "gentle", "glad", "golden", "hardy", "hearty", "humble", "jolly", "keen", "kind", "lively",
    "lucky", "mellow", "merry", "mild", "modest", "neat", "nimble", "patient", "plucky", "polite", "proud", "quick",
    "quiet", "ready", "snug", "sober", "spry", "steady", "sunny", "tidy", "trusty", "warm", "witty", "zesty",
];

const SECOND: [&str; 48] = [
    "alcove",
    "attic",
    "balcony",
    "banister",
    "basin",
    "bench",
    "bookcase",
    "cabin",
    "candle",
    "chimney",
    "closet",
    "cottage",
    "cupboard",
    "curtain",
    "doorbell",
    "drawer",
    "fireside",
    "gable",
    "garden",
    "garret",
    "hallway",
    "hearth",
    "hinge",
    "kettle",
    "keyhole",
    "ladder",
    "landing",
    "lantern",
    "larder",
    "lattice",
    "loft",
    "mantel",
    "nook",
    "pantry",
    "parlour",
    "pillow",
    "porch",
    "quilt",
    "rafter",
    "rooftop",
    "settee",
    "shutter",
    "stairway",
    "stove",
    "teapot",
    "threshold",
    "window",
    "workshop",
];

/// A name made of 64 random bits; whether it is free is the store's to say.
pub(crate) fn from_random(bits: u64) -> String {
    let pick = |list: &[&'static str; 48], bits: u64| list[(bits % 48) as usize];
    format!("{}_{}", pick(&FIRST, bits & 0xffff_ffff), pick(&SECOND, bits >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_name() {
        for first in 0..48 {
            let name = from_random(first | (47 - first) << 32);
            spec::name::check("name", &name).unwrap();
        }
    }
}
