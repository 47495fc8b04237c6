//! `exec`: a further process in a running container, with nothing left behind.

use super::{Container, process_id};
use crate::error::{Error, Result};
use crate::events::Act;
use crate::launch::{self, Ended, Output, StandardInput, TerminalKeeper, Wiring};
use crate::resolve::{files, identity, process, security};
use crate::{Engine, runtime_error};
use runtime::capability::{self, Sets};
use runtime::exec::ExecPlan;
use runtime::foreground::{DetachKeys, Foreground, Outcome};
use runtime::plan::{Cgroup, MissingWorkdir, OomScore, Privileges, Process, Seccomp, Workdir};
use runtime::{Running, users};
use std::collections::BTreeMap;
use std::io::Read;

/// What `exec` is asked for.
#[derive(Debug, Clone)]
pub struct ExecRequest {
    /// The words to run; not empty.
    pub command: Vec<String>,
    /// `--env`, with values.
    pub env: Vec<(String, String)>,
    /// `--user`; absent = the container's.
    pub user: Option<String>,
    /// `--workdir`; absent = the container's.
    pub workdir: Option<String>,
    /// `--tty`
    pub tty: bool,
    /// Its standard input.
    pub input: StandardInput,
    /// `--detach-keys`
    pub keys: DetachKeys,
    /// `--preserve-fds`
    pub preserve_fds: u32,
    /// `--privileged`
    pub privileges: ExecPrivileges,
}

/// How much an exec may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecPrivileges {
    /// As the container.
    Container,
    /// All capabilities of the user namespace and no filter.
    All,
}

/// Larger than any real account file.
const LIMIT: u64 = 4 << 20;

impl Engine {
    /// Runs a command in a container until it ends, or the caller leaves it to itself with the detach keys.
    pub fn exec(&self, container: &Container, request: &ExecRequest) -> Result<Ended> {
        let _held = runtime::foreground::hold_signals().map_err(runtime_error)?;
        // Before the command: what is started after the command is in the container.
        let keeper = match request.tty && request.input == StandardInput::Caller {
            true => Some(TerminalKeeper::start()?),
            false => None,
        };
        let mut wiring = Wiring::further(request.input, [Output::Shown; 2], launch::window());
        let running = self.exec_start(container, request, &mut wiring)?;
        self.send_events();
        let lent = launch::lent(request.input, request.tty, std::mem::take(&mut wiring.carried))?;
        let foreground = Foreground { detach: request.keys.clone(), ..lent };
        match runtime::foreground::attend(&running, foreground).map_err(runtime_error)? {
            Outcome::Exited(exit) => {
                self.tell_end(&container.record, Act::ExecDied, Some(exit.code().into()));
                Ok(Ended { code: exit.code() })
            }
            Outcome::TimedOut => Err(Error::other("the process was left behind")),
            Outcome::Detached => {
                if let (Some(keeper), Some(terminal)) = (keeper, &running.terminal) {
                    keeper.keep(terminal)?;
                }
                Ok(Ended { code: 0 })
            }
        }
    }

    /// Starts a command in a container and leaves it there, with nothing to read and nobody who hears it; returns an ID
    /// made up for it. It ends with the container.
    pub fn exec_detached(&self, container: &Container, request: &ExecRequest) -> Result<String> {
        let nothing = ExecRequest { input: StandardInput::Closed, tty: false, ..request.clone() };
        let mut wiring = Wiring::unheard();
        self.exec_start(container, &nothing, &mut wiring)?;
        Ok(store::ContainerId::random().to_string())
    }

    pub(super) fn exec_start(
        &self,
        container: &Container,
        request: &ExecRequest,
        wiring: &mut Wiring,
    ) -> Result<Running> {
        let running = container.running.as_ref().filter(|state| state.paused.is_none());
        let Some(state) = running else { return Err(self.wrong_state(container, "exec")) };
        self.reach_profile(&container.record.spec);
        // Before the bus is used: what it leaves in this process would keep it from joining a namespace.
        self.approach(&container.record.spec)?;
        self.join_cgroup(state)?;
        let plan = self.exec_plan(container, request, wiring)?;
        let inside = runtime::exec::Container::open(&process_id(state)).map_err(runtime_error)?;
        let program = inside.compile(&plan).map_err(runtime_error)?;
        let running = runtime::spawn(&program).map_err(runtime_error)?.release().map_err(runtime_error)?;
        self.tell_container(&container.record, Act::Exec);
        Ok(running)
    }

