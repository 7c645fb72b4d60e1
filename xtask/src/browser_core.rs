//! The browser core and the views: compiled, bound to JavaScript, and tested in a headless browser. `wasm-bindgen` and its
//! test runner are used as libraries, so nothing has to be installed and their version is the lockfile's.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::Tool;
use crate::server::Server;
use crate::setup;
use crate::totals::Totals;
use crate::wasm_features;
use crate::workspace::Workspace;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
pub(crate) const PACKAGE: &str = "chat-client-wasm";
/// The name of what is bound.
const MODULE: &str = "chat_client_wasm";
/// `z` alone hardly inlines, though what is inlined where its arguments are known shrinks: with the level's own 5 the package
/// is 2 % larger, and with 50 again.
const FLAGS: [&str; 3] = ["--", "-C", "llvm-args=-inline-threshold=35"];
/// The package of the live views, a module of its own that needs no bindings.
pub(crate) const VIEW_PACKAGE: &str = "chat-client-view";
const VIEW_MODULE: &str = "chat_client_view.wasm";
/// Vector instructions are in every browser that the package's JavaScript runs in.
const VIEW_FLAGS: [&str; 3] = ["--", "-C", "target-feature=+simd128"];
/// The feature with which each stands alone as a module: allocator, panic handler, exports.
pub(crate) const FEATURE: &str = "standalone";
/// The features of what the script tag's file has: no online-users store, which visitors have no use for.
const VISITOR: &str = "standalone,visitor";
/// The feature with which Rust front ends have the core.
pub(crate) const FRONT_END: &str = "front-end";
const PROFILE: &str = "wasm";

/// Compiles core and views for size: into `npm/lib/wasm/` the core's module, glue and types, and the views' module; into
/// `npm/lib/no-wasm/` the same in a form that can be translated to JavaScript, without reference types and vector instructions;
/// into `npm/lib/visitor-wasm/` the core for visitors alone.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    setup::wasm_target()?;
    let target = workspace.target();
    let core = compile(workspace, PACKAGE, &target, FEATURE, &FLAGS)?;
    let portable = wasm_features::withdrawn(&core)
        .with_context(|| format!("what became of {PACKAGE} is no module of rustc's"))?;
    bind(workspace, core, "wasm")?;
    bind(workspace, portable, "no-wasm")?;
    // In directories of their own, so that no form displaces another.
    let visitor = target.join("visitor");
    let visitor = compile(workspace, PACKAGE, &visitor, VISITOR, &FLAGS)?;
    bind(workspace, visitor, "visitor-wasm")?;
    let plain = target.join("no-wasm");
    for (directory, target, flags) in [
        ("wasm", &target, VIEW_FLAGS.as_slice()),
        ("no-wasm", &plain, &[]),
    ] {
        let view = compile(workspace, VIEW_PACKAGE, target, FEATURE, flags)?;
        let out = workspace
            .npm()
            .join("lib")
            .join(directory)
            .join(VIEW_MODULE);
        fs::write(&out, view).with_context(|| format!("{} cannot be written", out.display()))?;
    }
    Ok(())
}

/// The compiled module.
fn compile(
    workspace: &Workspace,
    package: &str,
    target: &Path,
    features: &str,
    flags: &[&str],
) -> Result<Vec<u8>> {
    // Built as a module alone: beside an rlib, as the manifest has it for the tests, cargo leaves out link-time optimisation.
    Tool::cargo()
        .args(["rustc", "--lib", "--crate-type", "cdylib"])
        .args(["--package", package, "--profile", PROFILE])
        .args(["--target", TARGET, "--features", features])
        .arg("--target-dir")
        .arg(target)
        .args(flags)
        .dir(workspace.root())
        .run()?;
    let module = target
        .join(TARGET)
        .join(PROFILE)
        .join(format!("{}.wasm", package.replace('-', "_")));
    fs::read(&module).with_context(|| format!("{} cannot be read", module.display()))
}

fn bind(workspace: &Workspace, module: Vec<u8>, directory: &str) -> Result<()> {
    let out = workspace.npm().join("lib").join(directory);
    eprintln!("$ wasm-bindgen --target web --out-dir {}", out.display());
    // Only the synchronous start is used: without the default path the glue has no `import.meta`, which some bundlers rewrite
    // into a request for a file that is not there.
    Bindgen::new()
        .input_bytes(MODULE, module)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&out)
        .with_context(|| format!("wasm-bindgen cannot bind {PACKAGE}"))
}

/// Runs the core's browser tests, those of its interface for JavaScript and those of the one for Rust, in headless Chromium,
/// beside a real server whose address they find in `CHAT_TEST_SERVER` at compile time.
pub(crate) fn test(workspace: &Workspace) -> Result<Totals> {
    let server = Server::start(workspace, 0, &[])?;
    let browser = setup::chromium()?;
    // Cargo splits a runner given as one string at spaces; a list keeps a path whole.
    let this = std::env::current_exe()?;
    let this = this.to_str().context("the checkout's path is not UTF-8")?;
    let runner = format!("target.{TARGET}.runner=['{this}', 'run-browser-tests']");
    let capabilities = capabilities(workspace, &browser.to_string_lossy())?;
    let driver = setup::chromedriver()?;
    let mut totals = Totals::default();
    for what in [
        ["--test", "browser"].as_slice(),
        &["--test", "front_end", "--features", FRONT_END],
        // The examples in its documentation; they are only compiled.
        &["--doc", "--features", FRONT_END],
    ] {
        totals += Tool::cargo()
            .args(["test", "--config", &runner])
            .args(["--package", PACKAGE, "--target", TARGET])
            .args(what)
            .env("CHAT_TEST_SERVER", server.url())
            .env("CHROMEDRIVER", &driver)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities)
            .env("WASM_BINDGEN_TEST_TIMEOUT", "120")
            .env("WASM_BINDGEN_TEST_ONLY_WEB", "1")
            .dir(workspace.root())
            .count()?;
    }
    Ok(totals)
}

/// What cargo calls with a compiled test file.
pub(crate) fn run_tests(args: Vec<OsString>) -> Result<()> {
    let name = OsString::from("run-browser-tests");
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::iter::once(name).chain(args))
}

/// The browser and its flags, in the file that the test runner reads.
fn capabilities(workspace: &Workspace, browser: &str) -> Result<PathBuf> {
    let file = workspace.target().join("webdriver.json");
    let mut flags = vec![
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
    ];
    if setup::is_root() {
        // Chromium's sandbox refuses to run as root.
        flags.push("--no-sandbox");
    }
    let text =
        format!("{{\"goog:chromeOptions\": {{\"binary\": {browser:?}, \"args\": {flags:?}}}}}");
    fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(file)
}
