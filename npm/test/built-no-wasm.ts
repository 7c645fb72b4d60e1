/** The views as plain JavaScript, as the build left them. */
export async function startView(): Promise<() => object> {
  const name = '@amoiq/chat-widget/no-wasm';
  const built = (await import(/* @vite-ignore */ name)) as typeof import('../lib/no-wasm.js');
  return built.startView();
}