    /// The process counts towards the container's limits, so it starts in its cgroup. Only systemd may move a process
    /// across the boundary of a session; where there is none, the caller's own cgroup has to do.
    fn join_cgroup(&self, state: &store::RunState) -> Result<()> {
        match (&self.host.systemd, &state.unit) {
            (Some(systemd), Some(unit)) => systemd.attach(unit, std::process::id()),
            _ => Ok(()),
        }
    }

    fn exec_plan(&self, container: &Container, request: &ExecRequest, wiring: &mut Wiring) -> Result<ExecPlan> {
        let Some(state) = &container.running else { return Err(self.wrong_state(container, "exec")) };
        let spec = &container.record.spec;
        let image = self.image_defaults(&container.record)?;
        let asked = request.user.as_deref().or(spec.process.user.as_deref()).unwrap_or(&image.user);
        self.approach(spec)?;
        let accounts = |file: &str| read_inside(state.main.pid, file);
        let (passwd, group) = (accounts("etc/passwd")?, accounts("etc/group")?);
        let user = users::resolve(asked, &passwd, &group).map_err(runtime_error)?;
        let groups = identity::supplementary(&spec.process, None, &user, &group)?;
        let mut env: BTreeMap<String, String> =
            spec.process.env.iter().map(|(name, value)| (name.clone(), value.clone().unwrap_or_default())).collect();
        env.insert("HOME".to_owned(), user.home.clone());
        env.entry("HOSTNAME".to_owned()).or_insert_with(|| crate::resolve::hostname(&container.record, &self.host));
        env.extend(self.secret_variables(spec)?);
        if request.tty {
            env.entry("TERM".to_owned()).or_insert_with(|| "xterm".to_owned());
        }
        env.extend(request.env.iter().cloned());
        let workdir = request.workdir.as_deref().or(spec.process.workdir.as_deref());
        let workdir = workdir.unwrap_or(if image.working_dir.is_empty() { "/" } else { &image.working_dir });
        let all = request.privileges == ExecPrivileges::All;
        let capabilities = if all {
            everything()
        } else {
            security::capabilities(&spec.security, user.uid, capability::Set::available)?
        };
        let first = request.command.first().ok_or_else(|| Error::invalid("exec needs a command"))?;
        let path = env.get("PATH").map_or(process::DEFAULT_PATH, String::as_str);
        Ok(ExecPlan {
            process: Process {
                candidates: runtime::plan::candidates(&files::c_string(first)?, path.as_bytes()),
                argv: request.command.iter().map(|word| files::c_string(word)).collect::<Result<_>>()?,
                envp: launch::environment(&env)?,
                workdir: Workdir { path: files::guest(workdir)?, missing: MissingWorkdir::Refuse },
                uid: user.uid,
                gid: user.gid,
                groups,
                personality: process::personality(&spec.process),
            },
            seccomp: if all { Seccomp::Unconfined } else { security::seccomp(self, &spec.security, &capabilities)? },
            capabilities,
            privileges: if spec.security.no_new_privileges && !all { Privileges::NoNew } else { Privileges::MayGain },
            rlimits: identity::rlimits(&spec.process, &self.host)?,
            oom_score: OomScore::Inherit,
            umask: spec.process.umask.unwrap_or(0o022),
            stdio: wiring.stdio(request.tty)?,
            passed: launch::passed(request.preserve_fds)?,
            entry: launch::entry(false)?,
            cgroup: Cgroup::Inherit,
        })
    }
}

fn everything() -> Sets {
    use runtime::capability::Set;
    Sets { bounding: Set::ALL, effective: Set::ALL, permitted: Set::ALL, ..Sets::default() }
}

/// A small regular file below a container's root, resolved inside it; empty when it is not there.
pub(super) fn read_inside(pid: u32, path: &str) -> Result<Vec<u8>> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    let root = format!("/proc/{pid}/root");
    let fail = |what: &str, e: rustix::io::Errno| Error::io(format!("{what} {root}/{path}"), e.into());
    let top = rustix::fs::open(&root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| fail("enter", e))?;
    // A FIFO or device that the container put there neither blocks nor answers.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let look = match openat2(&top, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve) {
        Ok(look) => look,
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(Vec::new()),
        Err(errno) => return Err(fail("open", errno)),
    };
    let stat = rustix::fs::fstat(&look).map_err(|e| fail("stat", e))?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile
        || stat.st_size as u64 > LIMIT
    {
        return Err(Error::other(format!("{path} of the container is not a regular file of at most {LIMIT} bytes")));
    }
    let own = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&look));
    let file = rustix::fs::open(own, flags, Mode::empty()).map_err(|e| fail("open", e))?;
    let mut bytes = Vec::new();
    std::fs::File::from(file)
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io(format!("read {root}/{path}"), e))?;
    Ok(bytes)
}
