//! The place of this program among all that want a CPU.

use exectrail_sensor::run_before_others;

use crate::args::CollectArgs;

/// Has the threads that read and write run before others, unless that is not wanted or not
/// allowed. To be called with rights, and before these threads are started.
///
/// A storm of processes that are born, run and end starves threads that were there before.
/// With one on both of two CPUs, in a session of its own (6.18, autogroups on), reader and
/// writer were seen to stand runnable for 3 to 11 seconds, and 346,425 of 401,209 events
/// were lost; at nice -20, 177,618 of 402,052; at the lowest real-time priority, none of
/// 381,766. What both take is 7.5 % of a CPU in such a storm, and next to nothing else.
pub(crate) fn before_others(args: &CollectArgs) {
    if args.no_realtime {
        return;
    }
    if let Err(error) = run_before_others() {
        log::info!("no real-time priority, so a storm can starve the reader: {error}");
    }
}
