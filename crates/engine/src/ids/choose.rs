//! The maps that need no look at other containers: arithmetic over the ids that the caller may give.

use crate::error::{Error, Kind, Result};
use crate::host::{Host, IdRange as HostRange, ranges};
use spec::ContainerSpec;
use spec::idmap::{IdMap, IdMapping, IdRange, IdRanges, MapError, Side, Span, without};
use spec::namespaces::{KeepId, Namespaces, UserNs};

/// Ids that have not been given to anybody: where systemd and distributions leave a gap, beyond the range that root's containers
/// share (<https://systemd.io/UIDS-GIDS/>).
const FREE: Span = Span { first: 1_879_113_728, count: 268_369_920 };

/// The ids that the caller may give.
pub(super) struct Pool {
    pub(super) uids: Ids,
    pub(super) gids: Ids,
}

/// Those of one kind.
pub(super) struct Ids {
    /// `UID` or `GID`
    kind: &'static str,
    /// `/etc/subuid`
    file: &'static str,
    /// A user's: what his namespace makes of the host's ids.
    between: Option<IdRanges>,
    /// The host's ids of a name of `file`.
    named: fn(&str, &'static str) -> Vec<HostRange>,
}

/// Refuses what contradicts itself.
pub(crate) fn check(spec: &ContainerSpec, host: &Host) -> Result<()> {
    let namespaces = &spec.namespaces;
    if namespaces.user.is_some() && namespaces.is_mapped() {
        return Err(Error::invalid("--userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually exclusive"));
    }
    for (name, named, maps, map) in [
        ("--subuidname", &namespaces.subuid_name, &namespaces.uid_maps, "--uidmap"),
        ("--subgidname", &namespaces.subgid_name, &namespaces.gid_maps, "--gidmap"),
    ] {
        if named.is_some() && !maps.is_empty() {
            return Err(Error::invalid(format!("{name} and {map} are mutually exclusive")));
        }
    }
    let mapped = namespaces.is_mapped() || matches!(namespaces.user, Some(UserNs::Auto(_) | UserNs::Path(_)));
    if mapped && !host.rootless() {
        return Err(Error::new(Kind::Unsupported(
            "user namespaces with a map of their own are not supported yet as root".into(),
        )));
    }
    let users_only = match &namespaces.user {
        Some(UserNs::KeepId(_)) => Some("keep-id"),
        Some(UserNs::Nomap) => Some("nomap"),
        _ => None,
    };
    match users_only.filter(|_| !host.rootless()) {
        Some(mode) => Err(Error::invalid(format!("{mode} is only supported in rootless mode"))),
        None => Ok(()),
    }
}

impl Pool {
    pub(super) fn of(host: &Host) -> Result<Self> {
        let between = |own: u32, ranges: &[HostRange]| -> Result<Option<IdRanges>> {
            let own = IdRange { inside: 0, outside: own, count: 1 };
            let mut pieces = vec![own];
            for range in ranges {
                let next = pieces.last().map_or(0, |last| last.inside.saturating_add(last.count));
                // The kernel takes no id twice, and 2^32 - 1 is none.
                let count = range.count.min(u32::MAX - next);
                if count > 0 {
                    pieces.push(IdRange { inside: next, outside: range.first, count });
                }
            }
            IdRanges::new(pieces).map(Some).map_err(|_| Error::new(Kind::RangeRefused))
        };
        let (uids, gids) = match host.rootless() {
            true => {
                let (uids, gids) = host.subordinate_ids()?;
                (between(host.uid, &uids)?, between(host.gid, &gids)?)
            }
            false => (None, None),
        };
        Ok(Self {
            uids: Ids { kind: "UID", file: "/etc/subuid", between: uids, named },
            gids: Ids { kind: "GID", file: "/etc/subgid", between: gids, named },
        })
    }

    /// `keep-id`
    pub(super) fn keep_id(&self, keep: &KeepId, own: (u32, u32)) -> Result<IdMap> {
        let uids = self.uids.keep(keep.uid.unwrap_or(own.0), keep.size)?;
        Ok(IdMap { uids, gids: self.gids.keep(keep.gid.unwrap_or(own.1), keep.size)? })
    }

    /// `nomap`
    pub(super) fn without_caller(&self) -> Result<IdMap> {
        let all = |ids: &Ids| ids.made(IdRanges::default().fill(&ids.subordinate(), u64::MAX));
        Ok(IdMap { uids: all(&self.uids)?, gids: all(&self.gids)? })
    }

    /// `--uidmap`, `--gidmap`, `--subuidname`, `--subgidname`
    pub(super) fn asked(&self, asked: &Namespaces) -> Result<IdMap> {
        let of = |maps: &[IdMapping], other: Side| -> Vec<IdMapping> {
            maps.iter().filter(|mapping| mapping.side != other).copied().collect()
        };
        let both = |maps: &[IdMapping]| -> Vec<IdMapping> {
            maps.iter().filter(|mapping| mapping.side == Side::Either).copied().collect()
        };
        let mut uids = of(&asked.uid_maps, Side::Groups);
        let mut gids = of(&asked.gid_maps, Side::Users);
        let (mut uid_name, mut gid_name) = (asked.subuid_name.as_deref(), asked.subgid_name.as_deref());
        // What is said of one kind alone counts for both.
        if uids.is_empty() && uid_name.is_none() {
            (uids, uid_name) = (both(&asked.gid_maps), gid_name);
        } else if gids.is_empty() && gid_name.is_none() {
            (gids, gid_name) = (both(&asked.uid_maps), uid_name);
        }
        Ok(IdMap { uids: self.uids.asked(&uids, uid_name)?, gids: self.gids.asked(&gids, gid_name)? })
    }
}

/// The ranges of a name in a file.
fn named(name: &str, file: &'static str) -> Vec<HostRange> {
    ranges(&std::fs::read_to_string(file).unwrap_or_default(), name, 0)
}

impl Ids {
    /// All that a container may have but the caller's own.
    pub(super) fn subordinate(&self) -> Vec<Span> {
        match &self.between {
            Some(between) => without(&between.insides(), &[Span { first: 0, count: 1 }]),
            None => match named("containers", self.file).as_slice() {
                // Distributions keep them for this.
                [] => vec![FREE],
                ranges => ranges.iter().map(|range| Span { first: range.first, count: range.count }).collect(),
            },
        }
    }

