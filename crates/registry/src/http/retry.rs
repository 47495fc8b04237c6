//! When a failed request is made again, and after what pause.

use crate::config::Delay;
use crate::{Clock, Kind, Retry};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The attempts of one transfer.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: Retry,
    clock: Arc<dyn Clock>,
    failures: u32,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The pause is over: try again.
    TryAgain,
    /// Report the failure.
    GiveUp,
}

impl Backoff {
    pub(crate) fn new(policy: Retry, clock: Arc<dyn Clock>) -> Self {
        Self { policy, clock, failures: 0 }
    }

    /// Something was achieved: failures count anew.
    pub(crate) fn progressed(&mut self) {
        self.failures = 0;
    }

    /// Sleeps before another attempt, or says that there is none.
    pub(crate) fn failed(&mut self, kind: &Kind) -> Next {
        if !kind.is_transient() || self.failures >= self.policy.retries {
            return Next::GiveUp;
        }
        let pause = match kind.retry_after() {
            // A server that wants us gone for an hour is not waited for.
            Some(wanted) if wanted > self.policy.longest => return Next::GiveUp,
            Some(wanted) => wanted,
            None => self.pause(),
        };
        self.failures += 1;
        self.clock.sleep(pause);
        Next::TryAgain
    }

    fn pause(&self) -> Duration {
        match self.policy.delay {
            Delay::Fixed(pause) => pause,
            Delay::Exponential { first } => {
                let full = first.saturating_mul(1 << self.failures.min(16)).min(self.policy.longest);
                full - full.mul_f64(quarter())
            }
        }
    }
}

/// A random number from 0 to 0.25; the hasher's seed is random enough to spread clients.
fn quarter() -> f64 {
    f64::from(RandomState::new().hash_one(0) as u32) / f64::from(u32::MAX) / 4.0
}

/// `Retry-After`: seconds or an HTTP date; `None` if it is neither. A past date is zero.
pub(super) fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let then = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(SystemTime::from(then).duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Instant;

    #[derive(Debug, Default)]
    struct Slept(Mutex<Vec<Duration>>);

    impl Clock for Slept {
        fn now(&self) -> Instant {
            Instant::now()
        }
        fn wall(&self) -> SystemTime {
            SystemTime::now()
        }
        fn sleep(&self, time: Duration) {
            self.0.lock().unwrap().push(time);
        }
    }

    fn tried(policy: Retry, kinds: &[Kind]) -> (Vec<Next>, Vec<Duration>) {
        let clock = Arc::new(Slept::default());
        let mut backoff = Backoff::new(policy, clock.clone());
        let next = kinds.iter().map(|kind| backoff.failed(kind)).collect();
        drop(backoff);
        (next, Arc::into_inner(clock).unwrap().0.into_inner().unwrap())
    }

    fn limited(seconds: u64) -> Kind {
        Kind::RateLimited { retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_then_end() {
        let policy = Retry { retries: 8, longest: Duration::from_secs(60), ..Retry::default() };
        let (next, slept) = tried(policy, &vec![Kind::Interrupted(String::new()); 9]);
        assert_eq!((next[7], next[8]), (Next::TryAgain, Next::GiveUp));
        for (pause, full) in slept.iter().zip([1, 2, 4, 8, 16, 32, 60, 60]) {
            let full = Duration::from_secs(full);
            assert!(*pause <= full && *pause >= full.mul_f64(0.74), "{pause:?} of {full:?}");
        }
    }

    #[test]
    fn the_servers_wish_counts_unless_it_is_too_much() {
        let (next, slept) = tried(Retry::default(), &[limited(7), limited(61)]);
        assert_eq!((next, slept), (vec![Next::TryAgain, Next::GiveUp], vec![Duration::from_secs(7)]));
        let (next, _) = tried(Retry::default(), &[Kind::NotFound(String::new())]);
        assert_eq!(next, [Next::GiveUp]);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let after = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(after("120"), Some(120));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(after("Sun, 06 Nov 1994 07:50:37 GMT"), Some(0));
        assert_eq!(after("99999999999999999999"), Some(u64::MAX));
        for text in ["", "-1", "soon", "1.5"] {
            assert_eq!(after(text), None, "{text}");
        }
    }
}
