/** Brotli as a host serves files that it has compressed beforehand. */
import { brotliCompressSync, constants } from 'node:zlib';

export function compressed(data: Uint8Array): Buffer {
  return brotliCompressSync(data, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
    },
  });
}
