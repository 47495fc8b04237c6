//! A seccomp profile: which calls a container may make, as podman's and docker's JSON says it.
//!
//! A profile is outside input. [`Profile::parse`] reads a bounded number of bytes and refuses what it does not understand, with
//! one exception that the format depends on: system calls it does not know are left out, because profiles name calls of every
//! architecture and of kernels to come.
//!
//! Where the format leaves room this follows what crun and libseccomp make of a profile:
//!
//! - `errno` wins over `errnoRet`; without either, an action that returns one returns `EPERM`.
//! - Comparisons of different arguments in one entry must all hold. If one argument is compared twice, every comparison becomes an
//!   entry of its own, so that any of them is enough.
//! - Every capability and one of the architectures of `includes` are needed; any of `excludes` takes the entry out. Capabilities
//!   are those of the bounding set. `minKernel` counts as with docker; podman does not look at it.

use super::action::Action;
use super::condition::{Comparison, Condition, Operator};
use super::document::{self, Document};
use super::{Abi, Error, ErrorKind, Flags, KernelVersion, Machine, abi::ProfileAbi, errno};
use crate::capability::Set;

/// Size of the largest profile read, in bytes. Podman's default has 18 kB.
pub const MAX_BYTES: usize = 1 << 20;
const MAX_RULES: usize = 4096;
const MAX_NAMES: usize = 1024;

/// A profile that has been read and understood.
#[derive(Clone, Debug)]
pub struct Profile {
    pub(super) default: Action,
    architectures: Architectures,
    pub(super) flags: Flags,
    rules: Vec<Rule>,
}

/// The calls a rule is about, and what it says of them.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) names: Vec<String>,
    pub(super) action: Action,
    /// The rule matches when all comparisons of one of these hold. Never empty; an empty condition always holds.
    pub(super) conditions: Vec<Condition>,
    includes: When,
    excludes: When,
}

#[derive(Clone, Debug)]
struct When {
    caps: Vec<String>,
    arches: Vec<String>,
    min_kernel: Option<KernelVersion>,
}

#[derive(Clone, Debug)]
enum Architectures {
    /// `architectures`; the machine's own is always one of them.
    Listed(Vec<Abi>),
    /// `archMap`: what goes with the machine's own.
    Mapped(Vec<(Option<Abi>, Vec<Abi>)>),
}

/// The container a profile is compiled for.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Its bounding set.
    pub caps: Set,
    /// The machine it runs on.
    pub machine: Machine,
    /// The kernel it runs on.
    pub kernel: KernelVersion,
}

impl Context {
    /// For this machine and the kernel that runs.
    #[must_use]
    pub fn native(caps: Set) -> Self {
        let release = rustix::system::uname();
        let kernel = release.release().to_str().ok().and_then(KernelVersion::parse);
        Self { caps, machine: Machine::NATIVE, kernel: kernel.unwrap_or(KernelVersion::new(0, 0)) }
    }
}

