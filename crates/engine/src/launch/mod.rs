//! The one way a container starts: a record becomes a plan, the plan a process.
//!
//! ```text
//! record ─ enter namespaces ─ root file system ─ resolve ─ spawn ─ network ─ state ─ release
//!                                                            │                          │
//!                                                 child: namespaces, mounts         execve
//! ```
//!
//! In a unit, or below lodger's supervisor, the container becomes the child of systemd or the supervisor (`CLONE_PARENT`)
//! and this process ends; in the foreground it is this process's child.

mod attach;
mod cgroup;
mod foreground;
mod keep;
mod leave;
pub(crate) mod network;
mod notify;
mod output;
mod service;

pub use attach::{Attach, Parted};
#[cfg(test)]
pub(crate) use cgroup::words as cgroup_words;
pub use foreground::{Attachment, Ended};
pub(crate) use foreground::{lent, window};
pub(crate) use keep::TerminalKeeper;
pub(crate) use leave::Leaving;
pub(crate) use output::Wiring;
pub use output::{Output, StandardInput};
pub use service::Next;

use crate::error::{Error, Kind, Result};
use crate::outside::Purpose;
use crate::resolve::systemd::{self, Program};
use crate::resolve::{self, files, identity, mounts, namespaces, process, security};
use crate::{Engine, runtime_error, store_error};
use jiff::Timestamp;
use runtime::plan::{Cgroup, Entry, MissingWorkdir, Name, OomScore, Parent, Passed, Plan, Privileges, Workdir};
use runtime::{Running, Spawned, capability};
use spec::oci::ContainerDefaults;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use store::{Access, ContainerRecord, Helper, Owner, ProcessId, RunState, Wait};

/// How long a start waits for another command that changes the same container.
pub(crate) const LOCK_WAIT: std::time::Duration = std::time::Duration::from_secs(30);

/// A container that was just started.
pub(crate) struct Started {
    pub(crate) running: Running,
    pub(crate) state: RunState,
}

/// What the surroundings decide about a start.
pub(crate) struct Surroundings {
    /// Whose child the container becomes.
    pub(crate) parent: Parent,
    /// The unit it runs in.
    pub(crate) unit: Option<String>,
    /// The control group of this process's unit, into which the container is born.
    pub(crate) restarts: u32,
    /// Variables beyond the record's: the notification socket.
    pub(crate) notify_socket: Option<std::path::PathBuf>,
    /// The manager that is told of the main process.
    pub(crate) manager: Option<std::path::PathBuf>,
    /// The control group that the program may divide.
    pub(crate) group: Option<OwnedFd>,
}

impl Engine {
    /// Starts a container whose record is written. The caller has wired its descriptors; on error nothing of it runs.
    fn start_process(&self, record: &ContainerRecord, wiring: &mut Wiring, around: Surroundings) -> Result<Started> {
        let _lock =
            self.store.lock_container(&record.id, Access::Exclusive, Wait::at_most(LOCK_WAIT)).map_err(store_error)?;
        let container = self.look_at(record.clone())?;
        if container.running.is_some() {
            return Err(self.wrong_state(&container, "start"));
        }
        self.approach_with_mounts(&record.spec)?;
        let (plan, network) = self.plan(record, wiring, &around)?;
        let program = runtime::compile(&plan).map_err(runtime_error)?;
        let mut spawned = runtime::spawn(&program).map_err(runtime_error)?;
        // The uplink takes as long as the mounts, and both can be made at the same time.
        let prepared = network.start(&spawned).and_then(|connecting| {
            let pasta = connecting.finish()?;
            wiring.start_relay(self, record, spawned.terminal.as_ref())?;
            cgroup::write_files(&record.spec.resources.cgroup_files, spawned.process.pid)?;
            let helpers = pasta.into_iter().chain(wiring.relay()).collect();
            let state = self.run_state(&spawned, &around, helpers);
            self.store.write_state(&record.id, &state).map_err(store_error)?;
            Ok(state)
        });
        let state = match prepared {
            Ok(state) => state,
            Err(error) => {
                // The child's own failure says more than what follows from it.
                let error = spawned.wait_ready().map_or_else(runtime_error, |()| error);
                spawned.abort();
                let _ = self.store.clear_state(&record.id);
                return Err(error);
            }
        };
        let process = spawned.process;
        // Before the program runs: of one that has ended when the manager hears of it, the manager takes no exit status.
        let announced = around.manager.as_deref().map(|socket| notify::main_process(socket, process.pid));
        if let Some(Err(error)) = announced {
            spawned.abort();
            let _ = self.store.clear_state(&record.id);
            return Err(error);
        }
        // Without waiting for the child's mounts: when they are complete it finds the word already there.
        match spawned.try_release() {
            Ok(running) => {
                self.write_pidfile(record, process.pid)?;
                if let (Some(socket), None) = (&around.manager, &around.notify_socket) {
                    // Before anything else: whoever is killed now leaves a unit that is starting until its time is up.
                    notify::send(socket, "READY=1\n")?;
                }
                self.remember_member(process);
                Ok(Started { running, state })
            }
            Err((spawned, error)) => {
                let error = runtime_error(error);
                let _ = self.store.clear_state(&record.id);
                // The manager ends the unit when it sees the end of its main process.
                if around.manager.is_some() {
                    self.note_failed_start(record, &error);
                }
                spawned.abort();
                Err(error)
            }
        }
    }

