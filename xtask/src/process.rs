//! Running other programs: with their output captured and their time bounded, or just checked.
//!
//! A program that leaves children behind which still hold its output open does not block us.

use std::collections::HashMap;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long whoever inherited a program's output may keep it open after the program has ended.
const LINGER: Duration = Duration::from_millis(500);

/// What a program left.
#[derive(Debug, Clone)]
pub struct Captured {
    /// The command as one readable line.
    pub line: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Its standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
    /// Time from spawn to exit.
    pub took: Duration,
}

/// Runs a program with the terminal as it is and demands success.
pub fn check(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command.status().with_context(|| format!("start {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}

/// Runs a program to its end and keeps its output; kills it and all below it after `bound`.
pub fn capture(command: &mut Command, bound: Duration) -> Result<Captured> {
    let line = line(command);
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {line}"))?;
    let stdout = Stream::follow(child.stdout.take());
    let stderr = Stream::follow(child.stderr.take());
    let status = match wait(&mut child, started + bound)? {
        Some(status) => status,
        None => {
            kill_tree(&mut child);
            let (stdout, stderr) = (stdout.finish(), stderr.finish());
            bail!("{line}: not finished after {bound:?}\nstdout: {stdout}\nstderr: {stderr}");
        }
    };
    let took = started.elapsed();
    Ok(Captured { line, status, stdout: stdout.finish(), stderr: stderr.finish(), took })
}

/// The standard output of a program that must succeed, without the last line's end.
pub fn output(command: &mut Command) -> Result<String> {
    let captured = capture(command, Duration::from_secs(600))?;
    if !captured.status.success() {
        bail!("{}: {}\n{}", captured.line, captured.status, captured.stderr.trim_end());
    }
    Ok(captured.stdout.trim_end_matches('\n').to_owned())
}

/// Whether a program runs and succeeds; what it says is dropped.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A command as one line for messages.
pub fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| quoted(&arg.to_string_lossy())));
    words.join(" ")
}

/// One word as a POSIX shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn wait(child: &mut Child, deadline: Instant) -> Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().context("wait for a program")? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Ends a child and everything that descends from it, children first found, children first killed.
fn kill_tree(child: &mut Child) {
    let mut doomed = descendants(child.id());
    doomed.reverse();
    for pid in doomed {
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { continue };
        // A process may be gone already: that is what was wanted.
        let _ = kill_process(pid, Signal::KILL);
    }
    let _ = child.wait();
}

/// A process and all below it, parents before children.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in all_processes() {
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        found.extend(children.remove(&found[next]).unwrap_or_default());
        next += 1;
    }
    found
}

/// Every process this one can see.
pub fn all_processes() -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the fields begin after the last one.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// A reader of one output stream that can be abandoned.
struct Stream {
    read: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Stream {
    fn follow(source: Option<impl Read + Send + 'static>) -> Stream {
        let read = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&read);
        let thread = spawn(move || {
            let Some(mut source) = source else { return };
            let mut chunk = [0; 8192];
            while let Ok(size) = source.read(&mut chunk) {
                if size == 0 {
                    break;
                }
                lock(&shared).extend_from_slice(&chunk[..size]);
            }
        });
        Stream { read, thread }
    }

    fn finish(self) -> String {
        let deadline = Instant::now() + LINGER;
        while !self.thread.is_finished() && Instant::now() < deadline {
            sleep(Duration::from_millis(1));
        }
        String::from_utf8_lossy(&lock(&self.read)).into_owned()
    }
}

fn lock(bytes: &Mutex<Vec<u8>>) -> std::sync::MutexGuard<'_, Vec<u8>> {
    bytes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for word in ["plain", "", "two words", "it's", "$HOME", "a\nb", "*", "-x"] {
            let script = format!("printf %s {}", quoted(word));
            assert_eq!(output(Command::new("sh").args(["-c", &script])).unwrap(), word);
        }
    }

    #[test]
    fn a_child_left_behind_does_not_block() {
        let captured = capture(Command::new("sh").args(["-c", "sleep 30 & echo $!"]), Duration::from_secs(20)).unwrap();
        assert!(captured.took < Duration::from_secs(20));
        let pid: i32 = captured.stdout.trim().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }

    #[test]
    fn a_program_over_its_time_is_ended_with_its_children() {
        let error = capture(Command::new("sh").args(["-c", "sleep 1000 & echo $!; wait"]), Duration::from_millis(300))
            .unwrap_err()
            .to_string();
        let pid = error.split("stdout: ").nth(1).unwrap().split_whitespace().next().unwrap();
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }
}
