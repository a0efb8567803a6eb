//! How many sockets this process may have open.

/// Kept back for files, pipes, timers and the resolver.
const OTHERS: u64 = 64;

/// Asks for as many as the system lets this process have; says how many sockets that allows.
#[cfg(unix)]
pub(super) fn sockets() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(WANTED, |most| most.min(WANTED));
    let mut current = limit.current.unwrap_or(WANTED);
    if current < wanted {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            current = wanted;
        }
    }
    usize::try_from(current.saturating_sub(OTHERS)).unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
pub(super) fn sockets() -> usize {
    usize::try_from(WANTED - OTHERS).unwrap_or(usize::MAX)
}

/// More than any run uses.
const WANTED: u64 = 10_240;