    /// The control group of a program that divides its own, made while this process still may.
    pub(crate) fn divisible_group(&self, record: &ContainerRecord) -> Result<Option<OwnedFd>> {
        if systemd::program(&record.spec, &self.image_defaults(record)?) == Program::Ordinary {
            return Ok(None);
        }
        let stranger = !self.host.rootless() && !self.is_inside() && !self.has_host_ids(&record.spec);
        if record.ids.is_some() {
            let Owner { uid, gid } = Self::owner_of(record, Owner { uid: 0, gid: 0 });
            return cgroup::divisible(Some((uid, gid))).map(Some);
        }
        let owner = match stranger {
            true => {
                let (uids, gids) = self.host.subordinate_ids()?;
                uids.first().zip(gids.first()).map(|(uid, gid)| (uid.first, gid.first))
            }
            false => None,
        };
        cgroup::divisible(owner).map(Some)
    }

    fn run_state(&self, spawned: &Spawned<'_>, around: &Surroundings, helpers: Vec<Helper>) -> RunState {
        let process = spawned.process;
        RunState {
            boot_id: self.host.boot_id.clone(),
            main: ProcessId { pid: process.pid as u32, start_time: process.start_time },
            started_at: Timestamp::now(),
            unit: around.unit.clone(),
            cgroup: None,
            paused: None,
            restarts: around.restarts,
            helpers,
        }
    }

    /// Every question answered.
    fn plan(
        &self,
        record: &ContainerRecord,
        wiring: &mut Wiring,
        around: &Surroundings,
    ) -> Result<(Plan, network::Uplink)> {
        let spec = &record.spec;
        let image = self.image_defaults(record)?;
        let program = systemd::program(spec, &image);
        let rootfs = mounts::rootfs(self, record)?;
        let namespaces = namespaces::resolve(self, spec)?;
        let users = self.users(record)?;
        let identity = identity::resolve(self, spec, &image, &rootfs)?;
        let hostname = resolve::hostname(record, &self.host);
        let (uplink, network_files) = network::resolve(self, record, &rootfs, &hostname)?;
        let mut given_files = identity.mounts;
        given_files.extend(network_files);
        given_files.extend(notify::mount(around.notify_socket.as_deref())?);
        given_files.extend(resolve::timezone(spec)?);
        given_files.extend(self.secret_files(record)?);
        let workdir = workdir(spec.process.workdir.as_deref(), &image.working_dir)?;
        let mut env = spec
            .process
            .env
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()))
            .collect::<BTreeMap<_, _>>();
        env.entry("HOME".to_owned()).or_insert_with(|| identity.user.home.clone());
        env.entry("HOSTNAME".to_owned()).or_insert_with(|| hostname.clone());
        if program == Program::Systemd {
            env.entry("container_uuid".to_owned()).or_insert_with(|| systemd::uuid(&record.id));
        }
        if around.notify_socket.is_some() {
            env.insert("NOTIFY_SOCKET".to_owned(), notify::INSIDE.to_owned());
        }
        env.extend(self.secret_variables(spec)?);
        let words = process::command(&spec.process, &image)?;
        let capabilities = security::capabilities(&spec.security, identity.user.uid, capability::Set::available)?;
        let (masked, read_only) = security::hidden(&spec.security)?;
        let injected = crate::cdi::resolve(self, &spec.security.cdi)?;
        for (name, value) in &injected.env {
            env.insert(name.clone(), value.clone());
        }
        let sysctls = security::sysctls(&spec.security, &namespaces, &users)?;
        let process = runtime::plan::Process {
            candidates: candidates(&words[0], env.get("PATH"))?,
            argv: words.iter().map(|word| files::c_string(word)).collect::<Result<_>>()?,
            envp: environment(&env)?,
            workdir,
            uid: identity.user.uid,
            gid: identity.user.gid,
            groups: identity.groups,
            personality: process::personality(&spec.process),
        };
        let owner = store::Owner { uid: process.uid, gid: process.gid };
        let plan = Plan {
            root_access: if spec.mounts.read_only {
                runtime::plan::Access::ReadOnly
            } else {
                runtime::plan::Access::Writable
            },
            mounts: mounts::resolve(
                self,
                record,
                owner,
                &rootfs,
                mounts::Given { files: given_files, cdi: injected.mounts, program },
            )?,
            rootfs,
            hostname: if namespaces.uts.is_new() { Name::Set(files::c_string(&hostname)?) } else { Name::Keep },
            domainname: Name::Keep,
            namespaces,
            users,
            devices: security::devices(&spec.security, &injected.devices)?,
            masked,
            read_only,
            sysctls,
            rlimits: identity::rlimits(&spec.process, &self.host)?,
            oom_score: spec.process.oom_score_adj.map_or(OomScore::Inherit, |score| OomScore::Set(score as i16)),
            umask: spec.process.umask.unwrap_or(0o022),
            seccomp: security::seccomp(self, &spec.security, &capabilities)?,
            capabilities,
            privileges: if spec.security.no_new_privileges { Privileges::NoNew } else { Privileges::MayGain },
            process,
            stdio: wiring.stdio(spec.process.tty)?,
            passed: passed_of(&spec.process)?,
            entry: entry(spec.process.init)?,
            parent: around.parent,
            cgroup: match &around.group {
                Some(group) => Cgroup::Into(group.try_clone().map_err(|e| Error::io("copy a descriptor", e))?),
                None => Cgroup::Inherit,
            },
        };
        Ok((plan, uplink))
    }

    /// What the image says about its containers; nothing, for a directory.
    pub fn image_defaults(&self, record: &ContainerRecord) -> Result<ContainerDefaults> {
        let Some(used) = &record.image else { return Ok(ContainerDefaults::default()) };
        if let Some(known) = self.image_defaults.borrow().get(&used.id) {
            return Ok(known.clone());
        }
        let image = self.store.image(&used.id).map_err(store_error)?;
        let defaults = self.image_config(&image)?.config;
        self.image_defaults.borrow_mut().insert(used.id, defaults.clone());
        Ok(defaults)
    }

    fn write_pidfile(&self, record: &ContainerRecord, pid: i32) -> Result<()> {
        match &record.spec.identity.pidfile {
            Some(path) => {
                use std::io::Write;
                let mut file = std::fs::File::from(self.open_file(path, Purpose::Write)?);
                let written = file.set_len(0).and_then(|()| file.write_all(format!("{pid}\n").as_bytes()));
                written.map_err(|e| Error::io(format!("write process ID to {path:?}"), e))
            }
            None => Ok(()),
        }
    }
}

