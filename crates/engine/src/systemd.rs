//! D-Bus with systemd: transient units, jobs, and what systemd knows of a unit.
//!
//! Every operation is one short connection inside one `block_on`: connecting costs 0.3 ms, and nothing (no thread, no
//! descriptor) is left behind for a later `setns` or fork to trip over. Interfaces:
//! <https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.systemd1.html>.

use crate::error::{Error, Kind, Result};
use futures_core::Stream;
use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::{Duration, Instant};
use zbus::{Connection, MessageStream, OwnedObjectPath, OwnedVariant, Variant};

const DESTINATION: &str = "org.freedesktop.systemd1";
const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
const UNIT_EXISTS: &str = "org.freedesktop.systemd1.UnitExists";
const NO_SUCH_UNIT: &str = "org.freedesktop.systemd1.NoSuchUnit";

/// How long a unit is asked for whose name still belongs to one that has ended, and how often.
const ENDED: Duration = Duration::from_millis(500);
/// The same for one that is ending.
const ENDING: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// A manager that can be reached: the user's own, or the system's.
#[derive(Debug)]
pub struct Systemd {
    /// A socket's path.
    socket: PathBuf,
    /// Opened before this process became somebody else, and used from then on: the bus would not let it in again.
    ahead: RefCell<Ahead>,
    /// Who the bus sees; inside the user namespace `geteuid` says 0, which would be refused.
    uid: u32,
    /// Which manager it is.
    pub scope: Scope,
}

/// A connection opened ahead.
#[derive(Debug, Default)]
enum Ahead {
    /// None was: each operation opens its own.
    #[default]
    None,
    /// Nobody has said a word on it yet.
    Fresh(UnixStream),
    /// It knows who we were.
    Known(Connection),
}

/// Whose manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `systemd --user`
    User,
    /// PID 1
    System,
}

/// One property of a unit to be made.
pub type Property = (&'static str, Variant<'static>);

/// Whose start of a unit it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Began {
    /// This process's.
    Here,
    /// Somebody else had started a unit of the name, or was about to.
    Elsewhere,
}

/// What systemd says of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitState {
    /// `active`, `activating`, `failed`, `inactive`, …
    pub active: String,
    /// `running`, `auto-restart`, …
    pub sub: String,
    /// `success`, `exit-code`, `signal`, `oom-kill`, `timeout`, …
    pub result: String,
    /// 0 when none.
    pub main_pid: u32,
    /// How often systemd restarted it by itself.
    pub restarts: u32,
}

impl Systemd {
    /// The manager behind a bus's socket.
    pub fn new(scope: Scope, socket: PathBuf, uid: u32) -> Self {
        Self { socket, ahead: RefCell::default(), uid, scope }
    }

    /// Opens a connection for the operations to come.
    pub(crate) fn connect_ahead(&self) {
        // What cannot be had is told when it is needed.
        if let Ok(stream) = UnixStream::connect(&self.socket) {
            self.ahead.replace(Ahead::Fresh(stream));
        }
    }

