// The first list, which is asked for before there is a core that could: that starts while the answer is on its way.

import { listRequest, request, send } from './platform.js';

const PATH = '/api/chat/online-users';

/** Asks, and waits for nothing before it does. `requestUsers` finds the answer in `config`. */
export function askAhead(config, auth) {
  const late = AbortSignal.timeout(config.settings().requestTimeout ?? 15000);
  config.ahead = send(config, 0, PATH, listRequest(config, 0, 0), auth, late);
}

/** `request` for the list. The first one takes what was asked ahead, if anything was. */
export async function requestUsers(config, payload, done) {
  const { ahead } = config;
  config.ahead = undefined;
  if (ahead) done(...(await ahead));
  else request(config, 0, PATH, payload, done);
}
