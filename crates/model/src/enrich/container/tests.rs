use super::{Container, ID_LEN, Runtime, container_of};

const ID: &str = "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970";
const POD: &str = "6af8adb2fdeb1e18d0f4be8b5bd8a9b1d1a6cd8a2ff17e03c5a5b1b5c1ab1b5c";
const UID: &str = "0dad8b21-77c8-4a4b-9f6b-c1e0a1d39f5c";
const UID_: &str = "0dad8b21_77c8_4a4b_9f6b_c1e0a1d39f5c";

/// `ID`, `POD` and the two spellings of a pod's `UID` stand for themselves.
fn filled(pattern: &str) -> String {
    pattern.replace("UID_", UID_).replace("UID", UID).replace("POD", POD).replace("ID", ID)
}

fn check(pattern: &str, expect: Option<(Runtime, &str)>) {
    let path = filled(pattern);
    let id = expect.map(|(runtime, id)| (runtime, filled(id)));
    let expect =
        id.as_ref().map(|(runtime, id)| Container { runtime: *runtime, id: id.as_bytes() });
    assert_eq!(container_of(path.as_bytes()), expect, "{path}");
}

#[test]
fn runtimes_that_manage_their_cgroups() {
    use Runtime::{Containerd, Crio, Docker, Kubepods, Lxc, Podman, Unknown};
    for (path, runtime, id) in [
        ("/docker/ID", Docker, "ID"),
        ("/docker/ID/init", Docker, "ID"),
        ("/default/ID", Containerd, "ID"),
        ("/k8s.io/ID", Containerd, "ID"),
        ("/kubepods/burstable/podUID/ID", Kubepods, "ID"),
        ("/kubepods/podUID/ID", Kubepods, "ID"),
        ("/kubepods/besteffort/podUID/crio-ID", Crio, "ID"),
        ("/libpod_parent/libpod-ID", Podman, "ID"),
        ("/libpod_parent/POD/libpod-ID", Podman, "ID"),
        ("/ecs/0123456789abcdef/ID", Unknown, "ID"),
        ("/lxc/web", Lxc, "web"),
        ("/lxc/100/ns/system.slice/cron.service", Lxc, "100"),
        ("/lxc.payload/web", Lxc, "web"),
        ("/lxc.payload.default_web-1/init.scope", Lxc, "default_web-1"),
    ] {
        check(path, Some((runtime, id)));
    }
}

#[test]
fn runtimes_that_ask_systemd() {
    use Runtime::{Containerd, Crio, Docker, Kubepods, Machine, Nspawn, Podman};
    let pod = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID_.slice";
    let split = "/system.slice/containerd.service/kubepods-burstable-podUID_.slice";
    let user = "/user.slice/user-1000.slice/user@1000.service/user.slice";
    for (path, runtime, id) in [
        ("/system.slice/docker-ID.scope", Docker, "ID"),
        ("/system.slice/nerdctl-ID.scope", Containerd, "ID"),
        ("/machine.slice/libpod-ID.scope", Podman, "ID"),
        ("/machine.slice/libpod-ID.scope/container", Podman, "ID"),
        ("/machine.slice/machine-libpod_pod_POD.slice/libpod-ID.scope", Podman, "ID"),
        ("/system.slice/web.service/libpod-payload-ID", Podman, "ID"),
        (&format!("{user}/libpod-ID.scope/container"), Podman, "ID"),
        (&format!("{pod}/cri-containerd-ID.scope"), Containerd, "ID"),
        (&format!("{pod}/crio-ID.scope/container"), Crio, "ID"),
        (&format!("{pod}/docker-ID.scope"), Docker, "ID"),
        (&format!("{pod}/ID"), Kubepods, "ID"),
        (&format!("{split}:cri-containerd:ID"), Containerd, "ID"),
        ("/machine.slice/systemd-nspawn@box.service", Nspawn, "box"),
        ("/machine.slice/systemd-nspawn@box.service/payload/init.scope", Nspawn, "box"),
        ("/machine.slice/machine-my\\x2dbox.scope", Machine, "my\\x2dbox"),
        ("/machine.slice/machine-lxc\\x2d7\\x2dweb.scope", Machine, "lxc\\x2d7\\x2dweb"),
    ] {
        check(path, Some((runtime, id)));
    }
}

