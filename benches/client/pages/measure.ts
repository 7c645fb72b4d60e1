/**
 * The measurements inside a page, of whichever subject it holds. Each begins with an empty subject and ends with a look at
 * its rows: a wrong answer is an error.
 */
import { digest, scene, type Scene, type SceneSize } from './frames.ts';
import { parse, type Subject } from './subject.ts';

export interface EventsTask extends SceneSize {
  /** Changes as single events, as deltas, or as events that were parsed before. */
  readonly as: 'events' | 'deltas' | 'parsed';
}

/** In microseconds; per change unless it says otherwise. */
export interface EventsFigures {
  /** From the frame of a list to its snapshot, once. */
  readonly ingest: number;
  /** Taking a change in. */
  readonly deliver: number;
  /** One snapshot of what a batch changed. */
  readonly snapshot: number;
  /** Both. */
  readonly change: number;
}

export interface Measurements {
  /** `null` if the subject cannot be asked that. */
  events(task: EventsTask): Promise<EventsFigures | null>;
  /** `JSON.parse` of the same events and nothing else, per change. */
  parsing(size: SceneSize): number;
  /** Takes a list in, shows it and keeps it. */
  hold(users: number): Promise<void>;
  wasmBytes(): number;
}

/** One scene is kept: rounds use it again. */
let kept: { key: string; scene: Scene } | undefined;

function sceneOf(size: SceneSize): Scene {
  const key = JSON.stringify([size.users, size.batches, size.changes]);
  if (kept?.key !== key) kept = { key, scene: scene(size) };
  return kept.scene;
}

export function measurementsOf(subject: Subject): Measurements {
  return {
    async events({ as, ...size }) {
      const { list, batches, digest: right } = sceneOf(size);
      await subject.open();
      try {
        if ((as === 'deltas' && !subject.deltas) || (as === 'parsed' && !subject.apply)) return null;
        const parsed = as === 'parsed' ? batches.map(({ events }) => events.map(parse)) : [];
        collectGarbage();
        const start = performance.now();
        subject.deliver(list);
        subject.snapshot();
        const ingest = performance.now() - start;
        collectGarbage();
        let deliver = 0;
        let snapshot = 0;
        batches.forEach(({ events, delta }, number) => {
          const before = performance.now();
          if (as === 'events') for (const event of events) subject.deliver(event);
          else if (as === 'deltas') subject.deliver(delta);
          else for (const [name, payload] of parsed[number] ?? []) subject.apply?.(name, payload);
          const between = performance.now();
          subject.snapshot();
          deliver += between - before;
          snapshot += performance.now() - between;
        });
        const found = digest(subject.snapshot());
        if (found !== right) throw new Error(`wrong rows: ${found} instead of ${right}`);
        const changes = batches.length * size.changes;
        return {
          ingest: ingest * 1000,
          deliver: (deliver * 1000) / changes,
          snapshot: (snapshot * 1000) / batches.length,
          change: ((deliver + snapshot) * 1000) / changes,
        };
      } finally {
        subject.close();
      }
    },
    parsing(size) {
      const { batches } = sceneOf(size);
      let named = 0;
      const start = performance.now();
      for (const { events } of batches) {
        for (const event of events) {
          if (parse(event)[0].startsWith('user_o')) named++;
        }
      }
      const took = performance.now() - start;
      if (named !== batches.length * size.changes) throw new Error('not all events were read');
      return (took * 1000) / named;
    },
    async hold(users) {
      const { list, digest: right } = scene({ users, batches: 0, changes: 0 });
      kept = undefined;
      await subject.open();
      subject.deliver(list);
      const found = digest(subject.snapshot());
      if (found !== right) throw new Error(`wrong rows: ${found} instead of ${right}`);
    },
    wasmBytes: () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
  };
}

/** So that one measurement does not pay for what the last one left. The browser is started with this function exposed. */
function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

const memories: WebAssembly.Memory[] = [];

/** Takes note of each WebAssembly memory that is made from now on. */
export function watchMemories(): void {
  const { Instance } = WebAssembly;
  const instantiate = WebAssembly.instantiate.bind(WebAssembly);
  const note = (instance: WebAssembly.Instance): void => {
    for (const value of Object.values(instance.exports)) {
      if (value instanceof WebAssembly.Memory) memories.push(value);
    }
  };
  class Watched extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      note(this);
    }
  }
  async function watched(
    source: BufferSource | WebAssembly.Module,
    imports?: WebAssembly.Imports,
  ): Promise<WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource> {
    if (source instanceof WebAssembly.Module) {
      const instance = await instantiate(source, imports);
      note(instance);
      return instance;
    }
    const both = await instantiate(source, imports);
    note(both.instance);
    return both;
  }
  Object.assign(WebAssembly, { Instance: Watched, instantiate: watched });
}
