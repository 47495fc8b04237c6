//! Maps: what is read, what they come to, and that they stay one to one.

use super::*;
use proptest::prelude::*;

fn range(inside: u32, outside: u32, count: u32) -> IdRange {
    IdRange { inside, outside, count }
}

fn map(pieces: &[(u32, u32, u32)]) -> IdRanges {
    IdRanges::new(pieces.iter().map(|&(inside, outside, count)| range(inside, outside, count))).unwrap()
}

const ALL: [Span; 1] = [Span { first: 0, count: 65_537 }];

#[test]
fn an_id_stands_once_on_either_side() {
    for pieces in [[range(0, 1, 10), range(5, 20, 10)], [range(0, 1, 10), range(20, 5, 10)]] {
        assert_eq!(IdRanges::new(pieces), Err(MapError::Conflict(pieces[1])));
    }
    for bad in [range(0, 1, 0), range(u32::MAX, 1, 1), range(1, u32::MAX - 1, 2)] {
        assert_eq!(IdRanges::new([bad]), Err(MapError::Beyond(bad)));
    }
    assert!(IdRanges::new([range(u32::MAX - 1, 0, 1)]).is_ok());
    assert_eq!(map(&[(1, 11, 5), (0, 10, 1)]).pieces(), [range(0, 10, 6)]);
    assert_eq!(IdRanges::new((0..341).map(|number| range(number * 2, number * 3, 1))), Err(MapError::TooMany));
}

#[test]
fn a_later_piece_takes_the_place_of_earlier_ones() {
    let extended = map(&[(0, 0, 65_537)]).extend(range(1000, 5, 1)).unwrap();
    assert_eq!(extended, map(&[(0, 0, 5), (6, 6, 994), (1000, 5, 1), (1001, 1001, 64_536)]));
    let all_gone = map(&[(0, 10, 2)]).extend(range(0, 10, 5)).unwrap();
    assert_eq!(all_gone, map(&[(0, 10, 5)]));
}

#[test]
fn gaps_are_filled_from_below() {
    let filled = map(&[(1000, 0, 1)]).fill(&ALL, END).unwrap();
    assert_eq!(filled, map(&[(0, 1, 1000), (1000, 0, 1), (1001, 1001, 64_536)]));
}

#[test]
fn allocated_ids_are_nobody_elses() {
    let free = without(&ALL, &[Span { first: 0, count: 1 }]);
    let forced = map(&[(0, 500, 10)]);
    let allocated = IdRanges::allocate(forced, &free, 1024).unwrap();
    assert_eq!(allocated, map(&[(0, 500, 10), (10, 1, 499), (509, 510, 515)]));
    let error = IdRanges::allocate(IdRanges::default(), &free, 70_000).unwrap_err();
    assert_eq!(error, MapError::TooFew { asked: 70_000, left: 65_536 });
    assert!(error.to_string().starts_with("not enough unused IDs in user namespace"));
}

#[test]
fn written_mappings() {
    for text in ["0:1:10", "+1000:0:1", "u5:6:7", "+g100000:@2000:2", "g1:@1:1"] {
        assert_eq!(IdMapping::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(IdMapping::parse("7:8").unwrap().to_string(), "7:8:1");
    assert_eq!(IdMapping::parse("g+7:8").unwrap().to_string(), "+g7:8:1");
    let bad = [
        "",
        "0",
        "a:1:10",
        "0:1:1:1",
        "0:1:0",
        "ug0:1:1",
        "++0:1:1",
        "0:+1:1",
        "0:-1:1",
        "@0:1:1",
        "0:1:4294967295",
        "0:1:4294967296",
        "0:@:1",
        "0:@@1:1",
        " 0:1:1",
    ];
    for text in bad {
        assert!(IdMapping::parse(text).is_err(), "{text:?}");
    }
    assert!(IdMapping::parse("0").unwrap_err().0.contains("[+ug]uint32:[@]uint32[:uint32]"));
}

/// Small numbers, so that they meet.
fn pieces() -> impl Strategy<Value = Vec<IdRange>> {
    prop::collection::vec(
        (0u32..60, 0u32..60, 1u32..20).prop_map(|(inside, outside, count)| range(inside, outside, count)),
        0..8,
    )
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::vec((0u32..80, 1u32..30).prop_map(|(first, count)| Span { first, count }), 0..6)
}

fn ids(spans: &[Span]) -> Vec<u32> {
    let mut ids: Vec<u32> = spans.iter().flat_map(|span| span.first..span.first + span.count).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Both directions agree, no id is lost in the pieces, and no two pieces could be one.
fn is_a_map(ranges: &IdRanges) {
    let (inside, outside) = (ids(&ranges.insides()), ids(&ranges.outsides()));
    let count: u32 = ranges.pieces().iter().map(|piece| piece.count).sum();
    assert_eq!((inside.len(), outside.len()), (count as usize, count as usize), "{ranges:?}");
    for id in &inside {
        assert_eq!(ranges.inside(ranges.outside(*id).unwrap()), Some(*id), "{ranges:?}");
    }
    assert!((0..200).filter(|id| ranges.outside(*id).is_some()).eq(inside.iter().copied()), "{ranges:?}");
    for pair in ranges.pieces().windows(2) {
        assert!(pair[0].insides().end() <= u64::from(pair[1].inside), "{ranges:?}");
        let next = pair[0].part(u64::from(pair[0].count), 1);
        assert!((next.inside, next.outside) != (pair[1].inside, pair[1].outside), "{ranges:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn extended_maps_keep_all_that_does_not_contradict(pieces in pieces()) {
        let mut map = IdRanges::default();
        for piece in pieces {
            let before = map.clone();
            map = map.extend(piece).unwrap();
            is_a_map(&map);
            for id in 0..100 {
                let of_piece = holds(piece.insides(), id).then(|| piece.outside + id - piece.inside);
                let kept = before.outside(id).filter(|outside| !holds(piece.outsides(), *outside));
                prop_assert_eq!(map.outside(id), of_piece.or(kept));
            }
        }
    }

    #[test]
    fn filled_maps_keep_all_and_stay_within_the_ranges(forced in pieces(), available in spans(), end in 0u64..90) {
        let forced = forced.into_iter().fold(IdRanges::default(), |map, piece| map.extend(piece).unwrap());
        let filled = forced.clone().fill(&available, end).unwrap();
        is_a_map(&filled);
        let allowed = ids(&available);
        for id in ids(&filled.insides()) {
            match forced.outside(id) {
                Some(outside) => prop_assert_eq!(filled.outside(id), Some(outside)),
                None => prop_assert!(u64::from(id) < end && allowed.contains(&filled.outside(id).unwrap())),
            }
        }
        let added = ids(&filled.insides()).len() - ids(&forced.insides()).len();
        let free = ids(&without(&available, &forced.outsides())).len();
        let gaps = (0..end).filter(|id| forced.outside(*id as u32).is_none()).count();
        prop_assert_eq!(added, free.min(gaps));
    }

    #[test]
    fn what_is_taken_is_not_left(spans in spans(), taken in spans()) {
        let left = ids(&without(&spans, &taken));
        let expected: Vec<u32> = ids(&spans).into_iter().filter(|id| !ids(&taken).contains(id)).collect();
        prop_assert_eq!(left, expected);
    }
}
