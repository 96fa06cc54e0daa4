//! What Linux says about the machine and its processes.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

/// Microseconds of one tick of `/proc/PID/stat`: Linux shows programs 100 ticks a second on every architecture.
const TICK: u64 = 10_000;

/// Parent, own ticks, and ticks of the children that have ended.
fn stat(pid: u32) -> Option<(u32, u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in brackets and may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((u32::try_from(number(1)?).ok()?, number(11)? + number(12)?, number(13)? + number(14)?))
}

/// Microseconds of CPU that a process and its children have used.
pub fn cpu_micros(pid: u32) -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let children: u64 = pids.filter_map(stat).filter(|(parent, ..)| *parent == pid).map(|(_, own, _)| own).sum();
    let (own, ended) = stat(pid).map_or((0, 0), |(_, own, ended)| (own, ended));
    (own + ended + children) * TICK
}

/// Microseconds of CPU that a process has used itself.
pub fn own_cpu_micros(pid: u32) -> u64 {
    stat(pid).map_or(0, |(_, own, _)| own) * TICK
}

/// Megabytes of memory that a process holds.
pub fn resident_mb(pid: u32) -> f64 {
    kilobytes(&format!("/proc/{pid}/status"), "VmRSS:") / 1024.0
}

fn kilobytes(file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

/// Runnable tasks, averaged over one, five and fifteen minutes.
pub fn load_average() -> Value {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!(text.split_whitespace().take(3).filter_map(|word| word.parse::<f64>().ok()).collect::<Vec<_>>())
}

/// The machine.
pub fn describe() -> Value {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = |wanted: &str| {
        let pairs = cpus.lines().filter_map(|line| line.split_once(':'));
        pairs.map(|(name, value)| (name.trim(), value.trim())).find(|(name, _)| *name == wanted).map(|(_, value)| value)
    };
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "cpu": named("model name"),
        "memory_mb": (kilobytes("/proc/meminfo", "MemTotal:") / 1024.0).round(),
        "load_average_before": load_average(),
    })
}

/// The commit that is checked out, with a plus sign where files were changed since.
pub fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = git(&["status", "--porcelain"]).is_none_or(|list| !list.is_empty());
    git(&["rev-parse", "--short", "HEAD"]).unwrap_or_default() + if changed { "+" } else { "" }
}
