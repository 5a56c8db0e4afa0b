//! `TERRANE_SANDBOX_FAULTS`: how unkindly the embedded AWS behaves, for trying out what happens then.
//!
//! Such as `seed=7,throttled=0.2,failed=0.05,lost=0.02,latency=30ms,settling=1s,consistency=2s`; each part may be left out.

use terrane_model::Diagnostic;
use terrane_model::conform::parse_duration;
use terrane_sandbox::Options;

/// The name of the environment variable.
pub const VARIABLE: &str = "TERRANE_SANDBOX_FAULTS";

/// The options of a sandbox as the environment sets them.
///
/// # Errors
/// A part that is not known or has no fitting value.
pub fn options() -> Result<Options, Diagnostic> {
    match std::env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => parse(&text),
        _ => Ok(Options::default()),
    }
}

fn parse(text: &str) -> Result<Options, Diagnostic> {
    let mut options = Options::default();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        set(&mut options, part).ok_or_else(|| {
            let detail = format!("`{part}` in {VARIABLE} can't be understood.");
            Diagnostic::error("invalid-faults", "Invalid faults of the sandbox", detail).hint(
                "Fractions are `throttled=0.2`, `failed=0.05` and `lost=0.02`, durations `latency=30ms`, `settling=1s` \
                 and `consistency=2s`, and `seed=7` says where the sequence starts.",
            )
        })?;
    }
    Ok(options)
}

fn set(options: &mut Options, part: &str) -> Option<()> {
    let (name, value) = part.split_once('=')?;
    let fraction = || value.parse::<f64>().ok().filter(|f| (0.0..=1.0).contains(f));
    match name {
        "seed" => options.faults.seed = value.parse().ok()?,
        "throttled" => options.faults.throttled = fraction()?,
        "failed" => options.faults.failed = fraction()?,
        "lost" => options.faults.lost = fraction()?,
        "latency" => options.latency = parse_duration(value)?,
        "settling" => options.table_settling = parse_duration(value)?,
        "consistency" => options.consistency_delay = parse_duration(value)?,
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn parts_are_read_and_nonsense_is_named() {
        let options = parse("seed=7, throttled=0.2,latency=30ms,").unwrap();
        assert_eq!((options.faults.seed, options.faults.throttled), (7, 0.2));
        assert_eq!(options.latency, Duration::from_millis(30));
        for bad in ["throttled=2", "lost=-1", "latency=soon", "seed", "speed=1", "failed=NaN"] {
            assert!(parse(bad).is_err_and(|error| error.detail.contains(bad)), "{bad}");
        }
    }
}
