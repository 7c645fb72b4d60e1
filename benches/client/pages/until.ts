/** Waits for a condition, looking again at each turn of the event loop. */
export async function until<T>(what: string, condition: () => T | undefined, limit = 20_000): Promise<T> {
  const end = performance.now() + limit;
  for (;;) {
    const value = condition();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve));
  }
}