#[test]
fn of_nested_containers_the_innermost() {
    let kind = "/docker/POD/kubelet/kubepods/podUID/ID";
    check(kind, Some((Runtime::Kubepods, "ID")));
    check("/docker/POD/docker/ID", Some((Runtime::Docker, "ID")));
    check("/lxc/outer/lxc/inner", Some((Runtime::Lxc, "inner")));
    check("/lxc.payload.c1/system.slice/docker-ID.scope", Some((Runtime::Docker, "ID")));
    check("/docker/ID/system.slice/ssh.service", Some((Runtime::Docker, "ID")));
}

/// A monitor within a container is the outer container's.
#[test]
fn who_watches_a_container_is_not_in_it() {
    for path in [
        "/machine.slice/libpod-conmon-ID.scope",
        "/libpod_parent/conmon",
        "/libpod_parent/POD/conmon",
        "/kubepods.slice/kubepods-podUID_.slice/crio-conmon-ID.scope",
        "/kubepods/podUID/crio-conmon-ID",
        "/lxc.monitor.web",
        "/lxc.monitor/100",
        "/machine.slice/systemd-nspawn@box.service/supervisor",
        "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
        // What Podman's health checks run in.
        "/system.slice/ID.service",
        "/system.slice/ID-5ae3f1.service",
    ] {
        check(path, None);
    }
    check("/docker/ID/libpod_parent/conmon", Some((Runtime::Docker, "ID")));
    check("/lxc.payload.outer/lxc.monitor.inner", Some((Runtime::Lxc, "outer")));
}

#[test]
fn ordinary_cgroups_are_no_containers() {
    for path in [
        "",
        "/",
        "//",
        "/init.scope",
        "/user.slice/user-1000.slice/session-2.scope",
        "/user.slice/user-1000.slice/user@1000.service/app.slice/app-flatpak-org.x-12.scope",
        "/system.slice/docker.service",
        "/system.slice/docker.socket",
        "/system.slice/containerd.service",
        "/system.slice/crio.service",
        "/system.slice/lxc.service",
        "/system.slice/lxc-net.service",
        "/machine.slice",
        "/machine.slice/machine-libpod_pod_POD.slice",
        "/libpod_parent/POD",
        "/kubepods/burstable/podUID",
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID_.slice",
        "/docker",
        "/docker/",
        "/docker/buildkit",
        "/default/web",
        "/lxc",
        "/lxc/",
        "/../../init.scope",
    ] {
        check(path, None);
    }
}

#[test]
fn hostile_names() {
    let long = "a".repeat(ID_LEN + 1);
    for path in [
        "/docker/IDf",
        "/docker-ID.scopes",
        "/docker-ID .scope",
        "/x-docker-ID.scope",
        "/docker--ID.scope",
        "/:ID",
        "/-ID",
        "/.scope",
        "/docker-.scope",
        "/machine-.scope",
        "/machine-a b.scope",
        "/machine-\u{202e}.scope",
        "/systemd-nspawn@.service",
        "/systemd-nspawn@\x1b[2J.service",
        "/lxc.payload.",
        "/lxc/a\nb",
        &format!("/docker/{}", ID.to_uppercase()),
        &format!("/docker/{}", &ID[1..]),
        &format!("/docker/{long}"),
    ] {
        check(path, None);
    }
    assert_eq!(container_of(b"/docker/\xff\xfe\0"), None);
    assert_eq!(container_of(&[0xff; 4096]), None);
    assert_eq!(container_of(&[b'/'; 4096]), None);
    assert_eq!(container_of(&[b'a'; ID_LEN * 2]), None);
    // Not ours to understand, and in no one's way.
    let mut path = b"/docker/".to_vec();
    path.extend_from_slice(ID.as_bytes());
    path.extend_from_slice(b"/\xff\n\x1b");
    assert_eq!(container_of(&path).unwrap().id, ID.as_bytes());
}

#[test]
fn every_byte_where_an_id_has_a_digit() {
    for byte in 0..=u8::MAX {
        let mut path = b"/docker/".to_vec();
        path.extend_from_slice(ID.as_bytes());
        *path.last_mut().unwrap() = byte;
        let digit = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert_eq!(container_of(&path).is_some(), digit, "{byte}");
    }
}