impl Profile {
    /// Reads the JSON of a profile, at most [`MAX_BYTES`] of it.
    ///
    /// # Errors
    ///
    /// Anything that is not a profile of the format, or asks for a listener.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_BYTES {
            return Err(ErrorKind::TooLarge { bytes: json.len(), most: MAX_BYTES }.into());
        }
        let document: Document = serde_json::from_slice(json).map_err(ErrorKind::Syntax)?;
        Self::from_document(document)
    }

    fn from_document(document: Document) -> Result<Self, Error> {
        if document.default_action.is_empty() {
            return Err(ErrorKind::NoDefaultAction.into());
        }
        if !document.listener_path.is_empty() {
            return Err(ErrorKind::NeedsListener("listenerPath".to_owned()).into());
        }
        if !document.listener_metadata.is_empty() {
            return Err(ErrorKind::NeedsListener("listenerMetadata".to_owned()).into());
        }
        at_most("syscalls entries", document.syscalls.len(), MAX_RULES)?;
        let errno = read_errno(&document.default_errno, document.default_errno_ret)?;
        let mut rules = Vec::with_capacity(document.syscalls.len());
        for (index, entry) in document.syscalls.into_iter().enumerate() {
            let first = entry.names.first().unwrap_or(&entry.name).clone();
            rules.push(Rule::from_document(entry).map_err(|error| error.in_rule(index + 1, &first))?);
        }
        Ok(Self {
            default: Action::parse(&document.default_action, errno)?,
            architectures: Architectures::from_document(&document.architectures, &document.arch_map)?,
            flags: read_flags(&document.flags)?,
            rules,
        })
    }

    /// The rules that count for a container.
    pub(super) fn rules(&self, context: &Context) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.includes.all_hold(context) && !rule.excludes.any_holds(context))
    }

    /// The system call conventions a container may use, the machine's own first.
    pub(super) fn abis(&self, machine: Machine) -> Vec<Abi> {
        let native = machine.native();
        let beside: &[Abi] = match &self.architectures {
            Architectures::Listed(list) => list,
            Architectures::Mapped(map) => {
                map.iter().find(|entry| entry.0 == Some(native)).map_or(&[], |entry| &entry.1)
            }
        };
        machine.abis().iter().copied().filter(|abi| *abi == native || beside.contains(abi)).collect()
    }

    /// The capabilities that change what the profile says.
    #[must_use]
    pub fn capabilities(&self) -> Set {
        let names = self.rules.iter().flat_map(|rule| rule.includes.caps.iter().chain(&rule.excludes.caps));
        names.filter_map(|name| capability(name)).fold(Set::EMPTY, Set::or)
    }

    /// Names of calls that no table of the machine has: those of other machines, and misspelt ones.
    pub fn unknown_names(&self, machine: Machine) -> impl Iterator<Item = &str> {
        let names = self.rules.iter().flat_map(|rule| &rule.names).map(String::as_str);
        names.filter(move |name| {
            machine.abis().iter().all(|abi| abi.number(name).is_none() && abi.multiplexed(name).is_none())
        })
    }
}

impl Rule {
    fn from_document(entry: document::Syscalls) -> Result<Self, Error> {
        if !entry.name.is_empty() && !entry.names.is_empty() {
            return Err(ErrorKind::Both("name", "names").into());
        }
        at_most("names", entry.names.len(), MAX_NAMES)?;
        let names = if entry.name.is_empty() { entry.names } else { vec![entry.name] };
        let errno = read_errno(&entry.errno, entry.errno_ret)?;
        Ok(Self {
            names,
            action: Action::parse(&entry.action, errno)?,
            conditions: read_conditions(&entry.args)?,
            includes: When::from_document(entry.includes)?,
            excludes: When::from_document(entry.excludes)?,
        })
    }
}

impl When {
    fn from_document(condition: document::Condition) -> Result<Self, Error> {
        let min_kernel = match condition.min_kernel.as_str() {
            "" => None,
            text => Some(KernelVersion::parse(text).ok_or_else(|| ErrorKind::KernelVersion(text.to_owned()))?),
        };
        Ok(Self { caps: condition.caps, arches: condition.arches, min_kernel })
    }

    fn all_hold(&self, context: &Context) -> bool {
        self.caps.iter().all(|cap| has(context.caps, cap))
            && (self.arches.is_empty() || self.names_machine(context))
            && self.min_kernel.is_none_or(|version| context.kernel >= version)
    }

    fn any_holds(&self, context: &Context) -> bool {
        self.caps.iter().any(|cap| has(context.caps, cap))
            || self.names_machine(context)
            || self.min_kernel.is_some_and(|version| context.kernel >= version)
    }

    fn names_machine(&self, context: &Context) -> bool {
        self.arches.iter().any(|arch| arch == context.machine.profile_name())
    }
}

impl Architectures {
    fn from_document(list: &[String], map: &[document::ArchMap]) -> Result<Self, Error> {
        if !list.is_empty() && !map.is_empty() {
            return Err(ErrorKind::Both("architectures", "archMap").into());
        }
        if map.is_empty() {
            return Ok(Self::Listed(read_abis(list)?));
        }
        let entry =
            |entry: &document::ArchMap| Ok((read_abi(&entry.architecture)?, read_abis(&entry.sub_architectures)?));
        Ok(Self::Mapped(map.iter().map(entry).collect::<Result<_, Error>>()?))
    }
}