    /// Makes and starts a transient unit and waits for the job's end: `Ok` once it is active.
    ///
    /// A failed unit of the same name that is still loaded gives way, and the end of one that is ending is waited for. One that
    /// somebody else is starting is waited for as well: the caller sees whether it is what was meant. `meanwhile` is called
    /// once the job is queued.
    pub fn start_transient(
        &self,
        unit: &str,
        properties: &[Property],
        meanwhile: impl FnOnce() -> Result<()>,
    ) -> Result<Began> {
        zbus::block_on(async {
            let connection = self.connect().await?;
            let mut signals = job_signals(&connection).await?;
            let none: &[(&str, &[(&str, Variant<'static>)])] = &[];
            let body = (unit, "fail", properties, none);
            let began_at = Instant::now();
            let mut began = Began::Here;
            let mut reply = call(&connection, "StartTransientUnit", &body).await;
            while is_error(&reply, UNIT_EXISTS) {
                let patience = match active_state(&connection, unit).await.as_deref() {
                    // A job for what is under way joins the job that there is, and one for what runs is done at once.
                    Some("activating" | "active" | "reloading") => {
                        began = Began::Elsewhere;
                        reply = call(&connection, "StartUnit", &(unit, "fail")).await;
                        break;
                    }
                    Some("deactivating") => ENDING,
                    _ => ENDED,
                };
                // One that has gone meanwhile cannot be reset, and need not be.
                let _ = call(&connection, "ResetFailedUnit", &(unit,)).await;
                reply = call(&connection, "StartTransientUnit", &body).await;
                if began_at.elapsed() > patience {
                    break;
                }
                if is_error(&reply, UNIT_EXISTS) {
                    std::thread::sleep(PAUSE);
                }
            }
            let job: OwnedObjectPath = body_of(reply.map_err(|e| failed("start", unit, e))?, unit)?;
            let done_meanwhile = meanwhile();
            match job_result(&mut signals, &job, unit).await?.as_str() {
                "done" => done_meanwhile.map(|()| began),
                result => Err(Error::new(Kind::StartFailed).within(format!("start unit {unit}: job {result}"))),
            }
        })
    }

    /// Puts a running process of this user into a scope of its own, with these limits.
    pub fn start_scope(&self, scope: &str, pid: u32, limits: &[Property]) -> Result<()> {
        let mut properties: Vec<Property> = vec![
            ("PIDs", Variant::from(vec![pid])),
            ("CollectMode", Variant::from("inactive-or-failed")),
            // Else systemd stops all of it, this process too, when the kernel kills one for lack of memory.
            ("Delegate", Variant::Bool(true)),
        ];
        for (name, value) in limits {
            properties.push((name, value.try_clone().map_err(|e| failed("describe", scope, e))?));
        }
        self.start_transient(scope, &properties, || Ok(())).map(drop)
    }

    /// Stops a unit and waits until it has stopped; systemd sends its signals and obeys its time limits.
    /// `Ok(false)`: there is no such unit (any more).
    pub fn stop(&self, unit: &str) -> Result<bool> {
        zbus::block_on(async {
            let connection = self.connect().await?;
            let mut signals = job_signals(&connection).await?;
            let reply = call(&connection, "StopUnit", &(unit, "replace")).await;
            if is_error(&reply, NO_SUCH_UNIT) {
                return Ok(false);
            }
            let job: OwnedObjectPath = body_of(reply.map_err(|e| failed("stop", unit, e))?, unit)?;
            job_result(&mut signals, &job, unit).await?;
            Ok(true)
        })
    }

    /// Queues a stop without waiting for it.
    pub fn stop_later(&self, unit: &str) -> Result<()> {
        zbus::block_on(async {
            let connection = self.connect().await?;
            let reply = call(&connection, "StopUnit", &(unit, "replace")).await;
            if is_error(&reply, NO_SUCH_UNIT) {
                return Ok(());
            }
            reply.map(drop).map_err(|e| failed("stop", unit, e))
        })
    }

    /// Sends a signal to every process of a unit.
    pub fn kill_all(&self, unit: &str, signal: i32) -> Result<()> {
        zbus::block_on(async {
            let connection = self.connect().await?;
            let reply = call(&connection, "KillUnit", &(unit, "all", signal)).await;
            if is_error(&reply, NO_SUCH_UNIT) {
                return Ok(());
            }
            reply.map(drop).map_err(|e| failed("kill", unit, e))
        })
    }

    /// Forgets a failed unit, so that its name is free.
    pub fn reset_failed(&self, unit: &str) -> Result<()> {
        zbus::block_on(async {
            let connection = self.connect().await?;
            let reply = call(&connection, "ResetFailedUnit", &(unit,)).await;
            if is_error(&reply, NO_SUCH_UNIT) { Ok(()) } else { reply.map(drop).map_err(|e| failed("reset", unit, e)) }
        })
    }

    /// Changes properties of a unit that runs, until it ends.
    pub fn set_properties(&self, unit: &str, properties: &[Property]) -> Result<()> {
        zbus::block_on(async {
            let connection = self.connect().await?;
            let reply = call(&connection, "SetUnitProperties", &(unit, true, properties)).await;
            reply.map(drop).map_err(|e| failed("change", unit, e))
        })
    }

    /// Reads unit files again, as `systemctl daemon-reload`.
    pub fn reload(&self) -> Result<()> {
        zbus::block_on(async {
            let connection = self.connect().await?;
            call(&connection, "Reload", &()).await.map(drop).map_err(|e| failed("reload", "systemd", e))
        })
    }

    /// Moves a process of this user into a unit's cgroup.
    pub fn attach(&self, unit: &str, pid: u32) -> Result<()> {
        zbus::block_on(async {
            let connection = self.connect().await?;
            let body = (unit, "", &[pid][..]);
            call(&connection, "AttachProcessesToUnit", &body).await.map(drop).map_err(|e| failed("attach to", unit, e))
        })
    }

    /// What systemd knows of a service; `None` when the unit is not loaded.
    pub fn state(&self, unit: &str) -> Result<Option<UnitState>> {
        zbus::block_on(async {
            let connection = self.connect().await?;
            let reply = call(&connection, "GetUnit", &(unit,)).await;
            if is_error(&reply, NO_SUCH_UNIT) {
                return Ok(None);
            }
            let path: OwnedObjectPath = body_of(reply.map_err(|e| failed("look up", unit, e))?, unit)?;
            let get = |interface, name| property(&connection, &path, interface, name);
            Ok(Some(UnitState {
                active: get(UNIT, "ActiveState").await.map(text).unwrap_or_default(),
                sub: get(UNIT, "SubState").await.map(text).unwrap_or_default(),
                result: get(SERVICE, "Result").await.map(text).unwrap_or_default(),
                main_pid: get(SERVICE, "MainPID").await.map(number).unwrap_or_default(),
                restarts: get(SERVICE, "NRestarts").await.map(number).unwrap_or_default(),
            }))
        })
    }

    async fn connect(&self) -> Result<Connection> {
        let circumstance = || format!("connect to {:?}", self.socket);
        let (stream, is_ahead) = match self.ahead.take() {
            Ahead::Known(connection) => {
                self.ahead.replace(Ahead::Known(connection.clone()));
                return Ok(connection);
            }
            Ahead::Fresh(stream) => (Ok(stream), true),
            Ahead::None => (UnixStream::connect(&self.socket), false),
        };
        let stream = stream.map_err(|e| Error::caused(Kind::NoSystemd, e).within(circumstance()))?;
        let builder = zbus::connection::Builder::unix_stream(stream).user_id(self.uid);
        let connection = builder.build().await.map_err(|e| Error::caused(Kind::NoSystemd, e).within(circumstance()))?;
        if is_ahead {
            self.ahead.replace(Ahead::Known(connection.clone()));
        }
        Ok(connection)
    }
}

/// The signals that tell of a job's end. systemd broadcasts them while somebody waits for the job, so the bus is told to
/// pass them on, and before the job is queued.
async fn job_signals(connection: &Connection) -> Result<MessageStream> {
    let rule = zbus::MatchRule::builder().msg_type(zbus::message::Type::Signal).path(MANAGER_PATH);
    let rule = rule.interface(MANAGER).member("JobRemoved").build().map_err(|e| failed("watch", "jobs", e))?;
    MessageStream::for_match_rule(rule, connection, None).await.map_err(|e| failed("watch", "jobs", e))
}

/// Waits for `JobRemoved` of this job.
async fn job_result(signals: &mut MessageStream, job: &OwnedObjectPath, unit: &str) -> Result<String> {
    loop {
        let next = std::future::poll_fn(|context| Pin::new(&mut *signals).poll_next(context)).await;
        let message = match next {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(failed("wait for", unit, error)),
            None => return Err(Error::other(format!("wait for {unit}: the bus closed the connection"))),
        };
        if message.header().member().is_none_or(|member| member.as_str() != "JobRemoved") {
            continue;
        }
        let body = message.body();
        let Ok((_, path, _, result)) = body.deserialize::<(u32, OwnedObjectPath, String, String)>() else { continue };
        if path == *job {
            return Ok(result);
        }
    }
}

async fn call<B>(connection: &Connection, method: &str, body: &B) -> zbus::Result<zbus::Message>
where
    B: serde::Serialize + zbus::DynamicType,
{
    connection.call_method(Some(DESTINATION), MANAGER_PATH, Some(MANAGER), method, body).await
}

/// `active`, `activating`, …; `None` when the unit is not loaded.
async fn active_state(connection: &Connection, unit: &str) -> Option<String> {
    let reply = call(connection, "GetUnit", &(unit,)).await.ok()?;
    let path = reply.body().deserialize::<OwnedObjectPath>().ok()?;
    property(connection, &path, UNIT, "ActiveState").await.map(text)
}

async fn property(
    connection: &Connection,
    path: &OwnedObjectPath,
    interface: &str,
    name: &str,
) -> Option<OwnedVariant> {
    let properties = "org.freedesktop.DBus.Properties";
    let reply = connection.call_method(Some(DESTINATION), path, Some(properties), "Get", &(interface, name)).await;
    reply.ok()?.body().deserialize::<OwnedVariant>().ok()
}

fn text(value: OwnedVariant) -> String {
    String::try_from(value).unwrap_or_default()
}

fn number(value: OwnedVariant) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

fn body_of<T>(message: zbus::Message, unit: &str) -> Result<T>
where
    T: for<'d> zbus::wire::DynamicDeserialize<'d>,
{
    message.body().deserialize().map_err(|e| failed("read reply about", unit, e))
}

fn is_error(reply: &zbus::Result<zbus::Message>, name: &str) -> bool {
    matches!(reply, Err(zbus::Error::MethodError(error, _, _)) if error.as_str() == name)
}

fn failed(operation: &str, unit: &str, error: zbus::Error) -> Error {
    Error::caused(Kind::Other, error).within(format!("{operation} unit {unit}"))
}
