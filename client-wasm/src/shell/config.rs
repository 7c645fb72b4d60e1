//! What the facade hands over: addresses, the tenant, and two functions.

use alloc::{string::String, vec::Vec};

use chat_protocol::http;
use wasm_bindgen::prelude::*;

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
    fn website(this: &CoreConfig) -> Fields;
    #[wasm_bindgen(method, getter)]
    pub(super) fn credentials(this: &CoreConfig) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn fail(
        this: &CoreConfig,
        code: &str,
        message: &str,
        status: Option<u16>,
    ) -> JsValue;

    /// An object that is read by the names of its fields, or an array by position.
    pub(super) type Fields;
    #[wasm_bindgen(method, structural, indexing_getter)]
    pub(super) fn get(this: &Fields, field: &str) -> JsValue;
    #[wasm_bindgen(method, structural, indexing_getter)]
    pub(super) fn at(this: &Fields, index: u32) -> JsValue;
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
            if let Some(value) = website.get(field).as_string() {
                query.push((field, value));
            }
        }
        api::socket_url(&self.socket_base(), &query)
    }
}

impl Fields {
    /// `value` as an object; `None` if it is none.
    pub(super) fn of(value: &JsValue) -> Option<&Self> {
        value.is_object().then(|| value.unchecked_ref())
    }
}
