/** A page with our store. */
import { measurementsOf, watchMemories } from './measure.ts';
import { OurStore } from './our-store.ts';

watchMemories();
Object.assign(globalThis, { bench: measurementsOf(new OurStore()) });
