//! What the facade hands over: addresses, the tenant, and a few functions.

use wasm_bindgen::prelude::*;

use super::platform;

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
  /** Who comes. Called before each connect and each request. Sent as the Socket.IO `auth`, whatever is in it; with requests, its `token` as the bearer token and its `visitorToken` as `X-Visitor-Token`. What was refused is not shown again, so nothing may be in it that differs where the proof is the same. */
  credentials: () => object | Promise<object>;
  /** What the Socket.IO `auth` says besides, as of the moment when it is sent. */
  about?: () => object;
  /** Makes the error that callbacks and rejections carry. */
  fail: (code: string, message: string, status?: number) => Error;
  /** Read whenever it counts: how long a request may take, 15 s by default; the platform's WebSocket, if it has none; whether tokens can be renewed. */
  settings: () => { requestTimeout?: number; WebSocket?: typeof WebSocket; getToken?: unknown };
  /** Gives the requests up that are made with this. */
  signal?: AbortSignal;
}
";

#[wasm_bindgen]
extern "C" {
    /// What every object of the core is made with; the fields are those of the TypeScript interface.
    #[wasm_bindgen(typescript_type = "CoreConfig")]
    #[derive(Clone)]
    pub type CoreConfig;

    /// An object that is read by the names of its fields; an array's are numbers.
    pub type Fields;
    #[wasm_bindgen(method, structural, indexing_getter)]
    pub(super) fn get(this: &Fields, field: &str) -> JsValue;
}

impl Fields {
    /// `value` as an object; `None` if it is none.
    pub(super) fn of(value: &JsValue) -> Option<&Self> {
        value.is_object().then(|| value.unchecked_ref())
    }

    /// A number that is not negative.
    pub(super) fn number(&self, field: &str) -> Option<u64> {
        platform::whole(platform::to_number(&self.get(field)))
    }
}
