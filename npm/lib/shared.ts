/**
 * What the package's entry points have in common, so that there is one configuration and one core. No
 * entry point itself: what it has beyond `index` is for the others alone.
 */
export * from './index.js';
export { openStore, type OpenStore } from './store.js';
export { openView } from './view/open.js';
