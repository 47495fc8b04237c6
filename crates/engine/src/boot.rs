//! After a reboot: containers with a restart policy come back through one small unit, `lodger-restart.service`.
//!
//! Transient units end with the boot. The unit runs `lodger start --all --filter should-start-on-boot=true`; it is written
//! and enabled the first time it is needed, for a user in `~/.config/systemd/user`.

use crate::Engine;
use crate::containers::Container;
use crate::error::{Error, Result};
use spec::ContainerSpec;
use spec::lifecycle::Restart;
use std::path::{Path, PathBuf};

pub(crate) const NAME: &str = "lodger-restart.service";

/// Whether a container is to be started after a reboot.
pub(crate) fn wanted(spec: &ContainerSpec, stopped_by_hand: bool) -> bool {
    match spec.lifecycle.restart {
        Some(Restart::Always) => true,
        Some(Restart::UnlessStopped) => !stopped_by_hand,
        // podman starts these only while they have not failed too often; after a boot the count begins anew.
        Some(Restart::OnFailure(_)) => !stopped_by_hand,
        Some(Restart::No) | None => false,
    }
}

impl Engine {
    /// Whether a container comes back after a reboot (podman's filter `should-start-on-boot`).
    pub fn starts_after_boot(&self, container: &Container) -> bool {
        wanted(&container.record.spec, self.store.stop_requested(&container.record.id))
    }

    /// As root, prepares the next boot before this process enters its containers' id range, from where `/etc` is out of reach.
    pub(crate) fn prepare_boot_as_root(&self, spec: &ContainerSpec) -> Result<()> {
        if self.host.rootless() || self.host.systemd.is_none() || self.is_inside() {
            return Ok(());
        }
        prepare(self, spec)
    }
}

/// Writes and enables the unit, where the container needs it and it is not there.
pub(crate) fn prepare(engine: &Engine, spec: &ContainerSpec) -> Result<()> {
    if !wanted(spec, false) || spec.lifecycle.remove {
        return Ok(());
    }
    let (directory, target) = match engine.host.rootless() {
        true => (engine.host.config_dir().join("systemd/user"), "default.target"),
        false => (PathBuf::from("/etc/systemd/system"), "multi-user.target"),
    };
    let program = std::env::current_exe().map_err(|e| Error::io("find lodger's own program file", e))?;
    let text = text(&program, engine.store.root(), target);
    let path = directory.join(NAME);
    if std::fs::read_to_string(&path).is_ok_and(|found| found == text)
        && directory.join(format!("{target}.wants")).join(NAME).exists()
    {
        return Ok(());
    }
    write(&directory, &path, &text, target)?;
    // The manager learns of it at the next boot anyhow; now it can be seen as well. As root the bus must not be used yet: it
    // would keep this process from entering the range.
    if let Some(systemd) = engine.host.systemd.as_ref().filter(|_| engine.host.rootless()) {
        systemd.reload()?;
    }
    Ok(())
}

fn write(directory: &Path, path: &Path, text: &str, target: &str) -> Result<()> {
    let wants = directory.join(format!("{target}.wants"));
    std::fs::create_dir_all(&wants).map_err(|e| Error::io(format!("create {wants:?}"), e))?;
    let temporary = directory.join(format!(".{NAME}.{}", std::process::id()));
    std::fs::write(&temporary, text).map_err(|e| Error::io(format!("write {temporary:?}"), e))?;
    std::fs::rename(&temporary, path).map_err(|e| Error::io(format!("write {path:?}"), e))?;
    let link = wants.join(NAME);
    match std::os::unix::fs::symlink(path, &link) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(Error::io(format!("create {link:?}"), error));
        }
        _ => {}
    }
    sync(directory)
}

/// File, link and new directories at once; it happens once for each user.
fn sync(directory: &Path) -> Result<()> {
    let opened = std::fs::File::open(directory).map_err(|e| Error::io(format!("open {directory:?}"), e))?;
    rustix::fs::syncfs(opened).map_err(|e| Error::io(format!("sync {directory:?}"), e.into()))
}

fn text(program: &Path, root: &Path, target: &str) -> String {
    let quote = |path: &Path| {
        let text =
            path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
        format!("\"{text}\"")
    };
    format!(
        "# Written by lodger; starts containers with a restart policy after a reboot.\n\
         [Unit]\n\
         Description=Start lodger's containers that have a restart policy\n\
         After=network-online.target\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         ExecStart={} --root {} start --all --filter should-start-on-boot=true\n\
         \n\
         [Install]\n\
         WantedBy={target}\n",
        quote(program),
        quote(root)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_add_a_directive() {
        let text = text(Path::new("/opt/a b/%n\"$x"), Path::new("/r"), "default.target");
        assert!(text.contains("ExecStart=\"/opt/a b/%%n\\\"$$x\" --root \"/r\" start --all"), "{text}");
    }
}
