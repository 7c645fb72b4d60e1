/** Pages with strict content security policies: what the README says is needed for the widget is enough. */
import { expect, test } from 'vitest';
import { script, worksUntroubled } from '../support/host-page.ts';
import { widgetStage } from '../support/widget-stage.ts';

const stage = widgetStage('host-page-policy');

interface Policy {
  readonly scripts: string;
  /** Whether the server may be reached by sockets. */
  readonly sockets?: boolean;
  readonly more?: string;
}

const policyOf = ({ scripts, sockets = true, more = '' }: Policy): string => {
  const { host } = new URL(stage.server.url);
  const connect = sockets ? `http://${host} ws://${host}` : `http://${host}`;
  return `default-src 'none'; script-src ${scripts}; connect-src ${connect}; ${more}`;
};

const WASM = "'nonce-page' 'wasm-unsafe-eval'";
const NO_WASM = "'nonce-page'";
const TRUSTED = "require-trusted-types-for 'script'";
const wasmRefused = expect.stringMatching(/^script-src wasm-eval$/);
const socketRefused = expect.stringMatching(/^connect-src ws:/);

test('nothing but what it needs is allowed', () =>
  worksUntroubled(stage, { policy: policyOf({ scripts: WASM }) }));

test('WebAssembly is refused', () =>
  worksUntroubled(stage, { policy: policyOf({ scripts: NO_WASM }) }, [
    wasmRefused,
  ]));

test('no text may become markup', () =>
  worksUntroubled(stage, {
    policy: policyOf({ scripts: WASM, more: TRUSTED }),
  }));

test('no text may become markup, and WebAssembly is refused', () =>
  worksUntroubled(
    stage,
    { policy: policyOf({ scripts: NO_WASM, more: TRUSTED }) },
    [wasmRefused],
  ));

test('sockets are refused', async () => {
  await worksUntroubled(
    stage,
    { policy: policyOf({ scripts: WASM, sockets: false }) },
    [socketRefused],
  );
});

test('scripts are trusted by who has loaded them alone', () => {
  const loader = `const tag = document.createElement('script'); tag.src = '/widget.v1.js'; document.head.append(tag);`;
  return worksUntroubled(stage, {
    policy: policyOf({ scripts: `${WASM} 'strict-dynamic'` }),
    times: 0,
    after: script(loader),
  });
});
