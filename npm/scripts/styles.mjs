/** An esbuild plugin for style sheets as text, `import styles from './x.css?inline'`: minified, since nobody reads them there. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';

export const stylesPlugin = {
  name: 'styles',
  setup(build) {
    build.onResolve({ filter: /\.css\?inline$/ }, ({ path, importer }) => ({
      path: join(dirname(importer), path.replace(/\?inline$/, '')),
      namespace: 'styles',
    }));
    build.onLoad({ filter: /./, namespace: 'styles' }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, 'utf8'), {
        loader: 'css',
        minify: true,
        target: ['chrome111', 'firefox113', 'safari16.4'],
      });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};
