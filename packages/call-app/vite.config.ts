/** Builds the call page. In mode `fixture` the SDK is replaced by a call made up in the page, for the visual test. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  base: '/',
  resolve:
    mode === 'fixture' ? { alias: [{ find: /^@veilcast\/client$/, replacement: at('fixture/connect.ts') }] } : {},
  // The SDK's frame worker is a module worker.
  worker: { format: 'es' },
  build: {
    // The first versions with light-dark(); encoded transforms came later in each.
    target: ['chrome123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0,
    emptyOutDir: true,
    // One page, one script: about 250 kB over the wire, loaded once.
    chunkSizeWarningLimit: 1500,
  },
}));
