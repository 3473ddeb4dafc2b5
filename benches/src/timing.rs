//! How a workload is timed: as the harness does that times other libraries, so that lines can be compared.
//!
//! After a first call and at least 0.8 s of warm-up there are nine repeats of about 0.2 s each.

use std::time::{Duration, Instant};

const REPEATS: usize = 9;
const WARM_UP: Duration = Duration::from_millis(400);
const REPEAT: Duration = Duration::from_millis(200);

/// What one call of the timed closure does.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Training steps, or predictions, in one call.
    pub steps: usize,
    /// Samples in a step.
    pub batch: usize,
}

/// Times of one step, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Measurement {
    /// Samples in a step.
    pub batch: usize,
    /// The median of the repeats.
    pub median: f64,
    /// The least of the repeats: what disturbances cannot lower.
    pub least: f64,
    /// The first call, before anything was warm.
    pub first_call: f64,
}

impl Measurement {
    /// A line of JSON, as the harness that times other libraries prints; `memory` is the process's highest, in kilobytes.
    pub fn line(&self, library: [&str; 2], workload: &str, threads: usize, memory: Option<u64>) -> String {
        let ([name, version], batch) = (library, self.batch);
        let memory = memory.map_or(String::new(), |kilobytes| format!(r#","peak_memory_kb":{kilobytes}"#));
        let times = format!(
            r#""step_us_median":{:.4},"step_us_min":{:.4},"per_sample_us":{:.5},"first_call_us":{:.1}"#,
            self.median,
            self.least,
            self.median / batch as f64,
            self.first_call
        );
        let of = format!(r#""workload":"{workload}","threads":{threads},"batch":{batch}"#);
        format!(r#"{{"peer":"{name}","version":"{version}",{of},{times}{memory}}}"#)
    }
}

/// Times `call`, which is given the number of calls before it.
///
/// # Errors
/// The first error of a call.
pub fn measure<E>(size: Call, mut call: impl FnMut(usize) -> Result<(), E>) -> Result<Measurement, E> {
    let start = Instant::now();
    call(0)?;
    let first_call = microseconds(start.elapsed());
    let mut duration = 0.0;
    for _ in 0..2 {
        let (start, mut calls) = (Instant::now(), 0);
        while calls < 3 || start.elapsed() < WARM_UP {
            call(calls)?;
            calls += 1;
        }
        duration = start.elapsed().as_secs_f64() / calls as f64;
    }
    let calls = (REPEAT.as_secs_f64() / duration).round().clamp(2.0, 200_000.0) as usize;
    let mut times = [0.0; REPEATS];
    for time in &mut times {
        let start = Instant::now();
        for index in 0..calls {
            call(index)?;
        }
        *time = microseconds(start.elapsed()) / (calls * size.steps) as f64;
    }
    times.sort_by(f64::total_cmp);
    Ok(Measurement { batch: size.batch, median: times[REPEATS / 2], least: times[0], first_call })
}

fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The largest memory that this process has held so far, in kilobytes, where the system tells (Linux).
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