/// Whether a profile's name of a capability is in a set; a name the kernel does not have is in none.
fn has(set: Set, name: &str) -> bool {
    capability(name).is_some_and(|capability| !set.and(capability).is_empty())
}

/// As podman compares them: with `CAP_`, in upper case.
fn capability(name: &str) -> Option<Set> {
    let plain = name.strip_prefix("CAP_")?;
    Set::named(plain)
        .filter(|_| !plain.contains(|letter: char| letter.is_ascii_lowercase()) && !plain.starts_with("CAP_"))
}

fn read_abis(names: &[String]) -> Result<Vec<Abi>, Error> {
    names.iter().filter_map(|name| read_abi(name).transpose()).collect()
}

/// `None` for the machine's own, which is always there, and for those of other machines, which no kernel here reports.
fn read_abi(name: &str) -> Result<Option<Abi>, Error> {
    match Abi::of_profile(name) {
        ProfileAbi::Known(abi) => Ok(Some(abi)),
        ProfileAbi::Native | ProfileAbi::Foreign => Ok(None),
        ProfileAbi::Unknown => Err(ErrorKind::UnknownArchitecture(name.to_owned()).into()),
    }
}

fn read_errno(name: &str, number: Option<u32>) -> Result<Option<u32>, Error> {
    match name {
        "" => Ok(number),
        name => errno::parse(name).map(Some).ok_or_else(|| ErrorKind::UnknownErrno(name.to_owned()).into()),
    }
}

fn read_flags(names: &[String]) -> Result<Flags, Error> {
    if names.is_empty() {
        return Ok(Flags::SPEC_ALLOW);
    }
    names.iter().try_fold(Flags::NONE, |flags, name| match name.as_str() {
        "SECCOMP_FILTER_FLAG_TSYNC" => Ok(flags | Flags::TSYNC),
        "SECCOMP_FILTER_FLAG_LOG" => Ok(flags | Flags::LOG),
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => Ok(flags | Flags::SPEC_ALLOW),
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" => Err(ErrorKind::NeedsListener(name.clone()).into()),
        _ => Err(ErrorKind::UnknownFlag(name.clone()).into()),
    })
}

fn read_conditions(arguments: &[document::Argument]) -> Result<Vec<Condition>, Error> {
    at_most("comparisons", arguments.len(), 6)?;
    let comparisons = arguments.iter().map(read_comparison).collect::<Result<Vec<_>, _>>()?;
    let twice = |at: usize| comparisons[..at].iter().any(|before| before.argument == comparisons[at].argument);
    if (0..comparisons.len()).any(twice) {
        return Ok(comparisons.into_iter().map(|one| Condition::new(vec![one])).collect());
    }
    Ok(vec![Condition::new(comparisons)])
}

fn read_comparison(argument: &document::Argument) -> Result<Comparison, Error> {
    let index = u8::try_from(argument.index).ok().filter(|index| *index < 6);
    let index = index.ok_or(ErrorKind::ArgumentIndex(argument.index))?;
    let plain = |operator| Comparison { argument: index, operator, mask: u64::MAX, value: argument.value };
    Ok(match argument.op.as_str() {
        "SCMP_CMP_NE" => plain(Operator::NotEqual),
        "SCMP_CMP_LT" => plain(Operator::Less),
        "SCMP_CMP_LE" => plain(Operator::LessOrEqual),
        "SCMP_CMP_EQ" => plain(Operator::Equal),
        "SCMP_CMP_GE" => plain(Operator::GreaterOrEqual),
        "SCMP_CMP_GT" => plain(Operator::Greater),
        "SCMP_CMP_MASKED_EQ" => Comparison {
            argument: index,
            operator: Operator::MaskedEqual,
            mask: argument.value,
            value: argument.value_two & argument.value,
        },
        other => return Err(ErrorKind::UnknownComparison(other.to_owned()).into()),
    })
}

fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), Error> {
    if count > most {
        return Err(ErrorKind::TooMany { what, count, most }.into());
    }
    Ok(())
}
