//! Fuzzing without a tool to install: what reads words from outside is given inputs that nobody wrote, by ordinary tests.
//!
//! Each crate has its targets in `src/fuzz.rs`, and their corpora in `fuzz/TARGET/`, one input a file. A run tries the corpus
//! and the target's own seeds, then changes of them: bits, bytes, chunks, numbers, words of the format. What makes the target
//! say something new is kept for further changes, so that a run finds its way behind the first check.
//!
//! A test takes a second at most, always with the same random numbers. `cargo xtask fuzz [TARGET] [--seconds N]` takes longer, and
//! others. An input that fails is put into the corpus, where every later test tries it first.

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::random::Random;
use crate::{build, digest, paths, process};

/// How long each target runs, in seconds, where it is to be longer than in a test.
const SECONDS: &str = "LODGER_FUZZ_SECONDS";
/// Where its random numbers begin.
const SEED: &str = "LODGER_FUZZ_SEED";
/// How long a target runs in a test, and how many inputs it then gets at most: a fast machine is to try none that no slow one has.
const BRIEF: Duration = Duration::from_secs(1);
const FEW: usize = 1500;
/// An input that takes so long is a failure of a long run.
const SLOW: Duration = Duration::from_secs(5);
/// No input is longer, in bytes.
const LONGEST: usize = 64 << 10;
/// Inputs that are kept for further changes.
const KEPT: usize = 4096;
/// Changes of one input, at most.
const CHANGES: u32 = 6;

/// Something that reads words from outside.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its name, and its corpus's.
    pub name: &'a str,
    /// Inputs to begin with.
    pub seeds: &'a [&'a [u8]],
    /// Words of its format.
    pub words: &'a [&'a str],
}

impl Target<'_> {
    /// Runs it. `take` reads one input and says in words what came of it; that it panics is a failure.
    ///
    /// # Panics
    /// With the file of an input with which it panicked.
    pub fn run(&self, take: impl Fn(&[u8]) -> String) {
        let long = std::env::var(SECONDS).ok().and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let seed = std::env::var(SEED).ok().and_then(|text| text.parse().ok()).unwrap_or(1);
        let corpus = self.corpus();
        let last = long.map(|_| std::env::temp_dir().join(format!("lodger-fuzz-{}", self.name)));
        let mut pool: Vec<Vec<u8>> = files(&corpus);
        pool.extend(self.seeds.iter().map(|seed| seed.to_vec()));
        pool.push(Vec::new());
        let first = pool.len();
        let mut run = Run { random: Random(seed), seen: HashSet::new(), slowest: Duration::ZERO, corpus, last };
        for input in pool.clone() {
            run.one(&input, &take);
        }
        let (began, length) = (Instant::now(), long.unwrap_or(BRIEF));
        let most = if long.is_some() { usize::MAX } else { FEW };
        let mut tried = pool.len();
        while tried < most && began.elapsed() < length {
            let input = run.random.changed(&pool, self.words);
            tried += 1;
            if run.one(&input, &take) {
                if pool.len() >= KEPT {
                    let place = first + run.random.below(pool.len() - first);
                    pool.swap_remove(place);
                }
                pool.push(input);
            }
        }
        if long.is_some() {
            let slowest = run.slowest;
            println!("fuzz {}: {tried} inputs, {} results, slowest {slowest:?}", self.name, run.seen.len());
            assert!(slowest < SLOW, "an input of {} took {slowest:?}", self.name);
        }
        let _ = run.last.map(fs::remove_file);
    }

    /// Of the crate whose test this is.
    fn corpus(&self) -> PathBuf {
        let package =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| paths::workspace().to_owned(), PathBuf::from);
        package.join("fuzz").join(self.name)
    }
}

/// A target being run.
struct Run {
    random: Random,
    /// Hashes of what the target said.
    seen: HashSet<u64>,
    slowest: Duration,
    corpus: PathBuf,
    /// Gets each input before it is tried, for one that ends the whole process.
    last: Option<PathBuf>,
}

impl Run {
    /// Tries an input; true if the target says something new of it.
    fn one(&mut self, input: &[u8], take: &impl Fn(&[u8]) -> String) -> bool {
        if let Some(last) = &self.last {
            let _ = fs::write(last, input);
        }
        let began = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| take(input))) {
            Ok(said) => {
                self.slowest = self.slowest.max(began.elapsed());
                self.seen.insert(gist(&said))
            }
            Err(_) => {
                let file = keep(&self.corpus, input);
                panic!("it fails with {file:?}: {:?}", String::from_utf8_lossy(input));
            }
        }
    }
}

/// Puts a failing input into the corpus, where it can be written.
fn keep(corpus: &Path, input: &[u8]) -> PathBuf {
    let file = corpus.join(format!("fails-{}", &digest::hex(&Sha256::digest(input))[..16]));
    let _ = fs::create_dir_all(corpus).and_then(|()| fs::write(&file, input));
    file
}

/// The inputs of a corpus, in the order of their names.
fn files(corpus: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(corpus) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.into_iter().filter_map(|file| fs::read(file).ok()).collect()
}