    /// A map that was made, with the reason where it could not be.
    pub(super) fn made(&self, map: std::result::Result<IdRanges, MapError>) -> Result<IdRanges> {
        map.map_err(|error| match error {
            MapError::TooFew { .. } => Error::new(Kind::TooFewIds(format!("{}s: {error}", self.kind))),
            error => Error::invalid(error.to_string()),
        })
    }

    fn keep(&self, inside: u32, size: Option<u32>) -> Result<IdRanges> {
        let own = IdRange { inside, outside: 0, count: 1 };
        let others = self.subordinate();
        let all: u64 = others.iter().map(|span| u64::from(span.count)).sum();
        let others = match size.map(|size| u64::from(size) - 1) {
            Some(wanted) if wanted > all => {
                return self.made(Err(MapError::TooFew { asked: wanted, left: all }));
            }
            Some(wanted) => first(&others, wanted),
            None => others,
        };
        self.made(IdRanges::new([own]).and_then(|map| map.fill(&others, u64::MAX)))
    }

    fn asked(&self, mappings: &[IdMapping], name: Option<&str>) -> Result<IdRanges> {
        if let Some(name) = name {
            return self.of_name(name);
        }
        let changes_default = mappings.first().is_none_or(|mapping| mapping.extends);
        let mut map = IdRanges::default();
        for mapping in mappings {
            for piece in self.pieces(mapping)? {
                map = self.made(match mapping.extends {
                    true => map.extend(piece),
                    false => IdRanges::new(map.pieces().iter().copied().chain([piece])),
                })?;
            }
        }
        match &self.between {
            Some(between) if changes_default => self.made(map.fill(&between.insides(), u64::MAX)),
            None if mappings.is_empty() => Err(Error::invalid(format!(
                "must provide at least one {} mapping to configure a user namespace: the flags u and g speak of one kind alone",
                self.kind
            ))),
            _ => self.within(map),
        }
    }

    /// The ids of the host that a name has, in their order.
    fn of_name(&self, name: &str) -> Result<IdRanges> {
        let ranges = (self.named)(name, self.file);
        if ranges.is_empty() {
            let kind = self.kind.to_lowercase();
            return Err(Error::invalid(format!("no sub{kind} ranges found for user {name:?} in {}", self.file)));
        }
        let mut pieces = Vec::new();
        let mut inside = 0u32;
        for range in ranges {
            let piece = IdRange { inside, outside: range.first, count: range.count };
            let mapping = IdMapping { range: piece, extends: false, of_host: true, side: Side::Either };
            pieces.extend(self.pieces(&mapping)?);
            inside = inside.saturating_add(range.count);
        }
        self.made(IdRanges::new(pieces))
    }

    /// A mapping in ids outside: `@` says the host's.
    fn pieces(&self, mapping: &IdMapping) -> Result<Vec<IdRange>> {
        let (Some(between), true) = (&self.between, mapping.of_host) else { return Ok(vec![mapping.range]) };
        let mut pieces = Vec::new();
        let mut rest = mapping.range;
        while rest.count > 0 {
            let found = between
                .pieces()
                .iter()
                .find(|piece| rest.outside.checked_sub(piece.outside).is_some_and(|offset| offset < piece.count));
            let Some(piece) = found else {
                let (kind, id) = (self.kind, rest.outside);
                return Err(Error::new(Kind::NotDelegatedIds(format!(
                    "parent ID {kind} {id} is not mapped/delegated"
                ))));
            };
            let offset = rest.outside - piece.outside;
            let count = rest.count.min(piece.count - offset);
            pieces.push(IdRange { inside: rest.inside, outside: piece.inside + offset, count });
            // No overflow: the range was checked when it was read.
            rest = IdRange { inside: rest.inside + count, outside: rest.outside + count, count: rest.count - count };
        }
        Ok(pieces)
    }

    /// What a user does not have, he cannot give.
    fn within(&self, map: IdRanges) -> Result<IdRanges> {
        let Some(between) = &self.between else { return Ok(map) };
        match without(&map.outsides(), &between.insides()).first() {
            None => Ok(map),
            Some(beyond) => {
                let (kind, first, file) = (self.kind, beyond.first, self.file);
                let all: u64 = between.insides().iter().map(|span| u64::from(span.count)).sum();
                Err(Error::new(Kind::TooFewIds(format!(
                    "{kind}s: not enough unused IDs in user namespace: {first} is asked for, and with {file} there are 0 to {}",
                    all.saturating_sub(1)
                ))))
            }
        }
    }
}

/// The first so many ids.
fn first(spans: &[Span], mut count: u64) -> Vec<Span> {
    let mut found = Vec::new();
    for span in spans {
        let part = u64::from(span.count).min(count);
        count -= part;
        found.extend((part > 0).then_some(Span { first: span.first, count: part as u32 }));
    }
    found
}

#[cfg(test)]
mod tests;
