//! Where this dashboard's server is: what the address bar says (`?server=…&tenant=…`), or the server that `cargo xtask demo`
//! starts.
//!
//! A real dashboard gets its token from its own login, with `Config::get_token`; a key never belongs into an address, so
//! there is no parameter for it.

use web_sys::UrlSearchParams;

pub(crate) struct Settings {
    pub(crate) server: String,
    pub(crate) tenant_id: String,
    pub(crate) api_key: &'static str,
}

pub(crate) fn read() -> Settings {
    let query = web_sys::window().and_then(|window| window.location().search().ok());
    let query = query.and_then(|query| UrlSearchParams::new_with_str(&query).ok());
    let given = |name| query.as_ref().and_then(|query| query.get(name));
    Settings {
        server: given("server").unwrap_or_else(|| "http://127.0.0.1:3000".to_owned()),
        tenant_id: given("tenant").unwrap_or_else(|| "demo".to_owned()),
        api_key: option_env!("GATEWAY_API_KEY").unwrap_or("demo-admin-key"),
    }
}
