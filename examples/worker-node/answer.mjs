/** What the bot says: the part to put your own program in. */

/** The answer to a message; `undefined` for none. */
export async function answerTo({ text }) {
  return `You said: ${text}`;
}

/** A refusal that trying again does not change. */
export class Refused extends Error {}

/** Says a text in the conversation that a message came from. */
export async function say({ chatUrl, adminKeys, answerMs }, { tenantId, sessionId }, text) {
  // Ids that are numbers stand as numbers in the stream.
  const tenant = String(tenantId);
  const response = await fetch(`${chatUrl}/webchat/message`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${adminKeys.get(tenant)}`,
    },
    body: JSON.stringify({ tenantId: tenant, sessionId, text, sender: 'bot' }),
    signal: AbortSignal.timeout(answerMs),
  });
  if (response.ok) return;
  const refusal = `${response.status} ${await response.text()}`;
  // What the operator can mend, and what mends itself, is worth another try.
  const lasting = response.status < 500 && ![401, 403, 408, 429].includes(response.status);
  throw lasting ? new Refused(refusal) : new Error(refusal);
}
