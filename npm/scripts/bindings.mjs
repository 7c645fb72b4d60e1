/** What the build changes in the bindings that wasm-bindgen wrote. */

/**
 * Leaves out what the bindings bring along for programs that are not this one: old engines, other
 * ways to start, `using`. Each cut must fit exactly once, so that another version of wasm-bindgen
 * fails the build instead of slipping through.
 */
export function trim(source) {
  let glue = source.replaceAll(/^if \(Symbol\.dispose\) .*$/gm, '');
  // As old as private fields, which the package needs anyway.
  glue = cut(
    glue,
    /\(typeof FinalizationRegistry === 'undefined'\)\n.*\n\s*: (?=new FinalizationRegistry)/,
  );
  // No function is freed but by the garbage collector, so none can be while it runs. The one kind that there is has two
  // parameters; gathering them costs more than the call.
  glue = cut(
    glue,
    /^function makeClosure\([^]*?^\}$/m,
    `function makeClosure(a, b, invoke) {
    const real = (what, value) => invoke(a, b, what, value);
    CLOSURE_DTORS.register(real, { a, b });
    return real;
}`,
  );
  // The one way that a text takes into the core.
  glue = cut(
    glue,
    /(?<=string_get_\w+: )function\(arg0, arg1\) \{[^]*?^ {8}\}(?=,$)/m,
    `function(arg0, arg1) {
            const bytes = typeof arg1 === 'string' && new TextEncoder().encode(arg1);
            const ptr = bytes && wasm.__wbindgen_malloc(bytes.length, 1);
            if (bytes) getUint8ArrayMemory0().set(bytes, ptr);
            getUint32ArrayMemory0().set([ptr, bytes.length], arg0 / 4);
        }`,
  );
  for (const left of [
    /^function passStringToWasm0\([^]*?^\}$/m,
    /^function isLikeNone\([^]*?^\}$/m,
    /^let WASM_VECTOR_LEN = 0;$/m,
    /^function getDataViewMemory0\([^]*?^\}$/m,
    // Made when they are needed: importing does nothing, and there are places where tests run that have neither class.
    /^const cachedTextEncoder = new TextEncoder\(\);$/m,
    /^if \(!\('encodeInto' in cachedTextEncoder\)\) \{[^]*?^\}$/m,
    /^cachedTextDecoder\.decode\(\);$/m,
  ]) {
    glue = cut(glue, left);
  }
  glue = cut(glue, /^let cachedTextDecoder = .*;$/m, 'let cachedTextDecoder;');
  // For programs that decode more than two gigabytes in one page. No text of the core's begins with a byte order mark.
  glue = cut(
    glue,
    /^const MAX_SAFARI_DECODE_BYTES[^]*?^\}$/m,
    `const decodeText = (bytes) => (cachedTextDecoder ??= new TextDecoder()).decode(bytes);`,
  );
  // A view of the memory is made as fast as it is looked up whether the last one still fits.
  const viewOf = (type) => `const get${type}Memory0 = () => new ${type}(wasm.memory.buffer);`;
  glue = cut(glue, /^function getUint8ArrayMemory0\([^]*?^\}$/m, viewOf('Uint8Array'));
  // The core for visitors has no use for it but the text's way above.
  glue = glue.includes('function getUint32ArrayMemory0(')
    ? cut(glue, /^function getUint32ArrayMemory0\([^]*?^\}$/m, viewOf('Uint32Array'))
    : `${glue}\n${viewOf('Uint32Array')}\n`;
  glue = glue.replaceAll(/^\s*(?:let )?cached\w+Memory0 = null;$/gm, '');
  glue = cut(
    glue,
    /^let wasmModule, wasmInstance, wasm;\nfunction __wbg_finalize_init\([^]*?^\}$/m,
    'let wasm;',
  );
  return cut(
    glue,
    /^function initSync\([^]*?^\}$/m,
    `function initSync({ module }) {
    wasm = new WebAssembly.Instance(module, __wbg_get_imports()).exports;
    wasm.__wbindgen_start();
}`,
  );
}

/**
 * Gives the bindings the names that the optimizer gave the binary: one module `a`, and a letter for
 * each import and export. Fails rather than leave a name that does not fit.
 */
export function shorten(source, { imports, exports }) {
  let glue = source;
  const entries = [];
  const modules = new Map();
  for (const [module, name, short] of imports) {
    modules.set(module, [...(modules.get(module) ?? []), [name, short]]);
  }
  for (const [module, names] of modules) {
    // A module that several functions come from is there once for each, under the same key.
    const lines = [...glue.matchAll(new RegExp(`^\\s*"${escape(module)}": (\\w+),$\\n`, 'gm'))];
    const object = lines[0]?.[1];
    if (object === undefined) {
      throw new Error(`The bindings do not import ${module}`);
    }
    for (const [line] of lines) {
      glue = glue.replace(line, '');
    }
    if (module.endsWith('_bg.js')) {
      for (const [name, short] of names) {
        const [key] = only(glue, new RegExp(`^\\s*${escape(name)}(?=: )`, 'm'), name);
        glue = glue.replace(key, short);
      }
      entries.push(`...${object}`);
    } else {
      // A module of the core's own, which the binary calls without anything in between.
      entries.push(...names.map(([name, short]) => `${short}: ${object}.${name}`));
    }
  }
  const [start] = only(glue, /return \{\n\s*__proto__: null,\n(?=\s*\};)/m, 'the imports');
  glue = glue.replace(start, () => `${start}a: { ${entries.join(', ')} },\n`);

  const shorts = new Map(exports);
  return glue.replace(/\bwasm\.([\w$]+)/g, (whole, name) => {
    const short = shorts.get(name);
    if (short === undefined) {
      throw new Error(`The bindings use ${whole}, which the binary does not export`);
    }
    return `wasm.${short}`;
  });
}

/** Replaces the one place that fits. */
export function cut(text, pattern, replacement = '') {
  only(text, pattern, String(pattern));
  return text.replace(pattern, () => replacement);
}

function only(text, pattern, what) {
  const found = [...text.matchAll(new RegExp(pattern, 'gm'))];
  if (found.length !== 1) {
    throw new Error(`The bindings have ${what} ${found.length} times, not once`);
  }
  return found[0];
}

function escape(text) {
  return text.replace(/[$.*+?()[\]{}|\\^]/g, '\\$&');
}
