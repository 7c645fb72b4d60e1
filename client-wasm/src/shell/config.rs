//! What the facade hands over: addresses, the tenant, and two functions.

use alloc::{string::String, vec::Vec};

use chat_protocol::http;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::platform;
use crate::api;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** What every object of the core is made with. */
export interface CoreConfig {
  tenantId: string;
  /** Whether to ask for the admin role. */
  admin: boolean;
  /** Base of the Socket.IO server: http(s) or ws(s), without `/socket.io/`. */
  socketUrl: string;
  /** Base of the HTTP interface. */
  apiUrl: string;
  /** What a visitor's page says of itself. */
  website: { domain?: string; origin?: string; url?: string; referrer?: string; siteId?: string };
  /** Called before each connect and each request. Sent as the Socket.IO `auth`, its `token` as the bearer token. */
  credentials: () => object | Promise<object>;
  /** Makes the error that callbacks and rejections carry. */
  fail: (code: string, message: string, status?: number) => Error;
}
";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "CoreConfig")]
    #[derive(Clone)]
    pub type CoreConfig;
    #[wasm_bindgen(method, getter, js_name = tenantId)]
    pub(super) fn tenant_id(this: &CoreConfig) -> String;
    #[wasm_bindgen(method, getter)]
    pub(super) fn admin(this: &CoreConfig) -> bool;
    #[wasm_bindgen(method, getter, js_name = socketUrl)]
    fn socket_base(this: &CoreConfig) -> String;
    #[wasm_bindgen(method, getter, js_name = apiUrl)]
    pub(super) fn api_url(this: &CoreConfig) -> String;
    #[wasm_bindgen(method, getter)]
    fn website(this: &CoreConfig) -> Website;
    #[wasm_bindgen(method, catch)]
    fn credentials(this: &CoreConfig) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method)]
    pub(super) fn fail(
        this: &CoreConfig,
        code: &str,
        message: &str,
        status: Option<u16>,
    ) -> JsValue;

    type Website;
    #[wasm_bindgen(method, structural, indexing_getter)]
    fn get(this: &Website, field: &str) -> Option<String>;
}

impl CoreConfig {
    /// Where to connect to, the whole handshake in the query. No credential is ever part of it: URLs end up in logs.
    pub(super) fn socket_url(&self) -> String {
        let mut query = Vec::new();
        query.push((http::TENANT_ID, self.tenant_id()));
        if self.admin() {
            query.push((http::ROLE, http::ROLE_ADMIN.into()));
        }
        let website = self.website();
        for field in http::WEBSITE_FIELDS {
            if let Some(value) = website.get(field) {
                query.push((field, value));
            }
        }
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        api::socket_url(&self.socket_base(), &query)
    }

    /// The application's credentials, fresh.
    pub(super) fn authenticate(&self) -> Promise {
        match self.credentials() {
            Ok(auth) => platform::promise(&auth),
            Err(error) => Promise::reject(&error),
        }
    }
}
