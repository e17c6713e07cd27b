//! The one recipe: sources and tools in, object out, the same bytes anywhere.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Core, Error, Tools, Tree, run::output_of, stage};

/// What the kernel runs: little-endian BPF, which serves every little-endian host.
pub const TARGET: &str = "bpfel-unknown-none";

/// Chooses aya-ebpf's register and system call layouts. The kernel side reads
/// neither, so that one object serves all hosts, and one choice keeps it the same.
const ARCHITECTURE: &str = "--cfg=bpf_target_arch=\"x86_64\"";

/// Builds the object below `scratch` and returns where it is.
///
/// # Errors
///
/// When the sources cannot be staged, or a tool fails; then with what it said.
pub fn build(tree: &Tree, tools: &Tools, scratch: &Path) -> Result<PathBuf, Error> {
    let staged = scratch.join("kernel");
    fs::create_dir_all(&staged).map_err(Error::file("create", &staged))?;
    // Without symbolic links, as the compiler will name it.
    let staged = staged.canonicalize().map_err(Error::file("resolve", &staged))?;
    stage::lay_out(tree, &tree.sources()?, &staged)?;

    let target = scratch.join("target");
    output_of(&mut cargo_build(tools, &staged, &target)?)?;

    let linked = target.join(TARGET).join("release/exectrail");
    let object = scratch.join("exectrail.bpf.o");
    // Debug information is nine tenths of the file and of no use to the kernel.
    // BTF, which it needs, has sections of its own that `-g` leaves alone.
    output_of(Command::new(&tools.strip).arg("-g").arg("-o").arg(&object).arg(&linked))?;
    Ok(object)
}

fn cargo_build(tools: &Tools, staged: &Path, target: &Path) -> Result<Command, Error> {
    let mut command = Command::new(&tools.cargo);
    compiler_environment(&mut command, tools);
    command.current_dir(staged).env("CARGO_ENCODED_RUSTFLAGS", flags(tools, staged)?);
    command
        .args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"])
        .arg(target);
    if tools.compiler.core == Core::FromSource {
        command.arg("-Zbuild-std=core");
    }
    Ok(command)
}

/// Sets a command's environment so that it compiles for the kernel with the tools
/// that were found, and with nothing else that is set where we run.
pub fn compiler_environment(command: &mut Command, tools: &Tools) {
    for (name, _) in env::vars_os().filter(|(name, _)| leads_astray(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    // Empty and not removed: empty also overrules cargo's configuration files.
    command.env("RUSTC_WRAPPER", "").env("RUSTC_WORKSPACE_WRAPPER", "");
    command.env("RUSTC", &tools.compiler.rustc);
    // With a ready-made `core` only aya-ebpf asks for unstable features; building
    // `core` asks for them in cargo and in `core` too.
    let allowed = match tools.compiler.core {
        Core::Readymade => "aya_ebpf",
        Core::FromSource => "1",
    };
    command.env("RUSTC_BOOTSTRAP", allowed);
}

/// Whether a variable would change what is built. Cargo describes the crate under
/// build to its build script in variables that configure another cargo; only those
/// that say where crates come from are kept.
fn leads_astray(name: &str) -> bool {
    const SUPPLY: [&str; 6] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
    ];
    const OTHERS: [&str; 8] = [
        "DEBUG",
        "HOST",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTUP_TOOLCHAIN",
        "TARGET",
    ];
    let cargo = name.starts_with("CARGO_") && !SUPPLY.iter().any(|kept| name.starts_with(kept));
    cargo || name.starts_with("RUSTC") || name.starts_with("RUSTFLAGS") || OTHERS.contains(&name)
}

/// The compiler's flags, in cargo's encoding.
fn flags(tools: &Tools, staged: &Path) -> Result<OsString, Error> {
    let mut linker = OsString::from("-Clinker=");
    linker.push(&tools.linker);
    let mut flags: Vec<OsString> = vec![
        ARCHITECTURE.into(),
        // BTF is made from debug information.
        "-Cdebuginfo=2".into(),
        "-Clink-arg=--btf".into(),
        // A word at any byte in one store, which the kernel allows where the processor
        // does (kernel/bpf/verifier.c, `check_ptr_alignment`); otherwise eight.
        "-Clink-arg=--cpu-features=+allows-misaligned-mem-access".into(),
        "-Ctarget-cpu=v3".into(),
        linker,
    ];
    // BTF names the source of every line, so every folder of this machine has to
    // get a name that is the same on all. Our own get the name they have in the
    // tree, which also puts messages of the compiler where the reader can follow.
    let mut remap = |from: &Path, to: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flags.push(flag);
    };
    remap(&tools.compiler.sysroot.join("lib/rustlib/src/rust"), "/rust");
    for package in dependencies(tools, staged)? {
        let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
        remap(&package, &format!("/crates/{name}"));
    }
    // The last one that fits wins, so the folder comes before its parts.
    remap(staged, "/exectrail");
    remap(&staged.join("src"), "crates/bpf/src");
    remap(&staged.join(stage::BORDER).join("abi"), "crates/abi");
    remap(Path::new("src"), "crates/bpf/src");
    remap(&Path::new(stage::BORDER).join("abi"), "crates/abi");
    Ok(flags.join(std::ffi::OsStr::new("\x1f")))
}

/// The folders of all crates in the lock file, fetched if need be. Where cargo
/// keeps them differs with its home and with the source it was told to use.
fn dependencies(tools: &Tools, staged: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut command = Command::new(&tools.cargo);
    compiler_environment(&mut command, tools);
    command.current_dir(staged).args(["metadata", "--format-version", "1", "--locked"]);
    let told = output_of(&mut command)?;
    // One key of a known shape does not ask for a JSON parser in a build script.
    let manifests =
        told.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let folders = manifests.filter_map(|manifest| Path::new(manifest).parent().map(Path::to_owned));
    Ok(folders.filter(|folder| !folder.starts_with(staged)).collect())
}

#[cfg(test)]
mod tests {
    use super::leads_astray;

    #[test]
    fn only_the_supply_of_crates_is_inherited() {
        for name in [
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_DIR",
            "RUSTFLAGS",
            "RUSTC",
            "RUSTC_WORKSPACE_WRAPPER",
            "TARGET",
        ] {
            assert!(leads_astray(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_NET_OFFLINE", "PATH", "CARGO", "HOME"]
        {
            assert!(!leads_astray(name), "{name}");
        }
    }
}
