/** The components of the tests, as far as TypeScript sees into them. */
declare module '*.svelte' {
  import type { Component } from 'svelte';

  const component: Component<{ tenantId: string }>;
  export default component;
}
