//! The audit system, which a host has one of.

use std::process::Command;

/// Why it is not measured. Its rules and its daemon are the whole host's: a second
/// daemon takes the first one's place, and once it was on, each later process
/// has a context for it until the next boot.
pub(super) fn why_not() -> String {
    let Ok(output) = Command::new("auditctl").arg("-s").output() else {
        return "auditctl is not installed, and setup does not bring auditd: its package starts a \
                daemon that takes over the host's audit"
            .to_owned();
    };
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return format!("auditctl -s fails here: {}", said.trim());
    }
    match in_use(&said) {
        Some(by) => format!("audit is in use on this host ({by})"),
        None => "it would change the host's audit state in ways that are not undone".to_owned(),
    }
}

/// Who uses it, of what `auditctl -s` says.
fn in_use(status: &str) -> Option<String> {
    let mut lines = status.lines();
    lines
        .find(
            |line| matches!(line.split_once(' '), Some(("enabled" | "pid", value)) if value != "0"),
        )
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::in_use;

    #[test]
    fn a_daemon_or_a_switch_is_use() {
        assert_eq!(in_use("enabled 0\nfailure 1\npid 0\nlost 3\n"), None);
        assert_eq!(in_use("enabled 1\npid 0\n").as_deref(), Some("enabled 1"));
        assert_eq!(in_use("enabled 0\npid 812\n").as_deref(), Some("pid 812"));
    }
}
