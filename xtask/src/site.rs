//! A static web server for built pages.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use rouille::{Request, Response, Server};

/// Serves `directory` on a loopback port (0 picks a free one) until the program ends.
pub(crate) fn serve(directory: &Path, port: u16) -> Result<SocketAddr> {
    if !directory.join("index.html").is_file() {
        bail!("{} has no index.html", directory.display());
    }
    let directory = PathBuf::from(directory);
    let server = Server::new(("127.0.0.1", port), move |request| {
        answer(&directory, request)
    })
    .map_err(|error| anyhow!("{error}"))
    .with_context(|| format!("port {port} cannot be opened"))?;
    let address = server.server_addr();
    thread::spawn(move || server.run());
    Ok(address)
}

fn answer(directory: &Path, request: &Request) -> Response {
    let found = if request.url().ends_with('/') {
        let index = Request::fake_http(
            "GET",
            format!("{}index.html", request.url()),
            Vec::new(),
            Vec::new(),
        );
        rouille::match_assets(&index, directory)
    } else {
        rouille::match_assets(request, directory)
    };
    // A demonstration is rebuilt often, and its files keep their names.
    found.with_no_cache()
}