/// An image's working directory is made when it is missing; one that was asked for must be there.
fn workdir(asked: Option<&str>, image: &str) -> Result<Workdir> {
    let (path, missing) = match (asked, image) {
        (Some(path), _) => (path, MissingWorkdir::Refuse),
        (None, "") => ("/", MissingWorkdir::Refuse),
        (None, path) => (path, MissingWorkdir::Create),
    };
    Ok(Workdir { path: files::guest(path).map_err(|e| e.within("working directory"))?, missing })
}

fn candidates(command: &str, path: Option<&String>) -> Result<Vec<CString>> {
    let path = path.map_or(process::DEFAULT_PATH, String::as_str);
    Ok(runtime::plan::candidates(&files::c_string(command)?, path.as_bytes()))
}

pub(crate) fn environment(env: &BTreeMap<String, String>) -> Result<Vec<CString>> {
    env.iter().map(|(name, value)| files::c_string(&format!("{name}={value}"))).collect()
}

/// What stands before the payload; the sealed helper where the payload could otherwise reach lodger's own binary.
pub(crate) fn entry(init: bool) -> Result<Entry> {
    let helper = || runtime::helper::memfd().map_err(|e| Error::io("put the helper program into memory", e));
    if init {
        return Ok(Entry::Init(helper()?));
    }
    if runtime::spawn::binary_is_exposed() { Ok(Entry::Shielded(helper()?)) } else { Ok(Entry::Direct) }
}

/// The caller's descriptors that a container gets.
fn passed_of(process: &spec::process::Process) -> Result<Vec<Passed>> {
    match process.preserve_fd.is_empty() {
        true => passed(process.preserve_fds),
        false => process.preserve_fd.iter().map(|number| one_passed("--preserve-fd", *number)).collect(),
    }
}

/// `--preserve-fds N`: the caller's descriptors from 3 on.
pub(crate) fn passed(count: u32) -> Result<Vec<Passed>> {
    (3..3 + count).map(|number| one_passed("--preserve-fds", number)).collect()
}

fn one_passed(flag: &str, number: u32) -> Result<Passed> {
    let path = format!("/proc/self/fd/{number}");
    let missing = || Error::invalid(format!("{flag}: descriptor {number} is not open"));
    if std::path::Path::new(&path).symlink_metadata().is_err() {
        return Err(missing());
    }
    let fd = crate::inherited::duplicate(number).ok_or_else(missing)?;
    Ok(Passed { number, fd })
}

/// A failed start as its kind.
pub(crate) fn start_kind(error: &runtime::Error) -> Option<Kind> {
    use runtime::Kind as From;
    let subject = error.subject();
    Some(match error.kind() {
        From::CommandNotFound => Kind::CommandNotFound(format!(
            "executable file `{subject}` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found"
        )),
        From::CommandNotExecutable => {
            Kind::CommandNotInvocable(format!("open executable: `{subject}`: Permission denied: OCI permission denied"))
        }
        From::WorkdirMissing => Kind::WorkdirMissing(subject.to_owned()),
        _ => return None,
    })
}