/// What was said, without quoted words, which are the input's, and of numbers the first digit.
fn gist(said: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let (mut quoted, mut before) = (false, ' ');
    for c in said.chars().take(200) {
        quoted ^= matches!(c, '"' | '`');
        let further = c.is_ascii_digit() && before.is_ascii_digit();
        before = c;
        if !quoted && !further {
            hash = (hash ^ u64::from(u32::from(c))).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

impl Random {
    /// A few changes of one of the inputs.
    fn changed(&mut self, pool: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
        let mut input = pool[self.below(pool.len())].clone();
        for _ in 0..=self.below(CHANGES as usize) {
            self.change(&mut input, pool, words);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str]) {
        const TELLING: &[u8] = b"\0\n\t \"'\\/.:,=@#%*[]{}()<>-+_$0919azAZ\x7f\x80\xff";
        const NUMBERS: [&str; 9] =
            ["0", "-1", "1", "255", "65536", "4294967296", "9223372036854775808", "18446744073709551616", "1e999"];
        let (from, to) = self.range(input.len());
        match self.below(10) {
            0 if !input.is_empty() => input[from.min(to.saturating_sub(1))] ^= 1 << self.below(8),
            1 if from < to => input[from] = TELLING[self.below(TELLING.len())],
            2 => input.insert(from, TELLING[self.below(TELLING.len())]),
            3 => drop(input.drain(from..to)),
            4 => {
                // A chunk again, now and then many times, as what is nested would be.
                let chunk = input[from..to].to_vec();
                let times = if self.below(8) == 0 { 1 + self.below(4000) } else { 1 };
                let times = times.min(LONGEST / chunk.len().max(1));
                drop(input.splice(to..to, chunk.repeat(times)));
            }
            5 => {
                let other = &pool[self.below(pool.len())];
                let (start, end) = self.range(other.len());
                drop(input.splice(from..to, other[start..end].iter().copied()));
            }
            6 | 7 if !words.is_empty() => {
                let word = words[self.below(words.len())];
                let end = if self.below(2) == 0 { from } else { to };
                drop(input.splice(from..end, word.bytes()));
            }
            8 => {
                let number = NUMBERS[self.below(NUMBERS.len())];
                self.renumber(input, number);
            }
            _ => input.truncate(to),
        }
    }

    /// Puts a number where one is.
    fn renumber(&mut self, input: &mut Vec<u8>, number: &str) {
        let starts: Vec<usize> = (0..input.len())
            .filter(|at| input[*at].is_ascii_digit() && (*at == 0 || !input[*at - 1].is_ascii_digit()))
            .collect();
        if starts.is_empty() {
            return;
        }
        let start = starts[self.below(starts.len())];
        let length = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        drop(input.splice(start..start + length, number.bytes()));
    }

    /// A part of so many bytes, mostly a short one.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        let most = length - from;
        let short = most.min(16);
        let count = if self.below(4) == 0 { self.below(most + 1) } else { self.below(short + 1) };
        (from, from + count)
    }
}

/// Runs all targets, or those whose name contains a word, for so many seconds each.
pub fn run(target: Option<&str>, seconds: u64) -> Result<ExitCode> {
    let seed = std::env::var(SEED).unwrap_or_else(|_| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        now.as_secs().to_string()
    });
    println!("with {SEED}={seed}");
    let mut command = build::cargo();
    command.args(["test", "--quiet", "--workspace", "--lib", "--bins", "--no-fail-fast", "--"]);
    command.arg(format!("fuzz::{}", target.unwrap_or_default())).args(["--nocapture", "--test-threads=2"]);
    command.env(SECONDS, seconds.to_string()).env(SEED, seed);
    let status = command.status().with_context(|| format!("start {}", process::line(&command)))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target that fails behind two checks, the second of which it reaches only through what it says of the first.
    fn picky(input: &[u8]) -> String {
        let text = String::from_utf8_lossy(input);
        let Some(rest) = text.strip_prefix("key=") else { return "no key".to_owned() };
        let Some(number) = rest.strip_suffix(';') else { return "no end".to_owned() };
        assert!(number.parse::<u64>().is_ok_and(|number| number < 65_536) || !number.starts_with('6'));
        "fine".to_owned()
    }

    #[test]
    fn what_hides_behind_checks_is_found_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let corpus = directory.path().join("picky");
        let (pool, words) = (vec![b"key=1;".to_vec()], ["key=", ";"]);
        let mut run = Run {
            random: Random(1),
            seen: HashSet::new(),
            slowest: Duration::ZERO,
            corpus: corpus.clone(),
            last: None,
        };
        let found = (0..20_000).any(|_| {
            let input = run.random.changed(&pool, &words);
            catch_unwind(AssertUnwindSafe(|| run.one(&input, &picky))).is_err()
        });
        assert!(found);
        let kept = files(&corpus);
        assert_eq!(kept.len(), 1);
        assert!(catch_unwind(|| picky(&kept[0])).is_err());
    }

    #[test]
    fn what_differs_by_the_inputs_own_words_is_nothing_new() {
        assert_eq!(gist("line 17: unknown key \"abc\""), gist("line 1234: unknown key \"xyz\""));
        assert_ne!(gist("2 found"), gist("3 found"));
        assert_ne!(gist("unknown key"), gist("unknown value"));
    }
}
